//! The expansion keeps to itself: it neither needs nor disturbs what is around it, and strict lints find nothing in it.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    unused,
    future_incompatible,
    let_underscore,
    nonstandard_style,
    rust_2018_idioms,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unused_crate_dependencies,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
#![allow(clippy::float_cmp, clippy::redundant_pub_crate)]

use conformance::assert_close;
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

/// Public, with everything that a derivative can have.
#[must_use]
#[autodiff_reverse(rev_everything, Duplicated, Active, Const, Duplicated, Active)]
#[autodiff_reverse(rev_everything_2, 2, Duplicated, Active, Const, Duplicated, Active)]
#[autodiff_forward(fwd_everything, Dual, Dual, Const, Dual, Dual)]
#[autodiff_forward(fwd_everything_2, 2, Dualv, Dual, Const, Dualv, DualOnly)]
pub fn everything(x: &[f64], y: f64, n: usize, out: &mut [f64]) -> f64 {
    out[0] = x[n] * y;
    out[0] * y
}

/// A type of the user's.
#[derive(Debug, Clone, Shadow)]
pub struct Weights<T> {
    /// Some.
    pub list: Vec<T>,
}

impl<T: Copy + Into<f64> + Shadow> Weights<T> {
    /// A generic method.
    #[must_use]
    #[autodiff_reverse(rev_first, Duplicated, Active, Active)]
    pub fn first(&self, x: f64) -> f64 {
        x * self.list[0].into()
    }
}

#[test]
fn strict_lints_find_nothing() {
    let (x, mut out) = ([1.0, 3.0], [0.0]);
    assert_close(everything(&x, 2.0, 1, &mut out), 12.0);
    let (mut dx, mut dout) = ([0.0; 2], [0.0]);
    let gradient = rev_everything(&x, &mut dx, 2.0, 1, &mut out, &mut dout, 1.0);
    assert_eq!((gradient, dx), ((12.0, 12.0), [0.0, 4.0]));
    let tangent = fwd_everything(&x, &[0.0, 1.0], 2.0, 0.0, 1, &mut out, &mut dout);
    assert_eq!(tangent, (12.0, 4.0));
    let (mut dx, mut dx1, mut dout1) = ([0.0; 2], [0.0; 2], [0.0]);
    let (_, dy) = rev_everything_2(
        &x,
        &mut dx,
        &mut dx1,
        2.0,
        1,
        &mut out,
        &mut [0.0],
        &mut dout1,
        [1.0, 2.0],
    );
    assert_eq!((dy, dx, dx1), ([12.0, 24.0], [0.0, 4.0], [0.0, 8.0]));
    let lanes = [0.0, 1.0, 0.0, 0.0];
    let tangents = fwd_everything_2(&x, &lanes, 2.0, 0.0, 1.0, 1, &mut out, &mut [0.0; 2]);
    assert_eq!(tangents, [4.0, 12.0]);
    let (weights, mut shadow) = (Weights { list: vec![2.0] }, Weights { list: vec![0.0] });
    assert_eq!(weights.rev_first(&mut shadow, 3.0, 1.0), (6.0, 2.0));
    assert_eq!(shadow.list, [3.0]);
}

/// Names that the expansion, or the standard library's prelude, has too.
#[no_implicit_prelude]
mod bare {
    use ::oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

    /// Fields of names that the derive uses, too.
    #[derive(Shadow)]
    pub(super) enum Choice<T> {
        Named { at: T, shadow: f64, r#type: [T; 2] },
        Unnamed(T),
    }

    #[autodiff_reverse(rev_choice, Duplicated, Active)]
    pub(super) fn choice(x: &Choice<f64>) -> f64 {
        match *x {
            Choice::Named { at, shadow, r#type } => at * shadow * r#type[0],
            Choice::Unnamed(x) => x,
        }
    }

    mod oxide_enzyme {}
    mod core {}
    mod std {}

    #[autodiff_reverse(rev_bare, Active, Duplicated, Active)]
    #[autodiff_forward(fwd_bare, 2, Dual, Dualv, Dual)]
    pub(super) fn bare(x: f64, y: &[f64]) -> f64 {
        x * y[0]
    }
}

#[test]
fn nothing_is_taken_from_the_prelude_or_from_modules_in_scope() {
    let mut dy = [0.0];
    assert_eq!(bare::rev_bare(2.0, &[3.0], &mut dy, 1.0), (6.0, 3.0));
    assert_eq!(dy, [2.0]);
    assert_eq!(
        bare::fwd_bare(2.0, 1.0, 0.0, &[3.0], &[0.0, 1.0]),
        [6.0, 3.0, 2.0]
    );
}

#[test]
fn a_derived_shadow_keeps_to_itself() {
    let named = |at, shadow, r#type| bare::Choice::Named { at, shadow, r#type };
    let (x, mut dx) = (named(2.0, 3.0, [5.0, 7.0]), named(0.0, 0.0, [0.0; 2]));
    assert_eq!(bare::rev_choice(&x, &mut dx, 1.0), 30.0);
    let bare::Choice::Named { at, shadow, r#type } = dx else {
        panic!("another variant")
    };
    assert_eq!((at, shadow, r#type), (15.0, 10.0, [6.0, 0.0]));
    assert_eq!(bare::choice(&bare::Choice::Unnamed(4.0)), 4.0);
}

mod clashes {
    use oxide_enzyme::{autodiff_forward, autodiff_reverse};

    // A pattern of the name of a constant would be compared with it.
    #[expect(non_upper_case_globals, dead_code, reason = "they are in the way")]
    const primal: f64 = 0.0;
    #[expect(non_upper_case_globals, dead_code, reason = "they are in the way")]
    const tangent_0: f64 = 0.0;

    /// An argument of the primal's name, and of its own shadow's.
    #[autodiff_reverse(rev_same, Active, Duplicated, Active, Active)]
    #[autodiff_forward(fwd_same, Dual, Dual, Dual, Dual)]
    pub(crate) fn same(same: f64, x: &[f64], dx_0: f64) -> f64 {
        same * x[0] * dx_0
    }

    #[autodiff_forward(fwd_lane, 2, Dualv, Const, Dual)]
    pub(crate) fn lane(lane: &[f64], at: usize) -> f64 {
        lane[at] * lane[at]
    }

    #[autodiff_reverse(r#match, Active, Active, Active)]
    #[autodiff_forward(r#loop, Dual, Dual, Dual)]
    pub(crate) fn r#for(r#in: f64, r#fn: f64) -> f64 {
        r#in * r#fn
    }
}

#[test]
fn names_do_not_clash() {
    let mut dx = [0.0];
    let gradient = clashes::rev_same(2.0, &[3.0], &mut dx, 4.0, 1.0);
    assert_eq!((gradient, dx), ((24.0, 12.0, 6.0), [8.0]));
    let tangent = clashes::fwd_same(2.0, 1.0, &[3.0], &[0.0], 4.0, 1.0);
    assert_eq!(tangent, (24.0, 18.0));
    let lanes = clashes::fwd_lane(&[2.0, 3.0], &[1.0, 0.0, 0.0, 1.0], 1);
    assert_eq!(lanes, [9.0, 0.0, 6.0]);
    assert_eq!(clashes::r#match(2.0, 3.0, 1.0), (6.0, 3.0, 2.0));
    assert_eq!(clashes::r#loop(2.0, 1.0, 3.0, 0.0), (6.0, 3.0));
}

/// A macro that writes functions, and names things by `$crate`.
macro_rules! product {
    ($name:ident, $derivative:ident, $x:ident) => {
        #[$crate::gradients::autodiff_reverse($derivative, Duplicated, Duplicated, Active)]
        fn $name(x: &[$crate::Scalar], $x: &[$crate::Scalar]) -> $crate::Scalar {
            $crate::double(x[0] * $x[0])
        }
    };
}

/// Reached by `$crate`.
pub(crate) type Scalar = f64;

mod gradients {
    pub(crate) use oxide_enzyme::autodiff_reverse;
}

pub(crate) fn double(x: Scalar) -> Scalar {
    2.0 * x
}

// The macro's own `x` is another one.
product!(twice_the_product, rev_twice_the_product, x);

#[test]
fn macros_may_write_primals_with_names_of_their_own() {
    let (mut dx, mut dy) = ([0.0], [0.0]);
    let value = rev_twice_the_product(&[3.0], &mut dx, &[5.0], &mut dy, 1.0);
    assert_eq!((value, dx, dy), (30.0, [10.0], [6.0]));
    assert_close(twice_the_product(&[3.0], &[5.0]), 30.0);
}

#[autodiff_reverse(rev_c, Active, Active)]
#[autodiff_forward(fwd_c, 3, Dual, Dual)]
extern "C" fn as_c_calls(x: f64) -> f64 {
    x * x
}

#[autodiff_reverse(rev_at_compile_time, Active, Active)]
const fn at_compile_time(x: f64) -> f64 {
    x * x
}

#[test]
fn a_derivative_is_called_as_its_primal_is() {
    let reverse: extern "C" fn(f64, f64) -> (f64, f64) = rev_c;
    assert_eq!(reverse(3.0, 1.0), (9.0, 6.0));
    let forward: extern "C" fn(f64, f64, f64, f64) -> [f64; 4] = fwd_c;
    assert_eq!(forward(3.0, 1.0, 0.0, 2.0), [9.0, 6.0, 0.0, 12.0]);
    assert_close(as_c_calls(1.0), 1.0);
    let nine = const { at_compile_time(3.0) };
    assert_eq!(rev_at_compile_time(3.0, 1.0), (nine, 6.0));
}
