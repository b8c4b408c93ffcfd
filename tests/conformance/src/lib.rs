//! How the conformance tests compare numbers. The tests need the driver: `cargo enzyme test`.

/// The relative error that is allowed in double precision.
pub const DOUBLE: f64 = 1e-13;

/// The relative error that is allowed in single precision.
pub const SINGLE: f64 = 1e-5;

/// Panics unless the relative error is small. An expected zero must be met exactly.
#[track_caller]
pub fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    let error = (actual - expected).abs();
    assert!(error <= tolerance * expected.abs(), "got {actual:e}, expected {expected:e}: off by {error:e}");
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
