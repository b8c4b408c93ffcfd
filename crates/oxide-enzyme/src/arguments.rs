//! The shadows of a derivative's arguments, as a list `(first, (second, ()))` beside the list of the arguments: `WIDTH` lanes
//! of it, one for each seed or direction.

use core::mem::{ManuallyDrop, MaybeUninit};

/// The shadows of an argument of type `P`.
pub trait ShadowOf<P, const WIDTH: usize> {
    /// Puts each lane's shadow into the place of its argument.
    ///
    /// # Safety
    /// The places must be writable.
    unsafe fn put(self, places: [*mut P; WIDTH]);
}

/// Shadows of their argument's own type.
pub struct Same<P, const WIDTH: usize>(pub [P; WIDTH]);

/// Shadows that are written to where the argument is only read.
pub struct Writable<S, const WIDTH: usize>(pub [S; WIDTH]);

/// One shadow for all lanes, each after the one before.
pub struct Lanes<S>(pub S);

/// Gradients that start at zero and are returned.
pub struct Zero;

impl<P, const WIDTH: usize> ShadowOf<P, WIDTH> for Same<P, WIDTH> {
    unsafe fn put(self, places: [*mut P; WIDTH]) {
        for (place, shadow) in places.into_iter().zip(self.0) {
            // SAFETY: writable by this function's contract.
            unsafe { place.write(shadow) };
        }
    }
}

// The reference is stored as `&mut` and never exists as `&` while a derivative writes through it.
impl<'p, T: ?Sized, const WIDTH: usize> ShadowOf<&'p T, WIDTH> for Writable<&mut T, WIDTH> {
    unsafe fn put(self, places: [*mut &'p T; WIDTH]) {
        for (place, shadow) in places.into_iter().zip(self.0) {
            // SAFETY: writable by this function's contract; both references have the same layout.
            unsafe { place.cast::<&mut T>().write(shadow) };
        }
    }
}

impl<T: ?Sized, const WIDTH: usize> ShadowOf<*const T, WIDTH> for Writable<*mut T, WIDTH> {
    unsafe fn put(self, places: [*mut *const T; WIDTH]) {
        for (place, shadow) in places.into_iter().zip(self.0) {
            // SAFETY: writable by this function's contract.
            unsafe { place.write(shadow) };
        }
    }
}

/// A lane must end where the next one begins: the length was checked before.
impl<'p, T, const WIDTH: usize> ShadowOf<&'p [T], WIDTH> for Lanes<&'p [T]> {
    unsafe fn put(self, places: [*mut &'p [T]; WIDTH]) {
        let length = self.0.len() / WIDTH;
        for (lane, place) in places.into_iter().enumerate() {
            // SAFETY: writable by this function's contract.
            unsafe { place.write(&self.0[lane * length..][..length]) };
        }
    }
}

impl<'p, T, const WIDTH: usize> ShadowOf<&'p mut [T], WIDTH> for Lanes<&'p mut [T]> {
    unsafe fn put(self, places: [*mut &'p mut [T]; WIDTH]) {
        let length = self.0.len() / WIDTH;
        let mut rest = self.0;
        for place in places {
            let (lane, others) = rest.split_at_mut(length);
            rest = others;
            // SAFETY: writable by this function's contract.
            unsafe { place.write(lane) };
        }
    }
}

/// The lanes of a pointer are neighbours, one `T` each.
impl<T, const WIDTH: usize> ShadowOf<*const T, WIDTH> for Lanes<*const T> {
    unsafe fn put(self, places: [*mut *const T; WIDTH]) {
        for (lane, place) in places.into_iter().enumerate() {
            // SAFETY: writable by this function's contract.
            unsafe { place.write(self.0.wrapping_add(lane)) };
        }
    }
}

impl<T, const WIDTH: usize> ShadowOf<*mut T, WIDTH> for Lanes<*mut T> {
    unsafe fn put(self, places: [*mut *mut T; WIDTH]) {
        for (lane, place) in places.into_iter().enumerate() {
            // SAFETY: writable by this function's contract.
            unsafe { place.write(self.0.wrapping_add(lane)) };
        }
    }
}

impl<P, const WIDTH: usize> ShadowOf<P, WIDTH> for Zero {
    unsafe fn put(self, places: [*mut P; WIDTH]) {
        // The macros refuse this first, with the argument's name, when they are compiled.
        assert!(
            !core::mem::needs_drop::<P>(),
            "an Active argument must be plain data"
        );
        const {
            if !core::mem::needs_drop::<P>() {
                // SAFETY: for a type that zero is no value of, the compiler stops here with a message.
                let _zero = ManuallyDrop::new(unsafe { core::mem::zeroed::<P>() });
            }
        };
        for place in places {
            // SAFETY: writable by this function's contract.
            unsafe { place.write_bytes(0, 1) };
        }
    }
}

/// A list of shadows for the list of arguments `A`.
pub trait Shadows<A, const WIDTH: usize>: Sized {
    /// Puts each shadow into the place of its argument.
    ///
    /// # Safety
    /// The places must be writable.
    unsafe fn put(self, places: [*mut A; WIDTH]);

    /// The shadows, each lane in the memory of an `A`. As `MaybeUninit`, since they may be written to where an `A` may not.
    fn uninit(self) -> [MaybeUninit<A>; WIDTH] {
        let mut lanes = [const { MaybeUninit::uninit() }; WIDTH];
        let places = lanes.each_mut().map(MaybeUninit::as_mut_ptr);
        // SAFETY: they point at a local.
        unsafe { self.put(places) };
        lanes
    }
}

impl<const WIDTH: usize> Shadows<(), WIDTH> for () {
    unsafe fn put(self, _: [*mut (); WIDTH]) {}
}

impl<P, PS, S: ShadowOf<P, WIDTH>, SS: Shadows<PS, WIDTH>, const WIDTH: usize>
    Shadows<(P, PS), WIDTH> for (S, SS)
{
    unsafe fn put(self, places: [*mut (P, PS); WIDTH]) {
        // SAFETY: writable by this function's contract.
        unsafe {
            self.0.put(places.map(|place| &raw mut (*place).0));
            self.1.put(places.map(|place| &raw mut (*place).1));
        }
    }
}
