//! The passes of reverse mode apart, with a tape between them.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{Tape, autodiff_reverse_split};

#[autodiff_reverse_split(split_product, Active, Active, Active)]
fn product(x: f64, y: f64) -> f64 {
    x * y.sin()
}

#[test]
fn the_seed_may_depend_on_the_result() {
    let (value, tape) = split_product(2.0, 0.5);
    assert_close(value, 2.0 * 0.5f64.sin());
    // The gradient of the square.
    let (dx, dy) = tape.reverse(2.0 * value);
    assert_close(dx, 2.0 * value * 0.5f64.sin());
    assert_close(dy, 2.0 * value * 2.0 * 0.5f64.cos());
}

#[autodiff_reverse_split(split_sum, Duplicated, Const, Active)]
fn sum_of_powers(x: &[f64], powers: &[i32]) -> f64 {
    let mut terms = Vec::new();
    for (x, power) in x.iter().zip(powers) {
        terms.push(x.powi(*power));
    }
    let cosines: Vec<f64> = terms.iter().map(|term| term.cos()).collect();
    cosines.iter().sum()
}

fn expected(x: &[f64], powers: &[i32], seed: f64) -> Vec<f64> {
    let one = |(x, n): (&f64, &i32)| -seed * x.powi(*n).sin() * f64::from(*n) * x.powi(n - 1);
    x.iter().zip(powers).map(one).collect()
}

#[test]
fn memory_of_the_forward_pass_is_there_in_the_reverse_pass() {
    let (x, powers, mut dx) = ([0.5, 1.5, 2.0], [1, 2, 3], [0.0; 3]);
    let (_, tape) = split_sum(&x, &mut dx, &powers);
    let noise: Vec<f64> = (0..1000).map(f64::from).collect();
    tape.reverse(3.0);
    drop(noise);
    for (got, expected) in dx.iter().zip(expected(&x, &powers, 3.0)) {
        conformance::assert_near(*got, expected, 1e-12);
    }
}

#[test]
fn several_tapes_at_once() {
    let powers = [1, 2];
    let points = [[0.5, 1.0], [1.5, -1.0], [2.0, 0.25]];
    let mut gradients = [[0.0; 2]; 3];
    let tapes: Vec<(f64, Tape<'_, f64, ()>)> = points
        .iter()
        .zip(&mut gradients)
        .map(|(x, dx)| split_sum(x, dx, &powers))
        .collect();
    for (seed, (_, tape)) in tapes.into_iter().enumerate().rev() {
        tape.reverse(seed as f64);
    }
    for (seed, (x, dx)) in points.iter().zip(&gradients).enumerate() {
        for (got, expected) in dx.iter().zip(expected(x, &powers, seed as f64)) {
            conformance::assert_near(*got, expected, 1e-12);
        }
    }
}

struct Model {
    weights: Vec<f64>,
}

impl Model {
    #[autodiff_reverse_split(split_predict, Const, Active, Active)]
    fn predict(&self, x: f64) -> f64 {
        self.weights
            .iter()
            .rev()
            .fold(0.0, |value, weight| value * x + weight)
    }
}

#[test]
fn a_method() {
    let model = Model {
        weights: vec![1.0, 2.0, 3.0],
    };
    let (value, tape) = model.split_predict(2.0);
    assert_eq!((value, tape.reverse(1.0)), (17.0, 14.0));
}

#[autodiff_reverse_split(split_generic, Duplicated, Active)]
#[expect(
    clippy::needless_lifetimes,
    reason = "a lifetime by name is what is tested"
)]
fn generic<'a, const N: usize>(x: &'a [f64; N]) -> f64 {
    x.iter().product()
}

#[test]
fn a_generic_function_with_a_named_lifetime() {
    let mut dx = [0.0; 3];
    let (value, tape) = split_generic(&[2.0, 3.0, 5.0], &mut dx);
    tape.reverse(1.0);
    assert_eq!(value, 30.0);
    assert_all_close(&dx, &[15.0, 10.0, 6.0]);
}
