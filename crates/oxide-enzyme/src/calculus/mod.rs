//! Gradients, products, Jacobians and Hessians of functions and closures, without naming a derivative first.
//!
//! A function here takes a closure (or a function) and a point. The closure may capture what it likes; what it captures is
//! constant. It reads the point through a reference, whose type says what comes back:
//!
//! | the point | its gradient | its Hessian |
//! |---|---|---|
//! | `&f64` | `f64` | `f64` |
//! | `&[f64; N]` | `[f64; N]` | `[[f64; N]; N]` |
//! | `&[f64]`, `&Vec<f64>` | `Vec<f64>` | `Vec<Vec<f64>>` |
//! | `&Struct` that derives [`Differentiable`] and [`Shadow`](crate::Shadow) | `Struct` | |
//!
//! and the same for `f32`. A `Vec` is a slice with `&x[..]`, where the closure says `|x: &[f64]|`.
//!
//! ```no_run
//! use oxide_enzyme::calculus::{gradient, hessian, jacobian};
//!
//! let power = 2;
//! let f = |x: &[f64; 2]| x[0].powi(power) * x[1];
//! assert_eq!(gradient(f, &[3.0, 5.0]), [30.0, 9.0]);
//! assert_eq!(hessian(f, &[3.0, 5.0]), [[10.0, 6.0], [6.0, 0.0]]);
//! assert_eq!(jacobian(|x: &[f64; 2]| [x[0] * x[1], x[0] - x[1]], &[3.0, 5.0]), [[5.0, 3.0], [1.0, -1.0]]);
//! ```
//!
//! With arrays nothing is allocated. For slices there is a variant `*_into` of each function, which writes to memory that is
//! given; there a function of several numbers writes its results, as `|x: &[f64], y: &mut [f64]|`.
//!
//! # Rules
//!
//! - What a closure captures is constant: a float that it stored there would lose its derivative. Closures are [`Sync`]
//!   therefore, which keeps out `Cell`, `RefCell` (and `Rc`: capture a reference to what is inside). A `Mutex` or an atomic
//!   is not kept out: do not pass floats through one.
//! - A function that returns a list is called once more than the derivatives need, to learn how long its result is.

mod jacobian;
mod products;
mod second;

pub use crate::differentiable::{Clear, Differentiable, Float, HasNumbers};
pub use jacobian::{
    jacobian, jacobian_forward, jacobian_forward_into, jacobian_into, jacobian_reverse,
    jacobian_reverse_into, jacobian_scratch,
};
pub use products::{
    gradient, gradient_into, jvp, jvp_into, value_and_gradient, value_and_gradient_into, vjp,
    vjp_into,
};
pub use second::{hessian, hessian_into, hessian_vector_product, hessian_vector_product_into};
