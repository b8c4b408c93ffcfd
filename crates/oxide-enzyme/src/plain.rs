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
}

impl<T: Plain<Owned = T>> Plain for [T] {
    type Owned = Vec<T>;

    fn keep(&self) -> Vec<T> {
        self.iter().map(T::keep).collect()
    }

    fn zeros(&self) -> Vec<T> {
        self.iter().map(T::zeros).collect()
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
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
}
