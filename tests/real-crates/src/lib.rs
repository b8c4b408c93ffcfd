//! How derivatives through other crates are tested. The tests need the driver: `cargo enzyme test`.

/// Differentiates a function of `x: &[f64]` forward and reverse, and holds both against its gradient.
///
/// An entry is `"what" name [point] |x| { value } => gradient;`, where `gradient` is computed from `x` too, or is the word
/// `differences`.
#[macro_export]
macro_rules! through {
    ($($what:literal $name:ident $at:tt |$x:ident| $value:block => $gradient:tt;)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            use oxide_enzyme::{autodiff_forward, autodiff_reverse};

            #[autodiff_reverse(reverse, Duplicated, Active)]
            #[autodiff_forward(forward, Dual, Dual)]
            fn primal($x: &[f64]) -> f64 $value

            const AT: &[f64] = &$at;

            fn gradient() -> Vec<f64> {
                $crate::through!(@gradient $x $gradient)
            }

            #[test]
            fn is_right() {
                $crate::hold(&$crate::Case { at: AT, gradient: gradient(), primal, reverse, forward });
            }
        }
    )*};
    (@gradient $x:ident differences) => {
        $crate::differences(primal, AT)
    };
    (@gradient $x:ident $gradient:tt) => {{
        #[allow(unused_variables)]
        let $x = AT;
        $gradient.to_vec()
    }};
}

/// A function, its derivatives, and what they should be.
pub struct Case<'a> {
    /// Where.
    pub at: &'a [f64],
    /// What the gradient is there.
    pub gradient: Vec<f64>,
    /// The function.
    pub primal: fn(&[f64]) -> f64,
    /// Its reverse derivative.
    pub reverse: fn(&[f64], &mut [f64], f64) -> f64,
    /// Its forward derivative.
    pub forward: fn(&[f64], &[f64]) -> (f64, f64),
}

/// What the largest error may be, as a part of the largest entry of the gradient.
pub const TOLERANCE: f64 = 1e-8;

/// Panics unless both derivatives are right.
#[track_caller]
pub fn hold(case: &Case) {
    let value = (case.primal)(case.at);
    let scale = case
        .gradient
        .iter()
        .fold(f64::MIN_POSITIVE, |scale, d| scale.max(d.abs()));
    let near = |mode: &str, index: usize, found: f64, expected: f64| {
        assert!(
            (found - expected).abs() <= TOLERANCE * scale,
            "{mode}, {index}: found {found:e}, expected {expected:e}, where the largest is {scale:e}"
        );
    };
    let same = |mode: &str, found: f64| {
        assert!(
            (found - value).abs() <= 1e-12 * value.abs().max(1.0),
            "{mode}: the value is {found:e} instead of {value:e}"
        );
    };

    // What is there already stays, and the seed counts.
    let mut shadow = vec![0.25; case.at.len()];
    same("reverse", (case.reverse)(case.at, &mut shadow, 1.5));
    for (index, gradient) in case.gradient.iter().enumerate() {
        near("reverse", index, (shadow[index] - 0.25) / 1.5, *gradient);
    }
    for (index, gradient) in case.gradient.iter().enumerate() {
        let mut direction = vec![0.0; case.at.len()];
        direction[index] = 1.5;
        let (found, tangent) = (case.forward)(case.at, &direction);
        same("forward", found);
        near("forward", index, tangent / 1.5, *gradient);
    }
}

/// The gradient by central differences of the eighth order: good to about ten digits for a smooth function.
pub fn differences(f: fn(&[f64]) -> f64, at: &[f64]) -> Vec<f64> {
    const STEP: f64 = 1.0 / 128.0;
    const WEIGHTS: [f64; 4] = [4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0];
    (0..at.len())
        .map(|index| {
            let moved = |steps: f64| {
                let mut x = at.to_vec();
                x[index] += steps * STEP;
                f(&x)
            };
            let sum: f64 = (1..)
                .zip(WEIGHTS)
                .map(|(steps, weight)| weight * (moved(steps.into()) - moved(-f64::from(steps))))
                .sum();
            sum / STEP
        })
        .collect()
}
