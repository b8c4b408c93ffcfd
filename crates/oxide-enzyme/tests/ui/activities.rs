use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(near_miss, Duplicate, Active)]
fn near(x: &[f64]) -> f64 {
    x[0]
}

#[autodiff_reverse(no_such_activity, Shadow, Active)]
fn far(x: &[f64]) -> f64 {
    x[0]
}

#[autodiff_forward(other_mode, Active, Dual)]
fn forward(x: f64) -> f64 {
    x
}

#[autodiff_reverse(not_for_results, Duplicated, Duplicated)]
fn result(x: &[f64]) -> f64 {
    x[0]
}

#[autodiff_reverse(by_value, Duplicated, Active)]
fn value(x: f64) -> f64 {
    x
}

#[autodiff_reverse(by_reference, Active, Active)]
fn reference(x: &f64) -> f64 {
    *x
}

#[autodiff_reverse(result_by_reference, Duplicated, Active)]
fn first(x: &[f64]) -> &f64 {
    &x[0]
}

#[autodiff_forward(vector_activity, Dualv, Dual)]
fn vector(x: f64) -> f64 {
    x
}

#[autodiff_forward(vector_width, 4, Dual, Dual)]
fn width(x: f64) -> f64 {
    x
}

#[autodiff_reverse(trait_object, Duplicated, Active)]
fn object(x: &dyn Fn(f64) -> f64) -> f64 {
    x(1.0)
}

fn main() {}
