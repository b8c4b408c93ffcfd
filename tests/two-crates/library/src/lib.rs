//! A library with derivatives: its users need not know how they are made.

use std::iter::Sum;
use std::ops::Mul;

use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

/// Energy of a chain of springs.
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
    #[autodiff_reverse(d_error, Duplicated, Const, Const, Active)]
    pub fn error(&self, x: f64, y: f64) -> f64 {
        (self.slope * x + self.offset - y).powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_tests_its_own_derivative() {
        let mut dx = [0.0; 3];
        assert_eq!(d_energy(&[0.0, 1.0, 3.0], &mut dx, 2.0, 1.0), (5.0, 2.5));
        assert_eq!(dx, [-2.0, -2.0, 4.0]);
    }
}
