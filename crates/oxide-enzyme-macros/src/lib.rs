//! The macros of `oxide-enzyme`, which documents and re-exports them.

mod activity;
mod docs;
mod expand;
mod request;
mod shadow;
#[cfg(test)]
mod tests;

use activity::Mode;
use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, ItemFn, parse_macro_input};

use request::Request;

/// Asks for the reverse-mode derivative of a function, or of a method of a type, and names it.
///
/// `#[autodiff_reverse(name, activities...)]`: one activity for each argument and one for the result, if there is one.
/// Arguments can be `Const`, `Active`, `ActiveOnly`, `Duplicated` or `DuplicatedOnly`, the result `Const`, `Active` or
/// `ActiveOnly`.
///
/// The derivative has the primal's generics, visibility and arguments. Each `Duplicated` argument `x` is followed by its
/// shadow `dx_0`, a `&mut` of the same shape that the gradient is **added** to. An active result adds a last argument `dret`,
/// the seed. The derivative returns the result and then the gradient of each `Active` argument, as a tuple if there is more
/// than one value.
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

/// Asks for the forward-mode derivative of a function, or of a method of a type, and names it.
///
/// `#[autodiff_forward(name, activities...)]`: one activity for each argument and one for the result, if there is one:
/// `Const`, `Dual` or `DualOnly`.
///
/// The derivative has the primal's generics, visibility and arguments. Each `Dual` argument `x` is followed by its tangent
/// `bx_0` of the same type. A `Dual` result is returned with its tangent, of a `DualOnly` result the tangent only.
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

/// The function as it was, and its derivative or what is wrong.
fn autodiff(mode: Mode, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let original: proc_macro2::TokenStream = item.clone().into();
    let Ok(primal) = syn::parse::<ItemFn>(item) else {
        let text = format!("`{}` goes on a function with a body", mode.attribute());
        let error = Error::new_spanned(&original, text).into_compile_error();
        return quote!(#original #error).into();
    };
    let derivative = match Request::new(mode, attribute.into(), primal) {
        Ok(request) => request.expand(),
        Err(error) => error.into_compile_error(),
    };
    quote!(#original #derivative).into()
}
