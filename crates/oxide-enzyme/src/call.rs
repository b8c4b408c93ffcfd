//! Calling a derivative.
//!
//! Everything goes by pointer through one shim per instance of a primal, so no calling convention has to be guessed.
//! The code address of the derivative is that of a symbol which nobody defines: `__enzyme_derivative_<CODE>_<SHIM>`.
//! The driver finds it at link time, differentiates the shim and defines it.

use core::mem::MaybeUninit;

use crate::arguments::Shadows;

/// What the derivative computes: the last digit of `CODE`, which is `WIDTH * 100 + RET * 10 + MODE`.
pub mod mode {
    pub const REVERSE: u32 = 1;
    pub const FORWARD: u32 = 2;
    /// The passes of reverse mode apart; see the module `split`.
    pub const SPLIT: u32 = 3;
}

/// What is wanted of the result: the second last digit of `CODE`.
pub mod ret {
    /// The result is constant, or there is none.
    pub const CONST: u32 = 0;
    /// The result is wanted, and its shadow.
    pub const BOTH: u32 = 1;
    /// Only the shadow of the result is wanted.
    pub const ONLY: u32 = 2;
}

/// A derivative: arguments, their shadows, constants, result, shadow of the result. At a vector width other than 1, the
/// shadows are arrays of pointers, one a lane.
pub type Entry<A, C, R> = unsafe extern "C-unwind" fn(*mut A, *mut (), *mut C, *mut R, *mut ());

/// Where derivatives of vector width `WIDTH` come from.
pub trait Link<const WIDTH: usize> {
    /// The derivative, as `RET` and `MODE` ask for it, of the function that `F` is.
    fn entry<const RET: u32, const MODE: u32, F: FnOnce(A, C) -> R, A, C, R>() -> Entry<A, C, R>;
}

/// Derivatives that the driver puts into the link.
pub struct Enzyme<const WIDTH: usize>;

/// The build without the driver: everything compiles, and only linking a derivative fails, with a message.
pub struct NoDriver<const WIDTH: usize>;

impl<const WIDTH: usize> Link<WIDTH> for Enzyme<WIDTH> {
    #[inline(never)]
    fn entry<const RET: u32, const MODE: u32, F: FnOnce(A, C) -> R, A, C, R>() -> Entry<A, C, R> {
        let address = address::<WIDTH, RET, MODE, F, A, C, R>();
        // SAFETY: the driver defines the symbol with exactly this type.
        unsafe { core::mem::transmute::<*const (), Entry<A, C, R>>(address) }
    }
}

impl<const WIDTH: usize> Link<WIDTH> for NoDriver<WIDTH> {
    fn entry<const RET: u32, const MODE: u32, F: FnOnce(A, C) -> R, A, C, R>() -> Entry<A, C, R> {
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

/// What a derivative calls instead of a function that it does not know.
#[unsafe(no_mangle)]
extern "C-unwind" fn __oxide_enzyme_unknown_function() -> ! {
    panic!(
        "a derivative met a function pointer or a trait object whose function was not differentiated: it is defined in a crate \
         that nothing else in the differentiated code comes from. Call it by name, or use a generic argument"
    )
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
        fn address<const WIDTH: usize, const RET: u32, const MODE: u32, F: FnOnce(A, C) -> R, A, C, R>()
        -> *const () {
            let address;
            // SAFETY: takes an address, touches neither memory nor stack.
            unsafe {
                core::arch::asm!(
                    $($line),+,
                    address = out(reg) address,
                    code = const WIDTH as u32 * 100 + RET * 10 + MODE,
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

/// Runs a derivative. The result is initialised unless `RET` says that it is not needed.
///
/// # Safety
/// `F` must be inhabited; `da` must hold the shadows of `a`; `dr` must be valid for what `RET` and `MODE` ask.
unsafe fn call<
    const RET: u32,
    const MODE: u32,
    const WIDTH: usize,
    L: Link<WIDTH>,
    F: FnOnce(A, C) -> R,
    A,
    C,
    R,
>(
    a: A,
    da: &mut [MaybeUninit<A>; WIDTH],
    c: C,
    dr: &mut [MaybeUninit<R>; WIDTH],
) -> MaybeUninit<R> {
    let entry = L::entry::<RET, MODE, F, A, C, R>();
    // The primal takes the arguments, also when it unwinds: they must not be dropped here.
    let mut a = MaybeUninit::new(a);
    let mut c = MaybeUninit::new(c);
    let mut r = MaybeUninit::uninit();
    let mut lanes = (lanes(da), lanes(dr));
    let (da, dr) = if WIDTH == 1 {
        (lanes.0[0].cast(), lanes.1[0].cast())
    } else {
        ((&raw mut lanes.0).cast(), (&raw mut lanes.1).cast())
    };
    // SAFETY: all five point at memory of the right type; the rest is this function's contract.
    unsafe { entry(a.as_mut_ptr(), da, c.as_mut_ptr(), r.as_mut_ptr(), dr) };
    r
}

/// Where each lane is.
fn lanes<T, const WIDTH: usize>(lanes: &mut [MaybeUninit<T>; WIDTH]) -> [*mut T; WIDTH] {
    lanes.each_mut().map(MaybeUninit::as_mut_ptr)
}

/// # Safety
/// Every lane must be initialised.
unsafe fn all<T, const WIDTH: usize>(lanes: [MaybeUninit<T>; WIDTH]) -> [T; WIDTH] {
    // SAFETY: this function's contract.
    lanes.map(|lane| unsafe { lane.assume_init() })
}

fn zeroed<R, const WIDTH: usize>() -> [MaybeUninit<R>; WIDTH] {
    core::array::from_fn(|_| MaybeUninit::zeroed())
}

/// The gradient of a result may not own memory: the primal would overwrite the seed's pointers by its own.
fn seeds<R, const WIDTH: usize>(dret: [R; WIDTH]) -> [MaybeUninit<R>; WIDTH] {
    // The macros refuse this first, with the function's name, when they are compiled.
    assert!(
        !core::mem::needs_drop::<R>(),
        "an Active result must be plain data"
    );
    dret.map(MaybeUninit::new)
}

/// Reverse mode, Active result: the result, and for each lane the shadows with the gradients of Active arguments in them.
pub fn reverse<const WIDTH: usize, L: Link<WIDTH>, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A, WIDTH>,
    c: C,
    dret: [R; WIDTH],
) -> (R, [A; WIDTH]) {
    let (mut da, mut dr) = (da.uninit(), seeds(dret));
    // SAFETY: an `F` was given; shadows and seeds are in place. Enzyme leaves valid shadows, and the result.
    unsafe {
        let r =
            call::<{ ret::BOTH }, { mode::REVERSE }, WIDTH, L, F, A, C, R>(a, &mut da, c, &mut dr);
        (r.assume_init(), all(da))
    }
}

/// Reverse mode, ActiveOnly result: for each lane the shadows with the gradients of Active arguments in them.
pub fn reverse_only<const WIDTH: usize, L: Link<WIDTH>, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A, WIDTH>,
    c: C,
    dret: [R; WIDTH],
) -> [A; WIDTH] {
    let (mut da, mut dr) = (da.uninit(), seeds(dret));
    // SAFETY: an `F` was given; shadows and seeds are in place. Enzyme leaves valid shadows.
    unsafe {
        call::<{ ret::ONLY }, { mode::REVERSE }, WIDTH, L, F, A, C, R>(a, &mut da, c, &mut dr);
        all(da)
    }
}

/// Reverse mode, Const result or none: the result, and for each lane the shadows with the gradients of Active arguments
/// in them.
pub fn reverse_const<const WIDTH: usize, L: Link<WIDTH>, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A, WIDTH>,
    c: C,
) -> (R, [A; WIDTH]) {
    let (mut da, mut dr) = (da.uninit(), zeroed());
    // SAFETY: an `F` was given; shadows are in place, no seed is wanted. Enzyme leaves valid shadows, and the result.
    unsafe {
        let r =
            call::<{ ret::CONST }, { mode::REVERSE }, WIDTH, L, F, A, C, R>(a, &mut da, c, &mut dr);
        (r.assume_init(), all(da))
    }
}

/// Forward mode, Dual result: the result and its tangents.
pub fn forward<const WIDTH: usize, L: Link<WIDTH>, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A, WIDTH>,
    c: C,
) -> (R, [R; WIDTH]) {
    let (mut da, mut dr) = (da.uninit(), zeroed());
    // SAFETY: an `F` was given; shadows are in place. Enzyme writes the result and its tangents.
    unsafe {
        let r =
            call::<{ ret::BOTH }, { mode::FORWARD }, WIDTH, L, F, A, C, R>(a, &mut da, c, &mut dr);
        (r.assume_init(), all(dr))
    }
}

/// Forward mode, DualOnly result: its tangents.
pub fn forward_only<const WIDTH: usize, L: Link<WIDTH>, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A, WIDTH>,
    c: C,
) -> [R; WIDTH] {
    let (mut da, mut dr) = (da.uninit(), zeroed());
    // SAFETY: an `F` was given; shadows are in place. Enzyme writes the tangents.
    unsafe {
        call::<{ ret::ONLY }, { mode::FORWARD }, WIDTH, L, F, A, C, R>(a, &mut da, c, &mut dr);
        all(dr)
    }
}

/// Forward mode, Const result or none: the result.
pub fn forward_const<const WIDTH: usize, L: Link<WIDTH>, F: FnOnce(A, C) -> R, A, C, R>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A, WIDTH>,
    c: C,
) -> R {
    let (mut da, mut dr) = (da.uninit(), zeroed());
    // SAFETY: an `F` was given; shadows are in place, no tangent is wanted. Enzyme writes the result.
    unsafe {
        call::<{ ret::CONST }, { mode::FORWARD }, WIDTH, L, F, A, C, R>(a, &mut da, c, &mut dr)
            .assume_init()
    }
}
