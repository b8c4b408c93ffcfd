//! Several derivatives at once, in forward and in reverse mode.

use conformance::{SINGLE, assert_all_close, assert_close, assert_near};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_forward(fwd4, 4, Dual, Dual)]
#[autodiff_forward(fwd4_only, 4, Dual, DualOnly)]
#[autodiff_forward(fwd4_const, 4, Dual, Const)]
#[autodiff_reverse(rev3, 3, Active, Active)]
#[autodiff_reverse(rev3_only, 3, Active, ActiveOnly)]
fn cubic(x: f64) -> f64 {
    x * x * x
}

#[test]
fn scalars_forward() {
    assert_eq!(fwd4(2.0, 1.0, 0.5, 0.0, -1.0), [8.0, 12.0, 6.0, 0.0, -12.0]);
    assert_eq!(fwd4_only(2.0, 1.0, 0.5, 0.0, -1.0), [12.0, 6.0, 0.0, -12.0]);
    assert_eq!(fwd4_const(2.0, 1.0, 0.5, 0.0, -1.0), 8.0);
}

#[test]
fn scalars_reverse() {
    assert_eq!(rev3(2.0, [1.0, 0.5, 0.0]), (8.0, [12.0, 6.0, 0.0]));
    assert_eq!(rev3_only(2.0, [1.0, 0.5, 0.0]), [12.0, 6.0, 0.0]);
}

#[autodiff_forward(fwd2_dot, 2, Dual, Dual, Dual)]
#[autodiff_forward(fwd2_dot_joined, 2, Dualv, Const, Dual)]
#[autodiff_reverse(rev2_dot, 2, Duplicated, Const, Active)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[test]
fn slices() {
    let (x, y) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]);
    assert_eq!(
        fwd2_dot(
            &x,
            &[1.0, 0.0, 0.0],
            &[0.0, 1.0, 0.0],
            &y,
            &[0.0; 3],
            &[0.0, 0.0, 1.0]
        ),
        [32.0, 4.0, 8.0]
    );
    assert_eq!(
        fwd2_dot_joined(&x, &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0], &y),
        [32.0, 4.0, 6.0]
    );
    let (mut d0, mut d1) = ([0.0; 3], [100.0; 3]);
    assert_close(rev2_dot(&x, &mut d0, &mut d1, &y, [1.0, -1.0]), 32.0);
    assert_all_close(&d0, &y);
    assert_all_close(&d1, &[96.0, 95.0, 94.0]);
}

#[autodiff_forward(fwd4_squares, 4, Dualv, Dualv)]
#[autodiff_reverse(rev2_squares, 2, Duplicated, Duplicated)]
fn squares(x: &[f32], out: &mut [f32]) {
    for (x, out) in x.iter().zip(out) {
        *out = x * x;
    }
}

#[test]
fn joined_lanes_of_inputs_and_outputs() {
    let (x, mut out, mut bout) = ([3.0, 5.0], [0.0; 2], [9.0; 8]);
    fwd4_squares(
        &x,
        &[1.0, 0.0, 0.0, 1.0, 2.0, 2.0, 0.0, 0.0],
        &mut out,
        &mut bout,
    );
    assert_eq!(out, [9.0, 25.0]);
    assert_eq!(bout, [6.0, 0.0, 0.0, 10.0, 12.0, 20.0, 0.0, 0.0]);
}

#[test]
fn seeds_of_each_lane_in_reverse() {
    let (x, mut out) = ([3.0, 5.0], [0.0; 2]);
    let (mut dx0, mut dx1) = ([0.0; 2], [0.0; 2]);
    let (mut dout0, mut dout1) = ([1.0, 0.0], [0.0, 1.0]);
    rev2_squares(&x, &mut dx0, &mut dx1, &mut out, &mut dout0, &mut dout1);
    assert_eq!((dx0, dx1), ([6.0, 0.0], [0.0, 10.0]));
    assert_eq!((dout0, dout1), ([0.0; 2], [0.0; 2]));
}

#[autodiff_forward(fwd3_grow, 3, Dual, Dual)]
#[autodiff_reverse(rev3_grow, 3, Duplicated, Active)]
fn through_vec(x: &[f64]) -> f64 {
    let mut v = Vec::new();
    for x in x {
        v.push(x * x);
    }
    let w: Vec<f64> = v.iter().map(|v| v.sin()).collect();
    w.iter().sum()
}

#[test]
fn memory_from_the_heap() {
    let x = [0.5, 1.5];
    let expected = x.map(|x: f64| 2.0 * x * (x * x).cos());
    let [value, a, b, c] = fwd3_grow(&x, &[1.0, 0.0], &[0.0, 1.0], &[1.0, 1.0]);
    assert_close(value, 0.25f64.sin() + 2.25f64.sin());
    assert_all_close(
        &[a, b, c],
        &[expected[0], expected[1], expected[0] + expected[1]],
    );
    let (mut d0, mut d1, mut d2) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    rev3_grow(&x, &mut d0, &mut d1, &mut d2, [1.0, 2.0, 0.0]);
    assert_all_close(&d0, &expected);
    assert_all_close(&d1, &expected.map(|e| 2.0 * e));
    assert_eq!(d2, [0.0; 2]);
}

#[test]
#[should_panic(expected = "has length 3, but its shadow has length 5 instead of 2 times that")]
fn a_joined_shadow_of_another_length_is_refused() {
    fwd2_dot_joined(&[1.0; 3], &[1.0; 5], &[1.0; 3]);
}

#[autodiff_forward(fwd_quotient, 2, Dual, Dual, Dual)]
fn quotient(x: f32, y: f32) -> f32 {
    x / y
}

#[test]
fn tangents_of_quotients_of_any_size() {
    for y in [4.0, 1e20, 1e-25] {
        let [value, along_x, along_y] = fwd_quotient(2.0 * y, 1.0, 0.0, y, 0.0, 1.0);
        assert_near(value.into(), 2.0, SINGLE);
        assert_near(along_x.into(), 1.0 / f64::from(y), SINGLE);
        assert_near(along_y.into(), -2.0 / f64::from(y), SINGLE);
    }
}
