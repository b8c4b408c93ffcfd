use oxide_enzyme::calculus::{gradient, hessian, jacobian};

fn main() {
    let power = 2;
    let f = |x: &[f64; 2]| x[0].powi(power) * x[1];
    assert_eq!(gradient(f, &[3.0, 5.0]), [30.0, 9.0]);
    assert_eq!(hessian(f, &[3.0, 5.0]), [[10.0, 6.0], [6.0, 0.0]]);

    let turned = |x: &[f64; 2]| [x[0] * x[1], x[0] - x[1]];
    assert_eq!(jacobian(turned, &[3.0, 5.0]), [[5.0, 3.0], [1.0, -1.0]]);

    // The gradient of the squared length of the gradient.
    let steepness = |x: &[f64; 2]| {
        let g = gradient(f, x);
        g[0] * g[0] + g[1] * g[1]
    };
    assert_eq!(gradient(steepness, &[3.0, 5.0]), [708.0, 360.0]);
}
