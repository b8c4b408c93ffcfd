//! With rayon around derivatives: each task differentiates for its own part of the data.

use oxide_enzyme::autodiff_reverse;
use rayon::prelude::*;

/// The squared error of a line at points of a shard.
#[autodiff_reverse(error_reverse, Duplicated, Const, Active)]
fn error(line: &[f64; 2], shard: &[(f64, f64)]) -> f64 {
    let residuals = shard.iter().map(|(x, y)| line[0] * x + line[1] - y);
    residuals.map(|r| r * r).sum()
}

fn gradient(line: &[f64; 2], shard: &[(f64, f64)]) -> [f64; 3] {
    let mut slopes = [0.0; 2];
    let value = error_reverse(line, &mut slopes, shard, 1.0);
    [value, slopes[0], slopes[1]]
}

fn sum(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| a[i] + b[i])
}

/// rayon: gradients of shards in parallel tasks, summed afterwards
#[test]
fn shards_are_differentiated_in_parallel() {
    let line = [0.75, -0.5];
    let points: Vec<(f64, f64)> = (0..10_000)
        .map(|n| f64::from(n) / 1e4)
        .map(|x| (x, (7.0 * x).sin()))
        .collect();
    let parallel = points
        .par_chunks(64)
        .map(|shard| gradient(&line, shard))
        .reduce(|| [0.0; 3], sum);
    let by_hand = points.iter().fold([0.0; 3], |total, (x, y)| {
        let r = line[0] * x + line[1] - y;
        sum(total, [r * r, 2.0 * r * x, 2.0 * r])
    });
    for gradient in [parallel, gradient(&line, &points)] {
        for (found, expected) in gradient.iter().zip(by_hand) {
            let error = (found - expected).abs();
            assert!(error < 1e-9 * expected.abs(), "{found} != {expected}");
        }
    }
}
