use oxide_enzyme::calculus::{gradient, gradient_into, jvp_into};
use oxide_enzyme::{enzyme, primal};

#[primal(data: Const)]
fn consumes(x: f64, data: Vec<f64>) -> f64 {
    x * data[0]
}

fn a_moved_argument_cannot_be_used_again() {
    let data = vec![1.0];
    enzyme!(grad consumes(2.0, data) wrt x);
    drop(data);
}

#[primal]
fn owns(x: Vec<f64>) -> f64 {
    x[0]
}

fn a_moved_tangent_cannot_be_used_again() {
    let tangent = vec![1.0];
    enzyme!(jvp owns(vec![2.0]) along x = tangent);
    drop(tangent);
}

#[primal]
fn writes(x: &mut [f64], y: &[f64]) -> f64 {
    x[0] = y[0];
    x[0]
}

fn arguments_cannot_alias() {
    let mut x = vec![1.0];
    enzyme!(grad writes(&mut x[..], &x[..]) wrt y);
}

fn a_tangent_cannot_be_its_argument() {
    let (mut x, y) = (vec![1.0], vec![1.0]);
    enzyme!(jvp writes(&mut x[..], &y[..]) along x = &mut x[..]);
}

fn a_closure_cannot_keep_what_it_computes() {
    let mut kept = 0.0;
    gradient(
        |x: &f64| {
            kept = x * x;
            kept
        },
        &1.0,
    );
}

fn a_gradient_cannot_be_its_point() {
    let mut x = [1.0];
    gradient_into(|x: &[f64; 1]| x[0], &x, &mut x);
}

fn a_value_cannot_be_its_tangent() {
    let mut value = [1.0];
    let f = |x: &f64, y: &mut [f64; 1]| y[0] = *x;
    jvp_into(f, &1.0, &1.0, &mut value, &mut value);
}

fn main() {}
