//! Gradients of ordinary Rust functions, on the stable compiler, by [Enzyme](https://enzyme.mit.edu).
//!
//! An attribute asks for a derivative of a function and names it; Enzyme computes it from the function's compiled code at
//! link time. Build with `cargo enzyme build`, `run` or `test`. The attributes are those of the nightly `std::autodiff`:
//! code moves both ways by changing the `use` line.
//!
//! ```no_run
//! use oxide_enzyme::autodiff_reverse;
//!
//! #[autodiff_reverse(d_rosenbrock, Active, Active, Active)]
//! fn rosenbrock(x: f64, y: f64) -> f64 {
//!     (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
//! }
//!
//! // The value, and what it changes by with x and with y; the last argument is the seed.
//! let (value, dx, dy) = d_rosenbrock(3.0, 2.0, 1.0);
//! assert_eq!((value, dx, dy), (4904.0, 8404.0, -1400.0));
//! ```
//!
//! A slice has a *shadow*, which the gradient is added to:
//!
//! ```no_run
//! use oxide_enzyme::autodiff_reverse;
//!
//! #[autodiff_reverse(d_norm, Duplicated, Active)]
//! fn norm(x: &[f64]) -> f64 {
//!     x.iter().map(|v| v * v).sum::<f64>().sqrt()
//! }
//!
//! let (x, mut dx) = ([3.0, 4.0], [0.0; 2]);
//! assert_eq!(d_norm(&x, &mut dx, 1.0), 5.0);
//! assert_eq!(dx, [0.6, 0.8]);
//! ```
//!
//! # Activities
//!
//! One for each argument, and a last one for the result if there is one:
//!
//! | activity | mode | place | what the derivative takes or gives |
//! |---|---|---|---|
//! | `Const` | both | argument, result | the same as the primal; no derivative |
//! | `Active` | reverse | argument by value | returns its gradient after the result |
//! | `ActiveOnly` | reverse | argument by value | the same |
//! | `Duplicated` | reverse | `&`, `&mut`, `*` | a `&mut` shadow `dx_0`, which the gradient is added to |
//! | `DuplicatedOnly` | reverse | `&`, `&mut`, `*` | the same; the argument may hold anything afterwards, so it is `unsafe` |
//! | `Active` | reverse | result | takes the seed `dret` last; returns the result first |
//! | `ActiveOnly` | reverse | result | takes the seed `dret` last; does not return the result |
//! | `Dual` | forward | argument | a tangent `bx_0` of the same type |
//! | `DualOnly` | forward | argument | the same; the argument may hold anything afterwards, so it is `unsafe` |
//! | `Dualv` | forward | slice, `*` | one shadow for all lanes, as many times as long |
//! | `DualvOnly` | forward | slice, `*` | the same; the argument may hold anything afterwards, so it is `unsafe` |
//! | `Dual`, `Dualv` | forward | result | returns `(result, tangent)` |
//! | `DualOnly`, `DualvOnly` | forward | result | returns the tangent |
//!
//! Forward mode overwrites the shadows of `&mut` arguments. Reverse mode adds to shadows, and takes the shadow of what the
//! primal overwrites as a seed, which it sets to zero.
//!
//! # Widths
//!
//! A number after the name is the vector width: so many derivatives are computed at once, each a *lane*. Where one lane has
//! one shadow, gradient or seed, `N` lanes have `N` shadows `dx_0`, `dx_1`..., or an array `[T; N]`; a `Dual` result and its
//! tangents are `[T; N + 1]`.
//!
//! ```no_run
//! use oxide_enzyme::{autodiff_forward, autodiff_reverse};
//!
//! #[autodiff_forward(b_square, 2, Dual, Dual)]
//! #[autodiff_reverse(d_square, 2, Active, Active)]
//! fn square(x: f64) -> f64 {
//!     x * x
//! }
//!
//! assert_eq!(b_square(3.0, 1.0, 0.5), [9.0, 6.0, 3.0]);
//! assert_eq!(d_square(3.0, [1.0, 0.5]), (9.0, [6.0, 3.0]));
//! ```
//!
//! # Where
//!
//! The attributes go on functions, also inside of functions, on methods of types, and on methods that a trait declares,
//! provides or is implemented with. What calls a derivative can be differentiated in turn, to any depth.
//!
//! The macros' output calls this crate `oxide_enzyme`. Where the dependency has another name, write
//! `extern crate name as oxide_enzyme;` in the crate's root.
//!
//! # Shapes
//!
//! A derivative first checks that each shadow has its argument's shape, and panics if not, naming function, argument and
//! shadow. Slices, `Vec`s, boxes, options, tuples and arrays are checked all the way down, your own types when they derive
//! [`Shadow`].
//!
//! # Limits
//!
//! - A type without [`Shadow`] is only checked for its own size or length. Where it holds `Vec`s, boxes or references, a
//!   shadow of another shape is undefined behaviour, although no `unsafe` is needed to write it: derive [`Shadow`]. The same
//!   holds for elements of a generic type, as in `&[Vec<T>]`, where nothing says that `T` is [`Shadow`].
//! - `Active` is for plain data. An argument that owns memory, or that zero bytes are no value of, is a compile error; a
//!   struct with a raw pointer or an `Option<&T>` inside is not noticed.
//! - Arguments that are `dyn Trait`, `impl Trait` or function pointers can only be `Const`.
//! - An attribute does not see what its function stands in. A function of an `impl` that mentions neither `self` nor `Self` is
//!   taken for a free one: write `#[autodiff_reverse(Self::name, ...)]` there.

#![no_std]
#[cfg(feature = "alloc")]
extern crate alloc;
// The macros' output says `::oxide_enzyme`, in here too.
extern crate self as oxide_enzyme;
#[cfg(oxide_enzyme_check)]
extern crate std;

#[macro_use]
mod tuples;

mod arguments;
pub mod calculus;
mod call;
mod check;
#[cfg(oxide_enzyme_check)]
#[doc(hidden)]
pub mod checked;
mod differentiable;
#[doc(hidden)]
pub mod maths;
#[cfg_attr(not(feature = "alloc"), path = "no_owners.rs")]
mod owners;
#[cfg(feature = "alloc")]
mod placed;
#[cfg(feature = "alloc")]
mod plain;
mod primal;
mod product;
#[cfg(feature = "alloc")]
mod rule;
mod same_impl;
mod settle;
mod shadow;
#[cfg(feature = "alloc")]
mod split;

pub use differentiable::Differentiable;
#[cfg(feature = "alloc")]
pub use oxide_enzyme_macros::autodiff_reverse_split;
pub use oxide_enzyme_macros::{
    Differentiable, Shadow, autodiff_forward, autodiff_reverse, custom_forward, custom_reverse,
    inactive, known_as, primal,
};
pub use shadow::Shadow;
#[cfg(feature = "alloc")]
pub use split::Tape;

/// A derivative of a function that is marked by [`#[primal]`](macro@primal), asked for where it is used.
///
/// `enzyme!(grad f(arguments) wrt names)` calls `f` and differentiates its result (reverse mode). It returns the value
/// and an owned gradient for each argument that is named, in fields of those names:
///
/// ```no_run
/// use oxide_enzyme::{enzyme, primal};
///
/// #[primal]
/// fn loss(weights: &[f64], bias: f64, data: &[f64], rounds: usize) -> f64 {
///     let sum: f64 = weights.iter().zip(data).map(|(w, d)| w * d).sum();
///     (sum + bias).powi(2) * rounds as f64
/// }
///
/// let (weights, data) = (vec![1.0, 2.0], [3.0, 4.0]);
/// let g = enzyme!(grad loss(&weights, 0.5, &data, 1) wrt weights, bias);
/// assert_eq!((g.value, g.weights, g.bias), (132.25, vec![69.0, 92.0], 23.0));
/// ```
///
/// The names are those of the *parameters* in `f`'s declaration, whatever the arguments are. Everything else is constant.
///
/// | argument | its gradient |
/// |---|---|
/// | `f64`, `f32`, arrays of them, `Copy` structs that derive [`Differentiable`] | the same type |
/// | `&[T]` | `Vec<T>`, an array if the argument is a reference to one |
/// | `&T`, where `T` is an array, `Vec` or derives [`Differentiable`] | `T` |
/// | `&mut T` | `T`: the gradient with respect to what was there before the call |
///
/// `seed` weights the result, or says of a result that is a list how much each number counts:
/// `enzyme!(grad f(&x) wrt x seed [1.0, 0.0])`.
///
/// `enzyme!(jvp f(arguments) along x = tangent, y = ...)` gives the fields `value` and `tangent` (forward mode). A tangent has
/// its argument's type; the tangent of `&mut` is `&mut` and is overwritten with that of what `f` writes.
///
/// Arguments are moved into the call as into any other. `&mut` arguments are never constant, unless `#[primal(x: Const)]` says
/// that no float of interest passes through them.
#[macro_export]
macro_rules! enzyme {
    ($($input:tt)*) => {
        $crate::__private::__enzyme!($($input)*)
    };
}

/// [`#[primal]`](macro@primal) under the name `#[enzyme]`.
///
/// Rust lets no module import a macro and an attribute of one name. Where both are wanted, `enzyme!` comes by `macro_use`:
///
/// ```
/// #[macro_use]
/// extern crate oxide_enzyme;
///
/// use oxide_enzyme::mark::enzyme;
///
/// #[enzyme]
/// fn square(x: f64) -> f64 {
///     x * x
/// }
///
/// fn slope(x: f64) -> f64 {
///     enzyme!(grad square(x) wrt x).x
/// }
/// # fn main() {}
/// ```
pub mod mark {
    pub use oxide_enzyme_macros::primal as enzyme;
}

/// The attributes, for `use oxide_enzyme::prelude::*`.
pub mod prelude {
    pub use crate::{
        Differentiable, Shadow, autodiff_forward, autodiff_reverse, custom_forward, custom_reverse,
        enzyme, inactive, primal,
    };
}

/// Runs `work`; the derivatives that it calls are not checked under `cargo enzyme test --check-gradients`.
///
/// For primals that finite differences cannot tell anything about: those that count their calls, or read something new
/// each time.
pub fn unchecked<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(oxide_enzyme_check)]
    return checked::off(work);
    #[cfg(not(oxide_enzyme_check))]
    work()
}

/// What the macros' output calls. No part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::arguments::{Lanes, Same, Writable, Zero};
    pub use crate::call::{
        Enzyme, NoDriver, forward, forward_const, forward_only, reverse, reverse_const,
        reverse_only,
    };
    pub use crate::check::{AnyType, At, Deep, Pair, Shallow, split_lanes};
    pub use crate::check::{DeepSpare, NoSpare, ShallowSpare, Spare};
    #[cfg(oxide_enzyme_check)]
    pub use crate::checked;
    pub use crate::maths;
    pub use crate::owners::{DeepKeep, Kept, NoKeep, ShallowKeep};
    pub use crate::primal::{
        ByMut, ByRef, ByValue, First, Fixed, Mark, Next, Take, Unset, default_seed, grad, jvp,
    };
    #[cfg(feature = "alloc")]
    pub use crate::rule::{
        Constant, ConstantShared, FORWARD, REVERSE, Shared, Value, inactive, overwritten, with_rule,
    };
    pub use crate::same_impl::same_impl;
    pub use crate::shadow::{Float, Place};
    #[cfg(feature = "alloc")]
    pub use crate::split::split;
    pub use oxide_enzyme_macros::__enzyme;
}
