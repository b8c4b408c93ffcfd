use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(near_miss, Duplicate, Active)]
fn near(x: &[f64]) -> f64 {
    x[0]
}

#[autodiff_reverse(several_mistakes, active, dual, Cnost)]
fn several(x: f64, y: f64) -> f64 {
    x * y
}

#[autodiff_reverse(no_such_activity, Shadow, Active)]
fn far(x: &[f64]) -> f64 {
    x[0]
}

#[autodiff_forward(reverse_activity, Active, Dual)]
fn forward(x: f64) -> f64 {
    x
}

#[autodiff_reverse(forward_activity, Dual, Active)]
fn reverse(x: f64) -> f64 {
    x
}

#[autodiff_reverse(not_for_results, Duplicated, Duplicated)]
fn result(x: &[f64]) -> f64 {
    x[0]
}

#[autodiff_reverse(dual_result, Active, Dual)]
fn reverse_result(x: f64) -> f64 {
    x
}

#[autodiff_reverse(a_string, "Active", Active)]
fn string(x: f64) -> f64 {
    x
}

#[autodiff_reverse(a_path, Activity::Active, Active)]
fn path(x: f64) -> f64 {
    x
}

#[autodiff_reverse(a_call, Active(x), Active)]
fn call(x: f64) -> f64 {
    x
}

// Callers of what could not be made are not blamed.
fn callers() {
    let mut dx = [0.0; 3];
    let value: f64 = near_miss(&[1.0; 3], &mut dx, 1.0);
    let (value, dx) = forward_activity(value, 1.0);
    let derivative: fn(f64, f64) -> f64 = a_string;
    println!("{value} {dx} {}", derivative(1.0, 2.0));
}

fn main() {}
