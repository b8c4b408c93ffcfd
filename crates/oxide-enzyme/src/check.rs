//! Does a shadow have the shape of its argument? Asked of every shadow before anything is computed.
//!
//! The macros write `(&&&Pair(&x, &dx_0)).check(at)`. Method resolution takes the first that fits: [`Deep`] for types that
//! are [`Shadow`], [`Shallow`] for slices and `Vec`s of anything, [`Sized`](AnyType) for the rest.

use core::fmt::{self, Display};

use crate::Shadow;

/// A place inside an argument, for messages.
#[derive(Clone, Copy)]
pub struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
    /// Whether the primal may grow what is here: it came by value or by `&mut`.
    growable: bool,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Argument {
        derivative: &'a str,
        argument: &'a str,
        shadow: &'a str,
    },
    Field(&'a str),
    Index(usize),
    Same,
}

impl<'a> At<'a> {
    /// An argument of a derivative.
    pub const fn argument(
        derivative: &'a str,
        argument: &'a str,
        shadow: &'a str,
        growable: bool,
    ) -> Self {
        At {
            parent: None,
            step: Step::Argument {
                derivative,
                argument,
                shadow,
            },
            growable,
        }
    }

    /// A field of what is here.
    pub fn field(&'a self, name: &'a str) -> Self {
        At {
            parent: Some(self),
            step: Step::Field(name),
            growable: self.growable,
        }
    }

    pub(crate) fn index(&'a self, index: usize) -> Self {
        At {
            parent: Some(self),
            step: Step::Index(index),
            growable: self.growable,
        }
    }

    pub(crate) fn shared(&'a self) -> Self {
        At {
            parent: Some(self),
            step: Step::Same,
            growable: false,
        }
    }

    /// The two are different variants of an enum.
    #[cold]
    #[track_caller]
    pub fn different_variants(&self) -> ! {
        self.fail(format_args!("is another variant than in the shadow"))
    }

    #[track_caller]
    pub(crate) fn same_length(&self, primal: usize, shadow: usize) {
        if primal != shadow {
            self.fail(format_args!(
                "has length {primal}, but its shadow has length {shadow}"
            ));
        }
    }

    #[cfg(feature = "alloc")]
    #[track_caller]
    pub(crate) fn enough_capacity(&self, primal: usize, shadow: usize) {
        if self.growable && shadow < primal {
            self.fail(format_args!(
                "may grow and has capacity {primal}, but its shadow has capacity {shadow}: reserve as much"
            ));
        }
    }

    #[cold]
    #[track_caller]
    fn fail(&self, what: fmt::Arguments<'_>) -> ! {
        let mut root = self;
        while let Some(parent) = root.parent {
            root = parent;
        }
        let Step::Argument {
            derivative,
            argument,
            shadow,
        } = root.step
        else {
            unreachable!()
        };
        panic!(
            "`{derivative}`: shadow `{shadow}` does not fit argument `{argument}`: `{self}` {what}"
        )
    }
}

impl Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Argument { argument, .. } => f.write_str(argument),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Same => Ok(()),
        }
    }
}

/// An argument and its shadow.
pub struct Pair<'a, T: ?Sized>(pub &'a T, pub &'a T);

/// The lanes of a shadow that holds all of them: it must be as many times as long as its argument.
#[track_caller]
pub fn split_lanes<'s, T>(
    primal: &[T],
    shadow: &'s [T],
    width: usize,
    at: At<'_>,
) -> impl Iterator<Item = &'s [T]> {
    if primal.len().checked_mul(width) != Some(shadow.len()) {
        at.fail(format_args!(
            "has length {}, but its shadow has length {} instead of {width} times that",
            primal.len(),
            shadow.len()
        ));
    }
    (0..width).map(move |lane| &shadow[lane * primal.len()..][..primal.len()])
}

/// The check that looks everywhere.
pub trait Deep {
    /// Panics unless the shapes are the same.
    fn check(&self, at: At<'_>);
}

impl<T: Shadow + ?Sized> Deep for &&Pair<'_, T> {
    #[track_caller]
    fn check(&self, at: At<'_>) {
        self.0.check_shadow(self.1, &at);
    }
}

/// The check of a list whose elements cannot be looked into.
pub trait Shallow {
    /// Panics unless the lengths are the same.
    fn check(&self, at: At<'_>);
}

impl<T> Shallow for &Pair<'_, [T]> {
    #[track_caller]
    fn check(&self, at: At<'_>) {
        at.same_length(self.0.len(), self.1.len());
    }
}

#[cfg(feature = "alloc")]
impl<T> Shallow for &Pair<'_, alloc::vec::Vec<T>> {
    #[track_caller]
    fn check(&self, at: At<'_>) {
        at.same_length(self.0.len(), self.1.len());
        at.enough_capacity(self.0.capacity(), self.1.capacity());
    }
}

/// The check that is left for all other types.
pub trait AnyType {
    /// Panics unless the sizes are the same.
    fn check(&self, at: At<'_>);
}

impl<T: ?Sized> AnyType for Pair<'_, T> {
    #[track_caller]
    fn check(&self, at: At<'_>) {
        let (primal, shadow) = (size_of_val(self.0), size_of_val(self.1));
        if primal != shadow {
            at.fail(format_args!(
                "has {primal} bytes, but its shadow has {shadow}"
            ));
        }
    }
}

/// A shadow to which a derivative adds where its primal may grow the argument.
///
/// The macros write `(&mut Spare(&mut dx_0)).clear()`: resolution takes [`DeepSpare`] for types that are [`Shadow`],
/// [`ShallowSpare`] for a `Vec` of anything, [`NoSpare`] for the rest.
pub struct Spare<'a, T: ?Sized>(pub &'a mut T);

/// For lists at any depth.
pub trait DeepSpare {
    /// Sets what they have room for to zero.
    fn clear(self);
}

impl<T: Shadow + ?Sized> DeepSpare for &mut Spare<'_, T> {
    fn clear(self) {
        self.0.clear_spare();
    }
}

/// For a list whose elements cannot be looked into.
pub trait ShallowSpare {
    /// Sets what it has room for to zero.
    fn clear(self);
}

#[cfg(feature = "alloc")]
impl<T> ShallowSpare for &mut &mut Spare<'_, alloc::vec::Vec<T>> {
    fn clear(self) {
        crate::shadow::clear_spare(self.0);
    }
}

/// For all other types.
pub trait NoSpare {
    /// Does nothing.
    fn clear(&self) {}
}

impl<T: ?Sized> NoSpare for Spare<'_, T> {}
