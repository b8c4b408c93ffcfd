//! The signatures that `core::autodiff` promises, and what the expansion is made of.

use quote::quote;
use syn::{ItemFn, parse_quote, parse2};

use crate::activity::Mode;
use crate::request::{Primal, Request};

fn derivative(mode: Mode, attribute: proc_macro2::TokenStream, primal: Primal) -> ItemFn {
    parse2(Request::new(mode, attribute, primal).unwrap().expand()).unwrap()
}

macro_rules! signatures {
    ($($test:ident: $mode:ident($($attribute:tt)*) { $($primal:tt)* } => { $($signature:tt)* })*) => {$(
        #[test]
        fn $test() {
            let derivative = derivative(Mode::$mode, quote!($($attribute)*), parse_quote!($($primal)* { todo!() }));
            let (sig, expected) = (&derivative.sig, quote!($($signature)*));
            assert_eq!(quote!(#sig).to_string(), expected.to_string());
        }
    )*};
}

signatures! {
    active_values: Reverse(df, Active, Active) { fn f(x: f32) -> f32 } => { fn df(x: f32, dret: f32) -> (f32, f32) }
    two_active_values: Reverse(df, Active, Active, Active) { fn f(x: f64, y: f64) -> f64 }
        => { fn df(x: f64, y: f64, dret: f64) -> (f64, f64, f64) }
    only_the_gradient: Reverse(df, Active, ActiveOnly) { fn f(x: f64) -> f64 } => { fn df(x: f64, dret: f64) -> f64 }
    slice_and_constant: Reverse(df, Duplicated, Const, Active) { fn f(x: &[f64], y: f64) -> f64 }
        => { fn df(x: &[f64], dx_0: &mut [f64], y: f64, dret: f64) -> f64 }
    output_argument: Reverse(df, Active, Active, Duplicated) { fn f(x: f64, y: f64, out: &mut f64) }
        => { fn df(x: f64, y: f64, out: &mut f64, dout_0: &mut f64) -> (f64, f64) }
    nothing_to_return: Reverse(df, Duplicated, ActiveOnly) { fn f(x: &[f64]) -> f64 }
        => { fn df(x: &[f64], dx_0: &mut [f64], dret: f64) }
    constant_result: Reverse(df, Duplicated, Const) { fn f(x: &mut [f64]) -> usize }
        => { fn df(x: &mut [f64], dx_0: &mut [f64]) -> usize }
    a_method: Reverse(df, Const, Active, Active) { fn f(&self, x: f64) -> f64 }
        => { fn df(&self, x: f64, dret: f64) -> (f64, f64) }
    a_shadow_of_self: Reverse(df, Duplicated, Active) { fn f(&self) -> f64 }
        => { fn df(&self, dself_0: &mut Self, dret: f64) -> f64 }
    generics: Reverse(df, Duplicated, Active) { fn f<'a, T: Copy, const N: usize>(x: &'a [T; N]) -> T where T: Default }
        => { fn df<'a, T: Copy, const N: usize>(x: &'a [T; N], dx_0: &'a mut [T; N], dret: T) -> T where T: Default }
    pointers: Reverse(df, Duplicated, Active) { unsafe fn f(x: *const f64) -> f64 }
        => { unsafe fn df(x: *const f64, dx_0: *mut f64, dret: f64) -> f64 }
    discarding_is_unsafe: Reverse(df, DuplicatedOnly, Active) { fn f(x: &f64) -> f64 }
        => { unsafe fn df(x: &f64, dx_0: &mut f64, dret: f64) -> f64 }
    forward: Forward(df, Dual, Const, Dual) { fn f(x: &[f64], y: f64) -> f64 }
        => { fn df(x: &[f64], bx_0: &[f64], y: f64) -> (f64, f64) }
    forward_only_the_tangent: Forward(df, Dual, DualOnly) { fn f(x: &f32) -> f32 } => { fn df(x: &f32, bx_0: &f32) -> f32 }
    forward_constant: Forward(df, Dual, Const) { fn f(x: &mut f64) -> u8 } => { fn df(x: &mut f64, bx_0: &mut f64) -> u8 }
    forward_by_value: Forward(df, Dual, Dual) { fn f(self) -> f64 } => { fn df(self, bself_0: Self) -> (f64, f64) }
    forward_unsafe: Forward(df, DualOnly, Dual) { fn f(x: f64) -> f64 } => { unsafe fn df(x: f64, bx_0: f64) -> (f64, f64) }
    vector_forward: Forward(df, 4, Dual, Dual) { fn f(x: &f32) -> f32 }
        => { fn df(x: &f32, bx_0: &f32, bx_1: &f32, bx_2: &f32, bx_3: &f32) -> [f32; 5] }
    vector_forward_only: Forward(df, 2, Dual, DualOnly) { fn f(x: f64) -> f64 }
        => { fn df(x: f64, bx_0: f64, bx_1: f64) -> [f64; 2] }
    vector_joined: Forward(df, 4, Dualv, Dualv) { fn f(x: &[f32], out: &mut [f32]) }
        => { fn df(x: &[f32], bx_0: &[f32], out: &mut [f32], bout_0: &mut [f32]) }
    vector_reverse: Reverse(df, 2, Duplicated, Active, Active) { fn f(x: &[f64], y: f64) -> f64 }
        => { fn df(x: &[f64], dx_0: &mut [f64], dx_1: &mut [f64], y: f64, dret: [f64; 2]) -> (f64, [f64; 2]) }
    patterns: Forward(df, 1, Dual, Const, Dual, Dual) { fn f(mut x: f64, _: u8, (a, b): (f64, f64)) -> f64 }
        => { fn df(x: f64, bx_0: f64, arg1: u8, arg2: (f64, f64), barg2_0: (f64, f64)) -> (f64, f64) }
}

#[test]
fn the_attribute_can_say_where_the_function_stands() {
    for (attribute, call) in [
        (quote!(Self::df, Active, Active), "Self :: f ("),
        (
            quote!(<Self as a::Tr<u8>>::df, Active, Active),
            "< Self as a :: Tr < u8 > > :: f (",
        ),
    ] {
        let primal = parse_quote!(
            fn f(x: f64) -> f64 {
                x
            }
        );
        let derivative = derivative(Mode::Reverse, attribute, primal);
        assert_eq!(derivative.sig.ident, "df");
        assert!(text(&derivative).contains(call), "{}", text(&derivative));
    }
}

fn text(derivative: &ItemFn) -> String {
    quote!(#derivative).to_string()
}

#[test]
fn visibility_and_conditions_are_the_primals() {
    let primal = parse_quote! {
        #[cfg(unix)]
        #[inline]
        pub(crate) fn f(x: f64) -> f64 { x }
    };
    let text = text(&derivative(
        Mode::Reverse,
        quote!(df, Active, Active),
        primal,
    ));
    assert!(
        text.contains("cfg (unix)")
            && text.contains("pub (crate) fn df")
            && !text.contains("inline"),
        "{text}"
    );
}

#[test]
fn methods_are_called_through_self() {
    let through_self = [
        parse_quote!(
            fn f(&self) -> f64 {
                1.0
            }
        ),
        parse_quote!(
            fn f(x: &Self) -> f64 {
                x.value
            }
        ),
        parse_quote!(
            fn f(x: &[f64]) -> f64 {
                Self::helper(x)
            }
        ),
        parse_quote!(
            fn f(x: &[f64]) -> f64 {
                dbg!(Self::helper(x))
            }
        ),
    ];
    for primal in through_self {
        assert!(
            text(&derivative(
                Mode::Reverse,
                quote!(df, Duplicated, Active),
                primal
            ))
            .contains("Self :: f (")
        );
    }
    let declared: Primal = parse_quote!(
        fn f(x: f64) -> f64;
    );
    assert!(
        text(&derivative(
            Mode::Reverse,
            quote!(df, Active, Active),
            declared
        ))
        .contains("Self :: f (")
    );
    let free = parse_quote! {
        fn f(x: &[f64]) -> f64 {
            struct A;
            impl A { fn new() -> Self { Self } }
            A::new(); x[0]
        }
    };
    assert!(
        !text(&derivative(
            Mode::Reverse,
            quote!(df, Duplicated, Active),
            free
        ))
        .contains("Self :: f")
    );
}
