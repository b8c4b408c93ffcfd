#![cfg_attr(feature = "nightly", feature(autodiff))]
//! A library that is written for both: the stable compiler with `cargo enzyme`, and nightly with `std::autodiff`.

#[cfg(not(feature = "nightly"))]
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};
#[cfg(feature = "nightly")]
use std::autodiff::{autodiff_forward, autodiff_reverse};

/// A model: one weight for each input, and a factor.
#[cfg_attr(not(feature = "nightly"), derive(Shadow))]
pub struct Model {
    /// One for each input.
    pub weights: Vec<f64>,
    /// Of all of them.
    pub factor: f64,
}

/// What the model makes of an input.
#[autodiff_reverse(predict_reverse, Duplicated, Const, Active)]
#[autodiff_forward(predict_forward, Const, Dual, Dual)]
pub fn predict(model: &Model, x: &[f64]) -> f64 {
    let sum: f64 = model.weights.iter().zip(x).map(|(w, x)| w * x).sum();
    model.factor * sum
}
