//! Derivatives of derivatives.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(d_cubic, Active, ActiveOnly)]
#[autodiff_forward(t_cubic, Dual, DualOnly)]
fn cubic(x: f64) -> f64 {
    x * x * x
}

#[autodiff_forward(forward_over_reverse, Dual, Dual)]
#[autodiff_reverse(reverse_over_reverse, Active, Active)]
fn slope(x: f64) -> f64 {
    d_cubic(x, 1.0)
}

#[autodiff_forward(forward_over_forward, Dual, Dual)]
#[autodiff_reverse(reverse_over_forward, Active, Active)]
fn slope_forward(x: f64) -> f64 {
    t_cubic(x, 1.0)
}

#[test]
fn second_derivatives_of_a_scalar() {
    assert_eq!(forward_over_reverse(2.0, 1.0), (12.0, 12.0));
    assert_eq!(reverse_over_reverse(2.0, 1.0), (12.0, 12.0));
    assert_eq!(forward_over_forward(2.0, 1.0), (12.0, 12.0));
    assert_eq!(reverse_over_forward(2.0, 1.0), (12.0, 12.0));
}

// f = x0^2 x1 + sin(x1), H = [[2 x1, 2 x0], [2 x0, -sin(x1)]]
#[autodiff_reverse(d_mixed, Duplicated, Active)]
fn mixed(x: &[f64]) -> f64 {
    x[0] * x[0] * x[1] + x[1].sin()
}

#[autodiff_forward(hessian_vector, Dual, Dual)]
#[autodiff_forward(hessian2, 2, Dual, Dual)]
fn gradient(x: &[f64], gradient: &mut [f64]) {
    gradient.fill(0.0);
    d_mixed(x, gradient, 1.0);
}

#[test]
fn a_hessian_times_a_vector() {
    let (x, mut g, mut h) = ([1.5, 0.5], [0.0; 2], [0.0; 2]);
    hessian_vector(&x, &[1.0, 2.0], &mut g, &mut h);
    assert_all_close(&g, &[1.5, 2.25 + 0.5f64.cos()]);
    assert_all_close(&h, &[1.0 + 6.0, 3.0 - 2.0 * 0.5f64.sin()]);
    let (mut h0, mut h1) = ([0.0; 2], [0.0; 2]);
    hessian2(&x, &[1.0, 0.0], &[0.0, 1.0], &mut g, &mut h0, &mut h1);
    assert_all_close(&h0, &[1.0, 3.0]);
    assert_all_close(&h1, &[3.0, -0.5f64.sin()]);
}

// Memory from the heap in the inner reverse pass. f = sum sin(x^2), f'' = 2 cos(x^2) - 4 x^2 sin(x^2)
#[autodiff_reverse(d_heap, Duplicated, Active)]
fn heap(x: &[f64]) -> f64 {
    let mut v = Vec::new();
    for x in x {
        v.push(x * x);
    }
    let w: Vec<f64> = v.iter().map(|v| v.sin()).collect();
    w.iter().sum()
}

#[autodiff_forward(heap_hessian, Dual, Dual)]
#[autodiff_forward(heap_hessian2, 2, Dual, Dual)]
#[autodiff_reverse(heap_twice, Duplicated, Duplicated)]
fn heap_gradient(x: &[f64], gradient: &mut [f64]) {
    gradient.fill(0.0);
    d_heap(x, gradient, 1.0);
}

#[test]
fn memory_from_the_heap() {
    let x = [0.5, 1.5];
    let (mut g, mut h) = ([0.0; 2], [0.0; 2]);
    heap_hessian(&x, &[1.0, 2.0], &mut g, &mut h);
    let second = x.map(|x: f64| 2.0 * (x * x).cos() - 4.0 * x * x * (x * x).sin());
    assert_all_close(&g, &x.map(|x: f64| 2.0 * x * (x * x).cos()));
    assert_all_close(&h, &[second[0], 2.0 * second[1]]);
    let (mut h0, mut h1) = ([0.0; 2], [0.0; 2]);
    heap_hessian2(&x, &[1.0, 0.0], &[0.0, 1.0], &mut g, &mut h0, &mut h1);
    assert_all_close(&h0, &[second[0], 0.0]);
    assert_all_close(&h1, &[0.0, second[1]]);
    let (mut g, mut dg, mut dx) = ([0.0; 2], [1.0, 2.0], [0.0; 2]);
    heap_twice(&x, &mut dx, &mut g, &mut dg);
    assert_all_close(&dx, &[second[0], 2.0 * second[1]]);
}

// Third derivative: x^5 -> 60 x^2
#[autodiff_reverse(d1, Active, ActiveOnly)]
fn fifth(x: f64) -> f64 {
    x.powi(5)
}

#[autodiff_forward(d2, Dual, DualOnly)]
fn first(x: f64) -> f64 {
    d1(x, 1.0)
}

#[autodiff_forward(d3, Dual, DualOnly)]
fn second(x: f64) -> f64 {
    d2(x, 1.0)
}

#[test]
fn a_third_derivative() {
    assert_close(d3(2.0, 1.0), 240.0);
}

const WEIGHTS: [f64; 4] = [1.0, 3.0, 2.0, 5.0];

#[autodiff_reverse(d_running, Active, Active, ActiveOnly)]
#[autodiff_forward(t_running, Dual, Dual, DualOnly)]
fn running(a: f64, b: f64) -> f64 {
    let (mut quotient, mut largest, mut sum) = (a, 0.0, 0.0);
    for (i, weight) in WEIGHTS.into_iter().enumerate() {
        quotient /= b + i as f64;
        let next = a * weight;
        if next > largest {
            largest = next;
        }
        sum += quotient * largest;
    }
    sum
}

#[autodiff_forward(running_forward_over_reverse, Dual, Dual, Dual)]
#[autodiff_reverse(running_reverse_over_reverse, Active, Active, Active)]
fn running_slope(a: f64, b: f64) -> f64 {
    d_running(a, b, 1.0).0
}

#[autodiff_reverse(running_reverse_over_forward, Active, Active, Active)]
fn running_tangent(a: f64, b: f64) -> f64 {
    t_running(a, 1.0, b, 0.0)
}

// f = a^2 sum(M_i / P_i), where M_i is the largest weight so far and P_i the product of b + j so far.
#[test]
fn second_derivatives_of_what_a_loop_carries() {
    let (a, b) = (1.5, 0.7);
    let (mut largest, mut product, mut inverses) = (0.0, 1.0, 0.0);
    let (mut slope, mut aa, mut ab) = (0.0, 0.0, 0.0);
    for (i, weight) in WEIGHTS.into_iter().enumerate() {
        largest = f64::max(largest, weight);
        product *= b + i as f64;
        inverses += 1.0 / (b + i as f64);
        slope += 2.0 * a * largest / product;
        aa += 2.0 * largest / product;
        ab -= 2.0 * a * largest / product * inverses;
    }
    let expected = [slope, aa, ab];
    let (value, second) = running_forward_over_reverse(a, 1.0, b, 0.0);
    let (_, mixed) = running_forward_over_reverse(a, 0.0, b, 1.0);
    assert_all_close(&[value, second, mixed], &expected);
    let (value, second, mixed) = running_reverse_over_reverse(a, b, 1.0);
    assert_all_close(&[value, second, mixed], &expected);
    let (value, second, mixed) = running_reverse_over_forward(a, b, 1.0);
    assert_all_close(&[value, second, mixed], &expected);
}
