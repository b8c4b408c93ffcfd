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
//! | `Dual` | forward | result | returns `(result, tangent)` |
//! | `DualOnly` | forward | result | returns the tangent |
//!
//! Forward mode overwrites the shadows of `&mut` arguments. Reverse mode adds to shadows, and takes the shadow of what the
//! primal overwrites as a seed, which it sets to zero.
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
//! - Vector widths, `Dualv`, `DualvOnly` and shadows of `dyn Trait` are not supported yet, nor are methods of traits.
//! - An associated function that has no `self` must mention `Self` (as in `Self::helper()`, say), or the attribute takes it
//!   for a free function.

#![no_std]
#[cfg(feature = "alloc")]
extern crate alloc;

mod arguments;
mod call;
mod check;
mod shadow;

pub use oxide_enzyme_macros::{Shadow, autodiff_forward, autodiff_reverse};
pub use shadow::Shadow;

/// The attributes, for `use oxide_enzyme::prelude::*`.
pub mod prelude {
    pub use crate::{Shadow, autodiff_forward, autodiff_reverse};
}

/// What the macros' output calls. No part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::arguments::{Same, Writable, Zero};
    pub use crate::call::{
        Enzyme, NoDriver, forward, forward_const, forward_only, reverse, reverse_const,
        reverse_only,
    };
    pub use crate::check::{AnyType, At, Deep, Pair, Shallow};
}
