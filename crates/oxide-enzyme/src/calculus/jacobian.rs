//! Jacobians, some columns (forward mode) or a row (reverse mode) at a time.

use core::borrow::{Borrow, BorrowMut};

use super::products::{LANES, jvp_in_lanes, jvp_into, vjp_into, writing};
use crate::differentiable::{Differentiable, Float, HasNumbers};

/// Whether forward mode takes fewer derivatives than reverse mode; forward mode if they are as many, since one of them is
/// cheaper.
const fn forward_is_cheaper(inputs: usize, outputs: usize) -> bool {
    inputs <= outputs
}

/// The Jacobian of `f` at `x`: for each number of the result, its gradient.
///
/// Forward mode takes one derivative for each number of `x`, reverse mode one for each number of the result: the mode with
/// fewer is taken.
///
/// ```no_run
/// let polar = |p: &[f64; 2]| [p[0] * p[1].cos(), p[0] * p[1].sin()];
/// assert_eq!(oxide_enzyme::calculus::jacobian(polar, &[2.0, 0.0]), [[1.0, 0.0], [0.0, 2.0]]);
/// ```
///
/// # Panics
/// If `f` does.
#[track_caller]
pub fn jacobian<F, X, Y>(f: F, x: &X) -> Y::Of<X::Gradient>
where
    F: Fn(&X) -> Y + Sync,
    X: HasNumbers<Scalar = Y::Scalar> + Differentiable + ?Sized,
    Y: HasNumbers + Differentiable<Gradient = Y>,
{
    let value = f(x);
    if forward_is_cheaper(x.numbers().len(), value.numbers().len()) {
        forward(f, x, value)
    } else {
        reverse(f, x, value)
    }
}

/// [`jacobian`] by forward mode.
///
/// # Panics
/// If `f` does.
#[track_caller]
pub fn jacobian_forward<F, X, Y>(f: F, x: &X) -> Y::Of<X::Gradient>
where
    F: Fn(&X) -> Y + Sync,
    X: HasNumbers<Scalar = Y::Scalar> + Differentiable + ?Sized,
    Y: HasNumbers + Differentiable<Gradient = Y>,
{
    let value = f(x);
    forward(f, x, value)
}

/// [`jacobian`] by reverse mode.
///
/// # Panics
/// If `f` does.
#[track_caller]
pub fn jacobian_reverse<F, X, Y>(f: F, x: &X) -> Y::Of<X::Gradient>
where
    F: Fn(&X) -> Y + Sync,
    X: HasNumbers<Scalar = Y::Scalar> + Differentiable + ?Sized,
    Y: HasNumbers + Differentiable<Gradient = Y>,
{
    let value = f(x);
    reverse(f, x, value)
}

#[track_caller]
fn forward<F, X, Y>(f: F, x: &X, mut value: Y) -> Y::Of<X::Gradient>
where
    F: Fn(&X) -> Y + Sync,
    X: HasNumbers<Scalar = Y::Scalar> + Differentiable + ?Sized,
    Y: HasNumbers + Differentiable<Gradient = Y>,
{
    let f = writing(f);
    let mut rows = value.each(|_| x.zero_gradient());
    let mut tangents: [X::Gradient; LANES] = core::array::from_fn(|_| x.zero_gradient());
    let mut changes: [Y; LANES] = core::array::from_fn(|_| value.zero_gradient());
    let columns = x.numbers().len();
    for first in (0..columns).step_by(LANES) {
        for (lane, tangent) in tangents.iter_mut().enumerate() {
            along(tangent.borrow_mut().numbers_mut(), first + lane);
        }
        let (along, changed) = (tangents.each_ref().map(Borrow::borrow), changes.each_mut());
        if columns == 1 {
            let ([tangent, ..], [change, ..]) = (along, changed);
            jvp_into(&f, x, tangent, &mut value, change);
        } else {
            jvp_in_lanes(&f, x, along, &mut value, changed);
        }
        Y::visit(&mut rows, |row, gradient| {
            let gradient = &mut gradient.borrow_mut().numbers_mut()[first..];
            for (entry, change) in gradient.iter_mut().zip(&changes) {
                *entry = change.numbers()[row];
            }
        });
    }
    rows
}

#[track_caller]
fn reverse<F, X, Y>(f: F, x: &X, mut value: Y) -> Y::Of<X::Gradient>
where
    F: Fn(&X) -> Y + Sync,
    X: HasNumbers<Scalar = Y::Scalar> + Differentiable + ?Sized,
    Y: HasNumbers + Differentiable<Gradient = Y>,
{
    let f = writing(f);
    let (mut result, mut cotangent) = (value.zero_gradient(), value.zero_gradient());
    value.clear();
    value.each(|row| {
        let mut gradient = x.zero_gradient();
        along(cotangent.numbers_mut(), row);
        vjp_into(&f, x, &mut result, &mut cotangent, gradient.borrow_mut());
        gradient
    })
}

/// The unit vector along one axis, or zero where there is none.
pub(super) fn along<T: Float>(vector: &mut [T], axis: usize) {
    vector.fill(T::ZERO);
    if let Some(entry) = vector.get_mut(axis) {
        *entry = T::ONE;
    }
}

/// [`jacobian`] into memory that is given: `f` writes its results to `value`; `jacobian` gets their gradients, one after the
/// other. `scratch` has the length that [`jacobian_scratch`] says.
///
/// ```no_run
/// let f = |x: &[f64], y: &mut [f64]| {
///     y[0] = x[0] * x[1];
///     y[1] = x[0] - x[1];
/// };
/// use oxide_enzyme::calculus::{jacobian_into, jacobian_scratch};
///
/// let mut scratch = [0.0; jacobian_scratch(2, 2)];
/// let (mut value, mut jacobian) = ([0.0; 2], [0.0; 4]);
/// jacobian_into(f, &[3.0, 5.0], &mut value, &mut jacobian, &mut scratch);
/// assert_eq!((value, jacobian), ([15.0, -2.0], [5.0, 3.0, 1.0, -1.0]));
/// ```
///
/// # Panics
/// If `f` does, or if lengths are not as said.
#[track_caller]
pub fn jacobian_into<F, T>(f: F, x: &[T], value: &mut [T], jacobian: &mut [T], scratch: &mut [T])
where
    F: Fn(&[T], &mut [T]) + Sync,
    T: Float,
{
    if forward_is_cheaper(x.len(), value.len()) {
        jacobian_forward_into(f, x, value, jacobian, scratch);
    } else {
        jacobian_reverse_into(f, x, value, jacobian, scratch);
    }
}

/// [`jacobian_into`] by forward mode.
///
/// # Panics
/// If `f` does, or if lengths are not as said.
#[track_caller]
pub fn jacobian_forward_into<F, T>(
    f: F,
    x: &[T],
    value: &mut [T],
    jacobian: &mut [T],
    scratch: &mut [T],
) where
    F: Fn(&[T], &mut [T]) + Sync,
    T: Float,
{
    check_lengths(x.len(), value.len(), jacobian.len(), scratch.len());
    let (tangents, changes) = scratch.split_at_mut(LANES * x.len());
    for first in (0..x.len()).step_by(LANES) {
        let mut tangents = lanes(tangents, x.len());
        for (lane, tangent) in tangents.iter_mut().enumerate() {
            along(tangent, first + lane);
        }
        let changed = lanes(changes, value.len());
        jvp_in_lanes(&f, x, tangents.map(|tangent| &*tangent), value, changed);
        let here = first..x.len().min(first + LANES);
        for (column, change) in here.zip(lanes(changes, value.len())) {
            for (row, change) in change.iter().enumerate() {
                jacobian[row * x.len() + column] = *change;
            }
        }
    }
}

/// Memory in pieces of that length.
fn lanes<T>(mut memory: &mut [T], length: usize) -> [&mut [T]; LANES] {
    core::array::from_fn(|_| {
        let (lane, rest) = core::mem::take(&mut memory).split_at_mut(length);
        memory = rest;
        lane
    })
}

/// The length of the scratch memory that [`jacobian_into`] and its like need.
pub const fn jacobian_scratch(inputs: usize, outputs: usize) -> usize {
    LANES * (inputs + outputs)
}

/// [`jacobian_into`] by reverse mode.
///
/// # Panics
/// If `f` does, or if lengths are not as said.
#[track_caller]
pub fn jacobian_reverse_into<F, T>(
    f: F,
    x: &[T],
    value: &mut [T],
    jacobian: &mut [T],
    scratch: &mut [T],
) where
    F: Fn(&[T], &mut [T]) + Sync,
    T: Float,
{
    check_lengths(x.len(), value.len(), jacobian.len(), scratch.len());
    let (cotangent, _) = scratch.split_at_mut(value.len());
    for row in 0..value.len() {
        along(cotangent, row);
        let gradient = &mut jacobian[row * x.len()..][..x.len()];
        vjp_into(&f, x, value, cotangent, gradient);
    }
}

#[track_caller]
fn check_lengths(inputs: usize, outputs: usize, jacobian: usize, scratch: usize) {
    assert!(
        jacobian == inputs * outputs,
        "the Jacobian of {outputs} results by {inputs} numbers has {} entries, but there is memory for {jacobian}",
        inputs * outputs
    );
    assert!(
        scratch == jacobian_scratch(inputs, outputs),
        "the scratch memory has length {scratch} instead of {}",
        jacobian_scratch(inputs, outputs)
    );
}
