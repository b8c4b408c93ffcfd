//! `#[custom_reverse]`, `#[custom_forward]` and `#[inactive]`: the function as it was under another name, and one in its place
//! that calls it through the library.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericArgument, ItemFn, Pat, Path, PathArguments, Result, Token, Type};

use crate::activity::{self, Activity, Kind, Mode, Place};
use crate::expand::{generic_arguments, hidden, mentions_self, nest};
use crate::fit::strip;
use crate::problems::error;
use crate::request::Primal;

/// `rule, activities...`
struct Rule {
    path: Path,
    activities: Vec<Ident>,
}

impl Parse for Rule {
    fn parse(input: ParseStream) -> Result<Rule> {
        let path = input.parse()?;
        let mut activities = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                activities.push(input.parse()?);
            }
        }
        Ok(Rule { path, activities })
    }
}

/// An argument: its name, and whether a rule has a derivative for it.
struct Input {
    name: Ident,
    is_constant: bool,
    is_reference: bool,
}

/// A function with one rule or two.
struct WithRules {
    function: ItemFn,
    inputs: Vec<Input>,
    reverse: Option<Path>,
    forward: Option<Path>,
    /// The attribute that was expanded together with the one above it.
    absorbed: Option<Path>,
}

/// The argument with which either attribute expands to nothing.
const USED: &str = "expanded with the attribute above";

/// Expands either attribute; the other one may stand below it.
pub fn expand(mode: Mode, attribute: TokenStream, mut function: ItemFn) -> Result<TokenStream> {
    if syn::parse2::<syn::LitStr>(attribute.clone()).is_ok_and(|text| text.value() == USED) {
        return Ok(TokenStream::new());
    }
    let mut rules = vec![(mode, syn::parse2::<Rule>(attribute)?)];
    let mut others = Vec::new();
    let mut absorbed = None;
    for attribute in std::mem::take(&mut function.attrs) {
        match mode_of(&attribute) {
            Some(other) => {
                rules.push((other, attribute.parse_args()?));
                absorbed = Some(attribute.path().clone());
            }
            None => others.push(attribute),
        }
    }
    function.attrs = others;
    let mut with_rules = WithRules::new(rules, function)?;
    with_rules.absorbed = absorbed;
    Ok(with_rules.expand())
}

fn mode_of(attribute: &syn::Attribute) -> Option<Mode> {
    let name = &attribute.path().segments.last()?.ident;
    match name.to_string().as_str() {
        "custom_reverse" => Some(Mode::Reverse),
        "custom_forward" => Some(Mode::Forward),
        _ => None,
    }
}

impl WithRules {
    fn new(rules: Vec<(Mode, Rule)>, function: ItemFn) -> Result<WithRules> {
        let mut all = WithRules {
            inputs: Vec::new(),
            function,
            reverse: None,
            forward: None,
            absorbed: None,
        };
        for (mode, rule) in rules {
            let inputs = inputs(mode, &rule, &all.function)?;
            let slot = match mode {
                Mode::Reverse => &mut all.reverse,
                Mode::Forward => &mut all.forward,
            };
            if slot.is_some() {
                return Err(Error::new(rule.path.span(), "there is such a rule already"));
            }
            *slot = Some(rule.path);
            let agree = |a: &Input, b: &Input| a.is_constant == b.is_constant;
            if !all.inputs.is_empty() && !all.inputs.iter().zip(&inputs).all(|(a, b)| agree(a, b)) {
                return Err(Error::new(
                    Span::call_site(),
                    "both rules must have the same arguments `Const`",
                ));
            }
            all.inputs = inputs;
        }
        Ok(all)
    }

    fn expand(&self) -> TokenStream {
        let private = quote!(::oxide_enzyme::__private);
        let (original, outer) = split(&self.function, "without_rule");
        let (attributes, vis, sig) = (&outer.attributes, &outer.visibility, &outer.signature);
        let rules = match (&self.reverse, &self.forward) {
            (Some(_), Some(_)) => quote!({ #private::REVERSE | #private::FORWARD }),
            (Some(_), None) => quote!({ #private::REVERSE }),
            _ => quote!({ #private::FORWARD }),
        };
        let arguments = self.list(|input| input.wrapped(&input.name));
        // The attribute that was taken off the function would pass for an unused import.
        let used = self.absorbed.iter().map(|path| {
            let name = format_ident!("__{}_has_rules", self.function.sig.ident.unraw());
            quote!(#[#path(#USED)] fn #name() {})
        });
        let (primal, reverse, forward) = (self.primal(&outer.call), self.reverse(), self.forward());
        quote! {
            #(#attributes)*
            #vis #sig {
                #private::with_rule::<#rules, _, _, _, _, _>(#arguments, #primal, #reverse, #forward)
            }
            #original
            #(#used)*
        }
    }

    fn list(&self, item: impl Fn(&Input) -> TokenStream) -> TokenStream {
        nest(self.inputs.iter().map(item).collect::<Vec<_>>().into_iter())
    }

    fn primal(&self, call: &TokenStream) -> TokenStream {
        let pattern = self.list(|input| input.wrapped(&input.hidden()));
        let names = self.inputs.iter().map(Input::hidden);
        quote!(|#pattern| #call(#(#names),*))
    }

    fn reverse(&self) -> TokenStream {
        let Some(rule) = &self.reverse else {
            return quote!(|_, _| ::core::unreachable!());
        };
        let pattern = self.list(|input| {
            let (name, shadow) = (input.hidden(), input.shadow());
            match (input.is_constant, input.is_reference) {
                (false, true) => quote!((#name, #shadow)),
                _ => name.to_token_stream(),
            }
        });
        let arguments = self.inputs.iter().map(|input| {
            let (name, shadow) = (input.hidden(), input.shadow());
            match (input.is_constant, input.is_reference) {
                (false, true) => quote!(#name, #shadow),
                _ => name.to_token_stream(),
            }
        });
        let gradients: Vec<Ident> = self
            .inputs
            .iter()
            .filter(|input| !input.is_constant && !input.is_reference)
            .map(Input::shadow)
            .collect();
        let given = match gradients.as_slice() {
            [] => return quote!(|#pattern, dret| #rule(#(#arguments,)* dret)),
            [one] => one.to_token_stream(),
            _ => quote!((#(#gradients),*)),
        };
        let list = nest(gradients.iter().map(ToTokens::to_token_stream));
        quote!(|#pattern, dret| { let #given = #rule(#(#arguments,)* dret); #list })
    }

    fn forward(&self) -> TokenStream {
        let Some(rule) = &self.forward else {
            return quote!(|_| ::core::unreachable!());
        };
        let pattern = self.list(|input| {
            let (name, tangent) = (input.hidden(), input.shadow());
            match input.is_constant {
                false => quote!((#name, #tangent)),
                true => name.to_token_stream(),
            }
        });
        let arguments = self.inputs.iter().map(|input| {
            let (name, tangent) = (input.hidden(), input.shadow());
            match input.is_constant {
                false => quote!(#name, #tangent),
                true => name.to_token_stream(),
            }
        });
        quote!(|#pattern| #rule(#(#arguments),*))
    }
}

impl Input {
    fn hidden(&self) -> Ident {
        hidden(&format!("rule_{}", self.name))
    }

    fn shadow(&self) -> Ident {
        hidden(&format!("rule_d_{}", self.name))
    }

    /// In the wrapper by which the library knows how it is passed.
    fn wrapped(&self, name: &Ident) -> TokenStream {
        let wrapper = match (self.is_constant, self.is_reference) {
            (false, false) => "Value",
            (false, true) => "Shared",
            (true, false) => "Constant",
            (true, true) => "ConstantShared",
        };
        let wrapper = Ident::new(wrapper, Span::call_site());
        quote!(::oxide_enzyme::__private::#wrapper(#name))
    }
}

/// The arguments, with the activities that a rule gives them.
fn inputs(mode: Mode, rule: &Rule, function: &ItemFn) -> Result<Vec<Input>> {
    let sig = &function.sig;
    let expected = sig.inputs.len() + 1;
    if rule.activities.len() != expected {
        return Err(error(
            rule.activities
                .last()
                .map_or(rule.path.span(), Spanned::span),
            &format!(
                "expected {expected} activities but found {}",
                rule.activities.len()
            ),
            "one for each argument of the function, and one for its result",
        ));
    }
    let result = &rule.activities[expected - 1];
    let read = activity::read_strictly(result, mode, Place::Result)?;
    if !matches!(read.kind, Kind::Active | Kind::Dual) {
        return Err(error(
            result.span(),
            &format!("`{result}` cannot be used for the result of a function with a rule"),
            "the result is `Active` in reverse mode and `Dual` in forward mode",
        ));
    }
    let arguments = sig.inputs.iter().zip(&rule.activities).enumerate();
    arguments
        .map(|(index, (argument, word))| input(mode, index, argument, word))
        .collect()
}

fn input(mode: Mode, index: usize, argument: &FnArg, word: &Ident) -> Result<Input> {
    let Activity { kind, span, .. } = activity::read_strictly(word, mode, Place::Argument)?;
    let (name, ty) = match argument {
        FnArg::Receiver(me) => (Ident::new("self", me.span()), (*me.ty).clone()),
        FnArg::Typed(typed) => (argument_name(&typed.pat, index), (*typed.ty).clone()),
    };
    let (is_reference, is_mutable) = match strip(&ty) {
        Type::Reference(reference) => (true, reference.mutability.is_some()),
        Type::Ptr(_) => (true, true),
        _ => (false, false),
    };
    if is_mutable {
        return Err(error(
            span,
            "a function with a rule takes arguments by value or by shared reference",
            "return what it computes instead of writing it to an argument",
        ));
    }
    let fits = match kind {
        Kind::Const | Kind::Dual => true,
        Kind::Active => !is_reference,
        Kind::Duplicated => is_reference,
        _ => false,
    };
    if !fits {
        return Err(error(
            span,
            &format!(
                "`{}` cannot be used here for a function with a rule",
                kind.name()
            ),
            "`Const` for what has no derivative, `Active` by value, `Duplicated` by reference, `Dual` in forward mode",
        ));
    }
    Ok(Input {
        name,
        is_constant: kind == Kind::Const,
        is_reference,
    })
}

fn argument_name(pattern: &Pat, index: usize) -> Ident {
    match pattern {
        Pat::Ident(named) => named.ident.clone(),
        _ => hidden(&format!("arg{index}")),
    }
}

/// What stands in a function's place.
struct Outer {
    attributes: Vec<syn::Attribute>,
    visibility: syn::Visibility,
    signature: syn::Signature,
    /// The function as it was, by its new name.
    call: TokenStream,
}

/// The function as it was under a name that ends in `suffix`, and what goes into its place.
fn split(function: &ItemFn, suffix: &str) -> (ItemFn, Outer) {
    let mut signature = function.sig.clone();
    for (index, argument) in signature.inputs.iter_mut().enumerate() {
        if let FnArg::Typed(typed) = argument {
            let name = argument_name(&typed.pat, index);
            *typed.pat = syn::parse_quote!(#name);
        }
    }
    let mut original = function.clone();
    let name = format_ident!(
        "__{}_{suffix}",
        function.sig.ident.to_string().trim_start_matches("r#")
    );
    original.sig.ident = name.clone();
    original.vis = syn::Visibility::Inherited;
    original.attrs = vec![
        syn::parse_quote!(#[doc(hidden)]),
        syn::parse_quote!(#[allow(clippy::too_many_arguments, clippy::type_complexity)]),
    ];
    let primal = Primal {
        attributes: Vec::new(),
        visibility: syn::Visibility::Inherited,
        sig: function.sig.clone(),
        block: Some((*function.block).clone()),
    };
    let prefix = mentions_self(&primal).then(|| quote!(Self::));
    let generics = generic_arguments(&function.sig);
    let outer = Outer {
        attributes: function.attrs.clone(),
        visibility: function.vis.clone(),
        signature,
        call: quote!(#prefix #name #generics),
    };
    (original, outer)
}

/// `#[inactive]`: Enzyme does not look into the function, and nothing that comes out of it has a derivative.
pub fn inactive(attribute: TokenStream, function: ItemFn) -> Result<TokenStream> {
    let overwrites = overwrites(attribute)?;
    if let Some(asyncness) = function.sig.asyncness {
        return Err(Error::new(
            asyncness.span,
            "an async function is not differentiated anyway",
        ));
    }
    let (original, outer) = split(&function, "inactive");
    let (attributes, vis, sig) = (&outer.attributes, &outer.visibility, &outer.signature);
    let arguments = sig.inputs.iter().enumerate();
    let named = arguments.map(|(index, argument)| match argument {
        FnArg::Receiver(me) => (Ident::new("self", me.span()), &me.ty),
        FnArg::Typed(typed) => (argument_name(&typed.pat, index), &typed.ty),
    });
    let (names, types): (Vec<Ident>, Vec<&Box<Type>>) = named.unzip();
    let places = names
        .iter()
        .zip(&types)
        .filter(|(_, ty)| is_place_of_floats(ty));
    let (overwritten, places): (Vec<&Ident>, Vec<&Box<Type>>) = places.unzip();
    if let Some(ty) = places.first().filter(|_| !overwrites) {
        return Err(error(
            ty.span(),
            "where an inactive function overwrites floats, what stood there keeps its derivative",
            "`#[inactive(overwrites)]` says that all of these are overwritten, and ends their derivatives; or return the new ones",
        ));
    }
    let call = outer.call;
    let mut call = quote!(#call(#(#names),*));
    if sig.unsafety.is_some() {
        call = quote!(unsafe { #call });
    }
    let mut body = quote!(::oxide_enzyme::__private::inactive(move || #call));
    if !overwritten.is_empty() {
        body = quote! {
            let result = {
                #(let #overwritten = &mut *#overwritten;)*
                #body
            };
            #(::oxide_enzyme::__private::overwritten(#overwritten);)*
            result
        };
    }
    Ok(quote! {
        #(#attributes)*
        #vis #sig {
            #body
        }
        #original
    })
}

/// Whether `#[inactive]` has the word that says that floats are overwritten.
fn overwrites(attribute: TokenStream) -> Result<bool> {
    let words = Punctuated::<Ident, Token![,]>::parse_terminated.parse2(attribute.clone());
    let words: Option<Vec<Ident>> = words.ok().map(|words| words.into_iter().collect());
    match words.as_deref() {
        Some([]) => Ok(false),
        Some([word]) if *word == "overwrites" => Ok(true),
        _ => Err(error(
            attribute.span(),
            "unknown argument of `#[inactive]`",
            "the only one is `overwrites`: the function overwrites all floats that it has by `&mut`",
        )),
    }
}

/// Whether a type is `&mut` to what holds floats, as far as its words tell.
fn is_place_of_floats(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if reference.mutability.is_some() && holds_floats(&reference.elem))
}

fn holds_floats(ty: &Type) -> bool {
    match ty {
        Type::Array(array) => holds_floats(&array.elem),
        Type::Slice(slice) => holds_floats(&slice.elem),
        Type::Paren(inner) => holds_floats(&inner.elem),
        Type::Group(inner) => holds_floats(&inner.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(holds_floats),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let is_argument = |argument: &GenericArgument| matches!(argument, GenericArgument::Type(ty) if holds_floats(ty));
            match &last.arguments {
                PathArguments::AngleBracketed(list) => list.args.iter().any(is_argument),
                _ => last.ident == "f32" || last.ident == "f64",
            }
        }),
        _ => false,
    }
}

/// The functions of mathematics that `oxide-enzyme`'s module `maths` has.
const KNOWN: [&str; 18] = [
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "exp2", "expm1",
    "log", "log2", "log10", "log1p", "sqrt", "cbrt",
];

/// `#[known_as(sin)]`: Enzyme differentiates the function of mathematics of that name.
pub fn known_as(attribute: TokenStream, function: ItemFn) -> Result<TokenStream> {
    let known = || {
        format!(
            "known are {}",
            KNOWN.map(|name| format!("`{name}`")).join(", ")
        )
    };
    let name: Ident = syn::parse2(attribute).map_err(|wrong| {
        error(
            wrong.span(),
            "expected the name of a function of mathematics",
            &known(),
        )
    })?;
    if !KNOWN.iter().any(|known| name == known) {
        let text = format!("`{name}` is not known to have a derivative of its own");
        return Err(error(name.span(), &text, &known()));
    }
    let (original, outer) = split(&function, "known");
    let (attributes, vis, sig, call) = (
        &outer.attributes,
        &outer.visibility,
        &outer.signature,
        &outer.call,
    );
    let argument = match sig.inputs.first() {
        Some(FnArg::Typed(typed)) if sig.inputs.len() == 1 => argument_name(&typed.pat, 0),
        _ => {
            return Err(error(
                sig.ident.span(),
                "a function of mathematics has one argument",
                "write it as a function `fn(f64) -> f64`",
            ));
        }
    };
    Ok(quote! {
        #(#attributes)*
        #vis #sig {
            ::oxide_enzyme::__private::maths::#name(#call, #argument)
        }
        #original
    })
}
