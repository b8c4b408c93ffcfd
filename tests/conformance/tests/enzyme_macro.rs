//! `#[primal]` and `enzyme!`: owned, named gradients, against analytic values.

#[macro_use]
extern crate oxide_enzyme;

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::mark::enzyme;
use oxide_enzyme::{Differentiable, Shadow, primal};

#[primal]
fn weighted(x: &[f64], scale: f64, n: usize) -> f64 {
    x.iter().take(n).map(|x| x * x * x).sum::<f64>() * scale
}

#[test]
fn each_gradient_has_the_name_of_its_argument() {
    let (x, k) = (vec![1.5, -2.0, 0.5], 0.25);
    let g = enzyme!(grad weighted(&x, 2.0 * k, x.len()) wrt scale, x);
    assert_close(g.value, weighted(&x, 0.5, 3));
    assert_all_close(&g.x, &[1.5 * 2.25, 1.5 * 4.0, 1.5 * 0.25]);
    assert_close(g.scale, 1.5f64.powi(3) - 8.0 + 0.125);
}

#[test]
fn what_is_not_named_is_constant_and_a_seed_weights() {
    let g = enzyme!(grad weighted(&[1.0, 2.0, 3.0], 0.5, 2) wrt x seed -2.0);
    let x: [f64; 3] = g.x;
    assert_all_close(&x, &[-3.0, -12.0, 0.0]);
}

#[enzyme]
fn by_the_other_name(x: f64) -> f64 {
    x.sin()
}

#[test]
fn the_attribute_has_two_names() {
    assert_close(enzyme!(grad by_the_other_name(0.5) wrt x).x, 0.5f64.cos());
}

#[primal]
fn in_place(state: &mut [f64], rate: f64) -> f64 {
    for x in &mut *state {
        *x = x.exp() * rate;
    }
    state.iter().sum()
}

#[test]
fn memory_that_is_written_to_carries_derivatives() {
    let (start, rate) = ([0.5, -0.25], 3.0);
    let mut state = start;
    let g = enzyme!(grad in_place(&mut state[..], rate) wrt rate);
    assert_close(g.rate, start[0].exp() + start[1].exp());
    assert_all_close(&state, &start.map(|x| x.exp() * rate));

    state = start;
    let g = enzyme!(grad in_place(&mut state[..], rate) wrt state);
    assert_all_close(&g.state, &start.map(|x| x.exp() * rate));
}

#[derive(Debug, Clone, Copy, PartialEq, Shadow, Differentiable)]
struct Point {
    x: f64,
    y: f64,
}

#[primal]
fn area(corner: Point, size: &Point) -> f64 {
    (corner.x + size.x) * (corner.y + size.y)
}

#[test]
fn structs_by_value_and_by_reference() {
    let (corner, size) = (Point { x: 1.0, y: 2.0 }, Point { x: 3.0, y: 5.0 });
    let g = enzyme!(grad area(corner, &size) wrt corner, size);
    assert_eq!(g.corner, Point { x: 7.0, y: 4.0 });
    assert_eq!(g.size, Point { x: 7.0, y: 4.0 });
}

#[primal]
fn several(x: [f64; 2]) -> [f64; 3] {
    [x[0] * x[1], x[0], x[1] * x[1]]
}

#[test]
fn a_list_of_results_needs_weights() {
    let g = enzyme!(grad several([3.0, 5.0]) wrt x seed [1.0, 10.0, 100.0]);
    assert_eq!(g.x, [15.0, 1003.0]);
    assert_eq!(g.value, [15.0, 3.0, 25.0]);
}

#[test]
fn tangents() {
    let t = enzyme!(jvp several([3.0, 5.0]) along x = [1.0, 10.0]);
    assert_eq!(
        (t.value, t.tangent),
        ([15.0, 3.0, 25.0], [35.0, 1.0, 100.0])
    );

    let (x, along) = ([1.0, 2.0], [0.5, -1.0]);
    let t = enzyme!(jvp weighted(&x[..], 2.0, 2) along x = &along[..], scale = 3.0);
    assert_close(t.tangent, 2.0 * (3.0 * 0.5 - 12.0) + 3.0 * 9.0);
}

#[test]
fn tangents_of_memory_that_is_written_to() {
    let (mut state, mut along) = ([0.5, -0.25], [1.0, 2.0]);
    let t = enzyme!(jvp in_place(&mut state[..], 3.0) along state = &mut along[..]);
    assert_close(t.tangent, 3.0 * (0.5f64.exp() + 2.0 * (-0.25f64).exp()));
    assert_all_close(&along, &[3.0 * 0.5f64.exp(), 6.0 * (-0.25f64).exp()]);
}

#[test]
#[should_panic(
    expected = "shadow `tangent` does not fit argument `x`: `x` has length 2, but its shadow has length 1"
)]
fn a_tangent_of_another_length_is_refused() {
    enzyme!(jvp weighted(&[1.0, 2.0][..], 2.0, 2) along x = &[1.0][..]);
}

mod generic {
    use oxide_enzyme::primal;

    #[primal(table: Const)]
    pub fn lookup<T: Copy + Into<f64>, const N: usize>(x: &[f64; N], table: &[T]) -> f64 {
        x.iter().zip(table).map(|(x, t)| x * x * (*t).into()).sum()
    }
}

#[test]
fn generic_functions_of_other_modules() {
    let g = enzyme!(grad generic::lookup(&[1.0, 2.0], &[3u8, 4]) wrt x);
    assert_eq!((g.value, g.x), (19.0, [6.0, 16.0]));
    let g = enzyme!(grad generic::lookup::<f32, 1>(&[1.0], &[0.5]) wrt x);
    assert_eq!(g.x, [1.0]);
}

#[test]
fn functions_inside_of_functions_and_names_that_the_macro_uses() {
    #[primal]
    fn cube(gradient0: f64, plan: f64, arguments: f64) -> f64 {
        gradient0 * gradient0 * gradient0 * plan * arguments
    }
    let (plan, arguments, seed, gradients) = (2.0, 3.0, 1.0, 0.5);
    let g = enzyme!(grad cube(gradients, plan, arguments) wrt gradient0, plan, arguments seed seed);
    assert_eq!((g.gradient0, g.plan, g.arguments), (4.5, 0.375, 0.25));
}
