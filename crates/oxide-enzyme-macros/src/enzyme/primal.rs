//! `#[primal]`, alias `#[enzyme]`: beside the function `f`, a type `f` that knows the arguments' names and how each is passed.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, FnArg, ItemFn, Pat, PatType, Result, Token, Type};

use crate::activity::{self, Kind, Mode, Place};
use crate::fit::strip;

/// How an argument takes part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    ByValue,
    ByRef,
    ByMut,
    Fixed,
}

struct Argument {
    name: Ident,
    passing: Passing,
}

/// The type beside the primal.
pub fn expand(attribute: TokenStream, primal: &ItemFn) -> Result<TokenStream> {
    check(primal)?;
    let overrides: Overrides = syn::parse2(attribute)?;
    let arguments: Vec<Argument> = primal
        .sig
        .inputs
        .iter()
        .map(|input| Argument::new(input, &overrides))
        .collect::<Result<_>>()?;
    overrides.check(&arguments)?;

    let (name, vis) = (&primal.sig.ident, &primal.vis);
    let is_condition = |attribute: &&syn::Attribute| attribute.path().is_ident("cfg");
    let conditions: Vec<_> = primal.attrs.iter().filter(is_condition).collect();
    let plan = arguments
        .iter()
        .rev()
        .fold((quote!(()), quote!(())), |(types, slots), argument| {
            let (ty, slot) = argument.slot();
            (quote!((#ty, #types)), quote!((#slot, #slots)))
        });
    let (plan_type, plan) = plan;
    let names = arguments.iter().map(|argument| &argument.name);
    let positions = (0..arguments.len()).map(position);
    let types = (0..arguments.len()).map(position_type);
    Ok(quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis enum #name {}

        #(#conditions)*
        #[allow(non_upper_case_globals, dead_code)]
        impl #name {
            #(
                #[doc(hidden)]
                pub const #names: #types = #positions;
            )*
            #[doc(hidden)]
            pub const __PLAN: #plan_type = #plan;
        }
    })
}

fn position(index: usize) -> TokenStream {
    (0..index).fold(
        quote!(::oxide_enzyme::__private::First),
        |before, _| quote!(::oxide_enzyme::__private::Next(#before)),
    )
}

fn position_type(index: usize) -> TokenStream {
    (0..index).fold(
        quote!(::oxide_enzyme::__private::First),
        |before, _| quote!(::oxide_enzyme::__private::Next<#before>),
    )
}

fn check(primal: &ItemFn) -> Result<()> {
    let sig = &primal.sig;
    let error = |span: Span, text: &str| Err(Error::new(span, text));
    if let Some(FnArg::Receiver(receiver)) = sig.inputs.first() {
        return error(
            receiver.self_token.span,
            "`#[primal]` goes on functions without `self`: for a method use `#[autodiff_reverse]`, or call it from a function",
        );
    }
    if let Some(token) = sig.asyncness {
        return error(token.span, "an async function has no derivative");
    }
    if let Some(token) = sig.unsafety {
        return error(
            token.span,
            "`enzyme!` is safe to call, an unsafe function is not: use `#[autodiff_reverse]`",
        );
    }
    if let Some(variadic) = &sig.variadic {
        return Err(Error::new_spanned(
            variadic,
            "a variadic function has no derivative",
        ));
    }
    Ok(())
}

impl Argument {
    fn new(input: &FnArg, overrides: &Overrides) -> Result<Argument> {
        let FnArg::Typed(PatType { pat, ty, .. }) = input else {
            unreachable!("checked before")
        };
        let Pat::Ident(pattern) = &**pat else {
            return Err(Error::new_spanned(
                pat,
                "an argument of a primal needs a name",
            ));
        };
        let passing = passing(ty);
        let passing = match overrides.of(&pattern.ident) {
            Some(activity) => overridden(ty, activity)?,
            None => passing,
        };
        Ok(Argument {
            name: pattern.ident.clone(),
            passing,
        })
    }

    /// Type and value of its place in the plan.
    fn slot(&self) -> (TokenStream, TokenStream) {
        let name = self.name.unraw().to_string();
        let kind = match self.passing {
            Passing::Fixed => {
                let fixed = quote!(::oxide_enzyme::__private::Fixed);
                return (fixed.clone(), fixed);
            }
            Passing::ByValue => format_ident!("ByValue"),
            Passing::ByRef => format_ident!("ByRef"),
            Passing::ByMut => format_ident!("ByMut"),
        };
        let ty = quote!(::oxide_enzyme::__private::Unset<::oxide_enzyme::__private::#kind>);
        (ty.clone(), quote!(<#ty>::new(#name)))
    }
}

/// The default for a type.
fn passing(ty: &Type) -> Passing {
    match strip(ty) {
        ty if is_discrete(ty) => Passing::Fixed,
        Type::Reference(reference) if reference.mutability.is_some() => Passing::ByMut,
        Type::Reference(_) => Passing::ByRef,
        _ => Passing::ByValue,
    }
}

/// Whether no float can be in it, or nothing that a shadow can be made for.
fn is_discrete(ty: &Type) -> bool {
    match strip(ty) {
        Type::Reference(reference) => is_discrete(&reference.elem),
        Type::Slice(slice) => is_discrete(&slice.elem),
        Type::Array(array) => is_discrete(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().all(is_discrete),
        Type::Path(path) => {
            const WORDS: [&str; 16] = [
                "bool", "char", "str", "String", "i8", "i16", "i32", "i64", "i128", "isize", "u8",
                "u16", "u32", "u64", "u128", "usize",
            ];
            let last = path.path.segments.last();
            last.is_some_and(|last| {
                last.arguments.is_none() && WORDS.iter().any(|word| last.ident == word)
            })
        }
        Type::TraitObject(_) | Type::BareFn(_) | Type::Ptr(_) | Type::ImplTrait(_) => true,
        _ => false,
    }
}

/// What was asked for, if the type allows it.
fn overridden(ty: &Type, word: &Ident) -> Result<Passing> {
    let activity = activity::read_strictly(word, Mode::Reverse, Place::Argument)?;
    let found = match strip(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => Passing::ByMut,
        Type::Reference(_) => Passing::ByRef,
        _ => Passing::ByValue,
    };
    let error = |text: &str| Err(Error::new(word.span(), text));
    match (activity.kind, found) {
        (Kind::Const, Passing::ByMut) if mentions_floats(ty.to_token_stream()) => error(
            "`Const` cannot be used for floats behind `&mut`: what is written there would lose its derivative",
        ),
        (Kind::Const, _) => Ok(Passing::Fixed),
        (Kind::Active, Passing::ByValue) => Ok(Passing::ByValue),
        (Kind::Active, _) => {
            error("`Active` needs an argument by value: use `Duplicated` for a reference")
        }
        (Kind::Duplicated, Passing::ByValue) => {
            error("`Duplicated` needs a reference: use `Active` for an argument by value")
        }
        (Kind::Duplicated, passing) => Ok(passing),
        _ => error("`#[primal]` knows `Const`, `Active` and `Duplicated`"),
    }
}

fn mentions_floats(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "f64" || word == "f32",
        TokenTree::Group(group) => mentions_floats(group.stream()),
        _ => false,
    })
}

/// `name: Activity, ...`
struct Overrides(Vec<(Ident, Ident)>);

impl Overrides {
    fn of(&self, name: &Ident) -> Option<&Ident> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, activity)| activity)
    }

    fn check(&self, arguments: &[Argument]) -> Result<()> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !arguments.iter().any(|argument| argument.name == *name) {
                return Err(Error::new(
                    name.span(),
                    format!("there is no argument `{name}`"),
                ));
            }
            if self.0[..index].iter().any(|(before, _)| before == name) {
                return Err(Error::new(name.span(), format!("`{name}` is named twice")));
            }
        }
        Ok(())
    }
}

impl Parse for Overrides {
    fn parse(input: ParseStream) -> Result<Overrides> {
        let one = |input: ParseStream| {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![:]>()?;
            Ok((name, input.call(Ident::parse_any)?))
        };
        let all = Punctuated::<_, Token![,]>::parse_terminated_with(input, one)?;
        Ok(Overrides(all.into_iter().collect()))
    }
}
