use oxide_enzyme::{enzyme, primal};

#[primal]
fn loss(weights: &[f64], bias: f64, data: &[f64], rounds: usize) -> f64 {
    let sum: f64 = weights.iter().zip(data).map(|(w, d)| w * d).sum();
    (sum + bias).powi(2) * rounds as f64
}

fn main() {
    let (weights, data) = (vec![1.0, 2.0], [3.0, 4.0]);
    let g = enzyme!(grad loss(&weights, 0.5, &data, 1) wrt weights, bias);
    assert_eq!(g.value, 132.25);
    assert_eq!(g.weights, [69.0, 92.0]); // a Vec<f64>
    assert_eq!(g.bias, 23.0);
}
