//! The two passes of reverse mode apart: the forward pass gives the result and a tape, the reverse pass takes tape and seed.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use crate::arguments::Shadows;
use crate::call::{Entry, Link, mode, ret};

/// What the forward pass of a split derivative leaves for its reverse pass: everything that the reverse pass needs.
///
/// It borrows the arguments and their shadows until it is used. It can be used once:
///
/// ```no_run
/// use oxide_enzyme::autodiff_reverse_split;
///
/// #[autodiff_reverse_split(norm_split, Duplicated, Active)]
/// fn norm(x: &[f64]) -> f64 {
///     x.iter().map(|v| v * v).sum::<f64>().sqrt()
/// }
///
/// let (x, mut gradient) = ([3.0, 4.0], [0.0; 2]);
/// let (value, tape) = norm_split(&x, &mut gradient);
/// // The seed may depend on the value, here that of the function's square.
/// tape.reverse(2.0 * value);
/// assert_eq!(gradient, [6.0, 8.0]);
/// ```
///
/// A tape that is dropped unused leaks the memory that the forward pass kept.
#[must_use = "a tape that is not used leaks the memory that the forward pass kept"]
pub struct Tape<'t, R, G> {
    pass: Box<dyn Pass<R, G> + 't>,
}

impl<R, G> Tape<'_, R, G> {
    /// The reverse pass: adds to the shadows, and returns the gradients of the `Active` arguments.
    pub fn reverse(self, dret: R) -> G {
        self.pass.reverse(dret)
    }
}

impl<R, G> fmt::Debug for Tape<'_, R, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}

/// The reverse pass of a function that is not known any more.
trait Pass<R, G> {
    fn reverse(self: Box<Self>, dret: R) -> G;
}

/// What the derivative is given in the place of the result's shadow.
#[repr(C)]
struct State<R> {
    dr: *mut R,
    /// Enzyme's tape.
    tape: *mut u8,
    /// 0 for the forward pass, 1 for the reverse pass.
    pass: usize,
    /// What is to be released after the reverse pass.
    to_release: *mut u8,
}

/// Everything stays where it is between the passes: Enzyme is given the same addresses in both.
struct Kept<A, C, R, G, U> {
    entry: Entry<A, C, R>,
    a: MaybeUninit<A>,
    da: MaybeUninit<A>,
    c: MaybeUninit<C>,
    r: MaybeUninit<R>,
    dr: MaybeUninit<R>,
    state: State<R>,
    unpack: U,
    gradients: PhantomData<fn() -> G>,
}

impl<A, C, R, G, U> Kept<A, C, R, G, U> {
    /// # Safety
    /// The forward pass comes first, the reverse pass after it, each once.
    unsafe fn run(&mut self) {
        self.state.dr = self.dr.as_mut_ptr();
        // SAFETY: all point into `self`, which is boxed; the rest is this function's contract.
        unsafe {
            (self.entry)(
                self.a.as_mut_ptr(),
                self.da.as_mut_ptr().cast(),
                self.c.as_mut_ptr(),
                self.r.as_mut_ptr(),
                (&raw mut self.state).cast(),
            );
        }
    }
}

impl<A, C, R, G, U: FnOnce(A) -> G> Pass<R, G> for Kept<A, C, R, G, U> {
    fn reverse(mut self: Box<Self>, dret: R) -> G {
        self.dr = MaybeUninit::new(dret);
        self.state.pass = 1;
        // SAFETY: the forward pass is over, and `self` is gone after this. Enzyme leaves valid shadows.
        unsafe {
            self.run();
            let kept = *self;
            (kept.unpack)(kept.da.assume_init())
        }
    }
}

/// The forward pass. `unpack` takes the gradients out of the list of shadows.
pub fn split<'t, L: Link<1>, F: FnOnce(A, C) -> R, A: 't, C: 't, R: Copy + 't, G: 't>(
    _: L,
    _: F,
    a: A,
    da: impl Shadows<A, 1>,
    c: C,
    unpack: impl FnOnce(A) -> G + 't,
) -> (R, Tape<'t, R, G>) {
    let [da] = da.uninit();
    let mut kept = Box::new(Kept {
        entry: L::entry::<{ ret::BOTH }, { mode::SPLIT }, F, A, C, R>(),
        a: MaybeUninit::new(a),
        da,
        c: MaybeUninit::new(c),
        r: MaybeUninit::uninit(),
        dr: MaybeUninit::zeroed(),
        state: State {
            dr: core::ptr::null_mut(),
            tape: core::ptr::null_mut(),
            pass: 0,
            to_release: core::ptr::null_mut(),
        },
        unpack,
        gradients: PhantomData,
    });
    // SAFETY: an `F` was given; shadows are in place. Enzyme leaves the result.
    let value = unsafe {
        kept.run();
        kept.r.assume_init()
    };
    (value, Tape { pass: kept })
}
