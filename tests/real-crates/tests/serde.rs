//! serde beside derivatives: parameters that are serialised, and inactive functions that write and read JSON.

use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse, inactive};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, Shadow)]
struct Model {
    name: String,
    weights: Vec<f64>,
    bias: f64,
}

/// Writes parameters as JSON, and looks at the text.
#[inactive]
fn is_written(model: &Model) -> bool {
    let text = serde_json::to_string(model).unwrap();
    text.starts_with("{\"name\":\"line\"")
}

#[inactive]
fn factors() -> [f64; 3] {
    serde_json::from_str("[2.0, 3.0, 4.5]").unwrap()
}

#[autodiff_reverse(written_reverse, Duplicated, Const, Active)]
#[autodiff_forward(written_forward, Dual, Const, Dual)]
fn written(model: &Model, x: &[f64]) -> f64 {
    assert!(is_written(model));
    let product: f64 = model.weights.iter().zip(x).map(|(w, x)| w * x).sum();
    (product + model.bias).powi(2)
}

fn model() -> Model {
    let json = r#"{"name":"line","weights":[0.5,-1.25,2.0],"bias":0.75}"#;
    serde_json::from_str(json).unwrap()
}

fn zero() -> Model {
    Model {
        weights: vec![0.0; 3],
        bias: 0.0,
        ..model()
    }
}

const X: [f64; 3] = [1.0, 2.0, 3.0];

/// serde: parameters and gradients with `#[derive(Serialize, Deserialize)]`
#[test]
fn a_primal_writes_its_parameters() {
    let mut gradient = zero();
    let value = written_reverse(&model(), &mut gradient, &X, 1.0);
    // The residual is 0.5 - 2.5 + 6 + 0.75.
    assert_eq!(value, 4.75 * 4.75);
    let text = serde_json::to_string(&gradient).unwrap();
    assert_eq!(
        text,
        r#"{"name":"line","weights":[9.5,19.0,28.5],"bias":9.5}"#
    );
    let mut direction = zero();
    direction.weights[2] = 1.0;
    let (_, slope) = written_forward(&model(), &direction, &X);
    assert_eq!(slope, 28.5);
}

real_crates::through! {
    "serde_json: `to_string` and `from_str` in `#[inactive]` functions" read [0.5, 1.25, -0.75] |x| { let c = factors(); x.iter().zip(&c).map(|(x, c)| c * x * x).sum() } => { [4.0 * x[0], 6.0 * x[1], 9.0 * x[2]] };
}
