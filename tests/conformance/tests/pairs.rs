//! Pairs of `f32`, which rustc passes as one integer of 64 bits.

use conformance::{SINGLE, assert_near};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[inline(never)]
fn turn([x, y]: [f32; 2], angle: f32) -> [f32; 2] {
    let (sin, cos) = angle.sin_cos();
    [cos * x - sin * y, sin * x + cos * y]
}

#[inline(never)]
fn exchanged(pair: (f32, f32)) -> (f32, f32) {
    (pair.1, pair.0)
}

/// Turns back and forth, by a list of pairs: in the end `x[0]² + 2 x[1]² + 3 x[0] x[1]`.
#[autodiff_reverse(rev_turned, Duplicated, Const, Active)]
#[autodiff_forward(fwd_turned, Dual, Const, Dual)]
fn turned(x: &[f32; 2], rounds: usize) -> f32 {
    let mut corners = [*x, [0.0, 0.0]].to_vec();
    for round in 0..rounds {
        corners.swap(0, 1);
        corners[0] = turn(corners[1], 0.3 * round as f32);
        corners[0] = turn(corners[0], -0.3 * round as f32);
    }
    let mut pair = (corners[0][0], corners[0][1]);
    for _ in 0..rounds {
        pair = exchanged(pair);
    }
    if rounds % 2 == 1 {
        pair = exchanged(pair);
    }
    pair.0 * pair.0 + 2.0 * pair.1 * pair.1 + 3.0 * pair.0 * pair.1
}

#[test]
fn pairs_of_singles_keep_the_gradients_of_both() {
    let x = [0.7f32, -1.2];
    let expected = [2.0 * x[0] + 3.0 * x[1], 4.0 * x[1] + 3.0 * x[0]].map(f64::from);
    for rounds in [0, 1, 4] {
        let mut dx = [0.0; 2];
        rev_turned(&x, &mut dx, rounds, 1.0);
        for i in 0..2 {
            assert_near(dx[i].into(), expected[i], 2.0 * SINGLE);
            let mut bx = [0.0; 2];
            bx[i] = 1.0;
            let (_, tangent) = fwd_turned(&x, &bx, rounds);
            assert_near(tangent.into(), expected[i], 2.0 * SINGLE);
        }
    }
}

#[inline(never)]
fn doubled(x: [f32; 4]) -> [f32; 4] {
    x.map(|x| 2.0 * x)
}

#[inline(never)]
fn halved([x, y, z]: [f32; 3]) -> [f32; 3] {
    [x / 2.0, y / 2.0, z / 2.0]
}

/// `x[0]² + x[1]² + x[2]² + x[3]²`, by arrays of three and four.
#[autodiff_reverse(rev_four, Duplicated, Active)]
#[autodiff_forward(fwd_four, Dual, Dual)]
fn four(x: &[f32; 4]) -> f32 {
    let twice = doubled(*x);
    let [a, b, c] = halved([twice[0], twice[1], twice[2]]);
    a * a + b * b + c * c + twice[3] * twice[3] / 4.0
}

#[test]
fn longer_arrays_of_singles_keep_their_gradients() {
    let (x, mut dx) = ([0.5f32, -1.5, 2.5, 3.0], [0.0; 4]);
    rev_four(&x, &mut dx, 1.0);
    for i in 0..4 {
        assert_near(dx[i].into(), f64::from(2.0 * x[i]), SINGLE);
        let mut bx = [0.0; 4];
        bx[i] = 1.0;
        assert_near(fwd_four(&x, &bx).1.into(), f64::from(2.0 * x[i]), SINGLE);
    }
}
