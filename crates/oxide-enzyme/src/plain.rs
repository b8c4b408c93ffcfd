//! Plain data: floats, and lists of them, which have sums and zeros.

use alloc::vec::Vec;
use core::borrow::BorrowMut;

/// Floats, arrays, tuples, slices and `Vec`s of them: what a rule written by hand can take and give derivatives of.
#[diagnostic::on_unimplemented(
    message = "a rule written by hand cannot have a derivative with respect to `{Self}`",
    note = "it can for `f32`, `f64`, and arrays, tuples, slices and `Vec`s of them; mark other arguments `Const`"
)]
pub trait Plain: 'static {
    /// What holds a copy.
    type Owned: BorrowMut<Self>;

    /// A copy.
    fn keep(&self) -> Self::Owned;

    /// Zeros of the same shape.
    fn zeros(&self) -> Self::Owned;

    /// Adds element by element.
    fn add(&mut self, other: &Self);
}

macro_rules! floats {
    ($($float:ty),*) => {$(
        impl Plain for $float {
            type Owned = $float;

            fn keep(&self) -> $float {
                *self
            }

            fn zeros(&self) -> $float {
                0.0
            }

            fn add(&mut self, other: &$float) {
                *self += *other;
            }
        }
    )*};
}

floats!(f32, f64);

impl<T: Plain<Owned = T>, const N: usize> Plain for [T; N] {
    type Owned = [T; N];

    fn keep(&self) -> [T; N] {
        self.each_ref().map(T::keep)
    }

    fn zeros(&self) -> [T; N] {
        self.each_ref().map(T::zeros)
    }

    fn add(&mut self, other: &[T; N]) {
        self.as_mut_slice().add(other);
    }
}

impl<T: Plain<Owned = T>> Plain for [T] {
    type Owned = Vec<T>;

    fn keep(&self) -> Vec<T> {
        self.iter().map(T::keep).collect()
    }

    fn zeros(&self) -> Vec<T> {
        self.iter().map(T::zeros).collect()
    }

    fn add(&mut self, other: &[T]) {
        for (place, value) in self.iter_mut().zip(other) {
            place.add(value);
        }
    }
}

impl<T: Plain<Owned = T>> Plain for Vec<T> {
    type Owned = Vec<T>;

    fn keep(&self) -> Vec<T> {
        self.as_slice().keep()
    }

    fn zeros(&self) -> Vec<T> {
        self.as_slice().zeros()
    }

    fn add(&mut self, other: &Vec<T>) {
        self.as_mut_slice().add(other);
    }
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),+))*) => {$(
        impl<$($type: Plain<Owned = $type>),+> Plain for ($($type,)+) {
            type Owned = Self;

            fn keep(&self) -> Self {
                ($(self.$index.keep(),)+)
            }

            fn zeros(&self) -> Self {
                ($(self.$index.zeros(),)+)
            }

            fn add(&mut self, other: &Self) {
                $(self.$index.add(&other.$index);)+
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
}
