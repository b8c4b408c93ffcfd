//! From a request to the derivative's source: its signature, and a body that calls the library.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{GenericParam, Item, ItemFn, ReturnType, Type, parse_quote};

use crate::activity::{Kind, Mode};
use crate::docs;
use crate::request::{Input, Request, shadow_name, strip};

/// The environment variable by which `cargo enzyme` says that it will link.
const DRIVER: &str = "OXIDE_ENZYME_DRIVER";

impl Input {
    /// Whether the derivative takes a shadow of it.
    pub fn has_shadow(&self) -> bool {
        !matches!(
            self.activity.kind,
            Kind::Const | Kind::Active | Kind::ActiveOnly
        )
    }

    /// Whether the derivative returns its gradient.
    pub fn has_gradient(&self) -> bool {
        matches!(self.activity.kind, Kind::Active | Kind::ActiveOnly)
    }

    fn is_active(&self) -> bool {
        self.activity.kind != Kind::Const
    }

    /// A shadow is written to in reverse mode: its outermost reference is `mut`.
    fn shadow_type(&self, mode: Mode) -> Type {
        let mut ty = self.ty.clone();
        if mode == Mode::Reverse {
            match strip(&self.ty).clone() {
                Type::Reference(mut reference) => {
                    reference.mutability = Some(parse_quote!(mut));
                    ty = reference.into();
                }
                Type::Ptr(mut pointer) => {
                    pointer.const_token = None;
                    pointer.mutability = Some(parse_quote!(mut));
                    ty = pointer.into();
                }
                _ => {}
            }
        }
        ty
    }

    /// Whether the primal only reads it, so that a shadow that is written to has another type.
    fn is_read_only(&self) -> bool {
        match strip(&self.ty) {
            Type::Reference(reference) => reference.mutability.is_none(),
            Type::Ptr(pointer) => pointer.mutability.is_none(),
            _ => false,
        }
    }
}

impl Request {
    /// The derivative is unsafe when the primal is, or when it may leave an argument in any state.
    pub fn is_unsafe(&self) -> bool {
        let discards =
            |input: &Input| matches!(input.activity.kind, Kind::DuplicatedOnly | Kind::DualOnly);
        self.primal.sig.unsafety.is_some() || self.inputs.iter().any(discards)
    }

    /// What becomes of the result; `Const` if there is none.
    pub fn output_kind(&self) -> Kind {
        self.output
            .as_ref()
            .map_or(Kind::Const, |output| output.activity.kind)
    }

    /// The derivative's source.
    pub fn expand(&self) -> TokenStream {
        let (attributes, docs) = (self.attributes(), docs::of(self));
        let (vis, signature, body) = (&self.primal.vis, self.signature(), self.body());
        quote! {
            #(#attributes)*
            #(#[doc = #docs])*
            #[allow(non_snake_case, clippy::too_many_arguments, clippy::type_complexity)]
            #[track_caller]
            #vis #signature {
                #body
            }
        }
    }

    /// What else the derivative has in common with its primal.
    fn attributes(&self) -> Vec<&syn::Attribute> {
        let shared = ["cfg", "allow", "warn", "deny", "deprecated"];
        self.primal
            .attrs
            .iter()
            .filter(|a| shared.iter().any(|name| a.path().is_ident(name)))
            .collect()
    }

    fn signature(&self) -> TokenStream {
        let sig = &self.primal.sig;
        let (name, generics, where_clause) =
            (&self.name, &sig.generics, &sig.generics.where_clause);
        let unsafety = self.is_unsafe().then(|| quote!(unsafe));
        let (parameters, output) = (self.parameters(), self.return_type());
        quote!(#unsafety fn #name #generics(#(#parameters),*) #output #where_clause)
    }

    fn parameters(&self) -> Vec<TokenStream> {
        let mut parameters = Vec::new();
        for input in &self.inputs {
            let Input {
                ident,
                ty,
                receiver,
                ..
            } = input;
            parameters.push(match receiver.clone() {
                Some(mut receiver) => {
                    if receiver.reference.is_none() {
                        receiver.mutability = None;
                    }
                    receiver.to_token_stream()
                }
                None => quote!(#ident: #ty),
            });
            if input.has_shadow() {
                let (shadow, ty) = (shadow_name(self.mode, ident), input.shadow_type(self.mode));
                parameters.push(quote!(#shadow: #ty));
            }
        }
        if let Some(output) = self.output.as_ref().filter(|_| self.has_seed()) {
            let (dret, ty) = (dret(), &output.ty);
            parameters.push(quote!(#dret: #ty));
        }
        parameters
    }

    /// Whether the last argument is the seed of the result.
    pub fn has_seed(&self) -> bool {
        self.mode == Mode::Reverse && matches!(self.output_kind(), Kind::Active | Kind::ActiveOnly)
    }

    /// Whether the derivative returns the primal's result.
    pub fn returns_primal(&self) -> bool {
        self.output.is_some() && !matches!(self.output_kind(), Kind::ActiveOnly | Kind::DualOnly)
    }

    fn return_type(&self) -> ReturnType {
        let result = self.output.as_ref().map(|output| output.ty.clone());
        let mut types: Vec<Type> = result
            .clone()
            .into_iter()
            .filter(|_| self.returns_primal())
            .collect();
        match self.mode {
            Mode::Reverse => {
                types.extend(
                    self.inputs
                        .iter()
                        .filter(|input| input.has_gradient())
                        .map(|input| input.ty.clone()),
                );
            }
            Mode::Forward if self.output_kind() != Kind::Const => types.extend(result),
            Mode::Forward => {}
        }
        match types.as_slice() {
            [] => ReturnType::Default,
            [one] => parse_quote!(-> #one),
            _ => parse_quote!(-> (#(#types),*)),
        }
    }

    fn body(&self) -> TokenStream {
        let (checks, call) = (self.checks(), self.call());
        quote! {
            // Makes cargo build again when the driver comes or goes.
            const _: ::core::option::Option<&str> = ::core::option_env!(#DRIVER);
            #checks
            #call
        }
    }

    /// Every shadow must have its argument's shape.
    fn checks(&self) -> TokenStream {
        let name = self.name.to_string();
        let checks: Vec<TokenStream> = self
            .inputs
            .iter()
            .filter(|input| input.has_shadow())
            .filter_map(|input| {
                let shadow = shadow_name(self.mode, &input.ident);
                let (argument_name, shadow_name) = (input.ident.unraw().to_string(), shadow.to_string());
                let ident = &input.ident;
                let (pair, growable) = match strip(&input.ty) {
                    Type::Ptr(_) => return None,
                    Type::Path(path) if path.path.is_ident("f32") || path.path.is_ident("f64") => return None,
                    Type::Reference(reference) => (quote!(&*#ident, &*#shadow), reference.mutability.is_some()),
                    _ => (quote!(&#ident, &#shadow), true),
                };
                Some(quote! {
                    (&&&::oxide_enzyme::__private::Pair(#pair))
                        .check(::oxide_enzyme::__private::At::argument(#name, #argument_name, #shadow_name, #growable));
                })
            })
            .collect();
        if checks.is_empty() {
            return TokenStream::new();
        }
        quote! {
            {
                #[allow(unused_imports)]
                use ::oxide_enzyme::__private::{AnyType as _, Deep as _, Shallow as _};
                #(#checks)*
            }
        }
    }

    /// Calls the library, and puts what it gives into the form that the signature promises.
    fn call(&self) -> TokenStream {
        let link = Ident::new(
            if std::env::var_os(DRIVER).is_some() {
                "Enzyme"
            } else {
                "NoDriver"
            },
            Span::call_site(),
        );
        let function = Ident::new(self.function(), Span::call_site());
        let closure = self.closure();
        let active = nest(
            self.inputs
                .iter()
                .filter(|input| input.is_active())
                .map(|input| input.ident.to_token_stream()),
        );
        let constant = nest(
            self.inputs
                .iter()
                .filter(|input| !input.is_active())
                .map(|input| input.ident.to_token_stream()),
        );
        let shadows = nest(
            self.inputs
                .iter()
                .filter(|input| input.is_active())
                .map(|input| self.shadow(input)),
        );
        let seed = self.has_seed().then(dret).into_iter();
        let call = quote! {
            ::oxide_enzyme::__private::#function(
                ::oxide_enzyme::__private::#link,
                #closure,
                #active,
                #shadows,
                #constant,
                #(#seed)*
            )
        };
        match self.mode {
            Mode::Forward => call,
            Mode::Reverse => self.unpack(&call),
        }
    }

    /// The library's function for this mode and result.
    fn function(&self) -> &'static str {
        match (self.mode, self.output_kind()) {
            (Mode::Reverse, Kind::Active) => "reverse",
            (Mode::Reverse, Kind::ActiveOnly) => "reverse_only",
            (Mode::Reverse, _) => "reverse_const",
            (Mode::Forward, Kind::Dual) => "forward",
            (Mode::Forward, Kind::DualOnly) => "forward_only",
            (Mode::Forward, _) => "forward_const",
        }
    }

    /// The primal as a closure over the list of active and the list of constant arguments.
    fn closure(&self) -> TokenStream {
        let names: Vec<Ident> = (0..self.inputs.len())
            .map(|index| Ident::new(&format!("x{index}"), Span::mixed_site()))
            .collect();
        let chosen = |active: bool| {
            let inputs = self
                .inputs
                .iter()
                .zip(&names)
                .filter(move |(input, _)| input.is_active() == active);
            nest(inputs.map(|(_, name)| name.to_token_stream()))
        };
        let (active, constant, callee) = (chosen(true), chosen(false), self.callee());
        let mut call = quote!(#callee(#(#names),*));
        if self.primal.sig.unsafety.is_some() {
            call = quote!(unsafe { #call });
        }
        quote!(|#active, #constant| #call)
    }

    /// The primal by name, with its type arguments, since not all of them need follow from the arguments.
    fn callee(&self) -> TokenStream {
        let sig = &self.primal.sig;
        let name = &sig.ident;
        let generics: Vec<&Ident> = sig
            .generics
            .params
            .iter()
            .filter_map(|parameter| match parameter {
                GenericParam::Type(ty) => Some(&ty.ident),
                GenericParam::Const(constant) => Some(&constant.ident),
                GenericParam::Lifetime(_) => None,
            })
            .collect();
        let turbofish = (!generics.is_empty()).then(|| quote!(::<#(#generics),*>));
        let prefix = mentions_self(&self.primal).then(|| quote_spanned!(name.span()=> Self::));
        quote!(#prefix #name #turbofish)
    }

    fn shadow(&self, input: &Input) -> TokenStream {
        let shadow = shadow_name(self.mode, &input.ident);
        if input.has_gradient() {
            quote!(::oxide_enzyme::__private::Zero)
        } else if self.mode == Mode::Reverse && input.is_read_only() {
            quote!(::oxide_enzyme::__private::Writable(#shadow))
        } else {
            quote!(::oxide_enzyme::__private::Same(#shadow))
        }
    }

    /// Takes the gradients out of the list of shadows.
    fn unpack(&self, call: &TokenStream) -> TokenStream {
        let gradient =
            |input: &Input| Ident::new(&format!("d{}", input.ident.unraw()), Span::mixed_site());
        let pattern = nest(
            self.inputs
                .iter()
                .filter(|input| input.is_active())
                .map(|input| {
                    if input.has_gradient() {
                        gradient(input).to_token_stream()
                    } else {
                        quote!(_)
                    }
                }),
        );
        let mut values: Vec<Ident> = self
            .inputs
            .iter()
            .filter(|input| input.has_gradient())
            .map(gradient)
            .collect();
        let primal = Ident::new("primal", Span::mixed_site());
        if self.returns_primal() {
            values.insert(0, primal.clone());
        }
        let pattern = match self.output_kind() {
            Kind::ActiveOnly => pattern,
            _ if self.returns_primal() => quote!((#primal, #pattern)),
            _ => quote!((_, #pattern)),
        };
        let value = match values.as_slice() {
            [] => TokenStream::new(),
            [one] => one.to_token_stream(),
            _ => quote!((#(#values),*)),
        };
        quote!(let #pattern = #call; #value)
    }
}

/// The seed of the result.
fn dret() -> Ident {
    Ident::new("dret", Span::mixed_site())
}

/// The list `(first, (second, ()))`, of any length.
fn nest(items: impl DoubleEndedIterator<Item = TokenStream>) -> TokenStream {
    items
        .rev()
        .fold(quote!(()), |rest, item| quote!((#item, #rest)))
}

/// An attribute does not see whether its function stands in an `impl`: it does if it says `self` or `Self`.
fn mentions_self(primal: &ItemFn) -> bool {
    struct Search(bool);

    impl<'ast> Visit<'ast> for Search {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.0 |= ident == "Self" || ident == "self";
        }

        fn visit_macro(&mut self, call: &'ast syn::Macro) {
            self.0 |= says_self(call.tokens.clone());
            visit::visit_macro(self, call);
        }

        // Items inside have a `Self` of their own.
        fn visit_item(&mut self, _: &'ast Item) {}
    }

    let mut search = Search(false);
    search.visit_signature(&primal.sig);
    search.visit_block(&primal.block);
    search.0
}

fn says_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "Self" || ident == "self",
        proc_macro2::TokenTree::Group(group) => says_self(group.stream()),
        _ => false,
    })
}
