//! Plain data whose shadow lies in memory that a derivative uses: where its lists are, and what is in them.

use alloc::vec::Vec;
use core::{array, ptr};

use crate::plain::Plain;

/// Plain data by value.
///
/// A derivative has one place for the shadow of a value, also in a loop, and moves lists about like the primal's without ever
/// moving them back. So the forward pass notes where the lists are, for the reverse pass.
#[diagnostic::on_unimplemented(
    message = "a rule written by hand cannot have a derivative with respect to `{Self}`",
    note = "it can for `f32`, `f64`, and arrays, tuples, slices and `Vec`s of them; mark other arguments `Const`"
)]
pub trait Placed: Plain<Owned = Self> + Sized {
    /// Where a shadow's lists are.
    type Lists;

    /// Notes where they are; lists that are the primal's own are no shadow's.
    ///
    /// # Safety
    /// There must be a value in `shadow`, and one in `primal` of which only its own bytes are read.
    unsafe fn lists(shadow: *const Self, primal: *const Self) -> Self::Lists;

    /// Gives its lists to the shadow in `place`, without dropping what is there. Floats in the place itself stay.
    ///
    /// # Safety
    /// `place` must be writable, and what it is must not be dropped.
    unsafe fn give_lists(zeros: Self, place: *mut Self) -> Self::Lists;

    /// Adds to the shadow.
    ///
    /// # Safety
    /// `place` and the lists must be readable and writable.
    unsafe fn accumulate(place: *mut Self, lists: &Self::Lists, value: &Self);

    /// Takes the shadow, of which floats in the place are zero afterwards and lists are released.
    ///
    /// # Safety
    /// `place` and the lists must be readable and writable; the lists must have been given, and nobody else may use them again.
    unsafe fn take(place: *mut Self, lists: Self::Lists) -> Self;
}

macro_rules! floats {
    ($($float:ty),*) => {$(
        impl Placed for $float {
            type Lists = ();

            unsafe fn lists(_: *const $float, _: *const $float) {}

            unsafe fn give_lists(_: $float, _: *mut $float) {}

            unsafe fn accumulate(place: *mut $float, (): &(), value: &$float) {
                // SAFETY: this function's contract.
                unsafe { *place += *value };
            }

            unsafe fn take(place: *mut $float, (): ()) -> $float {
                // SAFETY: this function's contract.
                unsafe { place.replace(0.0) }
            }
        }
    )*};
}

floats!(f32, f64);

impl<T: Placed, const N: usize> Placed for [T; N] {
    type Lists = [T::Lists; N];

    unsafe fn lists(shadow: *const Self, primal: *const Self) -> Self::Lists {
        let (shadow, primal) = (shadow.cast::<T>(), primal.cast::<T>());
        // SAFETY: this function's contract; the elements are inside of the arrays.
        array::from_fn(|index| unsafe { T::lists(shadow.add(index), primal.add(index)) })
    }

    unsafe fn give_lists(zeros: Self, place: *mut Self) -> Self::Lists {
        let mut items = each(place);
        zeros.map(|item| {
            // SAFETY: this function's contract; there is an item for each.
            unsafe { T::give_lists(item, items.next().unwrap_unchecked()) }
        })
    }

    unsafe fn accumulate(place: *mut Self, lists: &Self::Lists, value: &Self) {
        for ((item, lists), value) in each(place).zip(lists).zip(value) {
            // SAFETY: this function's contract.
            unsafe { T::accumulate(item, lists, value) };
        }
    }

    unsafe fn take(place: *mut Self, lists: Self::Lists) -> Self {
        let mut items = each(place);
        // SAFETY: this function's contract; there is an item for each.
        lists.map(|lists| unsafe { T::take(items.next().unwrap_unchecked(), lists) })
    }
}

/// The elements of an array.
fn each<T, const N: usize>(array: *mut [T; N]) -> impl Iterator<Item = *mut T> {
    // It stays inside.
    (0..N).map(move |index| array.cast::<T>().wrapping_add(index))
}

/// Where a list is, and the lists in it.
pub struct List<T: Placed> {
    start: *mut T,
    capacity: usize,
    items: Vec<T::Lists>,
}

impl<T: Placed> List<T> {
    /// What is in the list, and where.
    fn each(&self) -> impl Iterator<Item = (*mut T, &T::Lists)> {
        // It stays inside.
        let place = |index| self.start.wrapping_add(index);
        let items = self.items.iter().enumerate();
        items.map(move |(index, lists)| (place(index), lists))
    }
}

impl<T: Placed> Placed for Vec<T> {
    /// `None` for a list without a shadow.
    type Lists = Option<List<T>>;

    unsafe fn lists(shadow: *const Self, primal: *const Self) -> Self::Lists {
        // SAFETY: this function's contract. The shadow's elements are only pointed at.
        let (shadow, primal) = unsafe { (&*shadow, &*primal) };
        let (start, theirs) = (shadow.as_ptr(), primal.as_ptr());
        (!ptr::eq(start, theirs)).then(|| List {
            start: start.cast_mut(),
            capacity: shadow.capacity(),
            // SAFETY: the elements are inside of the lists: a derivative's shadow has the memory of its primal.
            items: (0..primal.len())
                .map(|index| unsafe { T::lists(start.add(index), theirs.add(index)) })
                .collect(),
        })
    }

    unsafe fn give_lists(mut zeros: Self, place: *mut Self) -> Self::Lists {
        let (start, length, capacity) = (zeros.as_mut_ptr(), zeros.len(), zeros.capacity());
        // SAFETY: this function's contract; the elements are moved out and into where they are, and have one owner.
        unsafe {
            place.write(zeros);
            let items = (0..length).map(|index| {
                let item = start.add(index);
                T::give_lists(item.read(), item)
            });
            Some(List {
                start,
                capacity,
                items: items.collect(),
            })
        }
    }

    unsafe fn accumulate(_: *mut Self, lists: &Self::Lists, value: &Self) {
        let items = lists.iter().flat_map(List::each);
        for ((item, lists), value) in items.zip(value) {
            // SAFETY: this function's contract.
            unsafe { T::accumulate(item, lists, value) };
        }
    }

    unsafe fn take(_: *mut Self, lists: Self::Lists) -> Self {
        let Some(list) = lists else {
            return Vec::new();
        };
        let items = list.items.into_iter().enumerate();
        // SAFETY: this function's contract. What the elements own is taken, and the memory of the list itself is released.
        unsafe {
            let value = items
                .map(|(index, lists)| T::take(list.start.add(index), lists))
                .collect();
            drop(Vec::from_raw_parts(list.start, 0, list.capacity));
            value
        }
    }
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),+))*) => {$(
        impl<$($type: Placed),+> Placed for ($($type,)+) {
            type Lists = ($($type::Lists,)+);

            unsafe fn lists(shadow: *const Self, primal: *const Self) -> Self::Lists {
                // SAFETY: this function's contract.
                unsafe { ($($type::lists(&raw const (*shadow).$index, &raw const (*primal).$index),)+) }
            }

            unsafe fn give_lists(zeros: Self, place: *mut Self) -> Self::Lists {
                // SAFETY: this function's contract.
                unsafe { ($($type::give_lists(zeros.$index, &raw mut (*place).$index),)+) }
            }

            unsafe fn accumulate(place: *mut Self, lists: &Self::Lists, value: &Self) {
                // SAFETY: this function's contract.
                unsafe { $($type::accumulate(&raw mut (*place).$index, &lists.$index, &value.$index);)+ }
            }

            unsafe fn take(place: *mut Self, lists: Self::Lists) -> Self {
                // SAFETY: this function's contract.
                unsafe { ($($type::take(&raw mut (*place).$index, lists.$index),)+) }
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
