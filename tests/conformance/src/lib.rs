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
