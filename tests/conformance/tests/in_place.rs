//! Arguments that are changed in place. Reverse mode takes their shadows as seeds; forward mode overwrites them.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_squares, Duplicated, Duplicated)]
#[autodiff_forward(fwd_squares, Dual, Dual)]
fn squares(x: &[f64], out: &mut [f64]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = x * x;
    }
}

#[test]
fn seeds_of_outputs_become_zero() {
    let (x, mut dx) = ([1.0, 2.0, 3.0], [0.0; 3]);
    let (mut out, mut dout) = ([0.0; 3], [1.0, 10.0, 100.0]);
    rev_squares(&x, &mut dx, &mut out, &mut dout);
    assert_all_close(&out, &[1.0, 4.0, 9.0]);
    assert_all_close(&dx, &[2.0, 40.0, 600.0]);
    assert_eq!(dout, [0.0; 3]);
}

#[test]
fn tangents_of_outputs_are_overwritten() {
    let (mut out, mut bout) = ([0.0; 3], [7.0; 3]);
    fwd_squares(&[1.0, 2.0, 3.0], &[1.0, 0.0, 1.0], &mut out, &mut bout);
    assert_all_close(&out, &[1.0, 4.0, 9.0]);
    assert_all_close(&bout, &[2.0, 0.0, 6.0]);
}

#[test]
fn what_is_not_written_keeps_its_seed() {
    let (x, mut dx) = ([3.0], [0.0]);
    let (mut out, mut dout) = ([0.0; 2], [1.0, 5.0]);
    rev_squares(&x, &mut dx, &mut out, &mut dout);
    assert_all_close(&dx, &[6.0]);
    assert_eq!(dout, [0.0, 5.0]);
}

#[autodiff_reverse(rev_accumulate, Duplicated, Active)]
#[autodiff_forward(fwd_accumulate, Dual, Dual)]
fn add_everywhere(x: &mut [f64], y: f64) {
    for x in x {
        *x += y;
    }
}

#[test]
fn what_is_added_to_keeps_its_seed() {
    let (mut x, mut dx) = ([1.0, 2.0], [3.0, 4.0]);
    assert_close(rev_accumulate(&mut x, &mut dx, 10.0), 7.0);
    assert_all_close(&x, &[11.0, 12.0]);
    assert_all_close(&dx, &[3.0, 4.0]);
    let mut bx = [0.5, 0.25];
    fwd_accumulate(&mut x, &mut bx, 10.0, 1.0);
    assert_all_close(&bx, &[1.5, 1.25]);
}

#[autodiff_reverse(rev_recurrence, Duplicated)]
fn recurrence(x: &mut [f64]) {
    for i in 1..x.len() {
        if x[i - 1] > 50.0 {
            return;
        }
        x[i] += x[i - 1] * x[i - 1];
    }
}

#[test]
fn values_that_are_overwritten_are_remembered() {
    // y1 = x1 + x0^2, y2 = x2 + y1^2, seed on y2: 1, 2 y1, 2 y1 2 x0.
    let (mut x, mut dx) = ([2.0, 3.0, 1.0], [0.0, 0.0, 1.0]);
    rev_recurrence(&mut x, &mut dx);
    assert_all_close(&x, &[2.0, 7.0, 50.0]);
    assert_all_close(&dx, &[56.0, 14.0, 1.0]);
}

#[test]
fn a_loop_may_return_early() {
    // Stops after y1 = 100 + 4 > 50.
    let (mut x, mut dx) = ([2.0, 100.0, 1.0], [0.0, 1.0, 5.0]);
    rev_recurrence(&mut x, &mut dx);
    assert_all_close(&x, &[2.0, 104.0, 1.0]);
    assert_all_close(&dx, &[4.0, 1.0, 5.0]);
}

#[autodiff_reverse(rev_swap, Duplicated, Duplicated)]
fn swap_and_scale(x: &mut f64, y: &mut f64) {
    std::mem::swap(x, y);
    *x *= 3.0;
}

#[test]
fn two_places_may_change_values() {
    let (mut x, mut y, mut dx, mut dy) = (1.0, 2.0, 10.0, 20.0);
    rev_swap(&mut x, &mut dx, &mut y, &mut dy);
    assert_eq!((x, y), (6.0, 1.0));
    assert_eq!((dx, dy), (20.0, 30.0));
}

#[autodiff_reverse(rev_rotate, Duplicated, Active)]
fn rotate_and_multiply(x: &mut [f64]) -> f64 {
    x.rotate_left(1);
    x[0] * x[1]
}

#[test]
fn elements_may_rotate() {
    // [1, 2, 3] -> [2, 3, 1]
    let (mut x, mut dx) = ([1.0, 2.0, 3.0], [0.0; 3]);
    assert_close(rev_rotate(&mut x, &mut dx, 1.0), 6.0);
    assert_all_close(&x, &[2.0, 3.0, 1.0]);
    assert_all_close(&dx, &[0.0, 3.0, 2.0]);
}

#[autodiff_reverse(rev_reverse, Duplicated, Active)]
fn reverse_and_multiply(x: &mut [f64]) -> f64 {
    x.reverse();
    x.swap(1, 2);
    x[0] * x[1]
}

#[test]
fn elements_may_be_reversed_and_swapped() {
    // [1, 2, 3] -> [3, 2, 1] -> [3, 1, 2]
    let (mut x, mut dx) = ([1.0, 2.0, 3.0], [0.0; 3]);
    assert_close(rev_reverse(&mut x, &mut dx, 1.0), 3.0);
    assert_all_close(&x, &[3.0, 1.0, 2.0]);
    assert_all_close(&dx, &[3.0, 0.0, 1.0]);
}
