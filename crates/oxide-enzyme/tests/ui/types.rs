use std::pin::Pin;

use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(duplicated_by_value, Duplicated, Active)]
fn value(x: f64) -> f64 {
    x
}

#[autodiff_reverse(duplicated_vec, Duplicated, Active)]
fn vec(x: Vec<f64>) -> f64 {
    x[0]
}

#[autodiff_reverse(active_reference, Active, Active)]
fn reference(x: &f64) -> f64 {
    *x
}

#[autodiff_reverse(active_mut, Active)]
fn mutable(x: &mut f64) {
    *x *= *x;
}

#[autodiff_reverse(active_pointer, ActiveOnly, Active)]
unsafe fn pointer(x: *const f64) -> f64 {
    unsafe { *x }
}

#[autodiff_reverse(active_vec, Active, Active)]
fn owns(x: Vec<f64>) -> f64 {
    x[0]
}

#[autodiff_reverse(active_boxes, Active, Active)]
fn boxes(x: (f64, [Box<f64>; 2])) -> f64 {
    x.0
}

#[autodiff_reverse(active_borrow, Active, Active)]
fn borrow(x: Option<&f64>) -> f64 {
    *x.unwrap()
}

#[autodiff_reverse(active_integer, Active, Active, Active)]
fn integer(x: f64, n: usize) -> f64 {
    x * n as f64
}

#[autodiff_forward(dual_flag, Dual, Dual, Dual)]
fn flag(x: f64, double: bool) -> f64 {
    if double { 2.0 * x } else { x }
}

#[autodiff_forward(joined_scalar, 2, Dualv, Dual)]
fn scalar(x: f64) -> f64 {
    x
}

#[autodiff_reverse(trait_object, Duplicated, Active)]
fn object(x: &dyn Fn(f64) -> f64) -> f64 {
    x(1.0)
}

#[autodiff_forward(anonymous_type, Dual, Dual)]
fn anonymous(x: impl Into<f64>) -> f64 {
    x.into()
}

#[autodiff_forward(function_pointer, Dual, Dual, Dual)]
fn apply(f: fn(f64) -> f64, x: f64) -> f64 {
    f(x)
}

#[autodiff_reverse(active_result_by_reference, Duplicated, Active)]
fn first(x: &[f64]) -> &f64 {
    &x[0]
}

#[autodiff_reverse(active_result_owns, Duplicated, Active)]
fn squares(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x * x).collect()
}

#[autodiff_reverse(active_result_integer, Active, Active)]
fn rounded(x: f64) -> i64 {
    x.round() as i64
}

#[autodiff_reverse(active_result_anonymous, Active, Active)]
fn hidden(x: f64) -> impl Into<f64> {
    x as f32
}

struct Pinned(f64);

impl Pinned {
    #[autodiff_reverse(duplicated_pin, Duplicated, Active)]
    fn value(self: Pin<&mut Self>) -> f64 {
        self.0
    }
}

// What owns memory without showing it.
struct Hidden(Vec<f64>);

#[autodiff_reverse(active_hidden, Active, Active)]
fn sum(x: Hidden) -> f64 {
    x.0.iter().sum()
}

#[autodiff_reverse(active_result_hidden, Active, Active)]
fn wrap(x: f64) -> Hidden {
    Hidden(vec![x])
}

fn main() {}
