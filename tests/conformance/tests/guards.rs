//! What stands behind a branch that is not taken must not count: LLVM likes to compute cheap roots and quotients on both sides, and
//! zero times the infinite slope of the other side is NaN.

use conformance::assert_gradient;
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_roots, Duplicated, Active)]
#[autodiff_forward(fwd_roots, Dual, Dual)]
fn roots(x: &[f64]) -> f64 {
    let mut sum = 0.0;
    for v in x {
        if *v > 0.0 {
            sum += v.sqrt();
        } else {
            sum += v;
        }
    }
    sum
}

#[autodiff_reverse(rev_logs, Duplicated, Active)]
#[autodiff_forward(fwd_logs, Dual, Dual)]
fn entropy(x: &[f64]) -> f64 {
    x.iter()
        .map(|p| if *p > 0.0 { p * p.ln() } else { 0.0 })
        .sum()
}

#[autodiff_reverse(rev_powers, Duplicated, Active)]
#[autodiff_forward(fwd_powers, Dual, Dual)]
fn powers(x: &[f64]) -> f64 {
    x.iter()
        .map(|v| if *v > 0.0 { v.powf(1.5) } else { 2.0 * v })
        .sum()
}

#[autodiff_reverse(rev_means, Duplicated, Active)]
#[autodiff_forward(fwd_means, Dual, Dual)]
fn means_of_bins(x: &[f64]) -> f64 {
    let (mut sums, mut counts) = ([0.0; 4], [0u32; 4]);
    for v in x {
        let bin = *v as usize;
        sums[bin] += v * v;
        counts[bin] += 1;
    }
    let filled = sums.iter().zip(counts).filter(|(_, count)| *count > 0);
    filled.map(|(sum, count)| sum / f64::from(count)).sum()
}

#[autodiff_reverse(rev_sinc, Duplicated, Active)]
#[autodiff_forward(fwd_sinc, Dual, Dual)]
fn sinc(x: &[f64]) -> f64 {
    let r = x[0] - x[1];
    let sinc = if r == 0.0 { 1.0 } else { r.sin() / r };
    sinc * x[0]
}

#[test]
fn a_root_on_a_side_that_is_not_taken_does_not_count() {
    assert_gradient!(
        rev_roots,
        fwd_roots,
        [0.25, -2.0, 0.0, 4.0],
        0.5,
        [1.0, 1.0, 1.0, 0.25]
    );
}

#[test]
fn a_logarithm_of_zero_that_is_not_taken_does_not_count() {
    assert_gradient!(rev_logs, fwd_logs, [1.0, 0.0], 0.0, [1.0, 0.0]);
}

#[test]
fn a_power_on_a_side_that_is_not_taken_does_not_count() {
    assert_gradient!(
        rev_powers,
        fwd_powers,
        [4.0, -1.0, 0.0],
        6.0,
        [3.0, 2.0, 2.0]
    );
}

#[test]
fn a_quotient_by_an_empty_count_does_not_count() {
    assert_gradient!(
        rev_means,
        fwd_means,
        [0.5, 2.0, 2.5],
        5.375,
        [1.0, 2.0, 2.5]
    );
}

#[test]
fn a_quotient_by_zero_that_is_not_taken_does_not_count() {
    assert_gradient!(rev_sinc, fwd_sinc, [2.0, 2.0], 2.0, [1.0, 0.0]);
}
