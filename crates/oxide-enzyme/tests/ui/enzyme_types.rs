use oxide_enzyme::calculus::{gradient, jacobian};
use oxide_enzyme::{Differentiable, Shadow, enzyme, primal};

#[primal]
fn power(x: f64, n: i32) -> f64 {
    x.powi(n)
}

#[primal(scale: Const)]
fn scaled(x: &[f64], scale: f64) -> f64 {
    x[0] * scale
}

#[primal]
fn consumes(x: Vec<f64>) -> f64 {
    x[0]
}

#[primal]
fn two(x: &[f64]) -> (f64, f64) {
    (x[0], x[1])
}

fn not_marked(x: f64) -> f64 {
    x
}

struct Opaque(f64);

#[primal]
fn opaque(x: &Opaque) -> f64 {
    x.0
}

#[primal]
fn writes(x: &mut Opaque, y: f64) -> f64 {
    x.0 = y;
    y
}

fn main() {
    enzyme!(grad power(1.0, 2) wrt n);
    enzyme!(grad power(1.0, 2) wrt y);
    enzyme!(grad power(1.0) wrt x);
    enzyme!(grad scaled(&[1.0], 2.0) wrt scale);
    enzyme!(grad consumes(vec![1.0]) wrt x);
    enzyme!(grad two(&[1.0, 2.0]) wrt x);
    enzyme!(grad not_marked(1.0) wrt x);
    enzyme!(grad opaque(&Opaque(1.0)) wrt x);
    enzyme!(grad writes(&mut Opaque(1.0), 2.0) wrt y);
    enzyme!(jvp scaled(&[1.0][..], 2.0) along x = [1.0]);
    gradient(|x: &String| x.len() as f64, &String::new());
    gradient(|x: &f64| x.is_nan(), &1.0);
    jacobian(|x: &(f64, f64)| x.0, &(1.0, 2.0));
}

#[derive(Shadow, Differentiable)]
struct Holds<'a> {
    borrowed: &'a f64,
}
