//! Products of matrices, through ndarray and nalgebra: at every width, in every mode, one after another.

use nalgebra::DMatrix;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, s};
use oxide_enzyme::{autodiff_forward, autodiff_reverse, autodiff_reverse_split, calculus};

const N: usize = 9;
const NINE: [f64; N] = [2.0, 0.25, -0.75, 0.5, -1.5, 0.25, 1.0, 0.875, 1.625];

/// Of full rank and large enough for ndarray to leave its products to `matrixmultiply`.
fn matrix(x: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((N, N), |(i, j)| {
        x[(i + j) % N] * x[i] + (i * j) as f64 * 0.125
    })
}

real_crates::through! {
    "ndarray: matrix times matrix" product NINE |x| { let a = matrix(x); let b = a.dot(&a); b[(0, 1)] * b[(8, 7)] + b.sum() } => differences;
    "ndarray: matrix times matrix, transposed and sliced" strided NINE |x| { let a = matrix(x); let b = a.t().dot(&a.slice(s![.., ..;-2])); let c = b.t().dot(&b); c[(1, 3)] + c.diag().sum() } => differences;
    "ndarray: `general_mat_mul`" accumulated NINE |x| { let a = matrix(x); let mut c = a.mapv(f64::sin); general_mat_mul(x[0], &a, &a.t(), x[1], &mut c); c[(2, 5)] * c[(7, 1)] } => differences;
    "ndarray: matrices that are overwritten in a loop" repeated NINE |x| { let a = matrix(x); let mut c = a.clone(); for _ in 0..3 { c = a.dot(&c); c.mapv_inplace(|v| v * 0.125); c[(0, 0)] = x[3]; } c.sum() } => differences;
    "nalgebra: `DMatrix` times `DMatrix`" dynamic NINE |x| { let a = DMatrix::from_fn(N, N, |i, j| x[(i * j) % N] + x[i]); let b = &a * a.map(|v| v * v); (b.transpose() * &b)[(3, 4)] + b.norm() } => differences;
}

#[autodiff_reverse(d_energy, Duplicated, Active)]
#[autodiff_reverse(d_energy_two, 2, Duplicated, Active)]
#[autodiff_forward(t_energy, Dual, Dual)]
#[autodiff_forward(t_energy_two, 2, Dual, Dual)]
#[autodiff_reverse_split(split_energy, Duplicated, Active)]
fn energy(x: &[f64]) -> f64 {
    let a = matrix(x);
    let b = a.dot(&a);
    b.iter().map(|v| v * v).sum()
}

fn close(found: &[f64], expected: &[f64]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0));
    }
}

#[test]
fn all_modes_and_widths_agree() {
    let (mut dx, mut first, mut second) = ([0.0; N], [0.0; N], [0.0; N]);
    let value = d_energy(&NINE, &mut dx, 1.0);
    d_energy_two(&NINE, &mut first, &mut second, [1.0, -2.0]);
    close(&first, &dx);
    close(&second, &dx.map(|d| -2.0 * d));
    let mut between = [0.0; N];
    let (again, tape) = split_energy(&NINE, &mut between);
    tape.reverse(0.5);
    close(&between, &dx.map(|d| 0.5 * d));
    let unit = |index: usize| std::array::from_fn::<f64, N, _>(|i| f64::from(i == index));
    for i in 0..N {
        let [slope, other] = [dx[i], dx[(i + 1) % N]];
        let (v, t) = t_energy(&NINE, &unit(i));
        let [w, t_0, t_1] = t_energy_two(&NINE, &unit(i), &unit((i + 1) % N));
        close(
            &[v, w, again, t, t_0, t_1],
            &[value, value, value, slope, slope, other],
        );
    }
}

#[test]
fn a_hessian_goes_through_products() {
    let (mut up, mut down) = ([0.0; N], [0.0; N]);
    let (mut x, h) = (NINE, 1e-5);
    x[2] += h;
    d_energy(&x, &mut up, 1.0);
    x[2] -= 2.0 * h;
    d_energy(&x, &mut down, 1.0);
    let direction = std::array::from_fn::<f64, N, _>(|i| f64::from(i == 2));
    let along: [f64; N] =
        calculus::hessian_vector_product(|x: &[f64; N]| energy(x), &NINE, &direction);
    for (second, (up, down)) in along.iter().zip(up.iter().zip(down)) {
        let difference = (up - down) / (2.0 * h);
        assert!(
            (second - difference).abs() < 1e-5 * difference.abs().max(1.0),
            "{second} {difference}"
        );
    }
}

#[autodiff_reverse(d_single, Duplicated, Active)]
fn single(x: &[f32]) -> f32 {
    let a = ArrayView2::from_shape((12, 12), x).unwrap();
    a.dot(&a).sum()
}

#[test]
fn products_in_single_precision_are_differentiated() {
    let x: Vec<f32> = (0..144).map(|n| (n % 7) as f32 - 3.0).collect();
    let mut dx = vec![0.0; 144];
    d_single(&x, &mut dx, 1.0);
    // The sum of A A: row i of the gradient has the sums of the rows, and to each entry its row's column sum is added.
    let row = |i: usize| x[12 * i..][..12].iter().sum::<f32>();
    let column = |j: usize| x.iter().skip(j).step_by(12).sum::<f32>();
    for (n, d) in dx.iter().enumerate() {
        assert_eq!(*d, row(n % 12) + column(n / 12));
    }
}
