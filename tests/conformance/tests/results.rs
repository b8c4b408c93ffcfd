//! Results of functions that are not inlined.

use conformance::assert_close;
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[inline(never)]
fn both(p: (f64, f64)) -> Option<(f64, f64)> {
    if p.0 > p.1 {
        Some((p.0 * p.1, p.0))
    } else {
        None
    }
}

#[autodiff_reverse(rev_both, Active, Active, Active)]
#[autodiff_forward(fwd_both, Dual, Dual, Dual)]
fn both_or_first(x: f64, y: f64) -> f64 {
    let mut t = (x, y);
    if let Some(found) = both((x, y)) {
        t = found;
    }
    t.0 * 3.0 + t.1 * t.1
}

#[test]
fn an_option_of_a_pair_may_be_returned() {
    // 3 x y + x^2
    let (value, dx, dy) = rev_both(3.0, 2.0, 1.0);
    assert_close(value, 27.0);
    assert_close(dx, 12.0);
    assert_close(dy, 9.0);
    assert_close(fwd_both(3.0, 1.0, 2.0, 0.0).1, 12.0);
    // 3 x + y^2
    let (value, dx, dy) = rev_both(2.0, 3.0, 1.0);
    assert_close(value, 15.0);
    assert_close(dx, 3.0);
    assert_close(dy, 6.0);
}
