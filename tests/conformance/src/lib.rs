//! How the conformance tests compare numbers. The tests need the driver: `cargo enzyme test`.

pub mod constructs;

/// The relative error that is allowed in double precision.
pub const DOUBLE: f64 = 1e-13;

/// The relative error that is allowed in single precision.
pub const SINGLE: f64 = 1e-5;

/// Of each pair of neighbours, the product. For the tests this is a dependency's function, and its derivative a dependency's.
#[oxide_enzyme::autodiff_reverse(d_chain, Duplicated, Active)]
pub fn chain(x: &[f64]) -> f64 {
    x.windows(2).map(|pair| pair[0] * pair[1]).sum()
}

/// Panics unless the relative error is small. An expected zero must be met exactly.
#[track_caller]
pub fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    let error = (actual - expected).abs();
    assert!(
        error <= tolerance * expected.abs(),
        "got {actual:e}, expected {expected:e}: off by {error:e}"
    );
}

/// [`assert_near`] in double precision.
#[track_caller]
pub fn assert_close(actual: f64, expected: f64) {
    assert_near(actual, expected, DOUBLE);
}

/// [`assert_close`], element by element.
#[track_caller]
pub fn assert_all_close(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        assert_close(*actual, *expected);
    }
}

/// Holds a reverse and a forward derivative of a function of a slice against the analytic gradient.
#[macro_export]
macro_rules! assert_gradient {
    ($reverse:ident, $forward:ident, $x:expr, $value:expr, $gradient:expr) => {
        let (x, gradient): (Vec<f64>, Vec<f64>) = ($x.to_vec(), $gradient.to_vec());
        let mut dx = vec![0.0; x.len()];
        $crate::assert_close($reverse(&x, &mut dx, 1.0), $value);
        $crate::assert_all_close(&dx, &gradient);
        for i in 0..x.len() {
            let mut bx = vec![0.0; x.len()];
            bx[i] = 1.0;
            let (value, tangent) = $forward(&x, &bx);
            $crate::assert_close(value, $value);
            $crate::assert_close(tangent, gradient[i]);
        }
    };
}

/// Where the tests of lists evaluate.
pub const X: [f64; 4] = [1.5, -2.0, 0.5, 3.0];

/// A function of [`X`] that most tests of lists compute in a roundabout way.
pub fn sum_of_squares() -> f64 {
    X.iter().map(|x| x * x).sum()
}

/// Its gradient.
pub fn twice_x() -> [f64; 4] {
    X.map(|x| 2.0 * x)
}

/// A struct in which a float may not be there, and whose parts have gaps.
#[derive(Clone, Copy)]
pub struct Guess {
    /// A float.
    pub value: f64,
    /// A float in two out of three.
    pub error: Option<f64>,
    /// Its number.
    pub kind: u32,
}

/// One for each number.
pub fn guesses(x: &[f64]) -> Vec<Guess> {
    let guess = |(i, x): (usize, &f64)| Guess {
        value: x * 1.3,
        error: (i % 3 != 0).then_some(x.sin()),
        kind: i as u32,
    };
    x.iter().enumerate().map(guess).collect()
}

/// Of each function of three numbers and a count, its gradient and its tangent, and a test that [`compare`]s them.
#[macro_export]
macro_rules! compared {
    ($(|$a:ident, $b:ident, $c:ident, $n:ident| $name:ident $body:block)*) => { $(
        mod $name {
            use super::*;

            #[::oxide_enzyme::autodiff_reverse(gradient, Active, Active, Active, Const, Active)]
            #[::oxide_enzyme::autodiff_forward(tangent, Dual, Dual, Dual, Const, Dual)]
            fn primal($a: f64, $b: f64, $c: f64, $n: usize) -> f64 $body

            #[test]
            fn is_differentiated() {
                $crate::compare(primal, gradient, tangent);
            }
        }
    )* };
}

/// From three numbers, a count and a seed to the value and its slopes.
pub type Gradient = fn(f64, f64, f64, usize, f64) -> (f64, f64, f64, f64);

/// From three numbers, each followed by its tangent, and a count to the value and its tangent.
pub type Tangent = fn(f64, f64, f64, f64, f64, f64, usize) -> (f64, f64);

/// Compares at 20 points: gradients to tangents within 1e-9, tangents to central differences (step 1e-6) within 1e-4, both
/// relative to the largest.
pub fn compare(primal: fn(f64, f64, f64, usize) -> f64, gradient: Gradient, tangent: Tangent) {
    for at in 1..=20 {
        // Scattered over -0.8 to 0.8, no two alike.
        let [a, b, c] = [37, 17, 29].map(|step| f64::from(at * step % 61) / 38.0 - 0.8);
        let n = 3 + at as usize % 5;
        let (_, da, db, dc) = gradient(a, b, c, n, 1.0);
        let size = 1.0 + [da, db, dc].map(f64::abs).iter().sum::<f64>();
        let h = 1e-6;
        for (slope, [x, y, z]) in
            [da, db, dc]
                .into_iter()
                .zip([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        {
            let (_, expected) = tangent(a, x, b, y, c, z, n);
            let at = |h: f64| primal(a + h * x, b + h * y, c + h * z, n);
            let difference = (at(h) - at(-h)) / (2.0 * h);
            assert!(
                (slope - expected).abs() < 1e-9 * size,
                "gradient {slope}, tangent {expected} at {a}, {b}, {c}, {n}"
            );
            assert!(
                (difference - expected).abs() < 1e-4 * size,
                "difference {difference}, tangent {expected} at {a}, {b}, {c}, {n}"
            );
        }
    }
}

/// Of each function of a list of twelve numbers, its gradient and its tangent, and a test that [`compare_lists`].
#[macro_export]
macro_rules! compared_lists {
    ($($name:ident |$x:ident| $body:block)*) => { $(
        mod $name {
            use super::*;

            #[::oxide_enzyme::autodiff_reverse(gradient, Duplicated, Active)]
            #[::oxide_enzyme::autodiff_forward(tangent, Dual, Dual)]
            fn primal($x: &[f64]) -> f64 $body

            #[test]
            fn is_differentiated() {
                $crate::compare_lists(primal, gradient, tangent);
            }
        }
    )* };
}

/// Compares at four lists of twelve numbers: gradients to tangents within 1e-9, tangents to central differences (step 1e-6)
/// within 1e-4, both relative to the largest.
pub fn compare_lists(
    primal: fn(&[f64]) -> f64,
    gradient: fn(&[f64], &mut [f64], f64) -> f64,
    tangent: fn(&[f64], &[f64]) -> (f64, f64),
) {
    for at in 0..4 {
        // No two alike.
        let x: Vec<f64> = (0..12)
            .map(|i| 0.3 + f64::from((i * 7 + at * 5) % 13) * 0.11 + f64::from(i) * 0.0137)
            .collect();
        let mut slopes = vec![0.0; 12];
        gradient(&x, &mut slopes, 1.0);
        let size = slopes
            .iter()
            .fold(1e-3, |size: f64, slope| size.max(slope.abs()));
        for i in 0..12 {
            let mut direction = vec![0.0; 12];
            direction[i] = 1.0;
            let (_, expected) = tangent(&x, &direction);
            let moved = |by: f64| {
                let mut x = x.clone();
                x[i] += by;
                primal(&x)
            };
            let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!(
                (slopes[i] - expected).abs() < 1e-9 * size,
                "gradient {i}: {}, tangent {expected} at {x:?}",
                slopes[i]
            );
            assert!(
                (difference - expected).abs() < 1e-4 * size,
                "difference {i}: {difference}, tangent {expected} at {x:?}"
            );
        }
    }
}
