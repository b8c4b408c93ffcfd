//! Loops with several ways back to their start, and several ways out.

use conformance::{assert_close, assert_gradient};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

/// Each cell is written several times; `sum` changes in some rounds only.
#[autodiff_reverse(rev_continued, Duplicated, Active)]
#[autodiff_forward(fwd_continued, Dual, Dual)]
fn continued(x: &[f64]) -> f64 {
    let mut cells = [x[0]; 3].to_vec();
    let mut sum = x[1];
    for i in 0..7 {
        cells[(i + 2) % 3] = x[2] * x[i % 3];
        if i % 2 == 0 || x[0] > 1e3 {
            continue;
        }
        sum = sum * x[0] + x[1];
    }
    sum + cells[0] + 2.0 * cells[1] + 3.0 * cells[2]
}

#[test]
fn rounds_that_are_cut_short_count() {
    let x = [1.25, -0.5, 2.0];
    let [a, b, c] = x;
    // `sum` becomes `b (a³ + a² + a + 1)`; of the cells' last values, those of rounds 4, 5 and 6 remain.
    let powers = a * a * a + a * a + a + 1.0;
    let value = b * powers + c * (3.0 * a * 1.0 + b * 1.0 + 2.0 * c);
    // Rounds 6, 4, 5 write the cells 2, 0, 1.
    let check = continued(&x);
    assert_close(value, check);
    assert_gradient!(
        rev_continued,
        fwd_continued,
        x,
        value,
        [
            b * (3.0 * a * a + 2.0 * a + 1.0) + 3.0 * c,
            powers + c,
            3.0 * a + b + 4.0 * c
        ]
    );
}

/// The product of all `x`, each taken as often as it says, and written on the way.
#[autodiff_reverse(rev_labelled, Duplicated, Active)]
#[autodiff_forward(fwd_labelled, Dual, Dual)]
fn labelled(x: &[f64]) -> f64 {
    let mut kept = [0.0; 2];
    let (mut product, mut at, mut left) = (1.0, 0, 3);
    'all: loop {
        loop {
            if at == x.len() {
                break 'all;
            }
            kept[at % 2] = x[at] * x[at];
            product *= x[at];
            left -= 1;
            if left == 0 {
                break;
            }
        }
        at += 1;
        left = 3 - at;
    }
    product + kept[0] + kept[1]
}

#[test]
fn an_outer_loop_may_end_within_an_inner_one() {
    // Three times, twice and once.
    let x = [1.5, -0.75, 2.0];
    let [a, b, c] = x;
    let product = a * a * a * b * b * c;
    assert_gradient!(
        rev_labelled,
        fwd_labelled,
        x,
        product + b * b + c * c,
        [
            3.0 * product / a,
            2.0 * product / b + 2.0 * b,
            product / c + 2.0 * c
        ]
    );
}
