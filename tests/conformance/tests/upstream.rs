//! What goes wrong, or went wrong, with `std::autodiff` and Enzyme: the shape of each report, named after it, with the right numbers.

use conformance::{assert_all_close, assert_close, assert_near};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

/// Solves `x - e sin(x) = m` through function pointers that are passed down.
fn newton(f: fn(f64, &[f64]) -> f64, df: fn(f64, &[f64]) -> f64, with: &[f64], start: f64) -> f64 {
    let mut x = start;
    for _ in 0..50 {
        let step = f(x, with) / df(x, with);
        x -= step;
        if step.abs() < 1e-14 {
            break;
        }
    }
    x
}

fn kepler(x: f64, with: &[f64]) -> f64 {
    x - with[0] * x.sin() - with[1]
}

fn kepler_slope(x: f64, with: &[f64]) -> f64 {
    1.0 - with[0] * x.cos()
}

#[autodiff_forward(forward_anomaly, 2, Dual, Const, Dual)]
#[autodiff_forward(joined_anomaly, 2, Dualv, Const, Dual)]
#[autodiff_reverse(reverse_anomaly, Duplicated, Const, Active)]
fn anomaly(orbit: &[f64], time: f64) -> f64 {
    let mean = orbit[0].powi(-3).sqrt() * time;
    newton(kepler, kepler_slope, &[orbit[1], mean], mean)
}

#[test]
fn rust_152724_debug_and_release_agree() {
    let (orbit, time) = ([1.0, 0.5], 1.5);
    let x = anomaly(&orbit, time);
    // Implicit differentiation: dx (1 - e cos x) = sin x de + dm, and dm/da = -1.5 m / a.
    let slope = 1.0 - 0.5 * x.cos();
    let expected = [-1.5 * time / slope, x.sin() / slope];
    let mut gradient = [0.0; 2];
    assert_near(reverse_anomaly(&orbit, &mut gradient, time, 1.0), x, 1e-12);
    let [_, by_a, by_e] = forward_anomaly(&orbit, &[1.0, 0.0], &[0.0, 1.0], time);
    let [_, joined_a, joined_e] = joined_anomaly(&orbit, &[1.0, 0.0, 0.0, 1.0], time);
    for (found, expected) in [gradient, [by_a, by_e], [joined_a, joined_e]]
        .iter()
        .flat_map(|found| found.iter().zip(&expected))
    {
        assert_near(*found, *expected, 1e-11);
    }
}

#[autodiff_forward(inner_tangent, Const, Dual, Dual)]
fn gumbel(with: &[f64; 2], x: f64) -> f64 {
    (-((with[0] - x) / with[1]).exp()).exp()
}

#[autodiff_forward(outer_tangent, Dual, Const, DualOnly)]
fn value_and_density(with: &[f64; 2], x: f64) -> (f64, f64) {
    inner_tangent(with, x, 1.0)
}

#[test]
// The report's shape.
#[allow(clippy::redundant_closure_call)]
fn rust_143516_nested_derivative_is_called_in_a_closure() {
    let call = || (|| outer_tangent(&[0.5, 2.0], &[1.0, 0.0], 1.25))();
    let (z, s) = ((-0.375_f64).exp(), 2.0);
    let f = (-z).exp();
    // F = exp(-z), dz/dmu = z / s, dF/dx = z F / s.
    assert_close(call().0, -f * z / s);
    assert_close(call().1, f * z / (s * s) * (1.0 - z));
}

#[autodiff_reverse(d_evaluate, Const, Const, Duplicated, Const, Duplicated)]
fn evaluate(operations: &[u32], weights: &[f64], x: &[f64], multipliers: &[f64], out: &mut [f64]) {
    out[0] = weights[0] * x[0] * x[0] + f64::from(operations[0]) * x[1] + multipliers[0];
}

#[autodiff_forward(hessian_vector, Const, Const, Dual, Const, Dual, Dual, Dual)]
fn gradient(
    operations: &[u32],
    weights: &[f64],
    x: &[f64],
    multipliers: &[f64],
    out: &mut [f64],
    dout: &mut [f64],
    gradient: &mut [f64],
) {
    gradient.fill(0.0);
    dout[0] = 1.0;
    d_evaluate(operations, weights, x, gradient, multipliers, out, dout);
}

#[test]
fn rust_160470_lengths_of_integer_slices() {
    let (mut g, mut tangent) = ([0.0; 2], [0.0; 2]);
    hessian_vector(
        &[3],
        &[2.0],
        &[0.5, 1.5],
        &[1.0, 1.0],
        &[7.0],
        &mut [0.0],
        &mut [0.0],
        &mut [0.0],
        &mut [0.0],
        &mut g,
        &mut tangent,
    );
    assert_all_close(&g, &[2.0, 3.0]);
    assert_all_close(&tangent, &[4.0, 0.0]);
}

#[autodiff_reverse(d_generic, Duplicated, Active)]
fn generic<T: Copy + std::ops::Mul<Output = T> + std::ops::Add<Output = T>>(x: &[T; 2]) -> T {
    x[0] * x[1] + x[0]
}

#[test]
fn rust_140032_generic_functions() {
    let (mut double, mut single) = ([0.0_f64; 2], [0.0_f32; 2]);
    assert_eq!(d_generic(&[2.0, 3.0], &mut double, 1.0), 8.0);
    assert_eq!(d_generic(&[2.0, 3.0], &mut single, 1.0), 8.0);
    assert_eq!((double, single), ([4.0, 2.0], [4.0, 2.0]));
}

#[autodiff_reverse(d_references, Duplicated, Active)]
#[allow(clippy::ptr_arg)] // The report's shape.
fn references(x: &Vec<f32>) -> f32 {
    let references = x.iter().collect::<Vec<&f32>>();
    *references[0] * *references[2]
}

#[test]
fn enzyme_rust_39_a_vec_of_references_is_collected() {
    let mut dx = vec![0.0; 3];
    assert_eq!(d_references(&vec![2.0, 3.0, 4.0], &mut dx, 1.0), 8.0);
    assert_eq!(dx, [4.0, 0.0, 2.0]);
}

#[autodiff_reverse(d_grown, Duplicated, Const, Active)]
fn grown(x: &[f32], n: u8) -> f32 {
    let mut grown = x.to_vec();
    for i in 0..n {
        grown.push(f32::from(i) * x[0]);
    }
    grown
        .iter_mut()
        .collect::<Vec<&mut f32>>()
        .into_iter()
        .map(|x| *x * *x)
        .sum()
}

#[test]
fn enzyme_rust_190_a_vec_grows() {
    // x0^2 (1 + 0 + 1 + 4 + 9) + x1^2
    let mut dx = [0.0; 2];
    assert_eq!(d_grown(&[2.0, 3.0], &mut dx, 4, 1.0), 69.0);
    assert_eq!(dx, [60.0, 6.0]);
}

#[autodiff_forward(t_collected, Const, Dual, Dual)]
fn collected(x: &[f64], y: f64) -> f64 {
    let quotients: Vec<_> = x.iter().map(|x| x / y).collect();
    quotients.iter().sum()
}

#[test]
fn enzyme_rust_174_collect_in_forward_mode() {
    let (value, tangent) = t_collected(&[1.0, 2.0, 3.0], 2.0, 1.0);
    assert_close(value, 3.0);
    assert_close(tangent, -1.5);
}

#[autodiff_reverse(d_zeroed, Duplicated, Active)]
#[autodiff_forward(t_zeroed, Dual, Dual)]
fn zeroed(x: &[f32]) -> f32 {
    let mut out = vec![0.0; x.len()];
    for i in 0..x.len() {
        out[i] += x[i] * x[(i + 1) % x.len()];
    }
    out.iter().sum()
}

#[test]
fn enzyme_2444_zeroed_allocations() {
    let (x, mut dx) = ([1.0, 2.0, 4.0], [0.0; 3]);
    assert_eq!(d_zeroed(&x, &mut dx, 1.0), 14.0);
    assert_eq!(dx, [6.0, 5.0, 3.0]);
    assert_eq!(t_zeroed(&x, &[0.0, 1.0, 0.0]), (14.0, 5.0));
}

#[autodiff_forward(t_layers, Dual, Dual)]
fn layers(x: &[f64]) -> f64 {
    let first: Vec<f64> = x.iter().map(|x| x * x).collect();
    let second: Vec<f64> = first.iter().map(|y| y * 3.0).collect();
    second.iter().sum()
}

#[test]
fn enzyme_2047_vecs_in_between_in_forward_mode() {
    assert_eq!(t_layers(&[1.0, 2.0], &[1.0, 0.5]), (15.0, 12.0));
}

#[autodiff_reverse(d_tiled, Duplicated, Duplicated, Active)]
fn tiled(x: &[f64; 8], w: &[f64; 4]) -> f64 {
    let mut total = 0.0;
    for round in 0..3 {
        let mut sums = [0.0; 2];
        for i in 0..4 {
            for k in 0..2 {
                sums[k] += x[2 * i + k] * w[i];
            }
        }
        total += f64::from(round) * sums[0] * sums[1];
    }
    total
}

#[test]
fn enzyme_3167_an_array_is_zeroed_again_in_each_round() {
    let (x, w) = (
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        [1.0, -1.0, 2.0, 0.5],
    );
    let (mut dx, mut dw) = ([0.0; 8], [0.0; 4]);
    // The sums are 11.5 and 14, and the rounds weigh 3 together.
    assert_close(d_tiled(&x, &mut dx, &w, &mut dw, 1.0), 483.0);
    for i in 0..4 {
        assert_close(dx[2 * i], 3.0 * w[i] * 14.0);
        assert_close(dx[2 * i + 1], 3.0 * w[i] * 11.5);
        assert_close(dw[i], 3.0 * (x[2 * i] * 14.0 + x[2 * i + 1] * 11.5));
    }
}

#[autodiff_reverse(d_dot, Duplicated, Duplicated, Active)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[autodiff_reverse(d_dot_loop, Duplicated, Duplicated, Active)]
#[allow(clippy::needless_range_loop)]
fn dot_loop(x: &[f64], y: &[f64]) -> f64 {
    let mut sum = 0.0;
    for i in 0..3 {
        sum += x[i] * y[i];
    }
    sum
}

#[test]
fn enzyme_rust_136_dot_products_in_debug() {
    let (x, y) = ([1.0, 2.0, 3.0], [10.0, 20.0, 40.0]);
    for derivative in [d_dot, d_dot_loop] {
        let (mut dx, mut dy) = ([0.0; 3], [0.0; 3]);
        assert_close(derivative(&x, &mut dx, &y, &mut dy, 1.0), 170.0);
        assert_eq!((dx, dy), (y, x));
    }
}

/// Not plain `f64`s, so that the two cannot be taken for an argument and its shadow.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pair {
    a: f64,
    b: f64,
}

#[autodiff_forward(t_pair, Dual, Const, Dual)]
#[autodiff_forward(t3_pair, 3, Dual, Const, Dual)]
#[autodiff_reverse(d_pair, Active, Const, Active)]
fn pair(p: Pair, n: f64) -> Pair {
    Pair {
        a: p.a * p.b * n,
        b: p.a * p.a,
    }
}

#[autodiff_forward(t_tuple, Dual, Dual)]
#[autodiff_reverse(d_tuple, Active, Active)]
fn tuple(p: (f64, f32)) -> (f64, f32) {
    (p.0 * f64::from(p.1), p.1 * p.1)
}

#[test]
fn two_fields_by_value_are_paired_with_their_own_shadows() {
    let p = Pair { a: 2.0, b: 3.0 };
    let (a, b) = (Pair { a: 1.0, b: 0.0 }, Pair { a: 0.0, b: 1.0 });
    let (by_a, by_b) = (Pair { a: 15.0, b: 4.0 }, Pair { a: 10.0, b: 0.0 });
    let value = Pair { a: 30.0, b: 4.0 };
    assert_eq!(t_pair(p, a, 5.0), (value, by_a));
    assert_eq!(t_pair(p, b, 5.0), (value, by_b));
    assert_eq!(t3_pair(p, a, b, a, 5.0), [value, by_a, by_b, by_a]);
    assert_eq!(d_pair(p, 5.0, a), (value, Pair { a: 15.0, b: 10.0 }));
    assert_eq!(t_tuple((2.0, 3.0), (1.0, 0.0)), ((6.0, 9.0), (3.0, 0.0)));
    assert_eq!(t_tuple((2.0, 3.0), (0.0, 1.0)), ((6.0, 9.0), (2.0, 6.0)));
    assert_eq!(d_tuple((2.0, 3.0), (1.0, 10.0)), ((6.0, 9.0), (3.0, 62.0)));
}

#[autodiff_reverse(d_only, ActiveOnly, Active, ActiveOnly)]
#[autodiff_reverse(d4_only, 4, ActiveOnly, Active, ActiveOnly)]
fn only(x: f64, y: f32) -> f64 {
    x * x * f64::from(y)
}

#[test]
fn active_only_inputs_and_reverse_widths() {
    assert_eq!(d_only(2.0, 3.0, 0.5), (6.0, 2.0));
    assert_eq!(
        d4_only(2.0, 3.0, [0.5, 1.0, -1.0, 2.0]),
        ([6.0, 12.0, -12.0, 24.0], [2.0, 4.0, -4.0, 8.0])
    );
}

#[autodiff_forward(joined_only, 3, DualvOnly, DualvOnly)]
fn squares(x: &[f64], out: &mut [f64]) {
    for (x, out) in x.iter().zip(out) {
        *out = x * x;
    }
}

#[test]
fn dualv_only_on_slices() {
    let mut tangents = [0.0; 6];
    // SAFETY: what `out` holds afterwards is not used.
    unsafe {
        joined_only(
            &[2.0, 3.0],
            &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            &mut [0.0; 2],
            &mut tangents,
        );
    }
    assert_eq!(tangents, [4.0, 0.0, 0.0, 6.0, 4.0, 6.0]);
}

#[autodiff_reverse(d_cubes, Duplicated, Active)]
fn cubes(x: &[f64]) -> f64 {
    fn cube(x: f64) -> Result<f64, u8> {
        if x > 0.0 { Ok(x * x * x) } else { Err(1) }
    }
    fn both(x: f64, y: f64) -> Result<f64, u8> {
        Ok(cube(x)? * cube(y)?)
    }
    both(x[0], x[1]).unwrap_or(x[0])
}

#[test]
fn a_result_of_a_float_and_a_small_error() {
    let mut dx = [0.0; 2];
    assert_close(d_cubes(&[2.0, 0.5], &mut dx, 1.0), 1.0);
    assert_all_close(&dx, &[1.5, 6.0]);
    dx = [0.0; 2];
    assert_close(d_cubes(&[2.0, -0.5], &mut dx, 1.0), 2.0);
    assert_all_close(&dx, &[1.0, 0.0]);
}

#[test]
fn rust_137520_a_derivative_in_a_dependency() {
    let mut dx = [0.0; 3];
    assert_eq!(conformance::d_chain(&[1.0, 2.0, 4.0], &mut dx, 1.0), 10.0);
    assert_eq!(dx, [2.0, 5.0, 2.0]);
}

#[autodiff_reverse(d_of_a_dependency, Duplicated, Active)]
#[autodiff_forward(t_of_a_dependency, Dual, Dual)]
fn of_a_dependency(x: &[f64]) -> f64 {
    conformance::chain(x) * x[0]
}

#[test]
fn rust_146229_no_link_time_optimisation_is_needed() {
    let mut dx = [0.0; 3];
    assert_eq!(d_of_a_dependency(&[3.0, 2.0, 4.0], &mut dx, 1.0), 42.0);
    assert_eq!(dx, [20.0, 21.0, 6.0]);
    let along_y = t_of_a_dependency(&[3.0, 2.0, 4.0], &[0.0, 1.0, 0.0]);
    assert_eq!(along_y, (42.0, 21.0));
}

/// Its derive is a proc-macro crate's, which is part of the build and has no derivatives itself.
#[derive(oxide_enzyme::Shadow)]
struct Derived {
    list: Vec<f64>,
}

#[autodiff_reverse(d_derived, Duplicated, Active)]
fn derived(x: &Derived) -> f64 {
    x.list.iter().map(|x| x * x).sum()
}

#[test]
fn rust_147487_a_proc_macro_takes_part_in_the_build() {
    let zeros = || Derived { list: vec![0.0; 2] };
    let (x, mut dx) = (
        Derived {
            list: vec![1.0, 2.0],
        },
        zeros(),
    );
    assert_eq!(d_derived(&x, &mut dx, 1.0), 5.0);
    assert_eq!(dx.list, [2.0, 4.0]);
}

trait Layer {
    fn apply(&self, x: f64) -> f64;
}

struct Scale(f64);

struct Shift {
    by: f64,
}

impl Layer for Scale {
    fn apply(&self, x: f64) -> f64 {
        self.0 * x
    }
}

impl Layer for Shift {
    fn apply(&self, x: f64) -> f64 {
        x + self.by
    }
}

#[autodiff_reverse(d_layers, Const, Active, Active)]
#[autodiff_forward(t_through_layers, Const, Dual, Dual)]
fn through_layers(layers: &[Box<dyn Layer>], x: f64) -> f64 {
    layers.iter().fold(x, |x, layer| layer.apply(x))
}

#[autodiff_reverse(d_boxed, Duplicated, Active)]
fn boxed(x: &[f64]) -> f64 {
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(Scale(x[0])), Box::new(Shift { by: x[1] })];
    through_layers(&layers, x[2])
}

#[test]
fn enzyme_rust_193_boxes_of_trait_objects() {
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(Scale(3.0)), Box::new(Shift { by: 2.0 })];
    assert_eq!(d_layers(&layers, 5.0, 1.0), (17.0, 3.0));
    assert_eq!(t_through_layers(&layers, 5.0, 1.0), (17.0, 3.0));
    let mut dx = [0.0; 3];
    assert_eq!(d_boxed(&[3.0, 2.0, 5.0], &mut dx, 1.0), 17.0);
    assert_eq!(dx, [5.0, 1.0, 3.0]);
}
