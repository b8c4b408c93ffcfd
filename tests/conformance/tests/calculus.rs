//! The library's gradients, products and Jacobians of closures, against analytic values.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::calculus::{
    gradient, gradient_into, jacobian, jacobian_forward, jacobian_forward_into, jacobian_into,
    jacobian_reverse, jacobian_reverse_into, jacobian_scratch, jvp, jvp_into, value_and_gradient,
    value_and_gradient_into, vjp, vjp_into,
};
use oxide_enzyme::{Differentiable, Shadow};

const P: [f64; 3] = [1.5, -2.0, 0.5];

/// x0² x1 + sin(x2) x0
fn f(x: &[f64]) -> f64 {
    x[0] * x[0] * x[1] + x[2].sin() * x[0]
}

fn f_gradient(x: &[f64]) -> [f64; 3] {
    [
        2.0 * x[0] * x[1] + x[2].sin(),
        x[0] * x[0],
        x[2].cos() * x[0],
    ]
}

/// Two results of three numbers.
fn g(x: &[f64]) -> [f64; 2] {
    [x[0] * x[1], x[2].exp() + x[0]]
}

fn g_jacobian(x: &[f64]) -> [[f64; 3]; 2] {
    [[x[1], x[0], 0.0], [1.0, 0.0, x[2].exp()]]
}

fn g_writes(x: &[f64], y: &mut [f64]) {
    y.copy_from_slice(&g(x));
}

#[test]
fn gradients_of_slices_arrays_and_vecs() {
    assert_all_close(&gradient(f, &P[..]), &f_gradient(&P));
    assert_all_close(&gradient(|x: &[f64; 3]| f(x), &P), &f_gradient(&P));
    assert_all_close(&gradient(|x: &Vec<f64>| f(x), &P.to_vec()), &f_gradient(&P));
    let (value, gradient) = value_and_gradient(f, &P[..]);
    assert_close(value, f(&P));
    assert_all_close(&gradient, &f_gradient(&P));
}

#[test]
fn gradients_of_one_number_in_both_precisions() {
    assert_close(
        gradient(|x: &f64| x.sin() * x, &0.7),
        0.7f64.cos() * 0.7 + 0.7f64.sin(),
    );
    let (value, slope) = value_and_gradient(|x: &f32| x * x, &3.0);
    assert_eq!((value, slope), (9.0, 6.0));
}

#[test]
fn gradients_into_memory_overwrite_what_was_there() {
    let mut found = [7.0; 3];
    gradient_into(f, &P[..], &mut found[..]);
    assert_all_close(&found, &f_gradient(&P));
    found = [-1.0; 3];
    assert_close(value_and_gradient_into(f, &P[..], &mut found[..]), f(&P));
    assert_all_close(&found, &f_gradient(&P));
}

#[test]
fn what_a_closure_captures_is_constant() {
    let (data, power, scale) = (vec![2.0, 3.0, 4.0], 3, Box::new(0.5));
    let closure = |x: &[f64]| {
        let terms = data.iter().zip(x).map(|(d, x)| d * x.powi(power));
        terms.sum::<f64>() * *scale
    };
    let expected: Vec<f64> = (0..3).map(|i| 0.5 * data[i] * 3.0 * P[i] * P[i]).collect();
    assert_all_close(&gradient(closure, &P[..]), &expected);
    assert_all_close(&gradient(closure, &P[..]), &expected);
}

#[derive(Debug, Clone, Shadow, Differentiable)]
struct Line {
    slopes: Vec<f64>,
    offset: f64,
    used: usize,
}

#[test]
fn the_gradient_of_a_struct_is_a_struct() {
    let line = Line {
        slopes: P.to_vec(),
        offset: 0.25,
        used: 2,
    };
    let data = [3.0, 5.0, 7.0];
    let loss = |line: &Line| {
        let products = line.slopes.iter().zip(&data).take(line.used);
        (products.map(|(s, d)| s * d).sum::<f64>() + line.offset).powi(2)
    };
    let residual = 1.5 * 3.0 - 2.0 * 5.0 + 0.25;
    let (value, gradient) = value_and_gradient(loss, &line);
    assert_close(value, residual * residual);
    assert_all_close(&gradient.slopes, &[6.0 * residual, 10.0 * residual, 0.0]);
    assert_close(gradient.offset, 2.0 * residual);
    assert_eq!(gradient.used, 2);
    let mut again = line.clone();
    gradient_into(loss, &line, &mut again);
    assert_all_close(&again.slopes, &gradient.slopes);
}

#[test]
fn products_of_the_jacobian_and_a_vector() {
    let jacobian = g_jacobian(&P);
    let (v, w) = ([0.5, -1.0, 2.0], [3.0, -0.25]);
    let jv: Vec<f64> = jacobian
        .iter()
        .map(|row| row.iter().zip(v).map(|(j, v)| j * v).sum())
        .collect();
    let wj: Vec<f64> = (0..3)
        .map(|i| w[0] * jacobian[0][i] + w[1] * jacobian[1][i])
        .collect();

    let (value, change) = jvp(g, &P[..], &v[..]);
    assert_all_close(&value, &g(&P));
    assert_all_close(&change, &jv);
    let (value, gradient) = vjp(|x: &[f64]| g(x).to_vec(), &P[..], &w.to_vec());
    assert_all_close(&value, &g(&P));
    assert_all_close(&gradient, &wj);

    let (mut value, mut change) = ([9.0; 2], [9.0; 2]);
    jvp_into(g_writes, &P[..], &v[..], &mut value[..], &mut change[..]);
    assert_all_close(&value, &g(&P));
    assert_all_close(&change, &jv);
    let (mut cotangent, mut gradient) = (w, [9.0; 3]);
    vjp_into(
        g_writes,
        &P[..],
        &mut value[..],
        &mut cotangent[..],
        &mut gradient[..],
    );
    assert_all_close(&gradient, &wj);
    assert_eq!(cotangent, [0.0; 2]);
}

#[test]
fn jacobians_by_both_modes() {
    let expected = g_jacobian(&P);
    let check = |found: [Vec<f64>; 2]| {
        for (found, expected) in found.iter().zip(&expected) {
            assert_all_close(found, expected);
        }
    };
    check(jacobian(g, &P[..]));
    check(jacobian_forward(g, &P[..]));
    check(jacobian_reverse(g, &P[..]));
    let of_arrays: [[f64; 3]; 2] = jacobian_forward(|x: &[f64; 3]| g(x), &P);
    assert_all_close(of_arrays.as_flattened(), expected.as_flattened());
    let of_vecs: Vec<Vec<f64>> = jacobian(|x: &[f64]| g(x).to_vec(), &P[..]);
    assert_all_close(&of_vecs.concat(), expected.as_flattened());
    let of_one: [f64; 2] = jacobian(|x: &f64| [x.sin(), x * x], &0.5);
    assert_all_close(&of_one, &[0.5f64.cos(), 1.0]);
}

#[test]
fn jacobians_into_memory() {
    let check = |value: [f64; 2], jacobian: [f64; 6]| {
        assert_all_close(&value, &g(&P));
        assert_all_close(&jacobian, g_jacobian(&P).as_flattened());
    };
    let (mut value, mut jacobian, mut scratch) =
        ([9.0; 2], [9.0; 6], [9.0; jacobian_scratch(3, 2)]);
    jacobian_into(g_writes, &P, &mut value, &mut jacobian, &mut scratch);
    check(value, jacobian);
    (value, jacobian, scratch) = ([9.0; 2], [9.0; 6], [9.0; jacobian_scratch(3, 2)]);
    jacobian_forward_into(g_writes, &P, &mut value, &mut jacobian, &mut scratch);
    check(value, jacobian);
    (value, jacobian, scratch) = ([9.0; 2], [9.0; 6], [9.0; jacobian_scratch(3, 2)]);
    jacobian_reverse_into(g_writes, &P, &mut value, &mut jacobian, &mut scratch);
    check(value, jacobian);
}

/// More columns than go at once, and not a multiple of that.
#[test]
fn jacobians_of_many_numbers() {
    let x: [f64; 9] = std::array::from_fn(|i| 0.3 * i as f64 - 1.0);
    let rotated =
        |x: &[f64; 9]| -> [f64; 10] { std::array::from_fn(|i| x[i % 9].exp() * x[(i + 1) % 9]) };
    let found: [[f64; 9]; 10] = jacobian_forward(rotated, &x);
    let mut expected = [[0.0; 9]; 10];
    for (i, row) in expected.iter_mut().enumerate() {
        row[i % 9] = x[i % 9].exp() * x[(i + 1) % 9];
        row[(i + 1) % 9] = x[i % 9].exp();
    }
    assert_all_close(found.as_flattened(), expected.as_flattened());

    let writes = |x: &[f64], y: &mut [f64]| {
        for (i, y) in y.iter_mut().enumerate() {
            *y = x[i % 9].exp() * x[(i + 1) % 9];
        }
    };
    let (mut value, mut found, mut scratch) =
        ([0.0; 10], [0.0; 90], [0.0; jacobian_scratch(9, 10)]);
    jacobian_forward_into(writes, &x, &mut value, &mut found, &mut scratch);
    assert_all_close(&found, expected.as_flattened());
}

#[test]
#[should_panic(expected = "has length 3, but its shadow has length 2")]
fn a_tangent_of_another_length_is_refused() {
    jvp(g, &P[..], &[1.0, 2.0][..]);
}

#[test]
#[should_panic(expected = "the cotangent has length 3, but the result has length 2")]
fn a_cotangent_of_another_length_is_refused() {
    vjp(|x: &[f64]| g(x).to_vec(), &P[..], &vec![1.0; 3]);
}
