//! Gradients, Jacobian-vector and vector-Jacobian products: one derivative each.

use core::borrow::BorrowMut;

use crate::differentiable::{Clear, Differentiable, Float, HasNumbers};
use crate::{Shadow, autodiff_forward, autodiff_reverse};

/// A function of one result. The closure is constant, and so is what it captures.
#[autodiff_reverse(returns_reverse, Const, Duplicated, Active)]
fn returns<F: Fn(&X) -> T + Sync, X: Shadow + ?Sized, T: Float>(f: &F, x: &X) -> T {
    f(x)
}

/// A function of several results, which it writes.
#[autodiff_reverse(writes_reverse, Const, Duplicated, Duplicated)]
#[autodiff_forward(writes_forward, Const, Dual, Dual)]
#[autodiff_forward(writes_forward_in_lanes, 4, Const, Dual, Dual)]
fn writes<F: Fn(&X, &mut Y) + Sync, X: Shadow + ?Sized, Y: Shadow + ?Sized>(
    f: &F,
    x: &X,
    y: &mut Y,
) {
    f(x, y);
}

/// How many directions [`jvp_in_lanes`] takes at once: a vector register of `f64` on most machines.
pub(super) const LANES: usize = 4;

/// [`jvp_into`] in several directions at once: the primal's own work is done once for all of them.
#[track_caller]
pub(super) fn jvp_in_lanes<F, X, Y>(
    f: F,
    x: &X,
    tangents: [&X; LANES],
    value: &mut Y,
    mut changes: [&mut Y; LANES],
) where
    F: Fn(&X, &mut Y) + Sync,
    X: Shadow + ?Sized,
    Y: Clear + ?Sized,
{
    changes.iter_mut().for_each(|change| change.clear());
    let ([t0, t1, t2, t3], [c0, c1, c2, c3]) = (tangents, changes);
    writes_forward_in_lanes(&f, x, t0, t1, t2, t3, value, c0, c1, c2, c3);
}

/// A function that returns its results, as one that writes them.
pub(super) fn writing<X: ?Sized, Y: HasNumbers>(
    f: impl Fn(&X) -> Y + Sync,
) -> impl Fn(&X, &mut Y) + Sync {
    move |x, y| {
        let result = f(x);
        let (from, to) = (result.numbers(), y.numbers_mut());
        assert!(
            from.len() == to.len(),
            "the function's result has changed its length"
        );
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    }
}

/// The gradient of `f` at `x`.
///
/// ```no_run
/// let scale = 3.0;
/// let g = oxide_enzyme::calculus::gradient(|x: &[f64]| scale * x[0] * x[1], &[1.0, 2.0][..]);
/// assert_eq!(g, [6.0, 3.0]);
/// ```
///
/// # Panics
/// If `f` does.
#[track_caller]
pub fn gradient<F, X, T>(f: F, x: &X) -> X::Gradient
where
    F: Fn(&X) -> T + Sync,
    X: Differentiable + ?Sized,
    T: Float,
{
    value_and_gradient(f, x).1
}

/// [`gradient`] into memory that is given, whose contents are overwritten.
///
/// # Panics
/// If `f` does, or if the gradient has not the shape of `x`.
#[track_caller]
pub fn gradient_into<F, X, T>(f: F, x: &X, gradient: &mut X)
where
    F: Fn(&X) -> T + Sync,
    X: Clear + ?Sized,
    T: Float,
{
    value_and_gradient_into(f, x, gradient);
}

/// The value of `f` at `x`, and its gradient, at once.
///
/// ```no_run
/// let (value, slope) = oxide_enzyme::calculus::value_and_gradient(|x: &f64| x * x, &3.0);
/// assert_eq!((value, slope), (9.0, 6.0));
/// ```
///
/// # Panics
/// If `f` does.
#[track_caller]
pub fn value_and_gradient<F, X, T>(f: F, x: &X) -> (T, X::Gradient)
where
    F: Fn(&X) -> T + Sync,
    X: Differentiable + ?Sized,
    T: Float,
{
    let mut gradient = x.zero_gradient();
    let value = returns_reverse(&f, x, gradient.borrow_mut(), T::ONE);
    (value, gradient)
}

/// [`value_and_gradient`] into memory that is given, whose contents are overwritten. Returns the value.
///
/// # Panics
/// If `f` does, or if the gradient has not the shape of `x`.
#[track_caller]
pub fn value_and_gradient_into<F, X, T>(f: F, x: &X, gradient: &mut X) -> T
where
    F: Fn(&X) -> T + Sync,
    X: Clear + ?Sized,
    T: Float,
{
    gradient.clear();
    returns_reverse(&f, x, gradient, T::ONE)
}

/// The Jacobian-vector product: the value of `f` at `x`, and how it changes along `tangent`. Forward mode.
///
/// ```no_run
/// let swap = |x: &[f64; 2]| [x[1], x[0] * x[0]];
/// let (value, change) = oxide_enzyme::calculus::jvp(swap, &[3.0, 4.0], &[1.0, 10.0]);
/// assert_eq!((value, change), ([4.0, 9.0], [10.0, 6.0]));
/// ```
///
/// # Panics
/// If `f` does, or if the tangent has not the shape of `x`.
#[track_caller]
pub fn jvp<F, X, Y>(f: F, x: &X, tangent: &X) -> (Y, Y)
where
    F: Fn(&X) -> Y + Sync,
    X: Shadow + ?Sized,
    Y: HasNumbers + Differentiable<Gradient = Y>,
{
    let mut value = f(x);
    let mut change = value.zero_gradient();
    jvp_into(writing(f), x, tangent, &mut value, &mut change);
    (value, change)
}

/// [`jvp`] into memory that is given: `f` writes its results to `value`, their tangent is written to `change`.
///
/// # Panics
/// If `f` does, or if a tangent has not the shape of what it belongs to.
#[track_caller]
pub fn jvp_into<F, X, Y>(f: F, x: &X, tangent: &X, value: &mut Y, change: &mut Y)
where
    F: Fn(&X, &mut Y) + Sync,
    X: Shadow + ?Sized,
    Y: Clear + ?Sized,
{
    change.clear();
    writes_forward(&f, x, tangent, value, change);
}

/// The vector-Jacobian product: the value of `f` at `x`, and the gradient of its product with `cotangent`. Reverse mode.
///
/// ```no_run
/// let swap = |x: &[f64; 2]| [x[1], x[0] * x[0]];
/// let (value, gradient) = oxide_enzyme::calculus::vjp(swap, &[3.0, 4.0], &[1.0, 10.0]);
/// assert_eq!((value, gradient), ([4.0, 9.0], [60.0, 1.0]));
/// ```
///
/// # Panics
/// If `f` does, or if the cotangent has not the shape of the result.
#[track_caller]
pub fn vjp<F, X, Y>(f: F, x: &X, cotangent: &Y) -> (Y, X::Gradient)
where
    F: Fn(&X) -> Y + Sync,
    X: Differentiable + ?Sized,
    Y: HasNumbers + Differentiable<Gradient = Y>,
{
    let mut value = f(x);
    let mut gradient = x.zero_gradient();
    // Reverse mode uses the cotangent up.
    let mut used = value.zero_gradient();
    let (from, to) = (cotangent.numbers(), used.numbers_mut());
    assert!(
        from.len() == to.len(),
        "the cotangent has length {}, but the result has length {}",
        from.len(),
        to.len()
    );
    to.copy_from_slice(from);
    writes_reverse(&writing(f), x, gradient.borrow_mut(), &mut value, &mut used);
    (value, gradient)
}

/// [`vjp`] into memory that is given: `f` writes its results to `value`, and `gradient` is overwritten.
///
/// The cotangent is used up: where `f` has written a result, it is zero afterwards.
///
/// # Panics
/// If `f` does, or if gradient or cotangent have not the shape of what they belong to.
#[track_caller]
pub fn vjp_into<F, X, Y>(f: F, x: &X, value: &mut Y, cotangent: &mut Y, gradient: &mut X)
where
    F: Fn(&X, &mut Y) + Sync,
    X: Clear + ?Sized,
    Y: Shadow + ?Sized,
{
    gradient.clear();
    writes_reverse(&f, x, gradient, value, cotangent);
}
