//! Small programs that use gradients for something, and loops around derivatives.

use conformance::{assert_close, assert_near};
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_rosenbrock, Duplicated, Active)]
fn rosenbrock(x: &[f64]) -> f64 {
    x.windows(2)
        .map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2))
        .sum()
}

#[test]
fn gradient_descent_finds_the_minimum() {
    let mut x = [-0.5, 0.5, 0.5];
    for _ in 0..200_000 {
        let mut dx = [0.0; 3];
        rev_rosenbrock(&x, &mut dx, 1.0);
        for (x, dx) in x.iter_mut().zip(dx) {
            *x -= 1e-3 * dx;
        }
    }
    assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-6), "{x:?}");
}

#[derive(Clone, Shadow)]
struct Layer {
    weights: Vec<Vec<f64>>,
    biases: Vec<f64>,
}

impl Layer {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let sums = self.weights.iter().zip(&self.biases);
        sums.map(|(row, bias)| (row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias).tanh())
            .collect()
    }
}

#[autodiff_reverse(rev_loss, Duplicated, Const, Const, Active)]
#[autodiff_forward(fwd_loss, Dual, Const, Const, Dual)]
fn loss(layers: &[Layer], x: &[f64], target: f64) -> f64 {
    let mut values = x.to_vec();
    for layer in layers {
        values = layer.forward(&values);
    }
    (values.iter().sum::<f64>() - target).powi(2)
}

fn layers() -> Vec<Layer> {
    let layer = |rows: usize, columns: usize| Layer {
        weights: (0..rows)
            .map(|i| {
                (0..columns)
                    .map(|j| 0.3 * (i as f64 - 0.7 * j as f64).sin())
                    .collect()
            })
            .collect(),
        biases: (0..rows).map(|i| 0.1 * i as f64).collect(),
    };
    vec![layer(4, 3), layer(3, 4), layer(1, 3)]
}

#[test]
fn a_network_has_the_same_gradient_in_both_modes_and_by_differences() {
    let (layers, x, target) = (layers(), [0.5, -1.0, 0.25], 0.75);
    let zero = || layers.iter().map(zero_of).collect::<Vec<_>>();
    let mut gradient = zero();
    rev_loss(&layers, &mut gradient, &x, target, 1.0);
    for l in 0..layers.len() {
        for i in 0..layers[l].weights.len() {
            let mut tangent = zero();
            tangent[l].weights[i][0] = 1.0;
            let (_, slope) = fwd_loss(&layers, &tangent, &x, target);
            assert_near(gradient[l].weights[i][0], slope, 1e-12);
            let shifted = |by: f64| {
                let mut layers = layers.clone();
                layers[l].weights[i][0] += by;
                loss(&layers, &x, target)
            };
            assert_near(slope, (shifted(1e-5) - shifted(-1e-5)) / 2e-5, 1e-6);
        }
    }
}

fn zero_of(layer: &Layer) -> Layer {
    Layer {
        weights: layer
            .weights
            .iter()
            .map(|row| vec![0.0; row.len()])
            .collect(),
        biases: vec![0.0; layer.biases.len()],
    }
}

#[autodiff_reverse(rev_pendulum, Active, Active, Const, Active)]
#[autodiff_forward(fwd_pendulum, Dual, Const, Const, Dual)]
fn pendulum(angle: f64, length: f64, steps: usize) -> f64 {
    let (mut angle, mut speed) = (angle, 0.0);
    for _ in 0..steps {
        speed -= 0.01 * 9.81 / length * angle.sin();
        angle += 0.01 * speed;
    }
    angle
}

#[test]
fn a_simulation_has_the_same_sensitivity_in_both_modes() {
    let (value, by_angle, by_length) = rev_pendulum(0.5, 2.0, 1000, 1.0);
    assert_close(value, pendulum(0.5, 2.0, 1000));
    assert_near(by_angle, fwd_pendulum(0.5, 1.0, 2.0, 1000).1, 1e-11);
    let difference = (pendulum(0.5, 2.0 + 1e-6, 1000) - pendulum(0.5, 2.0 - 1e-6, 1000)) / 2e-6;
    assert_near(by_length, difference, 1e-6);
}
