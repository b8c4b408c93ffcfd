//! Second derivatives: forward mode over reverse mode.

use core::borrow::{Borrow, BorrowMut};

use super::jacobian::along;
use super::products::{gradient_into, jvp_into};
use crate::differentiable::{Clear, Differentiable, Float, HasNumbers};

/// The product of the Hessian of `f` at `x` with a vector, at a small multiple of the cost of `f` and without the Hessian.
///
/// ```no_run
/// let f = |x: &[f64; 2]| x[0] * x[0] * x[1];
/// let product = oxide_enzyme::calculus::hessian_vector_product(f, &[3.0, 5.0], &[1.0, 0.0]);
/// assert_eq!(product, [10.0, 6.0]);
/// ```
///
/// # Panics
/// If `f` does, or if the vector has not the shape of `x`.
#[track_caller]
pub fn hessian_vector_product<F, X, T>(f: F, x: &X, vector: &X) -> X::Gradient
where
    F: Fn(&X) -> T + Sync,
    X: Differentiable + ?Sized,
    T: Float,
{
    let (mut gradient, mut product) = (x.zero_gradient(), x.zero_gradient());
    hessian_vector_product_into(f, x, vector, gradient.borrow_mut(), product.borrow_mut());
    product
}

/// [`hessian_vector_product`] into memory that is given; the gradient, which it needs anyway, comes with it.
///
/// # Panics
/// If `f` does, or if one of the three has not the shape of `x`.
#[track_caller]
pub fn hessian_vector_product_into<F, X, T>(
    f: F,
    x: &X,
    vector: &X,
    gradient: &mut X,
    product: &mut X,
) where
    F: Fn(&X) -> T + Sync,
    X: Clear + ?Sized,
    T: Float,
{
    jvp_into(
        |x: &X, gradient: &mut X| gradient_into(&f, x, gradient),
        x,
        vector,
        gradient,
        product,
    );
}

/// The Hessian of `f` at `x`: for each number of `x`, how the gradient changes with it.
///
/// ```no_run
/// let f = |x: &[f64; 2]| x[0] * x[0] * x[1];
/// assert_eq!(oxide_enzyme::calculus::hessian(f, &[3.0, 5.0]), [[10.0, 6.0], [6.0, 0.0]]);
/// ```
///
/// # Panics
/// If `f` does.
#[track_caller]
pub fn hessian<F, X, T>(f: F, x: &X) -> X::Of<X::Gradient>
where
    F: Fn(&X) -> T + Sync,
    X: HasNumbers<Scalar = T> + Differentiable + ?Sized,
    T: Float,
{
    let (mut gradient, mut axis) = (x.zero_gradient(), x.zero_gradient());
    x.each(|row| {
        let mut product = x.zero_gradient();
        along(axis.borrow_mut().numbers_mut(), row);
        let (gradient, product_mut) = (gradient.borrow_mut(), product.borrow_mut());
        hessian_vector_product_into(&f, x, axis.borrow(), gradient, product_mut);
        product
    })
}

/// [`hessian`] into memory that is given, row after row; the gradient comes with it. `scratch` is as long as `x`.
///
/// # Panics
/// If `f` does, or if lengths are not as said.
#[track_caller]
pub fn hessian_into<F, T>(f: F, x: &[T], gradient: &mut [T], hessian: &mut [T], scratch: &mut [T])
where
    F: Fn(&[T]) -> T + Sync,
    T: Float,
{
    assert!(
        hessian.len() == x.len() * x.len(),
        "the Hessian of {} numbers has {} entries, but there is memory for {}",
        x.len(),
        x.len() * x.len(),
        hessian.len()
    );
    for row in 0..x.len() {
        along(scratch, row);
        let product = &mut hessian[row * x.len()..][..x.len()];
        hessian_vector_product_into(&f, x, scratch, gradient, product);
    }
}
