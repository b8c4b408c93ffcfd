//! Lists of enums whose variants change in loops, and that are then copied whole.

use conformance::assert_gradient;
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[derive(Clone, Copy)]
enum Shape {
    Circle(f64),
    Rectangle(f64, f64),
    Box(f64, f64, f64),
    Nothing,
}

impl Shape {
    fn size(&self) -> f64 {
        match self {
            Shape::Circle(r) => r * r,
            Shape::Rectangle(w, h) => w * h,
            Shape::Box(a, b, c) => a * b * c,
            Shape::Nothing => 1.0,
        }
    }

    fn change(&mut self, to: f64) {
        match self {
            Shape::Circle(r) => *r *= 2.0,
            Shape::Rectangle(w, _) => *w += 1.0,
            Shape::Box(a, ..) => *a += 1.0,
            Shape::Nothing => *self = Shape::Circle(to),
        }
    }
}

#[autodiff_reverse(rev_grown, Duplicated, Active)]
#[autodiff_forward(fwd_grown, Dual, Dual)]
fn grown(x: &[f64]) -> f64 {
    let mut list = vec![
        Shape::Circle(x[4]),
        Shape::Rectangle(x[0], x[1]),
        Shape::Box(2.0, 2.5, x[2]),
        Shape::Nothing,
    ];
    for shape in list.iter_mut() {
        shape.change(x[3]);
    }
    list.push(Shape::Nothing);
    list.iter().map(Shape::size).sum()
}

#[autodiff_reverse(rev_swapped, Duplicated, Active)]
#[autodiff_forward(fwd_swapped, Dual, Dual)]
fn swapped(x: &[f64]) -> f64 {
    #[allow(clippy::useless_vec)] // memory of its own is what this is about
    let mut list = vec![
        Shape::Circle(x[0]),
        Shape::Rectangle(x[1], x[2]),
        Shape::Box(2.0, 2.5, x[3]),
        Shape::Nothing,
        Shape::Rectangle(x[3], x[2]),
    ];
    for _ in 0..2 {
        for shape in list.iter_mut() {
            shape.change(x[4]);
        }
        list.swap(1, 3);
    }
    list.iter().map(Shape::size).sum()
}

#[test]
fn a_list_that_grows_keeps_the_gradients_of_changed_variants() {
    assert_gradient!(
        rev_grown,
        fwd_grown,
        [3.0, 5.0, 7.0, 11.0, 13.0],
        870.5,
        [5.0, 4.0, 7.5, 22.0, 104.0]
    );
}

#[test]
fn variants_that_change_and_are_swapped_keep_their_gradients() {
    // Two rounds: (4 a)^2 + (b + 2) c + 10 d + (2 e)^2 + (d + 2) c
    let [a, b, c, d, e] = [1.5, 2.0, 3.0, 0.5, 0.25];
    assert_gradient!(
        rev_swapped,
        fwd_swapped,
        [a, b, c, d, e],
        16.0 * a * a + (b + 2.0) * c + 10.0 * d + 4.0 * e * e + (d + 2.0) * c,
        [32.0 * a, c, b + d + 4.0, 10.0 + c, 8.0 * e]
    );
}
