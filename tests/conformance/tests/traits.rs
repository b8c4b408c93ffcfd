//! Methods of traits: declared, with a default, overridden, and implemented.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

trait Model {
    #[autodiff_reverse(d_predict, Const, Active, Active)]
    #[autodiff_forward(t_predict, Const, Dual, Dual)]
    fn predict(&self, x: f64) -> f64;

    #[autodiff_reverse(d_loss, Const, Duplicated, Active)]
    fn loss(&self, data: &[f64]) -> f64 {
        data.iter().map(|x| self.predict(*x).powi(2)).sum()
    }

    #[autodiff_reverse(d_scale, Active, Active)]
    fn scale(x: f64) -> f64
    where
        Self: Sized;
}

struct Line {
    slope: f64,
}

struct Parabola;

impl Model for Line {
    fn predict(&self, x: f64) -> f64 {
        self.slope * x
    }

    fn scale(x: f64) -> f64 {
        3.0 * x
    }
}

impl Model for Parabola {
    fn predict(&self, x: f64) -> f64 {
        x * x
    }

    // Overrides primal and hence its derivative.
    fn loss(&self, data: &[f64]) -> f64 {
        data.iter().map(|x| self.predict(*x)).sum()
    }

    fn scale(x: f64) -> f64 {
        x.exp()
    }
}

#[test]
fn a_declared_method_is_differentiated_in_each_implementation() {
    assert_eq!(Line { slope: 2.0 }.d_predict(3.0, 1.0), (6.0, 2.0));
    assert_eq!(Parabola.d_predict(3.0, 1.0), (9.0, 6.0));
    assert_eq!(Line { slope: 2.0 }.t_predict(3.0, 0.5), (6.0, 1.0));
    assert_eq!(Parabola.t_predict(3.0, 0.5), (9.0, 3.0));
}

#[test]
fn a_default_method_and_one_that_overrides_it() {
    let mut gradient = [0.0; 2];
    assert_close(
        Line { slope: 2.0 }.d_loss(&[1.0, 3.0], &mut gradient, 1.0),
        40.0,
    );
    assert_all_close(&gradient, &[8.0, 24.0]);
    let mut gradient = [0.0; 2];
    assert_close(Parabola.d_loss(&[1.0, 3.0], &mut gradient, 1.0), 10.0);
    assert_all_close(&gradient, &[2.0, 6.0]);
}

#[test]
fn an_associated_function_of_a_trait() {
    assert_eq!(Line::d_scale(5.0, 1.0), (15.0, 3.0));
    assert_eq!(Parabola::d_scale(0.0, 1.0), (1.0, 1.0));
}

#[test]
fn derivatives_are_called_through_trait_objects() {
    let models: [Box<dyn Model>; 2] = [Box::new(Line { slope: 2.0 }), Box::new(Parabola)];
    let gradients: Vec<f64> = models
        .iter()
        .map(|model| model.d_predict(3.0, 1.0).1)
        .collect();
    assert_eq!(gradients, [2.0, 6.0]);
}

trait Energy {
    fn energy(&self, x: &[f64]) -> f64;
    fn d_energy(&self, x: &[f64], dx_0: &mut [f64], dret: f64) -> f64;
}

struct Spring(f64);

impl Energy for Spring {
    #[autodiff_reverse(d_energy, Const, Duplicated, Active)]
    fn energy(&self, x: &[f64]) -> f64 {
        0.5 * self.0 * x.iter().map(|x| x * x).sum::<f64>()
    }
}

#[test]
fn a_method_is_differentiated_where_it_is_implemented() {
    let mut gradient = [0.0; 2];
    assert_close(Spring(4.0).d_energy(&[1.0, 2.0], &mut gradient, 1.0), 10.0);
    assert_all_close(&gradient, &[4.0, 8.0]);
}

trait Layer {
    #[autodiff_reverse(d_apply, Duplicated, Active, Active)]
    fn apply(&self, x: f64) -> f64;
}

struct Affine {
    weight: f64,
    bias: f64,
}

impl Layer for Affine {
    fn apply(&self, x: f64) -> f64 {
        (self.weight * x + self.bias).tanh()
    }
}

fn through_a_bound<L: Layer>(layer: &L, gradient: &mut L, x: f64) -> (f64, f64) {
    layer.d_apply(gradient, x, 1.0)
}

#[test]
fn the_shadow_of_self_is_of_its_type() {
    let layer = Affine {
        weight: 0.5,
        bias: 0.25,
    };
    let mut gradient = Affine {
        weight: 0.0,
        bias: 0.0,
    };
    let (value, dx) = through_a_bound(&layer, &mut gradient, 2.0);
    let t = 1.25f64.tanh();
    assert_close(value, t);
    assert_all_close(
        &[dx, gradient.weight, gradient.bias],
        &[0.5 * (1.0 - t * t), 2.0 * (1.0 - t * t), 1.0 - t * t],
    );
}

struct Hiding;

impl Hiding {
    fn value(&self, x: f64) -> f64 {
        x
    }
}

trait Hidden {
    #[autodiff_reverse(rev_of_the_trait, Const, Active, Active)]
    fn value(&self, x: f64) -> f64;
    fn rev_of_the_impl(&self, x: f64, dret: f64) -> (f64, f64);
}

impl Hidden for Hiding {
    #[autodiff_reverse(rev_of_the_impl, Const, Active, Active)]
    fn value(&self, x: f64) -> f64 {
        x * x
    }
}

#[test]
#[should_panic(expected = "has a method `value` of its own, which hides the trait's")]
fn a_method_that_hides_the_traits_is_not_differentiated_instead() {
    assert_eq!(Hiding.value(3.0), 3.0);
    Hiding.rev_of_the_impl(3.0, 1.0);
}

#[test]
fn an_attribute_in_the_trait_means_the_traits_method() {
    assert_eq!(Hiding.rev_of_the_trait(3.0, 1.0), (9.0, 6.0));
}

trait Both<T> {
    fn value(&self, x: T) -> T;
    fn rev_value(&self, x: T, dret: T) -> (T, T);
    fn fwd_value(&self, x: T, bx: T) -> (T, T);
}

impl Both<f64> for Hiding {
    #[autodiff_reverse(<Self as Both<f64>>::rev_value, Const, Active, Active)]
    #[autodiff_forward(<Self as Both<f64>>::fwd_value, Const, Dual, Dual)]
    fn value(&self, x: f64) -> f64 {
        x * x * x
    }
}

#[test]
fn an_attribute_that_names_the_trait_finds_a_hidden_method() {
    assert_eq!(Hiding.value(2.0), 2.0);
    assert_eq!(Hiding.rev_value(2.0, 1.0), (8.0, 12.0));
    assert_eq!(Hiding.fwd_value(2.0, 0.5), (8.0, 6.0));
}

trait Curve {
    fn y(&self, x: f64) -> f64;
    fn slope(&self, x: f64, dret: f64) -> f64;
}

struct Cubic(f64);

impl Curve for Cubic {
    #[autodiff_reverse(slope, Const, Active, ActiveOnly)]
    fn y(&self, x: f64) -> f64 {
        self.0 * x * x * x
    }
}

#[autodiff_forward(curvature_forward, Const, Dual, Dual)]
#[autodiff_reverse(curvature_reverse, Duplicated, Active, Active)]
fn slope(curve: &Cubic, x: f64) -> f64 {
    curve.slope(x, 1.0)
}

#[test]
fn the_derivative_of_a_traits_method_has_derivatives() {
    assert_eq!(Cubic(2.0).y(2.0), 16.0);
    assert_eq!(curvature_forward(&Cubic(2.0), 2.0, 1.0), (24.0, 24.0));
    let mut shadow = Cubic(0.0);
    let curvature = curvature_reverse(&Cubic(2.0), &mut shadow, 2.0, 1.0);
    assert_eq!((curvature, shadow.0), ((24.0, 24.0), 12.0));
}
