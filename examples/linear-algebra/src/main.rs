//! How well a Gaussian process explains measurements, differentiated with respect to its hyperparameters: nalgebra factors
//! the covariance, ndarray holds the measurements, and Enzyme goes through both.
//!
//! Run it with `cargo enzyme run -p linear-algebra`, test it with `cargo enzyme test -p linear-algebra`.

use nalgebra::{Cholesky, DMatrix, DVector};
use ndarray::{Array1, Array2, ArrayView1, Axis};
use oxide_enzyme::autodiff_reverse;

/// Logarithms of signal deviation, length scale and noise deviation: any real number makes sense.
const PARAMETERS: usize = 3;

/// Negative log-likelihood of `values` at `points` (a row each) under a Gaussian process with mean `trend` and squared
/// exponential covariance.
///
/// `likelihood_reverse(log, dlog, trend, points, values, seed)` returns the same and the slope along `trend`, and adds the
/// gradient with respect to `log` to `dlog`.
#[autodiff_reverse(likelihood_reverse, Duplicated, Active, Const, Const, Active)]
fn likelihood(
    log: &[f64; PARAMETERS],
    trend: f64,
    points: &Array2<f64>,
    values: &Array1<f64>,
) -> f64 {
    let residuals = (0..values.len())
        .map(|n| values[n] - trend)
        .collect::<Vec<f64>>();
    let residuals = DVector::from_vec(residuals);
    let Some(factor) = Cholesky::new(covariance(log, points)) else {
        return f64::INFINITY;
    };
    let weights = factor.solve(&residuals);
    let log_determinant: f64 = factor
        .l_dirty()
        .diagonal()
        .iter()
        .map(|d| 2.0 * d.ln())
        .sum();
    let constant = residuals.len() as f64 * std::f64::consts::TAU.ln();
    0.5 * (residuals.dot(&weights) + log_determinant + constant)
}

/// `signal^2 exp(-distance^2 / (2 length^2))`, and `noise^2` on the diagonal.
fn covariance(log: &[f64; PARAMETERS], points: &Array2<f64>) -> DMatrix<f64> {
    let [signal, length, noise] = log.map(f64::exp);
    let count = points.len_of(Axis(0));
    DMatrix::from_fn(count, count, |i, j| {
        let squared = squared_distance(points.row(i), points.row(j));
        let noise = if i == j { noise * noise } else { 0.0 };
        signal * signal * (-0.5 * squared / (length * length)).exp() + noise
    })
}

fn squared_distance(a: ArrayView1<f64>, b: ArrayView1<f64>) -> f64 {
    (&a - &b).mapv(|difference| difference * difference).sum()
}

/// The gradient with respect to logarithms and trend, by Enzyme.
fn gradient(
    log: &[f64; PARAMETERS],
    trend: f64,
    points: &Array2<f64>,
    values: &Array1<f64>,
) -> (f64, [f64; 4]) {
    let mut slopes = [0.0; PARAMETERS];
    let (value, along_trend) = likelihood_reverse(log, &mut slopes, trend, points, values, 1.0);
    let [signal, length, noise] = slopes;
    (value, [signal, length, noise, along_trend])
}

/// The same by the textbook: with `K` the covariance and `w = K^-1 r`, the slope along a parameter is
/// `1/2 trace(K^-1 dK) - 1/2 w' dK w`.
fn gradient_by_hand(
    log: &[f64; PARAMETERS],
    trend: f64,
    points: &Array2<f64>,
    values: &Array1<f64>,
) -> [f64; 4] {
    let [signal, length, noise] = log.map(f64::exp);
    let covariance = covariance(log, points);
    let count = covariance.nrows();
    let inverse = covariance
        .try_inverse()
        .expect("a covariance has an inverse");
    let weights =
        &inverse * DVector::from_iterator(count, values.iter().map(|value| value - trend));
    let slope = |change: DMatrix<f64>| {
        0.5 * ((&inverse * &change).trace() - weights.dot(&(&change * &weights)))
    };

    let kernel = |scale: &dyn Fn(f64) -> f64| {
        DMatrix::from_fn(count, count, |i, j| {
            let squared = squared_distance(points.row(i), points.row(j)) / (length * length);
            scale(squared) * signal * signal * (-0.5 * squared).exp()
        })
    };
    [
        slope(kernel(&|_| 2.0)),
        slope(kernel(&|squared| squared)),
        slope(DMatrix::from_diagonal_element(
            count,
            count,
            2.0 * noise * noise,
        )),
        -weights.sum(),
    ]
}

/// The same by central finite differences.
fn gradient_by_differences(
    log: &[f64; PARAMETERS],
    trend: f64,
    points: &Array2<f64>,
    values: &Array1<f64>,
) -> [f64; 4] {
    const STEP: f64 = 1e-5;
    std::array::from_fn(|parameter| {
        let moved = |change: f64| {
            let (mut log, mut trend) = (*log, trend);
            *log.get_mut(parameter).unwrap_or(&mut trend) += change;
            likelihood(&log, trend, points, values)
        };
        (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
    })
}

/// A smooth surface with ripples on it, at points on a lattice that is not quite regular.
fn measurements(count: usize) -> (Array2<f64>, Array1<f64>) {
    let points = Array2::from_shape_fn((count, 2), |(i, axis)| {
        let ratio = [0.754_877_666_246_693, 0.569_840_290_998_053][axis];
        4.0 * ((i as f64 + 0.5) * ratio).fract()
    });
    let values = points.map_axis(Axis(1), |p| {
        1.5 + p[0].sin() * (0.7 * p[1]).cos() + 0.1 * (37.0 * p[0]).sin()
    });
    (points, values)
}

/// The largest error, relative to the component or to 1.
fn error(found: &[f64; 4], expected: &[f64; 4]) -> f64 {
    let errors = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    errors.fold(0.0, f64::max)
}

fn main() {
    let (points, values) = measurements(40);
    let (mut log, mut trend) = ([0.0, 0.0, -1.0], 0.0);
    println!(
        "step   -log likelihood     signal     length      noise      trend   error by hand   by differences"
    );
    for step in 0..=60 {
        let (value, slopes) = gradient(&log, trend, &points, &values);
        if step % 10 == 0 {
            let [signal, length, noise] = log.map(f64::exp);
            let by_hand = error(&slopes, &gradient_by_hand(&log, trend, &points, &values));
            let by_differences = error(
                &slopes,
                &gradient_by_differences(&log, trend, &points, &values),
            );
            println!(
                "{step:4} {value:17.8} {signal:10.5} {length:10.5} {noise:10.5} {trend:10.5} {by_hand:15.1e} {by_differences:16.1e}"
            );
        }
        // Gradient descent with a fixed length of step that shrinks as it goes: enough for four parameters.
        let norm = slopes.iter().map(|slope| slope * slope).sum::<f64>().sqrt();
        let rate = 0.2 * 0.95_f64.powi(step) / norm;
        log.iter_mut()
            .zip(slopes)
            .for_each(|(log, slope)| *log -= rate * slope);
        trend -= rate * slopes[3];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: [f64; PARAMETERS] = [0.3, -0.4, -1.2];

    #[test]
    fn the_gradient_agrees_with_the_textbook() {
        for count in [1, 2, 7, 25] {
            let (points, values) = measurements(count);
            let (value, found) = gradient(&LOG, 0.8, &points, &values);
            let by_hand = gradient_by_hand(&LOG, 0.8, &points, &values);
            assert!((value - likelihood(&LOG, 0.8, &points, &values)).abs() < 1e-11 * value.abs());
            assert!(
                error(&found, &by_hand) < 1e-10,
                "{found:?} instead of {by_hand:?}"
            );
        }
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let (points, values) = measurements(12);
        let (_, found) = gradient(&LOG, 0.8, &points, &values);
        let differences = gradient_by_differences(&LOG, 0.8, &points, &values);
        assert!(
            error(&found, &differences) < 1e-7,
            "{found:?} instead of {differences:?}"
        );
    }

    #[test]
    fn one_measurement_has_the_likelihood_of_a_normal_distribution() {
        let (points, values) = measurements(1);
        let [signal, _, noise] = LOG.map(f64::exp);
        let variance = signal * signal + noise * noise;
        let residual = values[0] - 0.8;
        let expected =
            0.5 * (residual * residual / variance + (std::f64::consts::TAU * variance).ln());
        assert!((likelihood(&LOG, 0.8, &points, &values) - expected).abs() < 1e-14);
    }
}
