//! Types that have gradients, and what their gradients are.

use core::borrow::BorrowMut;

use crate::Shadow;

/// `f32` and `f64`.
pub trait Float:
    Differentiable<Gradient = Self> + HasNumbers<Scalar = Self> + Copy + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
}

/// Types whose numbers can be set to zero: what the allocation-free functions of [`calculus`](crate::calculus) write to.
///
/// Floats, integers (which stay as they are), arrays, slices, tuples, `Vec`, `Box` and `Option`; derive
/// [`Differentiable`] for your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no gradient",
    label = "not a float, nor made of floats",
    note = "derive `Differentiable` and `Shadow` for your own types; use a slice or an array for lists of numbers"
)]
pub trait Clear: Shadow {
    /// Sets every float to zero and leaves the rest.
    #[doc(hidden)]
    fn clear(&mut self);
}

/// Types that have an owned gradient: of their own type and shape, but a `Vec` for a slice.
///
/// ```
/// use oxide_enzyme::{Differentiable, Shadow};
///
/// #[derive(Shadow, Differentiable)]
/// struct Layer {
///     weights: Vec<f64>,
///     bias: f64,
///     inputs: usize,
/// }
/// ```
///
/// Floats of the gradient are derivatives; what is no float is a copy of the original.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no gradient",
    label = "not a float, nor made of floats",
    note = "derive `Differentiable` and `Shadow` for your own types; use a slice or an array for lists of numbers"
)]
pub trait Differentiable: Clear {
    /// What holds the gradient.
    type Gradient: BorrowMut<Self>;

    /// A gradient of this value's shape, with all floats zero.
    #[doc(hidden)]
    fn zero_gradient(&self) -> Self::Gradient;
}

/// Lists of numbers, which Jacobians and Hessians have rows and columns for: floats, arrays, slices and `Vec`s of floats.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of floats",
    note = "Jacobians, Hessians and `#[inactive(overwrites)]` are for floats, and for arrays, slices and `Vec`s of floats"
)]
pub trait HasNumbers: Clear {
    /// The type of the numbers.
    type Scalar: Float;
    /// Something for each number: an array for an array, a `Vec` for a slice or a `Vec`, one for one float.
    type Of<U>;

    /// The numbers.
    #[doc(hidden)]
    fn numbers(&self) -> &[Self::Scalar];

    /// The numbers, to write to.
    #[doc(hidden)]
    fn numbers_mut(&mut self) -> &mut [Self::Scalar];

    /// Something for each number.
    #[doc(hidden)]
    fn each<U>(&self, make: impl FnMut(usize) -> U) -> Self::Of<U>;

    /// Goes through what [`HasNumbers::each`] made.
    #[doc(hidden)]
    fn visit<U>(made: &mut Self::Of<U>, visit: impl FnMut(usize, &mut U));
}

macro_rules! floats {
    ($($float:ident)*) => {$(
        impl Float for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
        }

        impl Clear for $float {
            fn clear(&mut self) {
                *self = 0.0;
            }
        }

        impl Differentiable for $float {
            type Gradient = $float;
            fn zero_gradient(&self) -> $float {
                0.0
            }
        }

        impl HasNumbers for $float {
            type Scalar = $float;
            type Of<U> = U;
            fn numbers(&self) -> &[$float] {
                core::slice::from_ref(self)
            }
            fn numbers_mut(&mut self) -> &mut [$float] {
                core::slice::from_mut(self)
            }
            fn each<U>(&self, mut make: impl FnMut(usize) -> U) -> U {
                make(0)
            }
            fn visit<U>(made: &mut U, mut visit: impl FnMut(usize, &mut U)) {
                visit(0, made);
            }
        }
    )*};
}

floats!(f32 f64);

macro_rules! without_floats {
    ($($type:ty)*) => {$(
        impl Clear for $type {
            fn clear(&mut self) {}
        }

        impl Differentiable for $type {
            type Gradient = $type;
            #[allow(clippy::clone_on_copy)]
            fn zero_gradient(&self) -> $type {
                self.clone()
            }
        }
    )*};
}

without_floats!(bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl<T: Clear> Clear for [T] {
    fn clear(&mut self) {
        self.iter_mut().for_each(T::clear);
    }
}

impl<T: Clear, const N: usize> Clear for [T; N] {
    fn clear(&mut self) {
        self.as_mut_slice().clear();
    }
}

impl<T: Differentiable<Gradient = T>, const N: usize> Differentiable for [T; N] {
    type Gradient = [T; N];
    fn zero_gradient(&self) -> [T; N] {
        self.each_ref().map(T::zero_gradient)
    }
}

impl<T: Float, const N: usize> HasNumbers for [T; N] {
    type Scalar = T;
    type Of<U> = [U; N];
    fn numbers(&self) -> &[T] {
        self
    }
    fn numbers_mut(&mut self) -> &mut [T] {
        self
    }
    fn each<U>(&self, make: impl FnMut(usize) -> U) -> [U; N] {
        core::array::from_fn(make)
    }
    fn visit<U>(made: &mut [U; N], mut visit: impl FnMut(usize, &mut U)) {
        made.iter_mut()
            .enumerate()
            .for_each(|(index, made)| visit(index, made));
    }
}

impl<T: Clear> Clear for Option<T> {
    fn clear(&mut self) {
        self.iter_mut().for_each(T::clear);
    }
}

impl<T: Differentiable<Gradient = T>> Differentiable for Option<T> {
    type Gradient = Option<T>;
    fn zero_gradient(&self) -> Option<T> {
        self.as_ref().map(T::zero_gradient)
    }
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),+))*) => {$(
        impl<$($type: Clear),+> Clear for ($($type,)+) {
            fn clear(&mut self) {
                $(self.$index.clear();)+
            }
        }

        impl<$($type: Differentiable<Gradient = $type>),+> Differentiable for ($($type,)+) {
            type Gradient = Self;
            fn zero_gradient(&self) -> Self {
                ($(self.$index.zero_gradient(),)+)
            }
        }
    )*};
}

for_tuples!(tuples);

#[cfg(feature = "alloc")]
mod owned {
    use alloc::{boxed::Box, string::String, vec::Vec};

    use super::{Clear, Differentiable, Float, HasNumbers};

    without_floats!(String);

    macro_rules! numbers {
        ($($list:ty),*) => {$(
            impl<T: Float> HasNumbers for $list {
                type Scalar = T;
                type Of<U> = Vec<U>;
                fn numbers(&self) -> &[T] {
                    self
                }
                fn numbers_mut(&mut self) -> &mut [T] {
                    self
                }
                fn each<U>(&self, make: impl FnMut(usize) -> U) -> Vec<U> {
                    (0..self.len()).map(make).collect()
                }
                fn visit<U>(made: &mut Vec<U>, mut visit: impl FnMut(usize, &mut U)) {
                    made.iter_mut()
                        .enumerate()
                        .for_each(|(index, made)| visit(index, made));
                }
            }
        )*};
    }

    numbers!([T], Vec<T>);

    impl<T: Differentiable<Gradient = T>> Differentiable for [T] {
        type Gradient = Vec<T>;
        fn zero_gradient(&self) -> Vec<T> {
            self.iter().map(T::zero_gradient).collect()
        }
    }

    impl<T: Clear> Clear for Vec<T> {
        fn clear(&mut self) {
            Clear::clear(self.as_mut_slice());
        }
    }

    impl<T: Differentiable<Gradient = T>> Differentiable for Vec<T> {
        type Gradient = Vec<T>;
        /// As much capacity as the original: a primal that may grow its argument grows the gradient with it.
        fn zero_gradient(&self) -> Vec<T> {
            let mut gradient = Vec::with_capacity(self.capacity());
            gradient.extend(self.iter().map(T::zero_gradient));
            gradient
        }
    }

    impl<T: Clear> Clear for Box<T> {
        fn clear(&mut self) {
            (**self).clear();
        }
    }

    impl<T: Differentiable<Gradient = T>> Differentiable for Box<T> {
        type Gradient = Box<T>;
        fn zero_gradient(&self) -> Box<T> {
            Box::new((**self).zero_gradient())
        }
    }
}
