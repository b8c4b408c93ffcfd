//! Softmax and cross-entropy over a 2x2 matrix product, trained by gradient descent: the example that oxide-enzyme began with.
//!
//! Run it with `cargo enzyme run -p softmax-cross-entropy`, test it with `cargo enzyme test -p softmax-cross-entropy`.

use oxide_enzyme::{autodiff_reverse, enzyme, primal};

const INPUT: Matrix = [[1.0, 2.0], [3.0, 4.0]];
const TARGET: Matrix = [[0.0, 0.0], [1.0, 0.0]];
const RATE: f64 = 0.01;
const STEPS: usize = 70;

type Matrix = [[f64; 2]; 2];

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let entry = |row: usize, column: usize| a[row][0] * b[0][column] + a[row][1] * b[1][column];
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

/// Over all four entries. The greatest is taken off first, so that nothing overflows.
fn softmax(x: &Matrix) -> Matrix {
    let greatest = x.as_flattened().iter().fold(f64::MIN, |a, b| a.max(*b));
    let mut probabilities = *x;
    for entry in probabilities.as_flattened_mut() {
        *entry = (*entry - greatest).exp();
    }
    let sum: f64 = probabilities.as_flattened().iter().sum();
    for entry in probabilities.as_flattened_mut() {
        *entry /= sum;
    }
    probabilities
}

fn cross_entropy(probabilities: &Matrix, target: &Matrix) -> f64 {
    let pairs = probabilities
        .as_flattened()
        .iter()
        .zip(target.as_flattened());
    -pairs.map(|(p, t)| t * p.ln()).sum::<f64>()
}

/// How far the prediction for `input` is from `target`.
#[primal]
#[autodiff_reverse(loss_reverse, Duplicated, Const, Const, Active)]
fn loss(weights: &Matrix, input: &Matrix, target: &Matrix) -> f64 {
    cross_entropy(&softmax(&product(input, weights)), target)
}

fn descend(weights: &mut Matrix, gradient: &Matrix) {
    let pairs = weights
        .as_flattened_mut()
        .iter_mut()
        .zip(gradient.as_flattened());
    pairs.for_each(|(weight, slope)| *weight -= RATE * slope);
}

/// Each step's gradient is a new one.
fn train(mut weights: Matrix, mut report: impl FnMut(usize, f64)) -> Matrix {
    for step in 0..STEPS {
        let g = enzyme!(grad loss(&weights, &INPUT, &TARGET) wrt weights);
        report(step, g.value);
        descend(&mut weights, &g.weights);
    }
    weights
}

/// The same by the attribute. The shadow is ours, and derivatives are *added* to it: it is zeroed before each step.
fn train_with_one_shadow(mut weights: Matrix) -> Matrix {
    let mut shadow = Matrix::default();
    for _ in 0..STEPS {
        shadow.as_flattened_mut().fill(0.0);
        loss_reverse(&weights, &mut shadow, &INPUT, &TARGET, 1.0);
        descend(&mut weights, &shadow);
    }
    weights
}

fn main() {
    let start = [[1.0; 2]; 2];
    let trained = train(start, |step, loss| {
        if step % 10 == 0 {
            println!("step {step:2}  loss {loss:.6}");
        }
    });
    println!("step {STEPS}  loss {:.6}", loss(&trained, &INPUT, &TARGET));
    println!("prediction {:.4?}", softmax(&product(&INPUT, &trained)));
    assert_eq!(trained, train_with_one_shadow(start));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: `input`, transposed, times (softmax - target).
    fn gradient_by_hand(weights: &Matrix) -> Matrix {
        let mut difference = softmax(&product(&INPUT, weights));
        for (p, t) in difference
            .as_flattened_mut()
            .iter_mut()
            .zip(TARGET.as_flattened())
        {
            *p -= t;
        }
        let transposed = [[INPUT[0][0], INPUT[1][0]], [INPUT[0][1], INPUT[1][1]]];
        product(&transposed, &difference)
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs();
            assert!(
                error <= 1e-12 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn the_gradient_is_that_by_hand() {
        for weights in [[[1.0; 2]; 2], [[0.3, -0.7], [0.1, 1.9]]] {
            let g = enzyme!(grad loss(&weights, &INPUT, &TARGET) wrt weights);
            assert_near(
                g.weights.as_flattened(),
                gradient_by_hand(&weights).as_flattened(),
            );
        }
    }

    #[test]
    fn seventy_steps_lead_where_steps_by_hand_lead() {
        let start = [[1.0; 2]; 2];
        let mut by_hand = start;
        let mut losses_by_hand = Vec::new();
        for _ in 0..STEPS {
            losses_by_hand.push(loss(&by_hand, &INPUT, &TARGET));
            let gradient = gradient_by_hand(&by_hand);
            descend(&mut by_hand, &gradient);
        }
        let mut losses = Vec::new();
        let trained = train(start, |_, loss| losses.push(loss));
        assert_near(&losses, &losses_by_hand);
        assert_near(trained.as_flattened(), by_hand.as_flattened());
        assert_near(
            train_with_one_shadow(start).as_flattened(),
            by_hand.as_flattened(),
        );
        let (first, last) = (losses[0], loss(&trained, &INPUT, &TARGET));
        assert!(last < first / 2.0, "{first} to {last}");
    }
}
