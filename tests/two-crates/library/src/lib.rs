//! A library with derivatives: its users need not know how they are made.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    unreachable_pub,
    rust_2018_idioms,
    clippy::pedantic,
    clippy::nursery
)]
#![allow(clippy::float_cmp, clippy::suboptimal_flops)]

// The dependency is called `gradients` in the manifest; the macros' output says `oxide_enzyme`.
extern crate gradients as oxide_enzyme;

use std::iter::Sum;
use std::ops::Mul;

use gradients::{Shadow, autodiff_forward, autodiff_reverse};

/// Energy of a chain of springs.
#[must_use]
#[autodiff_reverse(d_energy, Duplicated, Active, Active)]
pub fn energy(positions: &[f64], stiffness: f64) -> f64 {
    positions
        .windows(2)
        .map(|pair| 0.5 * stiffness * stretch(pair).powi(2))
        .sum()
}

fn stretch(pair: &[f64]) -> f64 {
    pair[1] - pair[0]
}

/// Of a rectangle.
#[must_use]
#[autodiff_reverse(d_area, Active, Active, Active)]
pub fn area(width: f64, height: f64) -> f64 {
    width * height
}

/// Generic: instances are made in the crates that use it.
#[autodiff_reverse(d_weighted_sum, Duplicated, Const, Active)]
#[autodiff_forward(b_weighted_sum, Dual, Const, Dual)]
pub fn weighted_sum<T: Copy + Mul<Output = T> + Sum>(x: &[T], weights: &[T]) -> T {
    x.iter().zip(weights).map(|(x, w)| *x * *x * *w).sum()
}

/// A line through the origin and beyond.
#[derive(Clone, Debug, PartialEq, Shadow)]
pub struct Line {
    /// What it rises by.
    pub slope: f64,
    /// Where it starts.
    pub offset: f64,
}

impl Line {
    /// Squared distance to a point, measured upwards.
    #[must_use]
    #[autodiff_reverse(d_error, Duplicated, Const, Const, Active)]
    pub fn error(&self, x: f64, y: f64) -> f64 {
        (self.slope * x + self.offset - y).powi(2)
    }
}

#[inline(never)]
fn cube(x: f64) -> f64 {
    x * x * x
}

/// A function that this crate names and its users do not.
#[must_use]
#[inline(never)]
pub fn hidden_function() -> fn(f64) -> f64 {
    cube
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_tests_its_own_derivative() {
        let mut dx = [0.0; 3];
        assert_eq!(d_energy(&[0.0, 1.0, 3.0], &mut dx, 2.0, 1.0), (5.0, 2.5));
        assert_eq!(dx, [-2.0, -2.0, 4.0]);
        assert_eq!(d_area(2.0, 3.0, 1.0), (6.0, 3.0, 2.0));
    }
}
