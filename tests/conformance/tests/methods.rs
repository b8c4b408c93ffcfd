//! Inherent methods, with every kind of `self`.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse, autodiff_reverse_split};

#[derive(Clone, Shadow)]
struct Polynomial {
    coefficients: Vec<f64>,
}

impl Polynomial {
    #[autodiff_reverse(slope, Const, Active, ActiveOnly)]
    #[autodiff_reverse(rev_at, Duplicated, Active, Active)]
    #[autodiff_forward(fwd_at, Dual, Dual, Dual)]
    fn at(&self, x: f64) -> f64 {
        self.coefficients
            .iter()
            .rev()
            .fold(0.0, |sum, c| sum * x + c)
    }

    #[autodiff_reverse(rev_scale, Duplicated, Active)]
    fn scale(&mut self, factor: f64) {
        self.coefficients.iter_mut().for_each(|c| *c *= factor);
    }

    #[autodiff_reverse(rev_monomial, Active, Const, Active)]
    fn monomial(x: f64, n: i32) -> f64 {
        Self::check(n);
        x.powi(n)
    }

    fn check(n: i32) {
        assert!(n >= 0);
    }

    // Nothing in the function says where it stands: the attribute does.
    #[autodiff_reverse(Self::rev_cube, Active, Active)]
    #[autodiff_forward(Self::fwd_cube, 2, Dual, Dual)]
    #[autodiff_reverse_split(Self::split_cube, Active, Active)]
    fn cube(x: f64) -> f64 {
        x * x * x
    }
}

fn polynomial() -> Polynomial {
    Polynomial {
        coefficients: vec![1.0, 2.0, 3.0],
    }
}

#[test]
fn a_constant_self_has_no_shadow() {
    assert_close(polynomial().slope(2.0, 1.0), 14.0);
}

#[test]
fn self_by_reference_has_a_shadow() {
    let mut shadow = Polynomial {
        coefficients: vec![0.0; 3],
    };
    let (value, dx) = polynomial().rev_at(&mut shadow, 2.0, 1.0);
    assert_eq!((value, dx), (17.0, 14.0));
    assert_all_close(&shadow.coefficients, &[1.0, 2.0, 4.0]);
    let tangent = Polynomial {
        coefficients: vec![0.0, 0.0, 1.0],
    };
    assert_eq!(polynomial().fwd_at(&tangent, 2.0, 1.0), (17.0, 18.0));
}

#[test]
fn self_by_mutable_reference_is_changed_in_place() {
    let mut p = polynomial();
    let mut shadow = Polynomial {
        coefficients: vec![1.0, 10.0, 100.0],
    };
    assert_close(p.rev_scale(&mut shadow, 2.0), 1.0 + 20.0 + 300.0);
    assert_all_close(&p.coefficients, &[2.0, 4.0, 6.0]);
    assert_all_close(&shadow.coefficients, &[2.0, 20.0, 200.0]);
}

#[test]
fn an_associated_function_has_a_derivative() {
    assert_eq!(Polynomial::rev_monomial(3.0, 2, 1.0), (9.0, 6.0));
}

#[test]
fn an_associated_function_that_does_not_mention_its_type_says_so_in_the_attribute() {
    assert_eq!(Polynomial::rev_cube(2.0, 1.0), (8.0, 12.0));
    assert_eq!(Polynomial::fwd_cube(2.0, 1.0, 0.5), [8.0, 12.0, 6.0]);
    let (value, tape) = Polynomial::split_cube(2.0);
    assert_eq!((value, tape.reverse(0.5)), (8.0, 6.0));
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Vector<T>(T, T);

impl<T: Copy + Into<f64>> Vector<T> {
    #[autodiff_reverse(rev_product, Active, Active)]
    #[autodiff_forward(fwd_product, Dual, Dual)]
    fn product(self) -> f64 {
        self.0.into() * self.1.into()
    }
}

#[test]
fn self_by_value_has_a_gradient() {
    assert_eq!(Vector(2.0, 3.0).rev_product(1.0), (6.0, Vector(3.0, 2.0)));
    assert_eq!(
        Vector(2.0_f32, 3.0).rev_product(1.0),
        (6.0, Vector(3.0, 2.0))
    );
    assert_eq!(Vector(2.0, 3.0).fwd_product(Vector(1.0, 10.0)), (6.0, 23.0));
}
