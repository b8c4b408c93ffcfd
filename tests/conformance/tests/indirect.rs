//! Calls through function pointers and trait objects that come from outside.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

fn square(x: f64) -> f64 {
    x * x
}

fn cube(x: f64) -> f64 {
    x * x * x
}

#[autodiff_reverse(d_apply, Const, Active, Active)]
#[autodiff_forward(t_apply, Const, Dual, Dual)]
fn apply(f: fn(f64) -> f64, x: f64) -> f64 {
    f(x) + 1.0
}

#[test]
fn a_function_pointer() {
    assert_eq!(d_apply(square, 3.0, 1.0), (10.0, 6.0));
    assert_eq!(d_apply(cube, 3.0, 1.0), (28.0, 27.0));
    assert_eq!(t_apply(square, 3.0, 1.0), (10.0, 6.0));
}

#[test]
fn a_closure_as_a_function_pointer() {
    assert_eq!(d_apply(|x| x.sin(), 0.0, 1.0), (1.0, 1.0));
}

trait Layer {
    fn forward(&self, x: &[f64]) -> f64;
    fn name(&self) -> String {
        "layer".to_owned()
    }
}

struct Dot(Vec<f64>);

struct Norm;

impl Layer for Dot {
    fn forward(&self, x: &[f64]) -> f64 {
        self.0.iter().zip(x).map(|(w, x)| w * x).sum()
    }
}

impl Layer for Norm {
    fn forward(&self, x: &[f64]) -> f64 {
        x.iter().map(|x| x * x).sum::<f64>().sqrt()
    }
    fn name(&self) -> String {
        "norm".to_owned()
    }
}

#[autodiff_reverse(d_through, Const, Duplicated, Active)]
#[autodiff_forward(t_through, Const, Dual, Dual)]
fn through(layers: &[Box<dyn Layer>], x: &[f64]) -> f64 {
    layers.iter().map(|layer| layer.forward(x)).sum()
}

#[test]
fn trait_objects() {
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(Dot(vec![1.0, 2.0])), Box::new(Norm)];
    assert_eq!(layers[0].name() + &layers[1].name(), "layernorm");
    let (x, mut dx) = ([3.0, 4.0], [0.0; 2]);
    assert_close(d_through(&layers, &x, &mut dx, 1.0), 16.0);
    assert_all_close(&dx, &[1.6, 2.8]);
    let (value, tangent) = t_through(&layers, &x, &[1.0, 0.0]);
    assert_close(value, 16.0);
    assert_close(tangent, 1.6);
}

#[autodiff_reverse(d_dyn_fn, Const, Active, Active)]
fn dyn_fn(f: &dyn Fn(f64) -> f64, x: f64) -> f64 {
    f(x) * 2.0
}

#[test]
fn a_closure_that_captures_behind_a_trait_object() {
    let a = 5.0;
    assert_eq!(d_dyn_fn(&|x| a * x * x, 3.0, 1.0), (90.0, 60.0));
    assert_eq!(d_dyn_fn(&f64::exp, 0.0, 1.0), (2.0, 2.0));
}

#[autodiff_reverse(d_weights, Duplicated, Const, Active)]
fn weighted(layers: &[Box<dyn Layer>], x: &[f64]) -> f64 {
    layers.iter().map(|layer| layer.forward(x)).product()
}

#[test]
fn the_shadow_of_a_trait_object_is_one_of_the_same_type() {
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(Dot(vec![1.0, 2.0])), Box::new(Norm)];
    let mut dot = Dot(vec![0.0; 2]);
    let gradient = dot.0.as_mut_ptr();
    let mut shadows: Vec<Box<dyn Layer>> = vec![Box::new(dot), Box::new(Norm)];
    assert_close(d_weights(&layers, &mut shadows, &[3.0, 4.0], 1.0), 55.0);
    // SAFETY: the gradient's memory is alive in `shadows`, and nothing else refers to it.
    let gradient = unsafe { std::slice::from_raw_parts(gradient, 2) };
    assert_all_close(gradient, &[15.0, 20.0]);
    drop(shadows);
}

static TABLE: [fn(f64) -> f64; 2] = [square, cube];

#[autodiff_reverse(d_table, Active, Const, Active)]
#[autodiff_forward(t_table, Dual, Const, Dual)]
fn from_a_table(x: f64, which: usize) -> f64 {
    TABLE[which](x)
}

#[test]
fn function_pointers_in_a_static_table() {
    assert_eq!(d_table(2.0, 0, 1.0), (4.0, 4.0));
    assert_eq!(d_table(2.0, 1, 1.0), (8.0, 12.0));
    assert_eq!(t_table(2.0, 1.0, 1), (8.0, 12.0));
}

#[autodiff_reverse(d_compose, Active, Active)]
fn boxed_inside(x: f64) -> f64 {
    let steps: Vec<Box<dyn Fn(f64) -> f64>> = vec![
        Box::new(|x| x * x),
        Box::new(move |y| y + x),
        Box::new(f64::sin),
    ];
    steps.iter().fold(x, |value, step| step(value))
}

#[test]
fn boxed_closures_made_inside() {
    let (value, gradient) = d_compose(0.5, 1.0);
    assert_close(value, 0.75f64.sin());
    assert_close(gradient, 0.75f64.cos() * 2.0);
}

trait Shape {
    fn area(&self, scale: f64) -> f64;
}

struct Disc {
    radius: f64,
}

struct Polygon {
    corners: Vec<[f64; 2]>,
}

impl Shape for Disc {
    fn area(&self, scale: f64) -> f64 {
        std::f64::consts::PI * (self.radius * scale).powi(2)
    }
}

impl Shape for Polygon {
    fn area(&self, scale: f64) -> f64 {
        let count = self.corners.len();
        let mut twice = 0.0;
        for i in 0..count {
            let (a, b) = (self.corners[i], self.corners[(i + 1) % count]);
            twice += a[0] * b[1] - a[1] * b[0];
        }
        0.5 * twice * scale * scale
    }
}

#[autodiff_reverse(d_area, Const, Active, Active)]
#[autodiff_forward(t_area, Const, Dual, Dual)]
fn total_area(shapes: &[&dyn Shape], scale: f64) -> f64 {
    shapes.iter().map(|shape| shape.area(scale)).sum()
}

#[test]
fn trait_objects_whose_data_have_different_layouts() {
    let disc = Disc { radius: 1.0 };
    let square = Polygon {
        corners: vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
    };
    let (value, gradient) = d_area(&[&disc, &square], 2.0, 1.0);
    assert_close(value, 4.0 * (std::f64::consts::PI + 1.0));
    assert_close(gradient, 4.0 * (std::f64::consts::PI + 1.0));
    assert_close(t_area(&[&square, &disc], 2.0, 1.0).1, gradient);
}
