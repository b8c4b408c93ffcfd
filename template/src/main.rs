//! The gradient of a function of two variables.

use oxide_enzyme::autodiff_reverse;

/// Rosenbrock's valley, with its lowest point at (1, 1).
#[autodiff_reverse(valley_reverse, Duplicated, Active)]
fn valley(x: &[f64; 2]) -> f64 {
    (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
}

fn main() {
    let x = [-1.2, 1.0];
    let mut gradient = [0.0; 2];
    let value = valley_reverse(&x, &mut gradient, 1.0);
    println!("valley({x:?}) = {value:.1}, with gradient {gradient:.1?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_agrees_with_the_one_by_hand() {
        let x: [f64; 2] = [-1.2, 1.0];
        let mut gradient = [0.0; 2];
        valley_reverse(&x, &mut gradient, 1.0);
        let bend = x[1] - x[0] * x[0];
        let by_hand = [-2.0 * (1.0 - x[0]) - 400.0 * x[0] * bend, 200.0 * bend];
        for (found, expected) in gradient.into_iter().zip(by_hand) {
            assert!((found - expected).abs() < 1e-12 * expected.abs(), "{found} instead of {expected}");
        }
    }
}
