//! Structs, tuples, arrays and enums, by value and by reference, as arguments and as results.

use conformance::{assert_all_close, assert_close, assert_near};
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    x: f64,
    y: f64,
}

#[autodiff_reverse(rev_point, Active, Active)]
#[autodiff_forward(fwd_point, Dual, Dual)]
fn of_point(p: Point) -> f64 {
    p.x * p.x * p.y
}

#[test]
fn a_struct_by_value_has_a_struct_as_gradient() {
    let (value, gradient) = rev_point(Point { x: 3.0, y: 2.0 }, 1.0);
    assert_eq!((value, gradient), (18.0, Point { x: 12.0, y: 9.0 }));
}

#[test]
fn a_two_field_struct_by_value_has_the_right_tangent() {
    assert_eq!(
        fwd_point(Point { x: 3.0, y: 2.0 }, Point { x: 1.0, y: 0.0 }),
        (18.0, 12.0)
    );
    assert_eq!(
        fwd_point(Point { x: 3.0, y: 2.0 }, Point { x: 0.0, y: 1.0 }),
        (18.0, 9.0)
    );
}

#[autodiff_reverse(rev_point_ref, Duplicated, Active)]
fn of_point_by_reference(p: &Point) -> f64 {
    p.x * p.y
}

#[test]
fn a_struct_by_reference_has_a_shadow() {
    let mut shadow = Point { x: 0.0, y: 100.0 };
    assert_eq!(
        rev_point_ref(&Point { x: 3.0, y: 2.0 }, &mut shadow, 1.0),
        6.0
    );
    assert_eq!(shadow, Point { x: 2.0, y: 103.0 });
}

#[autodiff_reverse(rev_pair, Active, Active)]
#[autodiff_forward(fwd_pair, Dual, Dual)]
fn of_pair(pair: (f64, f64)) -> f64 {
    pair.0 * pair.1.sin()
}

#[test]
fn a_pair_by_value_has_the_right_derivatives() {
    let (value, gradient) = rev_pair((2.0, 0.5), 1.0);
    assert_close(value, 2.0 * 0.5_f64.sin());
    assert_close(gradient.0, 0.5_f64.sin());
    assert_close(gradient.1, 2.0 * 0.5_f64.cos());
    assert_close(fwd_pair((2.0, 0.5), (1.0, 0.0)).1, 0.5_f64.sin());
    assert_close(fwd_pair((2.0, 0.5), (0.0, 1.0)).1, 2.0 * 0.5_f64.cos());
}

#[autodiff_reverse(rev_mixed, Active, Active)]
#[autodiff_forward(fwd_mixed, Dual, Dual)]
fn of_mixed(mixed: (u8, f32, [f64; 3], bool)) -> f64 {
    let (n, a, b, negate) = mixed;
    let value = f64::from(n) * f64::from(a) * b[usize::from(n)];
    if negate { -value } else { value }
}

#[test]
fn a_tuple_may_mix_integers_and_floats() {
    let (value, gradient) = rev_mixed((2, 1.5, [1.0, 2.0, 4.0], true), 1.0);
    assert_eq!(value, -12.0);
    assert_eq!((gradient.1, gradient.2), (-8.0, [0.0, 0.0, -3.0]));
    let (value, tangent) = fwd_mixed(
        (2, 1.5, [1.0, 2.0, 4.0], true),
        (0, 1.0, [0.0, 0.0, 1.0], false),
    );
    assert_eq!((value, tangent), (-12.0, -11.0));
}

#[autodiff_reverse(rev_indexed, Active, Active)]
fn indexed(choice: (u8, [f64; 3])) -> f64 {
    choice.1[usize::from(choice.0)].powi(2)
}

#[test]
fn an_array_by_value_may_be_indexed_by_its_neighbour() {
    assert_eq!(rev_indexed((1, [1.0, 2.0, 4.0]), 1.0).1.1, [0.0, 4.0, 0.0]);
}

#[autodiff_reverse(rev_array, Active, Active)]
#[autodiff_forward(fwd_array, Dual, Dual)]
fn of_array(x: [f64; 5]) -> f64 {
    x.iter().enumerate().map(|(i, x)| i as f64 * x * x).sum()
}

#[test]
fn an_array_by_value_has_an_array_as_gradient() {
    let (value, gradient) = rev_array([1.0, 2.0, 3.0, 4.0, 5.0], 1.0);
    assert_close(value, 4.0 + 18.0 + 48.0 + 100.0);
    assert_all_close(&gradient, &[0.0, 4.0, 12.0, 24.0, 40.0]);
    assert_close(fwd_array([1.0, 2.0, 3.0, 4.0, 5.0], [1.0; 5]).1, 80.0);
}

type Matrix = [[f64; 2]; 3];

#[autodiff_reverse(rev_matrix, Duplicated, Duplicated, Active)]
fn matrix_vector(a: &Matrix, x: &[f64; 2]) -> f64 {
    let rows = a.map(|row| row[0] * x[0] + row[1] * x[1]);
    rows.iter().map(|row| row * row).sum()
}

#[test]
fn two_dimensional_arrays_have_shadows() {
    // The rows give 1, 2 and 3.
    let (a, x) = ([[1.0, 0.0], [0.0, 2.0], [1.0, 2.0]], [1.0, 1.0]);
    let (mut da, mut dx) = ([[0.0; 2]; 3], [0.0; 2]);
    assert_close(rev_matrix(&a, &mut da, &x, &mut dx, 1.0), 14.0);
    assert_eq!(da, [[2.0, 2.0], [4.0, 4.0], [6.0, 6.0]]);
    assert_all_close(&dx, &[8.0, 20.0]);
}

#[derive(Clone, Shadow)]
struct Model {
    name: String,
    weights: Vec<Vec<f64>>,
    bias: Option<f64>,
    scale: Box<f64>,
}

#[autodiff_reverse(rev_model, Duplicated, Const, Active)]
#[autodiff_forward(fwd_model, Dual, Const, Dual)]
fn of_model(model: &Model, x: &[f64]) -> f64 {
    let mut sum = model.bias.unwrap_or_default();
    for row in &model.weights {
        sum += row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>().powi(2);
    }
    sum * *model.scale * model.name.len() as f64
}

fn model() -> Model {
    Model {
        name: "ab".into(),
        weights: vec![vec![1.0, 2.0], vec![3.0, -1.0]],
        bias: Some(0.5),
        scale: Box::new(10.0),
    }
}

fn zero_of(model: &Model) -> Model {
    let mut zero = model.clone();
    zero.weights.iter_mut().flatten().for_each(|w| *w = 0.0);
    zero.bias = model.bias.map(|_| 0.0);
    *zero.scale = 0.0;
    zero
}

#[test]
fn a_struct_of_vecs_has_a_struct_of_gradients() {
    // The rows give 5 and 1.
    let model = model();
    let mut shadow = zero_of(&model);
    assert_close(rev_model(&model, &mut shadow, &[1.0, 2.0], 1.0), 530.0);
    assert_all_close(&shadow.weights[0], &[200.0, 400.0]);
    assert_all_close(&shadow.weights[1], &[40.0, 80.0]);
    assert_close(shadow.bias.unwrap(), 20.0);
    assert_close(*shadow.scale, 53.0);
}

#[test]
fn a_struct_of_vecs_has_a_struct_of_tangents() {
    let model = model();
    let mut tangent = zero_of(&model);
    tangent.weights[1][0] = 1.0;
    tangent.bias = Some(1.0);
    assert_close(fwd_model(&model, &tangent, &[1.0, 2.0]).1, 60.0);
}

#[autodiff_reverse(rev_vec, Duplicated, Active)]
#[allow(clippy::ptr_arg)]
fn of_vec(x: &Vec<f64>) -> f64 {
    x.iter().product()
}

#[test]
fn a_vec_by_reference_has_a_shadow() {
    let mut shadow = vec![0.0; 3];
    assert_close(rev_vec(&vec![2.0, 3.0, 4.0], &mut shadow, 1.0), 24.0);
    assert_all_close(&shadow, &[12.0, 8.0, 6.0]);
}

#[autodiff_reverse(rev_single, Duplicated, Active, Active)]
#[autodiff_forward(fwd_single, Dual, Dual, Dual)]
fn single(x: &[f32], y: f32) -> f32 {
    x.iter().map(|x| (x * y).sin()).sum()
}

#[test]
fn single_precision_works_throughout() {
    let (x, y, mut dx) = ([0.5_f32, 1.5], 0.75_f32, [0.0_f32; 2]);
    let (value, dy) = rev_single(&x, &mut dx, y, 1.0);
    let exact = x.map(f64::from).map(|x| {
        (
            (x * 0.75).sin(),
            0.75 * (x * 0.75).cos(),
            x * (x * 0.75).cos(),
        )
    });
    assert_near(value.into(), exact[0].0 + exact[1].0, conformance::SINGLE);
    assert_near(dx[0].into(), exact[0].1, conformance::SINGLE);
    assert_near(dx[1].into(), exact[1].1, conformance::SINGLE);
    assert_near(dy.into(), exact[0].2 + exact[1].2, conformance::SINGLE);
    assert_near(
        fwd_single(&x, &[1.0, 0.0], y, 0.0).1.into(),
        exact[0].1,
        conformance::SINGLE,
    );
}

#[autodiff_reverse(rev_both_precisions, Active, Active, Active)]
fn both_precisions(x: f32, y: f64) -> f64 {
    f64::from(x * x) * y
}

#[test]
fn precisions_may_mix() {
    assert_eq!(rev_both_precisions(1.5, 2.0, 1.0), (4.5, 6.0, 2.25));
}

#[autodiff_reverse(rev_result_pair, Active, Active, Active)]
#[autodiff_forward(fwd_result_pair, Dual, Dual, Dual)]
fn sum_and_product(x: f64, y: f64) -> (f64, f64) {
    (x + y, x * y)
}

#[test]
fn a_tuple_result_has_a_tuple_as_seed() {
    assert_eq!(
        rev_result_pair(2.0, 3.0, (1.0, 0.0)),
        ((5.0, 6.0), 1.0, 1.0)
    );
    assert_eq!(
        rev_result_pair(2.0, 3.0, (10.0, 1.0)),
        ((5.0, 6.0), 13.0, 12.0)
    );
    assert_eq!(
        fwd_result_pair(2.0, 1.0, 3.0, 0.0),
        ((5.0, 6.0), (1.0, 3.0))
    );
}

#[autodiff_reverse(rev_result_struct, Active, Active)]
#[autodiff_forward(fwd_result_struct, Dual, DualOnly)]
fn on_parabola(x: f64) -> Point {
    Point { x, y: x * x }
}

#[test]
fn a_struct_result_has_a_struct_as_seed() {
    let seed = Point { x: 1.0, y: 10.0 };
    assert_eq!(
        rev_result_struct(3.0, seed),
        (Point { x: 3.0, y: 9.0 }, 61.0)
    );
    assert_eq!(fwd_result_struct(3.0, 2.0), Point { x: 2.0, y: 12.0 });
}

#[autodiff_reverse(rev_result_array, Active, Active)]
#[autodiff_forward(fwd_result_array, Dual, Dual)]
fn powers(x: f64) -> [f64; 4] {
    [1.0, x, x * x, x * x * x]
}

#[test]
fn an_array_result_has_an_array_as_seed() {
    assert_eq!(
        rev_result_array(2.0, [1.0, 1.0, 1.0, 1.0]),
        ([1.0, 2.0, 4.0, 8.0], 17.0)
    );
    assert_eq!(
        fwd_result_array(2.0, 1.0),
        ([1.0, 2.0, 4.0, 8.0], [0.0, 1.0, 4.0, 12.0])
    );
}

#[autodiff_forward(fwd_partly_active, Dual, Dual)]
fn with_index(x: f64) -> (f64, usize, Option<f64>) {
    (x * x, 7, Some(3.0 * x))
}

#[test]
fn the_inactive_part_of_a_tangent_is_harmless() {
    let (value, tangent) = fwd_partly_active(2.0, 1.0);
    assert_eq!(value, (4.0, 7, Some(6.0)));
    assert_eq!(tangent.0, 4.0);
    assert_eq!(tangent.2, Some(3.0));
}

struct Nothing;

#[autodiff_reverse(rev_nothing, Const, Active, Const, Active)]
#[autodiff_forward(fwd_nothing, Dual, Dual, Const, Dual)]
fn beside_nothing(_nothing: Nothing, x: f64, _unit: ()) -> f64 {
    x * x
}

#[test]
fn arguments_without_size_are_no_trouble() {
    assert_eq!(rev_nothing(Nothing, 3.0, (), 1.0), (9.0, 6.0));
    assert_eq!(fwd_nothing(Nothing, Nothing, 3.0, 1.0, ()), (9.0, 6.0));
}

#[derive(Clone, Copy)]
enum Shape {
    Circle(f64),
    Rectangle { width: f64, height: f64 },
}

#[autodiff_reverse(rev_area, Duplicated, Active)]
fn area(shapes: &[Shape]) -> f64 {
    let areas = shapes.iter().map(|shape| match shape {
        Shape::Circle(radius) => std::f64::consts::PI * radius * radius,
        Shape::Rectangle { width, height } => width * height,
    });
    areas.sum()
}

#[test]
fn enums_by_reference_have_shadows() {
    let shapes = [
        Shape::Circle(2.0),
        Shape::Rectangle {
            width: 3.0,
            height: 5.0,
        },
    ];
    let mut shadow = [
        Shape::Circle(0.0),
        Shape::Rectangle {
            width: 0.0,
            height: 0.0,
        },
    ];
    assert_close(
        rev_area(&shapes, &mut shadow, 1.0),
        4.0 * std::f64::consts::PI + 15.0,
    );
    let [Shape::Circle(radius), Shape::Rectangle { width, height }] = shadow else {
        panic!("variants have changed")
    };
    assert_close(radius, 4.0 * std::f64::consts::PI);
    assert_eq!((width, height), (5.0, 3.0));
}
