//! Second derivatives of closures, forward over reverse, against analytic values.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::calculus::{
    gradient, hessian, hessian_into, hessian_vector_product, hessian_vector_product_into,
};

const P: [f64; 2] = [1.5, -2.0];

/// x0² x1 + sin(x0 x1)
fn f(x: &[f64]) -> f64 {
    x[0] * x[0] * x[1] + (x[0] * x[1]).sin()
}

fn f_gradient(x: &[f64]) -> [f64; 2] {
    let cos = (x[0] * x[1]).cos();
    [2.0 * x[0] * x[1] + x[1] * cos, x[0] * x[0] + x[0] * cos]
}

fn f_hessian(x: &[f64]) -> [[f64; 2]; 2] {
    let (sin, cos) = (x[0] * x[1]).sin_cos();
    let mixed = 2.0 * x[0] + cos - x[0] * x[1] * sin;
    [
        [2.0 * x[1] - x[1] * x[1] * sin, mixed],
        [mixed, -x[0] * x[0] * sin],
    ]
}

#[test]
fn hessians_of_arrays() {
    let found: [[f64; 2]; 2] = hessian(|x: &[f64; 2]| f(x), &P);
    assert_all_close(found.as_flattened(), f_hessian(&P).as_flattened());
}

#[test]
fn hessians_of_slices() {
    assert_all_close(&hessian(f, &P[..]).concat(), f_hessian(&P).as_flattened());
    let (mut gradient, mut hessian, mut scratch) = ([9.0; 2], [9.0; 4], [9.0; 2]);
    hessian_into(f, &P, &mut gradient, &mut hessian, &mut scratch);
    assert_all_close(&gradient, &f_gradient(&P));
    assert_all_close(&hessian, f_hessian(&P).as_flattened());
}

#[test]
fn a_second_slope() {
    assert_close(hessian(|x: &f64| x.sin(), &0.7), -(0.7f64.sin()));
}

#[test]
fn products_of_the_hessian_and_a_vector() {
    let v = [0.5, 3.0];
    let expected = f_hessian(&P).map(|row| row[0] * v[0] + row[1] * v[1]);
    assert_all_close(&hessian_vector_product(f, &P[..], &v[..]), &expected);
    let (mut gradient, mut product) = ([9.0; 2], [9.0; 2]);
    hessian_vector_product_into(f, &P[..], &v[..], &mut gradient[..], &mut product[..]);
    assert_all_close(&gradient, &f_gradient(&P));
    assert_all_close(&product, &expected);
}

#[test]
fn a_gradient_inside_of_a_gradient() {
    // The sum of squares of the gradient's entries: its gradient is 2 H g.
    let outer = gradient(
        |x: &[f64; 2]| {
            let inner = gradient(|x: &[f64; 2]| f(x), x);
            inner[0] * inner[0] + inner[1] * inner[1]
        },
        &P,
    );
    let (g, h) = (f_gradient(&P), f_hessian(&P));
    assert_all_close(&outer, &h.map(|row| 2.0 * (row[0] * g[0] + row[1] * g[1])));
}

#[test]
fn what_the_closure_captures_stays_constant() {
    let data = [2.0, 5.0];
    let quadratic = |x: &[f64; 2]| data[0] * x[0] * x[0] + data[1] * x[0] * x[1];
    let found = hessian(quadratic, &P);
    assert_all_close(found.as_flattened(), &[4.0, 5.0, 5.0, 0.0]);
}
