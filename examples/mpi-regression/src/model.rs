//! Ordered logistic regression (McCullagh 1980): a wine has a score, and grades are the intervals between cut points that the
//! score, blurred by a logistic distribution, falls into.

use oxide_enzyme::autodiff_reverse;

use crate::wines::{GRADES, Table};

/// Cut points between so many grades.
const CUTS: usize = GRADES - 1;

/// What the mean is taken over, and how much large weights cost.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Wines of all shards together.
    pub total: usize,
    /// Factor of half the sum of the squared weights.
    pub ridge: f64,
}

/// How many parameters a model of so many features has.
pub fn parameters(width: usize) -> usize {
    CUTS + width
}

/// Where training starts: no feature matters, and all grades between the outer ones are equally wide.
pub fn start(width: usize) -> Vec<f64> {
    let mut start = vec![0.0; parameters(width)];
    start[0] = -4.0;
    start[1..CUTS].fill(f64::ln(2.0));
    start
}

/// A shard's part of the loss: these parts add up to the mean negative log-likelihood of all wines and the ridge penalty.
///
/// `parameters` are the lowest cut point, the logarithms of the distances to the next ones, and a weight for each feature.
/// `loss_reverse(parameters, gradient, shard, scale, seed)` returns the same, and adds the gradient to `gradient`.
#[autodiff_reverse(loss_reverse, Duplicated, Const, Const, Active)]
pub fn loss(parameters: &[f64], shard: &Table, scale: &Scale) -> f64 {
    let (cuts, weights) = parameters.split_at(CUTS);
    let mut sum = 0.0;
    for (row, grade) in shard.features.chunks_exact(shard.width).zip(&shard.grades) {
        sum -= log_probability(cuts, score(weights, row), *grade);
    }
    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
    (sum + 0.5 * scale.ridge * squares * shard.len() as f64) / scale.total as f64
}

/// A shard's part of the loss and of the gradient, the loss first: what the processes add up.
pub fn loss_and_gradient(parameters: &[f64], shard: &Table, scale: &Scale) -> Vec<f64> {
    let mut result = vec![0.0; 1 + parameters.len()];
    result[0] = loss_reverse(parameters, &mut result[1..], shard, scale, 1.0);
    result
}

fn score(weights: &[f64], row: &[f64]) -> f64 {
    weights.iter().zip(row).map(|(w, x)| w * x).sum()
}

/// `ln(s(upper - score) - s(lower - score))` with the logistic function `s`, written so that nothing cancels or overflows:
/// `s(b) - s(a) = s(b) s(-a) (1 - exp(a - b))`.
fn log_probability(cuts: &[f64], score: f64, grade: usize) -> f64 {
    let mut result = 0.0;
    if grade > 0 {
        result -= softplus(cut(cuts, grade - 1) - score);
    }
    if grade < CUTS {
        result -= softplus(score - cut(cuts, grade));
    }
    if grade > 0 && grade < CUTS {
        result += (-(-cuts[grade].exp()).exp_m1()).ln();
    }
    result
}

/// The cut point above a grade.
fn cut(cuts: &[f64], grade: usize) -> f64 {
    cuts[0] + cuts[1..=grade].iter().map(|log| log.exp()).sum::<f64>()
}

/// `ln(1 + exp(x))`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The likeliest grade of each wine.
pub fn predict(parameters: &[f64], wines: &Table) -> Vec<usize> {
    let (cuts, weights) = parameters.split_at(CUTS);
    let likeliest = |row| {
        let score = score(weights, row);
        let likelihood = |grade: &usize| log_probability(cuts, score, *grade);
        (0..GRADES)
            .max_by(|a, b| likelihood(a).total_cmp(&likelihood(b)))
            .unwrap_or(0)
    };
    wines
        .features
        .chunks_exact(wines.width)
        .map(likeliest)
        .collect()
}

/// The largest of the absolute differences. NaN, where there is one: a maximum would hide it.
pub fn largest_difference(found: &[f64], expected: &[f64]) -> f64 {
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |largest: f64, difference| {
        if largest.is_nan() || difference <= largest {
            largest
        } else {
            difference
        }
    })
}

/// The largest absolute value.
pub fn largest(values: &[f64]) -> f64 {
    largest_difference(values, &vec![0.0; values.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wines;

    /// Relative to the largest component.
    fn difference(found: &[f64], expected: &[f64]) -> f64 {
        largest_difference(found, expected) / largest(expected)
    }

    /// Somewhere that is neither symmetric nor optimal.
    fn somewhere(width: usize) -> Vec<f64> {
        let mut parameters = start(width);
        for (n, parameter) in parameters.iter_mut().enumerate() {
            // Scores stay small: far out, differences of probabilities, taken by hand, have no digits left.
            *parameter += (1.7 * n as f64).sin() / width as f64;
        }
        parameters
    }

    fn whole(table: &Table) -> Scale {
        Scale {
            total: table.len(),
            ridge: 0.02,
        }
    }

    /// By hand: `P = s(b) - s(a)`, so the slope of `-ln P` along the score is `1 - s(a) - s(b)`, negated, and so on.
    fn gradient_by_hand(parameters: &[f64], table: &Table, scale: &Scale) -> Vec<f64> {
        let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (cuts, weights) = parameters.split_at(CUTS);
        let mut gradient = vec![0.0; parameters.len()];
        for (row, grade) in table.features.chunks_exact(table.width).zip(&table.grades) {
            let score = score(weights, row);
            let (below, above) = (
                (*grade > 0).then(|| logistic(cut(cuts, grade - 1) - score)),
                (*grade < CUTS).then(|| logistic(cut(cuts, *grade) - score)),
            );
            let probability = above.unwrap_or(1.0) - below.unwrap_or(0.0);
            let density = |at: Option<f64>| at.map_or(0.0, |s| s * (1.0 - s));
            // Cut points above and below the grade, and through them the first cut and the distances.
            let slope_above = -density(above) / probability;
            let slope_below = density(below) / probability;
            for (n, log) in cuts.iter().enumerate() {
                let inner = if n == 0 { 1.0 } else { log.exp() };
                gradient[n] += inner * if n <= *grade { slope_above } else { 0.0 };
                gradient[n] += inner * if n < *grade { slope_below } else { 0.0 };
            }
            for (slope, x) in gradient[CUTS..].iter_mut().zip(row) {
                *slope -= (slope_above + slope_below) * x;
            }
        }
        for (slope, weight) in gradient[CUTS..].iter_mut().zip(weights) {
            *slope += scale.ridge * weight * table.len() as f64;
        }
        gradient.iter().map(|g| g / scale.total as f64).collect()
    }

    #[test]
    fn the_gradient_agrees_with_the_one_by_hand() {
        for degree in [1, 2, 3] {
            let (training, _) = wines::split(degree);
            let parameters = somewhere(training.width);
            let found = loss_and_gradient(&parameters, &training, &whole(&training));
            let by_hand = gradient_by_hand(&parameters, &training, &whole(&training));
            assert!(
                difference(&found[1..], &by_hand) < 1e-12,
                "degree {degree}: {}",
                difference(&found[1..], &by_hand)
            );
        }
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        const STEP: f64 = 1e-4;
        let (training, _) = wines::split(1);
        let (parameters, scale) = (somewhere(training.width), whole(&training));
        let found = loss_and_gradient(&parameters, &training, &scale);
        assert!((found[0] - loss(&parameters, &training, &scale)).abs() < 1e-13);
        let differences: Vec<f64> = (0..parameters.len())
            .map(|n| {
                let moved = |change: f64| {
                    let mut parameters = parameters.clone();
                    parameters[n] += change;
                    loss(&parameters, &training, &scale)
                };
                (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
            })
            .collect();
        assert!(difference(&found[1..], &differences) < 1e-7);
    }

    #[test]
    fn the_parts_of_shards_add_up() {
        let (training, _) = wines::split(3);
        let (parameters, scale) = (somewhere(training.width), whole(&training));
        let serial = loss_and_gradient(&parameters, &training, &scale);
        for size in [2, 3, 4, 16] {
            let mut sum = vec![0.0; serial.len()];
            for rank in 0..size {
                let part = loss_and_gradient(&parameters, &training.shard(rank, size), &scale);
                sum.iter_mut()
                    .zip(part)
                    .for_each(|(sum, part)| *sum += part);
            }
            assert!((sum[0] - serial[0]).abs() < 1e-12 * serial[0]);
            assert!(difference(&sum[1..], &serial[1..]) < 1e-12);
        }
    }

    #[test]
    fn probabilities_add_up_to_one() {
        let parameters = somewhere(1);
        for score in [-30.0, -2.0, 0.0, 3.5, 30.0] {
            let probabilities =
                (0..GRADES).map(|grade| log_probability(&parameters[..CUTS], score, grade).exp());
            assert!((probabilities.sum::<f64>() - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn a_nan_is_not_hidden() {
        assert_eq!(largest_difference(&[2.0, 4.0], &[2.5, 5.0]), 1.0);
        assert!(largest_difference(&[1.0, f64::NAN, 1.0], &[1.0, 1.0, 2.0]).is_nan());
    }
}
