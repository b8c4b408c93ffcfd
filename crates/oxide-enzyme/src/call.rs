//! Calling a derivative.
//!
//! Everything goes by pointer through one shim per instance of a primal, so no calling convention has to be guessed.
//! The code address of the derivative is that of a symbol which nobody defines: `__enzyme_derivative_<CODE>_<SHIM>`.
//! The driver finds it at link time, differentiates the shim and defines it.

use core::mem::MaybeUninit;

use crate::arguments::Shadows;

/// `CODE` is `width * 100 + ret * 10 + mode`.
const fn code(ret: u32, mode: u32) -> u32 {
    const WIDTH: u32 = 1;
    WIDTH * 100 + ret * 10 + mode
}

const REVERSE: u32 = 1;
const FORWARD: u32 = 2;

/// The result is constant, or there is none.
const CONST: u32 = 0;
/// The result is wanted, and its shadow.
const BOTH: u32 = 1;
/// Only the shadow of the result is wanted.
const ONLY: u32 = 2;

/// A derivative: arguments, their shadows, constants, result, shadow of the result.
pub type Entry<A, C, R> = unsafe extern "C-unwind" fn(*mut A, *mut A, *mut C, *mut R, *mut R);

/// Where derivatives come from.
pub trait Link {
    /// The derivative, as `CODE` asks for it, of the function that `F` is.
    fn entry<const CODE: u32, F: FnOnce(A, C) -> R, A, C, R>() -> Entry<A, C, R>;
}

/// Derivatives that the driver puts into the link.
pub struct Enzyme;

/// The build without the driver: everything compiles, and only linking a derivative fails, with a message.
pub struct NoDriver;

impl Link for Enzyme {
    #[inline(never)]
    fn entry<const CODE: u32, F: FnOnce(A, C) -> R, A, C, R>() -> Entry<A, C, R> {
        // SAFETY: the driver defines the symbol with exactly this type.
        unsafe { core::mem::transmute::<*const (), Entry<A, C, R>>(address::<CODE, F, A, C, R>()) }
    }
}

impl Link for NoDriver {
    fn entry<const CODE: u32, F: FnOnce(A, C) -> R, A, C, R>() -> Entry<A, C, R> {
        needs_driver()
    }
}

/// Not generic: one reference in the whole program, so that the linker prints its message once.
#[inline(never)]
fn needs_driver() -> ! {
    unsafe extern "C" {
        #[link_name = "derivatives need the Enzyme driver: build with `cargo enzyme build` (or run, test) instead of `cargo build`"]
        fn needs_driver() -> !;
    }
    // SAFETY: never linked, hence never called.
    unsafe { needs_driver() }
}

/// What the driver differentiates. `F` is a closure that captures nothing, so that it can be conjured from nothing.
///
/// # Safety
/// `a` and `c` must be readable and are moved out of; `r` must be writable.
unsafe extern "C-unwind" fn shim<F: FnOnce(A, C) -> R, A, C, R>(
    a: *const A,
    c: *const C,
    r: *mut R,
) {
    const { assert!(size_of::<F>() == 0, "a primal must not capture anything") };
    // SAFETY: `F` has no bytes and the caller made one, see `call`; the pointers are good by this function's contract.
    unsafe {
        let primal = core::ptr::dangling::<F>().read();
        r.write(primal(a.read(), c.read()));
    }
}

macro_rules! address {
    ($($line:literal),+) => {
        fn address<const CODE: u32, F: FnOnce(A, C) -> R, A, C, R>() -> *const () {
            let address;
            // SAFETY: takes an address, touches neither memory nor stack.
            unsafe {
                core::arch::asm!(
                    $($line),+,
                    address = out(reg) address,
                    code = const CODE,
                    shim = sym shim::<F, A, C, R>,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            address
        }
    };
}

#[cfg(target_arch = "x86_64")]
address!("lea {address}, [rip + __enzyme_derivative_{code}_{shim}]");

// Written by the manual: has not run yet.
#[cfg(all(target_arch = "aarch64", not(target_vendor = "apple")))]
address!(
    "adrp {address}, __enzyme_derivative_{code}_{shim}",
    "add {address}, {address}, :lo12:__enzyme_derivative_{code}_{shim}"
);

// Written by the manual: has not run yet.
#[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
address!(
    "adrp {address}, __enzyme_derivative_{code}_{shim}@PAGE",
    "add {address}, {address}, __enzyme_derivative_{code}_{shim}@PAGEOFF"
);

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("oxide-enzyme supports the architectures x86_64 and aarch64");

/// Runs a derivative. The result is initialised unless `CODE` says that it is not needed.
///
/// # Safety
/// `F` must be inhabited; `da` must hold the shadows of `a`; `dr` must be valid for what `CODE` asks.
unsafe fn call<const CODE: u32, L: Link, F: FnOnce(A, C) -> R, A, C, R>(
    a: A,
    da: &mut MaybeUninit<A>,
    c: C,
    dr: &mut MaybeUninit<R>,
) -> MaybeUninit<R> {
    let entry = L::entry::<CODE, F, A, C, R>();
    // The primal takes the arguments, also when it unwinds: they must not be dropped here.
    let mut a = MaybeUninit::new(a);
    let mut c = MaybeUninit::new(c);
    let mut r = MaybeUninit::uninit();
    // SAFETY: all five point at memory of the right type; the rest is this function's contract.
    unsafe {
        entry(
            a.as_mut_ptr(),
            da.as_mut_ptr(),
            c.as_mut_ptr(),
            r.as_mut_ptr(),
            dr.as_mut_ptr(),
        )
    };
    r
}

/// The gradient of a result may not own memory: the primal would overwrite the seed's pointers by its own.
fn seed<R>(dret: R) -> MaybeUninit<R> {
    const {
        assert!(
            !core::mem::needs_drop::<R>(),
            "an Active result must be plain data: return floats, or write into a `&mut` argument that is Duplicated"
        );
    }
    MaybeUninit::new(dret)
}

/// Reverse mode, Active result: the result, and the shadows with the gradients of Active arguments in them.
pub fn reverse<L: Link, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A>,
    c: C,
    dret: R,
) -> (R, A) {
    let (mut da, mut dr) = (da.uninit(), seed(dret));
    // SAFETY: an `F` was given; shadows and seed are in place. Enzyme leaves a valid shadow, and the result.
    unsafe {
        let r = call::<{ code(BOTH, REVERSE) }, L, F, A, C, R>(a, &mut da, c, &mut dr);
        (r.assume_init(), da.assume_init())
    }
}

/// Reverse mode, ActiveOnly result: the shadows with the gradients of Active arguments in them.
pub fn reverse_only<L: Link, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A>,
    c: C,
    dret: R,
) -> A {
    let (mut da, mut dr) = (da.uninit(), seed(dret));
    // SAFETY: an `F` was given; shadows and seed are in place. Enzyme leaves a valid shadow.
    unsafe {
        call::<{ code(ONLY, REVERSE) }, L, F, A, C, R>(a, &mut da, c, &mut dr);
        da.assume_init()
    }
}

/// Reverse mode, Const result or none: the result, and the shadows with the gradients of Active arguments in them.
pub fn reverse_const<L: Link, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A>,
    c: C,
) -> (R, A) {
    let mut da = da.uninit();
    // SAFETY: an `F` was given; shadows are in place, no seed is wanted. Enzyme leaves a valid shadow, and the result.
    unsafe {
        let r = call::<{ code(CONST, REVERSE) }, L, F, A, C, R>(
            a,
            &mut da,
            c,
            &mut MaybeUninit::zeroed(),
        );
        (r.assume_init(), da.assume_init())
    }
}

/// Forward mode, Dual result: the result and its tangent.
pub fn forward<L: Link, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A>,
    c: C,
) -> (R, R) {
    let mut dr = MaybeUninit::zeroed();
    // SAFETY: an `F` was given; shadows are in place. Enzyme writes the result and its tangent.
    unsafe {
        let r = call::<{ code(BOTH, FORWARD) }, L, F, A, C, R>(a, &mut da.uninit(), c, &mut dr);
        (r.assume_init(), dr.assume_init())
    }
}

/// Forward mode, DualOnly result: its tangent.
pub fn forward_only<L: Link, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A>,
    c: C,
) -> R {
    let mut dr = MaybeUninit::zeroed();
    // SAFETY: an `F` was given; shadows are in place. Enzyme writes the tangent.
    unsafe {
        call::<{ code(ONLY, FORWARD) }, L, F, A, C, R>(a, &mut da.uninit(), c, &mut dr);
        dr.assume_init()
    }
}

/// Forward mode, Const result or none: the result.
pub fn forward_const<L: Link, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A>,
    c: C,
) -> R {
    // SAFETY: an `F` was given; shadows are in place, no tangent is wanted. Enzyme writes the result.
    unsafe {
        call::<{ code(CONST, FORWARD) }, L, F, A, C, R>(
            a,
            &mut da.uninit(),
            c,
            &mut MaybeUninit::zeroed(),
        )
        .assume_init()
    }
}
