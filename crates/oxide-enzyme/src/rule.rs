//! Derivatives by hand: what `#[custom_reverse]` and `#[custom_forward]` expand to, and `#[inactive]`.
//!
//! A function with a rule puts its arguments and its result into a [`Pack`], so that Enzyme sees one function of one pointer,
//! [`primal`]. The driver tells Enzyme to call [`augmented`] and [`reverse`], or [`forward`], in the place of what it would
//! make of that function.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::borrow::{Borrow, BorrowMut};
use core::mem::MaybeUninit;

use crate::differentiable::HasNumbers;
use crate::placed::Placed;
use crate::plain::Plain;

/// There is a rule for reverse mode.
pub const REVERSE: u32 = 1;
/// There is a rule for forward mode.
pub const FORWARD: u32 = 2;

/// Arguments and result of a function with a rule.
#[repr(C)]
pub struct Pack<A, R> {
    arguments: MaybeUninit<A>,
    result: MaybeUninit<R>,
}

/// An argument by value.
#[repr(transparent)]
pub struct Value<T>(pub T);

/// An argument by shared reference.
#[repr(transparent)]
pub struct Shared<'a, T: ?Sized>(pub &'a T);

/// An argument by value without a derivative.
#[repr(transparent)]
pub struct Constant<T>(pub T);

/// An argument by shared reference without a derivative.
#[repr(transparent)]
pub struct ConstantShared<'a, T: ?Sized>(pub &'a T);

/// A list `(first, (second, ()))` of arguments.
pub trait Arguments: Sized {
    /// What the reverse pass needs: the arguments as they were, and where the shadows of references are.
    type Saved;
    /// What the reverse rule is given: arguments, and the shadows of references.
    type Lent<'s>;
    /// What the reverse rule gives: the gradients of the arguments by value.
    type Gradients;
    /// Tangents of references that are constant at run time: zeros.
    type Zeros;
    /// What the forward rule is given: arguments and their tangents.
    type Dual<'s>;

    /// Copies the arguments by value onto themselves: the copy says to the driver what type they have.
    ///
    /// # Safety
    /// `this` must be readable and writable.
    unsafe fn show_types(this: *mut Self);

    /// Remembers for the reverse pass: memory may be overwritten until then.
    ///
    /// # Safety
    /// Both must be readable, and shadows of references valid until the reverse pass is over.
    unsafe fn save(this: *const Self, shadow: *const Self) -> Self::Saved;

    /// # Safety
    /// As promised to `save`; nobody else may use the shadows meanwhile.
    unsafe fn lend<'s>(saved: &'s mut Self::Saved) -> Self::Lent<'s>;

    /// Adds to the shadows of the arguments by value.
    ///
    /// # Safety
    /// `shadow` must hold valid shadows, and be what `save` was given.
    unsafe fn accumulate(shadow: *mut Self, saved: &Self::Saved, gradients: Self::Gradients);

    /// # Safety
    /// Both must be readable.
    unsafe fn zeros(this: *const Self, shadow: *const Self) -> Self::Zeros;

    /// # Safety
    /// Both must be readable, for as long as the result is in use.
    unsafe fn dual<'s>(
        this: *const Self,
        shadow: *const Self,
        zeros: &'s Self::Zeros,
    ) -> Self::Dual<'s>;
}

impl Arguments for () {
    type Saved = ();
    type Lent<'s> = ();
    type Gradients = ();
    type Zeros = ();
    type Dual<'s> = ();

    unsafe fn show_types(_: *mut ()) {}
    unsafe fn save(_: *const (), _: *const ()) {}
    unsafe fn lend(_: &mut ()) {}
    unsafe fn accumulate(_: *mut (), (): &(), (): ()) {}
    unsafe fn zeros(_: *const (), _: *const ()) {}
    unsafe fn dual(_: *const (), _: *const (), _: &()) {}
}

impl<T: Placed, Rest: Arguments> Arguments for (Value<T>, Rest) {
    type Saved = ((T, T::Lists), Rest::Saved);
    type Lent<'s> = (T, Rest::Lent<'s>);
    type Gradients = (T, Rest::Gradients);
    type Zeros = Rest::Zeros;
    type Dual<'s> = ((T, T), Rest::Dual<'s>);

    unsafe fn show_types(this: *mut Self) {
        // SAFETY: this function's contract; the value that is overwritten is the same, and owns nothing or is moved.
        unsafe {
            show_type(&raw mut (*this).0.0);
            Rest::show_types(&raw mut (*this).1);
        }
    }

    unsafe fn save(this: *const Self, shadow: *const Self) -> Self::Saved {
        // SAFETY: readable by this function's contract.
        unsafe {
            (
                (
                    (*this).0.0.keep(),
                    T::lists(&raw const (*shadow).0.0, &raw const (*this).0.0),
                ),
                Rest::save(&raw const (*this).1, &raw const (*shadow).1),
            )
        }
    }

    unsafe fn lend<'s>(saved: &'s mut Self::Saved) -> Self::Lent<'s> {
        // SAFETY: this function's contract.
        (saved.0.0.keep(), unsafe { Rest::lend(&mut saved.1) })
    }

    unsafe fn accumulate(shadow: *mut Self, saved: &Self::Saved, gradients: Self::Gradients) {
        // SAFETY: this function's contract; nobody else refers to the shadow while the rule's result is added.
        unsafe {
            T::accumulate(&raw mut (*shadow).0.0, &saved.0.1, &gradients.0);
            Rest::accumulate(&raw mut (*shadow).1, &saved.1, gradients.1);
        }
    }

    unsafe fn zeros(this: *const Self, shadow: *const Self) -> Self::Zeros {
        // SAFETY: this function's contract.
        unsafe { Rest::zeros(&raw const (*this).1, &raw const (*shadow).1) }
    }

    unsafe fn dual<'s>(
        this: *const Self,
        shadow: *const Self,
        zeros: &'s Self::Zeros,
    ) -> Self::Dual<'s> {
        // SAFETY: this function's contract.
        unsafe {
            (
                ((*this).0.0.keep(), (*shadow).0.0.keep()),
                Rest::dual(&raw const (*this).1, &raw const (*shadow).1, zeros),
            )
        }
    }
}

/// An argument by shared reference, as it was.
pub struct SavedShared<T: Plain + ?Sized> {
    primal: T::Owned,
    shadow: SavedShadow<T>,
}

enum SavedShadow<T: Plain + ?Sized> {
    There(*mut T),
    /// The argument is constant at run time: nobody wants its gradient.
    Nowhere(T::Owned),
}

/// What the reference in `place` refers to, for as long as it is lent out.
///
/// # Safety
/// `place` must hold a reference that is valid for that long.
unsafe fn referent<'s, T: ?Sized>(place: *const *const T) -> &'s T {
    // SAFETY: this function's contract.
    unsafe { &**place }
}

/// The shadow of a reference; `None` if the reference is constant at run time, of which it being its own shadow is the sign.
///
/// # Safety
/// Both must be readable.
unsafe fn shadow_of<T: ?Sized>(
    this: *const Shared<'_, T>,
    shadow: *const Shared<'_, T>,
) -> Option<*mut T> {
    // The shadow is not read as a reference: in reverse mode it stands for a `&mut`.
    // SAFETY: readable by this function's contract; `Shared` is a reference, which has a pointer's layout.
    let (this, shadow) = unsafe {
        (
            this.cast::<*const T>().read(),
            shadow.cast::<*mut T>().read(),
        )
    };
    (!core::ptr::addr_eq(this, shadow)).then_some(shadow)
}

impl<T: Plain + ?Sized, Rest: Arguments> Arguments for (Shared<'_, T>, Rest) {
    type Saved = (SavedShared<T>, Rest::Saved);
    type Lent<'s> = ((&'s T, &'s mut T), Rest::Lent<'s>);
    type Gradients = Rest::Gradients;
    type Zeros = (Option<T::Owned>, Rest::Zeros);
    type Dual<'s> = ((&'s T, &'s T), Rest::Dual<'s>);

    unsafe fn show_types(this: *mut Self) {
        // SAFETY: this function's contract.
        unsafe { Rest::show_types(&raw mut (*this).1) };
    }

    unsafe fn save(this: *const Self, shadow: *const Self) -> Self::Saved {
        // SAFETY: readable by this function's contract.
        unsafe {
            let primal = (*this).0.0;
            let shadow_place = &raw const (*shadow).0;
            let saved = SavedShared {
                primal: primal.keep(),
                shadow: match shadow_of(&raw const (*this).0, shadow_place) {
                    Some(shadow) => SavedShadow::There(shadow),
                    None => SavedShadow::Nowhere(primal.zeros()),
                },
            };
            let rest = Rest::save(&raw const (*this).1, &raw const (*shadow).1);
            (saved, rest)
        }
    }

    unsafe fn lend<'s>(saved: &'s mut Self::Saved) -> Self::Lent<'s> {
        let shadow = match &mut saved.0.shadow {
            // SAFETY: valid and unused elsewhere by this function's contract.
            SavedShadow::There(shadow) => unsafe { &mut **shadow },
            SavedShadow::Nowhere(scratch) => scratch.borrow_mut(),
        };
        // SAFETY: this function's contract.
        let rest = unsafe { Rest::lend(&mut saved.1) };
        ((saved.0.primal.borrow(), shadow), rest)
    }

    unsafe fn accumulate(shadow: *mut Self, saved: &Self::Saved, gradients: Self::Gradients) {
        // SAFETY: this function's contract.
        unsafe { Rest::accumulate(&raw mut (*shadow).1, &saved.1, gradients) };
    }

    unsafe fn zeros(this: *const Self, shadow: *const Self) -> Self::Zeros {
        // SAFETY: this function's contract.
        unsafe {
            let is_constant = shadow_of(&raw const (*this).0, &raw const (*shadow).0).is_none();
            (
                is_constant.then(|| (*this).0.0.zeros()),
                Rest::zeros(&raw const (*this).1, &raw const (*shadow).1),
            )
        }
    }

    unsafe fn dual<'s>(
        this: *const Self,
        shadow: *const Self,
        zeros: &'s Self::Zeros,
    ) -> Self::Dual<'s> {
        // SAFETY: this function's contract; in forward mode shadows are only read here.
        unsafe {
            let tangent = match &zeros.0 {
                Some(zeros) => zeros.borrow(),
                None => referent((&raw const (*shadow).0).cast()),
            };
            let rest = Rest::dual(&raw const (*this).1, &raw const (*shadow).1, &zeros.1);
            let primal = referent((&raw const (*this).0).cast());
            ((primal, tangent), rest)
        }
    }
}

/// What is the same for all arguments without a shadow: they have no gradient, the others' is passed on.
macro_rules! constant {
    () => {
        type Gradients = Rest::Gradients;
        type Zeros = Rest::Zeros;

        unsafe fn show_types(this: *mut Self) {
            // SAFETY: this function's contract.
            unsafe { Rest::show_types(&raw mut (*this).1) };
        }

        unsafe fn accumulate(shadow: *mut Self, saved: &Self::Saved, gradients: Self::Gradients) {
            // SAFETY: this function's contract.
            unsafe { Rest::accumulate(&raw mut (*shadow).1, &saved.1, gradients) };
        }

        unsafe fn zeros(this: *const Self, shadow: *const Self) -> Self::Zeros {
            // SAFETY: this function's contract.
            unsafe { Rest::zeros(&raw const (*this).1, &raw const (*shadow).1) }
        }
    };
}

impl<T: Clone, Rest: Arguments> Arguments for (Constant<T>, Rest) {
    type Saved = (T, Rest::Saved);
    type Lent<'s> = (T, Rest::Lent<'s>);
    type Dual<'s> = (T, Rest::Dual<'s>);
    constant!();

    unsafe fn save(this: *const Self, shadow: *const Self) -> Self::Saved {
        // SAFETY: this function's contract.
        unsafe {
            (
                (*this).0.0.clone(),
                Rest::save(&raw const (*this).1, &raw const (*shadow).1),
            )
        }
    }

    unsafe fn lend<'s>(saved: &'s mut Self::Saved) -> Self::Lent<'s> {
        // SAFETY: this function's contract.
        (saved.0.clone(), unsafe { Rest::lend(&mut saved.1) })
    }

    unsafe fn dual<'s>(
        this: *const Self,
        shadow: *const Self,
        zeros: &'s Self::Zeros,
    ) -> Self::Dual<'s> {
        // SAFETY: this function's contract.
        unsafe {
            let rest = Rest::dual(&raw const (*this).1, &raw const (*shadow).1, zeros);
            ((*this).0.0.clone(), rest)
        }
    }
}

impl<T: ToOwned + ?Sized + 'static, Rest: Arguments> Arguments for (ConstantShared<'_, T>, Rest) {
    type Saved = (T::Owned, Rest::Saved);
    type Lent<'s> = (&'s T, Rest::Lent<'s>);
    type Dual<'s> = (&'s T, Rest::Dual<'s>);
    constant!();

    unsafe fn save(this: *const Self, shadow: *const Self) -> Self::Saved {
        // SAFETY: this function's contract.
        unsafe {
            (
                (*this).0.0.to_owned(),
                Rest::save(&raw const (*this).1, &raw const (*shadow).1),
            )
        }
    }

    unsafe fn lend<'s>(saved: &'s mut Self::Saved) -> Self::Lent<'s> {
        // SAFETY: this function's contract.
        (saved.0.borrow(), unsafe { Rest::lend(&mut saved.1) })
    }

    unsafe fn dual<'s>(
        this: *const Self,
        shadow: *const Self,
        zeros: &'s Self::Zeros,
    ) -> Self::Dual<'s> {
        // SAFETY: this function's contract.
        unsafe {
            let rest = Rest::dual(&raw const (*this).1, &raw const (*shadow).1, zeros);
            (referent((&raw const (*this).0).cast()), rest)
        }
    }
}

/// Calls `function`, which Enzyme is told to differentiate by the rules that `RULES` says there are. None of the three may
/// capture anything.
#[inline]
pub fn with_rule<const RULES: u32, A, R, F, V, D>(
    arguments: A,
    function: F,
    reverse_rule: V,
    forward_rule: D,
) -> R
where
    A: Arguments,
    R: Placed,
    F: FnOnce(A) -> R,
    V: for<'s> FnOnce(A::Lent<'s>, R) -> A::Gradients,
    D: for<'s> FnOnce(A::Dual<'s>) -> (R, R),
{
    // They were given, so that they can be conjured again.
    let _ = (function, reverse_rule, forward_rule);
    let mut pack = Pack {
        arguments: MaybeUninit::new(arguments),
        result: MaybeUninit::uninit(),
    };
    // SAFETY: `primal` moves out of the arguments and initialises the result.
    unsafe {
        A::show_types(pack.arguments.as_mut_ptr());
        primal::<RULES, A, R, F, V, D>(&raw mut pack);
        pack.result.as_ptr().read()
    }
}

/// # Safety
/// `place` must be readable and writable.
unsafe fn show_type<T>(place: *mut T) {
    // SAFETY: this function's contract; one value stays one value.
    unsafe { place.write(place.read()) };
}

/// A function of a type without bytes.
///
/// # Safety
/// There must have been one.
unsafe fn conjure<F>() -> F {
    const {
        assert!(
            size_of::<F>() == 0,
            "a function with a rule must not capture anything"
        )
    };
    // SAFETY: it has no bytes, and there has been one.
    unsafe { core::ptr::dangling::<F>().read() }
}

/// The function that Enzyme does not look into. The comment tells the driver where its rules are.
#[inline(never)]
unsafe extern "C-unwind" fn primal<const RULES: u32, A, R, F, V, D>(pack: *mut Pack<A, R>)
where
    A: Arguments,
    R: Placed,
    F: FnOnce(A) -> R,
    V: for<'s> FnOnce(A::Lent<'s>, R) -> A::Gradients,
    D: for<'s> FnOnce(A::Dual<'s>) -> (R, R),
{
    // SAFETY: does nothing at all; the rest is this function's contract.
    unsafe {
        core::arch::asm!(
            "/* __enzyme_rule_{rules} {augmented} {reverse} {forward} */",
            rules = const RULES,
            augmented = sym augmented::<A, R, F>,
            reverse = sym reverse::<A, R, V>,
            forward = sym forward::<A, R, D>,
            options(nomem, nostack, preserves_flags),
        );
        let arguments = (*pack).arguments.as_ptr().read();
        (*pack).result.write(conjure::<F>()(arguments));
    }
}

/// What the reverse pass needs.
pub struct Saved<A: Arguments, R: Placed> {
    arguments: A::Saved,
    /// Where the lists in the result's shadow are; `None` if the result is constant at run time.
    seed: Option<R::Lists>,
}

/// The forward pass of reverse mode: gives what the reverse pass needs. What comes after adds to the lists in the result's
/// shadow, so they must be there now.
unsafe extern "C-unwind" fn augmented<A, R, F>(
    pack: *mut Pack<A, R>,
    shadow: *mut Pack<A, R>,
) -> *mut Saved<A, R>
where
    A: Arguments,
    R: Placed,
    F: FnOnce(A) -> R,
{
    // SAFETY: the pack's arguments are moved out of once, by the function.
    unsafe {
        let saved = A::save((*pack).arguments.as_ptr(), (*shadow).arguments.as_ptr());
        let arguments = (*pack).arguments.as_ptr().read();
        let result = (*pack).result.write(conjure::<F>()(arguments));
        let is_constant = core::ptr::eq(pack, shadow);
        let seed =
            (!is_constant).then(|| R::give_lists(result.zeros(), (*shadow).result.as_mut_ptr()));
        Box::into_raw(Box::new(Saved {
            arguments: saved,
            seed,
        }))
    }
}

/// The reverse pass: takes the seed, and adds to the arguments' shadows.
unsafe extern "C-unwind" fn reverse<A, R, V>(
    pack: *mut Pack<A, R>,
    shadow: *mut Pack<A, R>,
    saved: *mut Saved<A, R>,
) where
    A: Arguments,
    R: Placed,
    V: for<'s> FnOnce(A::Lent<'s>, R) -> A::Gradients,
{
    // SAFETY: Enzyme gives what `augmented` has made, once, and a shadow that holds a seed. What used the lists in it came
    // after the function, so it is done now.
    unsafe {
        let mut saved = Box::from_raw(saved);
        let (Some(seed), false) = (saved.seed.take(), core::ptr::eq(pack, shadow)) else {
            return;
        };
        let seed = R::take((*shadow).result.as_mut_ptr(), seed);
        let gradients = conjure::<V>()(A::lend(&mut saved.arguments), seed);
        let shadow = (*shadow).arguments.as_mut_ptr();
        A::accumulate(shadow, &saved.arguments, gradients);
    }
}

/// Forward mode: result and tangent at once.
unsafe extern "C-unwind" fn forward<A, R, D>(pack: *mut Pack<A, R>, shadow: *mut Pack<A, R>)
where
    A: Arguments,
    R: Placed,
    D: for<'s> FnOnce(A::Dual<'s>) -> (R, R),
{
    // SAFETY: Enzyme gives a pack and its tangent.
    unsafe {
        let (primal, tangent) = ((*pack).arguments.as_ptr(), (*shadow).arguments.as_ptr());
        let zeros = A::zeros(primal, tangent);
        let (result, derivative) = conjure::<D>()(A::dual(primal, tangent, &zeros));
        (*pack).result.write(result);
        if !core::ptr::eq(pack, shadow) {
            (*shadow).result.write(derivative);
        }
    }
}

/// What `#[inactive]` calls: the driver knows it by name, and Enzyme does not look into it. The result is read as volatile, or
/// LLVM would see that a function gives back its argument, and use that.
#[inline(never)]
pub fn inactive<R>(function: impl FnOnce() -> R) -> R {
    let result = MaybeUninit::new(function());
    // SAFETY: it was just written, and is read once.
    unsafe { result.as_ptr().read_volatile() }
}

/// What `#[inactive(overwrites)]` does with the floats that were overwritten: each is stored anew as a constant, which ends the
/// derivative of what stood there.
pub fn overwritten<T: HasNumbers + ?Sized>(floats: &mut T) {
    for float in floats.numbers_mut() {
        let written = *float;
        *float = inactive(move || written);
    }
}
