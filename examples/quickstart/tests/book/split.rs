use oxide_enzyme::autodiff_reverse_split;

#[autodiff_reverse_split(residual_split, Duplicated, Const, Active)]
fn residual(weights: &[f64], data: &[f64]) -> f64 {
    let prediction: f64 = weights.iter().zip(data).map(|(w, d)| w * d).sum();
    prediction - 1.0
}

fn main() {
    let (weights, data, mut gradient) = ([0.5, 2.0], [2.0, 1.0], [0.0; 2]);
    let (value, tape) = residual_split(&weights, &mut gradient, &data);
    // The seed is chosen when the value is known: here for Huber's loss.
    tape.reverse(value.clamp(-1.0, 1.0));
    assert_eq!(value, 2.0);
    assert_eq!(gradient, [2.0, 1.0]);
}
