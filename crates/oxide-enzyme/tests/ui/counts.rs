use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(none)]
fn no_activities(x: f64, y: f64) -> f64 {
    x * y
}

#[autodiff_reverse(no_result, Active, Active)]
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

fn main() {}
