//! Copies of what was computed: found by the property tests.

use conformance::assert_close;
use oxide_enzyme::autodiff_reverse;

#[inline(never)]
fn mix(x: f64, y: f64) -> f64 {
    2.3 * (x.abs().sin() * y.sin().cos()).sin()
}

#[autodiff_reverse(rev_mapped, Active, Active, Duplicated, Active)]
fn mapped(x: f64, y: f64, list: &[f64]) -> f64 {
    let from: [f64; 4] = [x + y, list[2], list[2], y];
    let mut to: [f64; 4] = [list[3], list[0], list[2], y * 3.0];
    if from[1].sin().exp() < y {
        to = from.map(|v| mix(v, x));
    }
    to.iter().enumerate().map(|(i, x)| *x * i as f64).sum()
}

#[test]
fn a_mapped_array_may_replace_another() {
    let (list, mut dlist) = ([-0.4, -0.4, -0.2, 0.9], [0.0; 4]);
    let (value, dx, dy) = rev_mapped(-1.3, 0.9, &list, &mut dlist, 1.0);
    assert_close(value, mapped(-1.3, 0.9, &list));
    let difference = |f: &dyn Fn(f64) -> f64| (f(1e-5) - f(-1e-5)) / 2e-5;
    let expected = [
        difference(&|h| mapped(-1.3 + h, 0.9, &list)),
        difference(&|h| mapped(-1.3, 0.9 + h, &list)),
        difference(&|h| mapped(-1.3, 0.9, &[-0.4, -0.4, -0.2 + h, 0.9])),
    ];
    for (actual, expected) in [dx, dy, dlist[2]].into_iter().zip(expected) {
        conformance::assert_near(actual, expected, 1e-8);
    }
}
