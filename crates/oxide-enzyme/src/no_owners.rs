//! The module `owners` where nothing owns memory: without the feature `alloc`.

use core::marker::PhantomData;

use crate::check::Spare;

/// Nothing.
pub struct Kept<'k>(PhantomData<&'k mut ()>);

impl Kept<'_> {
    /// Nothing.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Kept(PhantomData)
    }

    /// Does nothing.
    pub(crate) fn argument<T: ?Sized>(&mut self, _: &mut T, _: &'static str) {}

    /// Does nothing.
    pub(crate) fn shadow<T: ?Sized>(&mut self, _: &mut T) {}

    /// Does nothing.
    pub fn put_back(self, _: &str) {}
}

pub use NoKeep as DeepKeep;
pub use NoKeep as ShallowKeep;

/// Keeps nothing.
pub trait NoKeep<'k> {
    /// Does nothing.
    fn keep(&self, _: &mut Kept<'k>, _: Option<&'static str>) {}
}

impl<T: ?Sized> NoKeep<'_> for Spare<'_, T> {}
