use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(none)]
fn no_activities(x: f64, y: f64) -> f64 {
    x * y
}

#[autodiff_reverse(missing, Active, Active)]
fn result_without(x: f64, y: f64) -> f64 {
    x * y
}

#[autodiff_reverse(too_many, Active, Active, Active)]
fn one_argument(x: f64) -> f64 {
    x
}

#[autodiff_reverse(unit, Duplicated, Const)]
fn no_result(x: &mut f64) {
    *x *= 2.0;
}

#[autodiff_reverse(explicit_unit, Duplicated, Const)]
fn nothing(x: &mut f64) -> () {
    *x *= 2.0;
}

#[autodiff_reverse(no_arguments, Active)]
fn nullary() {}

#[autodiff_forward(no_lanes, 0, Dual, Dual)]
fn zero(x: f64) -> f64 {
    x
}

#[autodiff_forward(negative, -2, Dual, Dual)]
fn minus(x: f64) -> f64 {
    x
}

#[autodiff_forward(huge, 5000000000, Dual, Dual)]
fn wide(x: f64) -> f64 {
    x
}

#[autodiff_forward(enormous, 99999999999999999999999999, Dual, Dual)]
fn wider(x: f64) -> f64 {
    x
}

#[autodiff_forward(fraction, 1.5, Dual, Dual)]
fn half(x: f64) -> f64 {
    x
}

const WIDTH: usize = 2;

#[autodiff_forward(named, WIDTH, Dual, Dual)]
fn constant(x: f64) -> f64 {
    x
}

#[autodiff_forward(late, Dual, 2, Dual)]
fn misplaced(x: f64) -> f64 {
    x
}

fn callers() {
    let (value, dx, dy) = missing(1.0, 2.0, 1.0);
    let lanes = negative(value, dx, dy);
    println!("{WIDTH} {}", lanes[0]);
}

fn main() {}
