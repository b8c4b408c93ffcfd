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
#[diagnostic::on_unimplemented(
    message = "the shape of `{Self}` cannot be checked: it is not `Shadow`",
    label = "not `Shadow`",
    note = "derive it with `#[derive(oxide_enzyme::Shadow)]` where `{Self}` is defined"
)]
pub trait Shadow {
    /// Whether all values of this type have the same shape, so that there is nothing to look at.
    #[doc(hidden)]
    const FLAT: bool;

    /// Whether all that it holds is its own, so that a copy shares nothing.
    #[doc(hidden)]
    const OWNED: bool;

    /// Panics unless the shadow has this value's shape.
    #[doc(hidden)]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>);

    /// Sets to zero what lists have room for: a primal may grow a list into it, and its reverse derivative adds to what is there.
    #[doc(hidden)]
    fn clear_spare(&mut self);

    /// Whether it owns memory, or may.
    #[doc(hidden)]
    const OWNS: bool;

    /// Goes through what it owns, and through its floats that are in values that own memory. Goes on into what is owned where
    /// `note` says so.
    #[doc(hidden)]
    fn places(&mut self, note: &mut dyn FnMut(Place) -> bool);

    /// A copy that shares nothing, where `OWNED` says so.
    #[doc(hidden)]
    fn duplicate(&self) -> Self
    where
        Self: Sized;

    /// Goes through all floats that it owns.
    #[doc(hidden)]
    fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>));
}

/// A place in a value.
#[doc(hidden)]
pub enum Place {
    /// The address of memory that the value owns.
    Owned(usize),
    /// Where a value is that owns memory, and its size.
    Bytes(*mut u8, usize),
    /// Where a float is in such a value, and its size.
    Float(*mut u8, usize),
}

impl Place {
    /// That of a value.
    #[cfg(feature = "alloc")]
    pub(crate) fn of<T: ?Sized>(value: &mut T) -> Place {
        let size = size_of_val(value);
        Place::Bytes((&raw mut *value).cast(), size)
    }

    /// What a list owns; whether to go on into it.
    #[cfg(feature = "alloc")]
    pub(crate) fn note_list<T>(
        list: &alloc::vec::Vec<T>,
        note: &mut dyn FnMut(Place) -> bool,
    ) -> bool {
        list.capacity() == 0 || size_of::<T>() == 0 || note(Place::Owned(list.as_ptr().addr()))
    }
}

/// A float of a value.
#[doc(hidden)]
pub enum Float<'a> {
    /// In single precision.
    Single(&'a mut f32),
    /// In double precision.
    Double(&'a mut f64),
}

impl Float<'_> {
    /// Its value.
    pub fn get(&self) -> f64 {
        match self {
            Float::Single(x) => f64::from(**x),
            Float::Double(x) => **x,
        }
    }

    /// Moves it.
    pub fn add(self, by: f64) {
        match self {
            Float::Single(x) => *x += by as f32,
            Float::Double(x) => *x += by,
        }
    }
}

macro_rules! flat {
    ($($type:ty),*) => {$(
        impl Shadow for $type {
            const FLAT: bool = true;
            const OWNED: bool = true;
            fn check_shadow(&self, _: &Self, _: &At<'_>) {}
            fn clear_spare(&mut self) {}
            fn duplicate(&self) -> Self {
                *self
            }
            fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
            const OWNS: bool = false;
            fn places(&mut self, _: &mut dyn FnMut(Place) -> bool) {}
        }
    )*};
}

macro_rules! float {
    ($($type:ty, $kind:ident);*) => {$(
        impl Shadow for $type {
            const FLAT: bool = true;
            const OWNED: bool = true;
            fn check_shadow(&self, _: &Self, _: &At<'_>) {}
            fn clear_spare(&mut self) {}
            fn duplicate(&self) -> Self {
                *self
            }
            fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
                visit(Float::$kind(self));
            }
            const OWNS: bool = false;
            fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
                note(Place::Float((&raw mut *self).cast(), size_of::<Self>()));
            }
        }
    )*};
}

float!(f32, Single; f64, Double);

flat!(
    (),
    bool,
    char,
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
    const OWNS: bool = false;

    fn places(&mut self, _: &mut dyn FnMut(Place) -> bool) {}

    const FLAT: bool = true;
    const OWNED: bool = true;
    fn check_shadow(&self, _: &Self, _: &At<'_>) {}
    fn clear_spare(&mut self) {}
    fn duplicate(&self) -> Self {
        *self
    }
    fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
}

impl<T: Shadow> Shadow for [T] {
    const OWNS: bool = T::OWNS;

    fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
        self.iter_mut().for_each(|item| item.places(note));
    }

    const FLAT: bool = false;
    const OWNED: bool = T::OWNED;

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

    fn clear_spare(&mut self) {
        if !T::FLAT {
            self.iter_mut().for_each(T::clear_spare);
        }
    }

    fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
        self.iter_mut().for_each(|item| item.floats(visit));
    }
}

impl<T: Shadow, const N: usize> Shadow for [T; N] {
    const OWNS: bool = T::OWNS;

    fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
        self.as_mut_slice().places(note);
    }

    const FLAT: bool = T::FLAT;
    const OWNED: bool = T::OWNED;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        self.as_slice().check_shadow(shadow, at);
    }

    fn clear_spare(&mut self) {
        self.as_mut_slice().clear_spare();
    }

    fn duplicate(&self) -> Self {
        core::array::from_fn(|index| self[index].duplicate())
    }

    fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
        self.as_mut_slice().floats(visit);
    }
}

impl Shadow for str {
    const OWNS: bool = false;

    fn places(&mut self, _: &mut dyn FnMut(Place) -> bool) {}

    const FLAT: bool = false;
    const OWNED: bool = true;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        at.same_length(self.len(), shadow.len());
    }

    fn clear_spare(&mut self) {}

    fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
}

impl<T: Shadow> Shadow for Option<T> {
    const OWNS: bool = T::OWNS;

    fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
        self.iter_mut().for_each(|item| item.places(note));
    }

    const FLAT: bool = false;
    const OWNED: bool = T::OWNED;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        match (self, shadow) {
            (Some(primal), Some(shadow)) => primal.check_shadow(shadow, at),
            (None, None) => {}
            _ => at.different_variants(),
        }
    }

    fn clear_spare(&mut self) {
        self.iter_mut().for_each(T::clear_spare);
    }

    fn duplicate(&self) -> Self {
        self.as_ref().map(Shadow::duplicate)
    }

    fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
        self.iter_mut().for_each(|item| item.floats(visit));
    }
}

impl<T: Shadow + ?Sized> Shadow for &T {
    const OWNS: bool = false;

    fn places(&mut self, _: &mut dyn FnMut(Place) -> bool) {}

    const FLAT: bool = false;
    const OWNED: bool = false;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        (**self).check_shadow(shadow, &at.shared());
    }

    fn clear_spare(&mut self) {}

    fn duplicate(&self) -> Self {
        unreachable!("not owned")
    }

    fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
}

impl<T: Shadow + ?Sized> Shadow for &mut T {
    const OWNS: bool = T::OWNS;

    fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
        #[cfg(feature = "alloc")]
        if T::OWNS && note(Place::Owned((&raw mut **self).cast::<u8>().addr())) {
            note(Place::of(&mut **self));
            (**self).places(note);
        }
        #[cfg(not(feature = "alloc"))]
        let _ = note;
    }

    const FLAT: bool = false;
    const OWNED: bool = false;

    #[track_caller]
    fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
        (**self).check_shadow(shadow, at);
    }

    fn clear_spare(&mut self) {
        (**self).clear_spare();
    }

    fn duplicate(&self) -> Self {
        unreachable!("not owned")
    }

    fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),+))*) => {$(
        impl<$($type: Shadow),+> Shadow for ($($type,)+) {
            const OWNS: bool = $($type::OWNS)||+;

            fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
                $(self.$index.places(note);)+
            }

            const FLAT: bool = $($type::FLAT)&&+;
            const OWNED: bool = $($type::OWNED)&&+;

            #[track_caller]
            fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
                $(self.$index.check_shadow(&shadow.$index, &at.field(stringify!($index)));)+
            }

            fn clear_spare(&mut self) {
                $(self.$index.clear_spare();)+
            }

            fn duplicate(&self) -> Self {
                ($(self.$index.duplicate(),)+)
            }

            fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
                $(self.$index.floats(visit);)+
            }
        }
    )*};
}

for_tuples!(tuples);

#[cfg(feature = "alloc")]
pub(crate) use owned::clear_spare;

#[cfg(feature = "alloc")]
mod owned {
    use alloc::{boxed::Box, string::String, vec::Vec};

    use core::mem::MaybeUninit;

    use super::{At, Float, Place, Shadow};

    /// Of a list alone, whatever is in it.
    pub(crate) fn clear_spare<T>(list: &mut Vec<T>) {
        list.spare_capacity_mut().fill_with(MaybeUninit::zeroed);
    }

    impl<T: Shadow> Shadow for Vec<T> {
        const OWNS: bool = true;

        fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
            if Place::note_list(self, note) && T::OWNS {
                note(Place::of(self.as_mut_slice()));
                self.as_mut_slice().places(note);
            }
        }

        const FLAT: bool = false;
        const OWNED: bool = T::OWNED;

        #[track_caller]
        fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
            self.as_slice().check_shadow(shadow, at);
            at.enough_capacity(self.capacity(), shadow.capacity());
        }

        fn clear_spare(&mut self) {
            self.as_mut_slice().clear_spare();
            clear_spare(self);
        }

        fn duplicate(&self) -> Self {
            // As much room: it may grow.
            let mut copy = Vec::with_capacity(self.capacity());
            copy.extend(self.iter().map(Shadow::duplicate));
            copy
        }

        fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
            self.as_mut_slice().floats(visit);
        }
    }

    impl<T: Shadow + ?Sized> Shadow for Box<T> {
        const OWNS: bool = true;

        fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
            let is_there = size_of_val(&**self) == 0
                || note(Place::Owned((&raw mut **self).cast::<u8>().addr()));
            if is_there && T::OWNS {
                note(Place::of(&mut **self));
                (**self).places(note);
            }
        }

        const FLAT: bool = false;
        const OWNED: bool = false;

        #[track_caller]
        fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
            (**self).check_shadow(shadow, at);
        }

        fn clear_spare(&mut self) {
            (**self).clear_spare();
        }

        fn duplicate(&self) -> Self {
            unreachable!("not owned")
        }

        fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
    }

    impl Shadow for String {
        const OWNS: bool = true;

        fn places(&mut self, note: &mut dyn FnMut(Place) -> bool) {
            if self.capacity() != 0 {
                note(Place::Owned(self.as_ptr().addr()));
            }
        }

        const FLAT: bool = false;
        const OWNED: bool = true;

        #[track_caller]
        fn check_shadow(&self, shadow: &Self, at: &At<'_>) {
            at.same_length(self.len(), shadow.len());
            at.enough_capacity(self.capacity(), shadow.capacity());
        }

        fn clear_spare(&mut self) {}

        fn duplicate(&self) -> Self {
            self.clone()
        }

        fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
    }
}
