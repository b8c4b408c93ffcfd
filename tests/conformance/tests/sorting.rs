//! Sorting indices and values.

use conformance::{X, assert_gradient};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_sort, Duplicated, Active)]
#[autodiff_forward(fwd_sort, Dual, Dual)]
fn weighted_by_rank(x: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|a, b| x[*a].total_cmp(&x[*b]));
    order
        .iter()
        .enumerate()
        .map(|(rank, i)| (rank + 1) as f64 * x[*i])
        .sum()
}

#[test]
fn indices_may_be_sorted() {
    assert_gradient!(
        rev_sort,
        fwd_sort,
        X,
        -2.0 + 1.0 + 4.5 + 12.0,
        [3.0, 1.0, 2.0, 4.0]
    );
}

#[autodiff_reverse(rev_sort_values, Duplicated, Active)]
#[autodiff_forward(fwd_sort_values, Dual, Dual)]
fn second_smallest_squared(x: &[f64]) -> f64 {
    // `sort_by` on floats is refused: the standard library moves them as untyped bytes.
    let mut sorted = x.to_vec();
    for end in 1..sorted.len() {
        for i in (0..end).rev() {
            if sorted[i] > sorted[i + 1] {
                sorted.swap(i, i + 1);
            }
        }
    }
    sorted[1] * sorted[1]
}

#[test]
fn values_may_be_sorted_by_hand() {
    assert_gradient!(
        rev_sort_values,
        fwd_sort_values,
        X,
        0.25,
        [0.0, 0.0, 1.0, 0.0]
    );
}

conformance::compared! {
    |a, b, c, n| the_largest_and_the_least_by_total_order {
        let x: Vec<f64> = (0..n + 3).map(|i| (a * i as f64 + b).sin()).collect();
        let largest = x.iter().max_by(|p, q| p.total_cmp(q)).unwrap();
        let least = x.iter().copied().min_by(f64::total_cmp).unwrap();
        largest * largest + c * least
    }
}
