//! The shadows of a derivative's arguments, as a list `(first, (second, ()))` beside the list of the arguments.

use core::mem::{ManuallyDrop, MaybeUninit};

/// A shadow for an argument of type `P`.
pub trait ShadowOf<P> {
    /// Puts the shadow into the place of its argument.
    ///
    /// # Safety
    /// `place` must be writable.
    unsafe fn put(self, place: *mut P);
}

/// A shadow of its argument's own type.
pub struct Same<P>(pub P);

/// A shadow that is written to where the argument is only read.
pub struct Writable<S>(pub S);

/// A gradient that starts at zero and is returned.
pub struct Zero;

impl<P> ShadowOf<P> for Same<P> {
    unsafe fn put(self, place: *mut P) {
        // SAFETY: writable by this function's contract.
        unsafe { place.write(self.0) };
    }
}

// The reference is stored as `&mut` and never exists as `&` while a derivative writes through it.
impl<'p, T: ?Sized> ShadowOf<&'p T> for Writable<&mut T> {
    unsafe fn put(self, place: *mut &'p T) {
        // SAFETY: writable by this function's contract; both references have the same layout.
        unsafe { place.cast::<&mut T>().write(self.0) };
    }
}

impl<T: ?Sized> ShadowOf<*const T> for Writable<*mut T> {
    unsafe fn put(self, place: *mut *const T) {
        // SAFETY: writable by this function's contract.
        unsafe { place.write(self.0) };
    }
}

impl<P> ShadowOf<P> for Zero {
    unsafe fn put(self, place: *mut P) {
        const {
            assert!(
                !core::mem::needs_drop::<P>(),
                "an Active argument must be plain data: pass what owns memory by reference, as Duplicated"
            );
            // SAFETY: for a type that zero is no value of, the compiler stops here with a message.
            let _zero = ManuallyDrop::new(unsafe { core::mem::zeroed::<P>() });
        };
        // SAFETY: writable by this function's contract.
        unsafe { place.write_bytes(0, 1) };
    }
}

/// A list of shadows for the list of arguments `A`.
pub trait Shadows<A>: Sized {
    /// Puts each shadow into the place of its argument.
    ///
    /// # Safety
    /// `place` must be writable.
    unsafe fn put(self, place: *mut A);

    /// The shadows in the memory of an `A`. As a `MaybeUninit`, since they may be written to where an `A` may not.
    fn uninit(self) -> MaybeUninit<A> {
        let mut list = MaybeUninit::uninit();
        // SAFETY: points at a local.
        unsafe { self.put(list.as_mut_ptr()) };
        list
    }
}

impl Shadows<()> for () {
    unsafe fn put(self, _: *mut ()) {}
}

impl<P, PS, S: ShadowOf<P>, SS: Shadows<PS>> Shadows<(P, PS)> for (S, SS) {
    unsafe fn put(self, place: *mut (P, PS)) {
        // SAFETY: writable by this function's contract.
        unsafe {
            self.0.put(&raw mut (*place).0);
            self.1.put(&raw mut (*place).1);
        }
    }
}
