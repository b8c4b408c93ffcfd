//! What the documentation promises that safe code cannot do.

use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(d_discards, DuplicatedOnly, Active)]
#[autodiff_forward(b_discards, DualOnly, Dual)]
fn discards(x: &mut f64) -> f64 {
    *x
}

#[autodiff_forward(b_discards_lanes, 2, DualvOnly, Dual)]
fn discards_slices(x: &mut [f64]) -> f64 {
    x[0]
}

#[autodiff_reverse(d_promises, Duplicated, Active)]
unsafe fn promises(x: *const f64) -> f64 {
    unsafe { *x }
}

fn safe_calls_of_unsafe_derivatives(x: *const f64, dx: *mut f64) {
    d_discards(&mut 1.0, &mut 0.0, 1.0);
    b_discards(&mut 1.0, &mut 0.0);
    b_discards_lanes(&mut [1.0], &mut [1.0, 2.0]);
    d_promises(x, dx, 1.0);
}

#[autodiff_forward(d_consumes, Dual, Dual)]
fn consumes(x: Vec<f64>) -> f64 {
    x[0]
}

fn an_argument_and_its_shadow_are_moved() {
    let (x, bx) = (vec![1.0], vec![1.0]);
    d_consumes(x, bx);
    drop((x, bx));
}

#[autodiff_reverse(d_adds, Duplicated, Active)]
#[autodiff_reverse(d_adds_2, 2, Duplicated, Active)]
fn adds(x: &[f64]) -> f64 {
    x[0]
}

#[autodiff_reverse(d_writes, Duplicated, Duplicated)]
#[autodiff_forward(b_writes, Dual, Dual)]
fn writes(x: &[f64], y: &mut [f64]) {
    y[0] = x[0];
}

fn a_shadow_aliases_its_argument() {
    let mut x = [1.0];
    d_adds(&x, &mut x, 1.0);
}

fn shadows_of_two_lanes_alias() {
    let mut dx = [0.0];
    d_adds_2(&[1.0], &mut dx, &mut dx, [1.0, 1.0]);
}

fn shadows_of_two_arguments_alias() {
    let mut d = [0.0];
    d_writes(&[1.0], &mut d, &mut [1.0], &mut d);
}

fn a_tangent_aliases_an_output() {
    let mut y = [0.0];
    b_writes(&[1.0], &y, &mut y, &mut [0.0]);
}

fn a_gradient_is_added_to_what_may_not_change() {
    let dx = [0.0];
    d_adds(&[1.0], &dx, 1.0);
}

#[autodiff_reverse(d_array, Duplicated, Active)]
fn array(x: &[f64; 3]) -> f64 {
    x[0]
}

fn arrays_of_another_length_are_of_another_type() {
    d_array(&[1.0; 3], &mut [0.0; 2], 1.0);
}

mod inner {
    #[oxide_enzyme::autodiff_reverse(d_private, Active, Active)]
    fn private(x: f64) -> f64 {
        x
    }
}

fn a_derivative_is_no_more_visible_than_its_primal() {
    inner::d_private(1.0, 1.0);
}

fn main() {}
