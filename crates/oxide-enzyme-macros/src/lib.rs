//! The macros of `oxide-enzyme`, which documents and re-exports them.

mod activity;
mod attribute;
mod checked;
mod differentiable;
mod docs;
mod enzyme;
mod expand;
mod fit;
mod problems;
mod request;
mod rule;
mod shadow;
mod split;
mod stand_in;
#[cfg(test)]
mod tests;

use activity::Mode;
use proc_macro::TokenStream;
use proc_macro2::Span;
use quote::quote;
use syn::{DeriveInput, Error, ItemFn, parse_macro_input};

use request::{Primal, Request};

/// Asks for the reverse-mode derivative of a function or method, and names it.
///
/// `#[autodiff_reverse(name, width, activities...)]`: one activity for each argument and one for the result, if there is one.
/// Arguments can be `Const`, `Active`, `ActiveOnly`, `Duplicated` or `DuplicatedOnly`, the result `Const`, `Active` or
/// `ActiveOnly`.
///
/// The derivative has the primal's generics, visibility and arguments. Each `Duplicated` argument `x` is followed by its
/// shadow `dx_0`, a `&mut` of the same shape that the gradient is **added** to. An active result adds a last argument `dret`,
/// the seed. The derivative returns the result and then the gradient of each `Active` argument, as a tuple if there is more
/// than one value. It is `unsafe` if the primal is, or if an argument is `DuplicatedOnly`.
///
/// The width is a number and can be left out. At width `N` there are `N` shadows `dx_0`, `dx_1`..., and `dret` and each
/// gradient of an `Active` argument are arrays `[T; N]`.
///
/// ```no_run
/// use oxide_enzyme::autodiff_reverse;
///
/// #[autodiff_reverse(d_dot, Duplicated, Const, Active, Active)]
/// fn dot(x: &[f64], y: &[f64], scale: f64) -> f64 {
///     x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() * scale
/// }
///
/// let mut dx = [0.0; 2];
/// let (value, dscale) = d_dot(&[1.0, 2.0], &mut dx, &[3.0, 4.0], 10.0, 1.0);
/// assert_eq!((value, dscale, dx), (110.0, 11.0, [30.0, 40.0]));
/// ```
///
/// # Panics
/// The derivative panics before it computes anything if a shadow has another shape than its argument.
#[proc_macro_attribute]
pub fn autodiff_reverse(attribute: TokenStream, item: TokenStream) -> TokenStream {
    autodiff(Mode::Reverse, attribute, item)
}

/// Asks for the forward-mode derivative of a function or method, and names it.
///
/// `#[autodiff_forward(name, width, activities...)]`: one activity for each argument and one for the result, if there is
/// one: `Const`, `Dual`, `DualOnly`, `Dualv` or `DualvOnly`.
///
/// The derivative has the primal's generics, visibility and arguments. Each `Dual` argument `x` is followed by its tangent
/// `bx_0` of the same type. A `Dual` result is returned with its tangent, of a `DualOnly` result the tangent only. The
/// derivative is `unsafe` if the primal is, or if an argument is `DualOnly` or `DualvOnly`.
///
/// The width is a number and can be left out. At width `N` a `Dual` argument has `N` tangents `bx_0`, `bx_1`..., and a
/// `Dualv` one, a slice, has one that is `N` times as long. The result and its tangents are an array `[T; N + 1]`, the
/// tangents alone `[T; N]`.
///
/// ```no_run
/// use oxide_enzyme::autodiff_forward;
///
/// #[autodiff_forward(d_scaled_sine, Dual, Const, Dual)]
/// fn scaled_sine(x: f64, scale: f64) -> f64 {
///     scale * x.sin()
/// }
///
/// let (value, tangent) = d_scaled_sine(0.0, 1.0, 3.0);
/// assert_eq!((value, tangent), (0.0, 3.0));
/// ```
///
/// # Panics
/// The derivative panics before it computes anything if a tangent has another shape than its argument.
#[proc_macro_attribute]
pub fn autodiff_forward(attribute: TokenStream, item: TokenStream) -> TokenStream {
    autodiff(Mode::Forward, attribute, item)
}

/// Asks for the reverse-mode derivative of a function in two passes, and names the first.
///
/// `#[autodiff_reverse_split(name, activities...)]`: as for [`macro@autodiff_reverse`], with an `Active` result, and arguments by
/// value or by shared reference. The forward pass takes the arguments, and the shadows of those that are `Duplicated`. It returns the
/// result and a tape, which borrows them. The tape's `reverse` takes the seed and returns the gradients of the `Active`
/// arguments. A tape can be used once.
#[proc_macro_attribute]
pub fn autodiff_reverse_split(attribute: TokenStream, item: TokenStream) -> TokenStream {
    derivative(Mode::Reverse, attribute, item, Request::expand_split)
}

/// Gives a function its reverse-mode derivative by hand.
///
/// `#[custom_reverse(rule, activities...)]`: one activity for each argument (`Active` by value, `Duplicated` by shared reference,
/// `Const` for what has no derivative), and `Active` for the result. The rule is a function with the arguments of the function,
/// each `Duplicated` one followed by its `&mut` shadow, and the seed; it adds to the shadows, and returns the gradients of the
/// `Active` arguments (a tuple if there are several). Wherever a derivative in reverse mode meets the function, it calls the
/// rule.
///
/// ```no_run
/// use oxide_enzyme::{autodiff_reverse, custom_reverse};
///
/// /// The root, found by bisection, whose steps have no useful derivative.
/// #[custom_reverse(d_cube_root, Active, Active)]
/// fn cube_root(x: f64) -> f64 {
///     let (mut low, mut high) = (x.min(-1.0), x.max(1.0));
///     for _ in 0..200 {
///         let middle = 0.5 * (low + high);
///         if middle.powi(3) < x { low = middle } else { high = middle }
///     }
///     0.5 * (low + high)
/// }
///
/// fn d_cube_root(x: f64, dret: f64) -> f64 {
///     dret / (3.0 * cube_root(x).powi(2))
/// }
///
/// #[autodiff_reverse(d_volume_to_area, Active, Active)]
/// fn volume_to_area(volume: f64) -> f64 {
///     6.0 * cube_root(volume).powi(2)
/// }
///
/// assert!((d_volume_to_area(8.0, 1.0).1 - 2.0).abs() < 1e-12);
/// ```
///
/// Arguments and result with a derivative are `f32`, `f64`, arrays, tuples, slices or `Vec`s of them. The rule sees arguments
/// as they were when the function was called. Whether it is right, nobody checks: compare it with differences.
///
/// At a vector width other than 1, building a derivative that meets the function fails with a message.
#[proc_macro_attribute]
pub fn custom_reverse(attribute: TokenStream, item: TokenStream) -> TokenStream {
    rewritten(item, |function| {
        rule::expand(Mode::Reverse, attribute.into(), function)
    })
}

/// Gives a function its forward-mode derivative by hand.
///
/// `#[custom_forward(rule, activities...)]`: `Dual` or `Const` for each argument, `Dual` for the result. The rule is a function
/// with the arguments of the function, each `Dual` one followed by its tangent; it returns result and tangent. Both attributes
/// may stand on one function.
///
/// ```no_run
/// use oxide_enzyme::{autodiff_forward, custom_forward};
///
/// #[custom_forward(t_clipped, Dual, Dual)]
/// fn clipped(x: f64) -> f64 {
///     x.clamp(-1.0, 1.0)
/// }
///
/// /// Lets the tangent pass where the function is flat ("straight through").
/// fn t_clipped(x: f64, bx: f64) -> (f64, f64) {
///     (x.clamp(-1.0, 1.0), bx)
/// }
///
/// #[autodiff_forward(t_twice, Dual, Dual)]
/// fn twice(x: f64) -> f64 {
///     2.0 * clipped(x)
/// }
///
/// assert_eq!(t_twice(5.0, 1.0), (2.0, 2.0));
/// ```
#[proc_macro_attribute]
pub fn custom_forward(attribute: TokenStream, item: TokenStream) -> TokenStream {
    rewritten(item, |function| {
        rule::expand(Mode::Forward, attribute.into(), function)
    })
}

/// Nothing that comes out of the function has a derivative, and Enzyme does not look into it.
///
/// For random numbers, logging, look-ups, foreign functions: what the function returns, and what it writes to memory of its own,
/// is constant for every derivative.
///
/// `#[inactive(overwrites)]` says that it overwrites all floats that it has by `&mut`, alone or in arrays, slices and `Vec`s: the
/// derivatives of what stood there end. Without the word such an argument is an error. Floats in other types are not seen:
/// where those depend on the inputs, an inactive function must not overwrite them.
///
/// ```no_run
/// use oxide_enzyme::{autodiff_reverse, inactive};
///
/// #[inactive]
/// fn weight(x: f64) -> f64 {
///     x.floor() + 1.0
/// }
///
/// #[autodiff_reverse(d_weighted, Active, Active)]
/// fn weighted(x: f64) -> f64 {
///     weight(x) * x
/// }
///
/// assert_eq!(d_weighted(2.5, 1.0), (7.5, 3.0));
/// ```
#[proc_macro_attribute]
pub fn inactive(attribute: TokenStream, item: TokenStream) -> TokenStream {
    rewritten(item, |function| rule::inactive(attribute.into(), function))
}

/// The function computes what a function of mathematics does, by other means: Enzyme differentiates that one.
///
/// For tables, approximations and foreign functions of one `f64`. Known are `sin`, `cos`, `tan`, `asin`, `acos`, `atan`, `sinh`,
/// `cosh`, `tanh`, `exp`, `exp2`, `expm1`, `log` (natural), `log2`, `log10`, `log1p`, `sqrt` and `cbrt`.
///
/// ```no_run
/// use oxide_enzyme::{autodiff_reverse, known_as};
///
/// /// Taylor's series about zero.
/// #[known_as(sin)]
/// fn quick_sine(x: f64) -> f64 {
///     x - x.powi(3) / 6.0 + x.powi(5) / 120.0
/// }
///
/// #[autodiff_reverse(d_wave, Active, Active)]
/// fn wave(x: f64) -> f64 {
///     2.0 * quick_sine(x)
/// }
///
/// // The cosine itself, not the derivative of the series.
/// assert_eq!(d_wave(0.5, 1.0).1, 2.0 * 0.5f64.cos());
/// ```
#[proc_macro_attribute]
pub fn known_as(attribute: TokenStream, item: TokenStream) -> TokenStream {
    rewritten(item, |function| rule::known_as(attribute.into(), function))
}

/// The function rewritten, or as it was beside what is wrong.
fn rewritten(
    item: TokenStream,
    rewrite: impl FnOnce(ItemFn) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let original: proc_macro2::TokenStream = item.clone().into();
    let result = syn::parse::<ItemFn>(item).and_then(rewrite);
    let tokens = result.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#original #error)
    });
    tokens.into()
}

/// Lets shadows of a type be checked all the way down; see the trait.
///
/// Every field must be `Shadow`; so must type parameters.
#[proc_macro_derive(Shadow)]
pub fn derive_shadow(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    shadow::expand(input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Gives a type an owned gradient of its own type and shape; see the trait.
///
/// Every field must be `Differentiable`, with a gradient of its own type; so must type parameters.
#[proc_macro_derive(Differentiable)]
pub fn derive_differentiable(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    differentiable::expand(input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Marks a function as a primal, for `enzyme!` to differentiate.
///
/// How an argument takes part follows from its type: references can be differentiated (`Duplicated`), and so can arguments
/// by value (`Active`), but not integers, `bool`, `char`, texts, raw pointers, functions and `dyn Trait` (`Const`). Say it
/// where that is not what you want: `#[primal(data: Const, x: Duplicated)]`.
///
/// The function stays as it is. A type of the same name, which only `enzyme!` uses, comes to stand beside it: a `use` of the
/// function brings both. Methods cannot be marked; call them from a function.
///
/// ```
/// use oxide_enzyme::primal;
///
/// #[primal]
/// fn power(x: f64, n: i32) -> f64 {
///     x.powi(n)
/// }
/// ```
///
/// Its other name is `#[enzyme]`, see `oxide_enzyme::mark`.
#[proc_macro_attribute]
pub fn primal(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let original: proc_macro2::TokenStream = item.clone().into();
    let Ok(primal) = syn::parse::<syn::ItemFn>(item) else {
        let text = "a primal is a function with a body";
        let error = Error::new_spanned(&original, text).into_compile_error();
        return quote!(#original #error).into();
    };
    let marker =
        enzyme::primal::expand(attribute.into(), &primal).unwrap_or_else(Error::into_compile_error);
    quote!(#original #marker).into()
}

/// What `oxide_enzyme::enzyme!` is made of.
#[doc(hidden)]
#[proc_macro]
pub fn __enzyme(input: TokenStream) -> TokenStream {
    parse_macro_input!(input as enzyme::call::Call)
        .expand()
        .into()
}

fn autodiff(mode: Mode, attribute: TokenStream, item: TokenStream) -> TokenStream {
    derivative(mode, attribute, item, |request| Ok(request.expand()))
}

/// The function as it was, and its derivative or what is wrong.
fn derivative(
    mode: Mode,
    attribute: TokenStream,
    item: TokenStream,
    expand: impl FnOnce(&Request) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let original: proc_macro2::TokenStream = item.clone().into();
    let Ok(primal) = syn::parse::<Primal>(item) else {
        let error = not_a_function(mode, &original).into_compile_error();
        return quote!(#original #error).into();
    };
    let derivative = match Request::new(mode, attribute.into(), primal) {
        Ok(request) if request.problems.is_empty() => {
            expand(&request).unwrap_or_else(Error::into_compile_error)
        }
        Ok(request) => request.stand_in(),
        Err(error) => error.into_compile_error(),
    };
    quote!(#original #derivative).into()
}

fn not_a_function(mode: Mode, item: &proc_macro2::TokenStream) -> Error {
    let is_foreign = item
        .clone()
        .into_iter()
        .any(|token| token.to_string() == "safe");
    let (text, help) = if is_foreign {
        (
            "a foreign function has no Rust code to differentiate".to_owned(),
            "call it from a function of your own, and differentiate that",
        )
    } else {
        (
            format!("`{}` goes on a function", mode.attribute()),
            "put it above the function that is to be differentiated",
        )
    };
    problems::error(Span::call_site(), &text, help)
}
