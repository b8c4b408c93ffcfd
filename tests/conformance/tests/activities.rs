//! Each activity, in each place: what the derivative takes, gives and leaves behind.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

// cubic(x, y) = x y^3, so dx = y^3 and dy = 3 x y^2.
#[autodiff_reverse(rev_both, Active, Active, Active)]
#[autodiff_reverse(rev_first, Active, Const, Active)]
#[autodiff_reverse(rev_second, Const, Active, Active)]
#[autodiff_reverse(rev_gradient, Active, Active, ActiveOnly)]
#[autodiff_reverse(rev_one_gradient, Active, Const, ActiveOnly)]
#[autodiff_reverse(rev_active_only_input, ActiveOnly, Const, Active)]
#[autodiff_forward(fwd_both, Dual, Dual, Dual)]
#[autodiff_forward(fwd_first, Dual, Const, Dual)]
#[autodiff_forward(fwd_tangent, Dual, Dual, DualOnly)]
#[autodiff_forward(fwd_primal, Dual, Dual, Const)]
fn cubic(x: f64, y: f64) -> f64 {
    x * y.powi(3)
}

#[test]
fn active_arguments_give_the_result_and_then_their_gradients() {
    assert_eq!(rev_both(5.0, 2.0, 1.0), (40.0, 8.0, 60.0));
    assert_eq!(rev_first(5.0, 2.0, 1.0), (40.0, 8.0));
    assert_eq!(rev_second(5.0, 2.0, 1.0), (40.0, 60.0));
}

#[test]
fn the_seed_scales_every_gradient() {
    assert_eq!(rev_both(5.0, 2.0, 0.5), (40.0, 4.0, 30.0));
    assert_eq!(rev_both(5.0, 2.0, 0.0), (40.0, 0.0, 0.0));
}

#[test]
fn an_active_only_result_is_not_returned() {
    assert_eq!(rev_gradient(5.0, 2.0, 1.0), (8.0, 60.0));
    assert_eq!(rev_one_gradient(5.0, 2.0, 1.0), 8.0);
}

#[test]
fn an_active_only_argument_gives_its_gradient_too() {
    assert_eq!(rev_active_only_input(5.0, 2.0, 1.0), (40.0, 8.0));
}

#[test]
fn dual_arguments_take_tangents() {
    assert_eq!(fwd_both(5.0, 1.0, 2.0, 0.0), (40.0, 8.0));
    assert_eq!(fwd_both(5.0, 0.5, 2.0, 2.0), (40.0, 124.0));
    assert_eq!(fwd_first(5.0, 3.0, 2.0), (40.0, 24.0));
}

#[test]
fn a_dual_only_result_is_the_tangent_alone() {
    assert_eq!(fwd_tangent(5.0, 0.5, 2.0, 2.0), 124.0);
}

#[test]
fn a_constant_result_is_the_primal_alone() {
    assert_eq!(fwd_primal(5.0, 0.5, 2.0, 2.0), 40.0);
}

#[autodiff_reverse(rev_dot, Duplicated, Const, Active)]
#[autodiff_reverse(rev_dot_only, Duplicated, Duplicated, ActiveOnly)]
#[autodiff_reverse(rev_dot_discard, DuplicatedOnly, Const, Active)]
#[autodiff_forward(fwd_dot, Dual, Dual, Dual)]
#[autodiff_forward(fwd_dot_discard, DualOnly, Const, DualOnly)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[test]
fn a_shadow_is_added_to() {
    let (x, y, mut dx) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [100.0; 3]);
    assert_close(rev_dot(&x, &mut dx, &y, 1.0), 32.0);
    assert_all_close(&dx, &[104.0, 105.0, 106.0]);
    rev_dot(&x, &mut dx, &y, -1.0);
    assert_all_close(&dx, &[100.0; 3]);
}

#[test]
fn a_derivative_may_return_nothing_but_shadows() {
    let (x, y, mut dx, mut dy) = ([1.0, 2.0], [4.0, 5.0], [0.0; 2], [0.0; 2]);
    rev_dot_only(&x, &mut dx, &y, &mut dy, 2.0);
    assert_all_close(&dx, &[8.0, 10.0]);
    assert_all_close(&dy, &[2.0, 4.0]);
}

#[test]
fn an_empty_slice_has_an_empty_gradient() {
    assert_eq!(rev_dot(&[], &mut [], &[], 1.0), 0.0);
}

#[test]
fn tangents_of_slices_are_read() {
    let (value, tangent) = fwd_dot(&[1.0, 2.0], &[1.0, 0.0], &[4.0, 5.0], &[0.0, 10.0]);
    assert_close(value, 14.0);
    assert_close(tangent, 24.0);
}

#[test]
fn discarding_activities_give_the_same_derivatives() {
    let (x, y, mut dx) = ([1.0, 2.0], [4.0, 5.0], [0.0; 2]);
    // SAFETY: `x` is not looked at again.
    assert_close(unsafe { rev_dot_discard(&x, &mut dx, &y, 1.0) }, 14.0);
    assert_all_close(&dx, &[4.0, 5.0]);
    // SAFETY: as above.
    assert_close(
        unsafe { fwd_dot_discard(&[1.0, 2.0], &[1.0, 1.0], &y) },
        9.0,
    );
}

#[autodiff_reverse(rev_store, Active, Active, Duplicated)]
#[autodiff_forward(fwd_store, Dual, Dual, Dual)]
fn store_product(x: f64, y: f64, out: &mut f64) {
    *out = x * y;
}

#[test]
fn the_shadow_of_an_output_is_the_seed_and_is_used_up() {
    let (mut out, mut dout) = (0.0, 10.0);
    assert_eq!(rev_store(2.0, 3.0, &mut out, &mut dout), (30.0, 20.0));
    assert_eq!((out, dout), (6.0, 0.0));
}

#[test]
fn the_shadow_of_an_output_is_overwritten_in_forward_mode() {
    let (mut out, mut bout) = (0.0, 10.0);
    fwd_store(2.0, 1.0, 3.0, 0.5, &mut out, &mut bout);
    assert_eq!((out, bout), (6.0, 4.0));
}

#[autodiff_reverse(rev_count, Duplicated, Const)]
fn square_and_count(x: &mut [f64]) -> usize {
    for x in x.iter_mut() {
        *x *= *x;
    }
    x.len()
}

#[test]
fn a_constant_result_is_returned_in_reverse_mode() {
    let (mut x, mut dx) = ([3.0, 4.0], [1.0, 10.0]);
    assert_eq!(rev_count(&mut x, &mut dx), 2);
    assert_all_close(&x, &[9.0, 16.0]);
    assert_all_close(&dx, &[6.0, 80.0]);
}

#[autodiff_reverse(rev_pointer, Duplicated, Const, Active)]
unsafe fn sum_of_squares(x: *const f64, length: usize) -> f64 {
    // SAFETY: the caller gives a slice's parts.
    unsafe { std::slice::from_raw_parts(x, length) }
        .iter()
        .map(|x| x * x)
        .sum()
}

#[test]
fn raw_pointers_have_shadows() {
    let (x, mut dx) = ([1.0, 2.0], [0.0; 2]);
    // SAFETY: both hold two numbers.
    assert_close(
        unsafe { rev_pointer(x.as_ptr(), dx.as_mut_ptr(), 2, 1.0) },
        5.0,
    );
    assert_all_close(&dx, &[2.0, 4.0]);
}

#[autodiff_reverse(rev_patterns, Active, Const, Active, Active)]
fn patterns(mut x: f64, _: u8, (a, [b, _]): (f64, [f64; 2])) -> f64 {
    x *= a;
    x * b
}

#[test]
fn arguments_may_be_patterns() {
    let (value, dx, darg) = rev_patterns(2.0, 0, (3.0, [5.0, 7.0]), 1.0);
    assert_eq!((value, dx, darg), (30.0, 15.0, (10.0, [6.0, 0.0])));
}

#[autodiff_reverse(rev_nothing, Const, Const)]
#[autodiff_forward(fwd_nothing, Const, Const)]
fn all_constant(x: f64) -> f64 {
    x + 1.0
}

#[test]
fn without_active_arguments_it_is_the_primal() {
    assert_eq!(rev_nothing(1.0), 2.0);
    assert_eq!(fwd_nothing(1.0), 2.0);
}
