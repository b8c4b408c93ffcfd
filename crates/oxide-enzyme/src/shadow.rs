//! Types whose shadows can be checked all the way down.

use core::marker::PhantomData;

use crate::check::At;

/// Types whose shadows are checked all the way down before a derivative is computed.
///
/// A derivative writes into the shadow wherever the primal reads its argument: each `Vec` inside the one must be as long as
/// the one at the same place in the other. Numbers, tuples, arrays, slices, `Vec`, `Box`, `Option` and references are
/// `Shadow`; derive it for your own types:
///
/// ```
/// use oxide_enzyme::Shadow;
///
/// #[derive(Shadow)]
/// struct Layer {
///     weights: Vec<f64>,
///     biases: Vec<f64>,
/// }
/// ```
///
/// Without it, only the argument itself is checked (see [the limits](crate#limits)). Implement it by the derive only.
pub trait Shadow {
    /// Whether all values of this type have the same shape, so that there is nothing to look at.
    #[doc(hidden)]
    const FLAT: bool;

    /// Panics unless the shadow has this value's shape.
    #[doc(hidden)]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>);
}

macro_rules! flat {
    ($($type:ty),*) => {$(
        impl Shadow for $type {
            const FLAT: bool = true;
            fn check_shadow(&self, _: &Self, _: &At<'_>) {}
        }
    )*};
}

flat!(
    (),
    bool,
    char,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize
);

impl<T: ?Sized> Shadow for PhantomData<T> {
    const FLAT: bool = true;
    fn check_shadow(&self, _: &Self, _: &At<'_>) {}
}

impl<T: Shadow> Shadow for [T] {
    const FLAT: bool = false;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        at.same_length(self.len(), shadow.len());
        if T::FLAT {
            return;
        }
        for (index, (primal, shadow)) in self.iter().zip(shadow).enumerate() {
            primal.check_shadow(shadow, &at.index(index));
        }
    }
}

impl<T: Shadow, const N: usize> Shadow for [T; N] {
    const FLAT: bool = T::FLAT;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        self.as_slice().check_shadow(shadow, at);
    }
}

impl Shadow for str {
    const FLAT: bool = false;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        at.same_length(self.len(), shadow.len());
    }
}

impl<T: Shadow> Shadow for Option<T> {
    const FLAT: bool = false;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        match (self, shadow) {
            (Some(primal), Some(shadow)) => primal.check_shadow(shadow, at),
            (None, None) => {}
            _ => at.different_variants(),
        }
    }
}

impl<T: Shadow + ?Sized> Shadow for &T {
    const FLAT: bool = false;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        (**self).check_shadow(shadow, &at.shared());
    }
}

impl<T: Shadow + ?Sized> Shadow for &mut T {
    const FLAT: bool = false;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        (**self).check_shadow(shadow, at);
    }
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),+))*) => {$(
        impl<$($type: Shadow),+> Shadow for ($($type,)+) {
            const FLAT: bool = $($type::FLAT)&&+;

            #[track_caller]
            fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
                $(self.$index.check_shadow(&shadow.$index, &at.field(stringify!($index)));)+
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

#[cfg(feature = "alloc")]
mod owned {
    use alloc::{boxed::Box, string::String, vec::Vec};

    use super::{At, Shadow};

    impl<T: Shadow> Shadow for Vec<T> {
        const FLAT: bool = false;

        #[track_caller]
        fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
            self.as_slice().check_shadow(shadow, at);
            at.enough_capacity(self.capacity(), shadow.capacity());
        }
    }

    impl<T: Shadow + ?Sized> Shadow for Box<T> {
        const FLAT: bool = false;

        #[track_caller]
        fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
            (**self).check_shadow(shadow, at);
        }
    }

    impl Shadow for String {
        const FLAT: bool = false;

        #[track_caller]
        fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
            at.same_length(self.len(), shadow.len());
            at.enough_capacity(self.capacity(), shadow.capacity());
        }
    }
}
