//! Where attributes may stand: several on a primal, nested functions, modules, macros, conditions, unsafe functions.

use conformance::assert_close;
use oxide_enzyme::prelude::*;

#[test]
fn a_function_inside_a_function_has_a_derivative() {
    #[autodiff_reverse(rev_inner, Active, Active)]
    fn inner(x: f64) -> f64 {
        x * x
    }
    assert_eq!(rev_inner(3.0, 1.0), (9.0, 6.0));
}

mod outer {
    pub mod inner {
        use oxide_enzyme::autodiff_reverse;

        #[autodiff_reverse(rev_public, Active, Active)]
        pub(crate) fn public(x: f64) -> f64 {
            super::helper(x)
        }
    }

    fn helper(x: f64) -> f64 {
        x.exp()
    }
}

#[test]
fn a_derivative_is_as_visible_as_its_primal() {
    assert_close(outer::inner::public(1.0), std::f64::consts::E);
    assert_close(outer::inner::rev_public(1.0, 1.0).1, std::f64::consts::E);
}

macro_rules! monomial {
    ($name:ident, $derivative:ident, $float:ty, $exponent:expr) => {
        #[autodiff_reverse($derivative, Duplicated, Active)]
        fn $name(x: &$float) -> $float {
            x.powi($exponent)
        }
    };
}

monomial!(square, rev_square, f64, 2);
monomial!(cube, rev_cube, f32, 3);

#[test]
fn macros_may_write_primals() {
    let mut dx = 0.0;
    assert_eq!(rev_square(&3.0, &mut dx, 1.0), square(&3.0));
    assert_eq!(dx, 6.0);
    let mut dx = 0.0;
    assert_eq!(rev_cube(&2.0, &mut dx, 1.0), cube(&2.0));
    assert_eq!(dx, 12.0);
}

#[cfg(any())]
#[autodiff_reverse(rev_never, Active, Active)]
fn never(x: f64) -> f64 {
    x
}

#[autodiff_reverse(rev_never, Active, Active)]
#[cfg(not(any()))]
fn always(x: f64) -> f64 {
    2.0 * x
}

#[test]
fn conditions_apply_to_primal_and_derivative() {
    assert_eq!(always(1.0), 2.0);
    assert_eq!(rev_never(1.0, 1.0), (2.0, 2.0));
}

#[autodiff_reverse(rev_one, Active, Active)]
fn one_of_two(x: f64) -> f64 {
    x * x + 1.0
}

#[autodiff_reverse(rev_two, Active, Active)]
fn two_of_two(x: f64) -> f64 {
    x * x + 1.0
}

#[test]
fn identical_primals_have_derivatives_of_their_own() {
    assert_eq!(rev_one(3.0, 1.0), (10.0, 6.0));
    assert_eq!(rev_two(4.0, 1.0), (17.0, 8.0));
}

#[autodiff_reverse(rev_unchecked, Duplicated, Const, Active)]
#[autodiff_forward(fwd_unchecked, Dual, Const, Dual)]
unsafe fn unchecked(x: &[f64], i: usize) -> f64 {
    // SAFETY: the caller knows the length.
    let x = unsafe { *x.get_unchecked(i) };
    x * x
}

#[test]
fn an_unsafe_primal_has_an_unsafe_derivative() {
    let mut dx = [0.0; 2];
    // SAFETY: there are two.
    assert_eq!(unsafe { rev_unchecked(&[2.0, 3.0], &mut dx, 1, 1.0) }, 9.0);
    assert_eq!(dx, [0.0, 6.0]);
    // SAFETY: as above.
    let both = unsafe { fwd_unchecked(&[2.0, 3.0], &[0.0, 1.0], 1) };
    assert_eq!(both, (9.0, 6.0));
}

#[test]
fn a_derivative_is_an_ordinary_function() {
    let slopes: Vec<(f64, f64)> = [2.0, 3.0]
        .into_iter()
        .zip([1.0, 10.0])
        .map(|(x, seed)| rev_one(x, seed))
        .collect();
    assert_eq!(slopes, [(5.0, 4.0), (10.0, 60.0)]);
    let derivative: fn(f64, f64) -> (f64, f64) = rev_two;
    assert_eq!(derivative(2.0, 1.0).1, 4.0);
}

#[autodiff_reverse(rev_dret, Active, Active, Active)]
fn awkward_names(dret: f64, primal: f64) -> f64 {
    let x0 = dret * primal;
    x0 * x0
}

#[test]
fn names_of_arguments_do_not_clash_with_those_of_the_expansion() {
    assert_eq!(rev_dret(2.0, 3.0, 1.0), (36.0, 36.0, 24.0));
}

#[autodiff_reverse(rev_raw, Active, Active)]
fn raw_identifiers(r#type: f64) -> f64 {
    r#type * 2.0
}

#[test]
fn raw_identifiers_are_names_too() {
    assert_eq!(rev_raw(2.0, 1.0), (4.0, 2.0));
}
