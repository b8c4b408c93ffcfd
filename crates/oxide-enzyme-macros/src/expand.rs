//! From a request to the derivative's source: its signature, and a body that calls the library.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit::{self, Visit};
use syn::{GenericParam, Item, ReturnType, Type, parse_quote};

use crate::activity::{Kind, Mode};
use crate::checked;
use crate::docs;
use crate::fit::{self, strip};
use crate::request::{Input, Output, Primal, Request, shadow_name};

/// The environment variable by which `cargo enzyme` says that it will link.
pub const DRIVER: &str = "OXIDE_ENZYME_DRIVER";

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
    pub fn shadow_type(&self, mode: Mode) -> Type {
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
        let discards = |input: &Input| input.activity.kind.discards();
        self.primal.sig.unsafety.is_some() || self.inputs.iter().any(discards)
    }

    /// The names of an input's shadows: one for each lane, or one for all.
    pub fn shadows(&self, input: &Input) -> Vec<Ident> {
        let lanes = match input.activity.kind {
            _ if !input.has_shadow() => 0,
            kind if kind.is_joined() => 1,
            _ => self.width,
        };
        (0..lanes)
            .map(|lane| shadow_name(self.mode, input, lane))
            .collect()
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
        let (vis, signature, body) = (&self.primal.visibility, self.signature(), self.body());
        // A panic names the caller; only Rust's own calls can say who that is. What has neither body nor `self` may be
        // foreign, which the compiler reports.
        let sig = &self.primal.sig;
        let calls = match &sig.abi {
            None if self.primal.block.is_none() && sig.receiver().is_none() => quote!(),
            None => quote!(#[track_caller]),
            Some(_) => quote!(#[allow(improper_ctypes_definitions)]),
        };
        quote! {
            #(#attributes)*
            #(#[doc = #docs])*
            #[allow(non_snake_case, clippy::too_many_arguments, clippy::type_complexity)]
            #calls
            #vis #signature {
                #body
            }
        }
    }

    /// What else the derivative has in common with its primal.
    pub fn attributes(&self) -> Vec<&syn::Attribute> {
        let shared = ["cfg", "allow", "warn", "deny", "deprecated"];
        self.primal
            .attributes
            .iter()
            .filter(|a| shared.iter().any(|name| a.path().is_ident(name)))
            .collect()
    }

    fn signature(&self) -> TokenStream {
        let sig = &self.primal.sig;
        let (name, generics, where_clause) =
            (&self.name, &sig.generics, &sig.generics.where_clause);
        let (unsafety, abi) = (self.is_unsafe().then(|| quote!(unsafe)), &sig.abi);
        let (parameters, output) = (self.parameters(), self.return_type());
        quote!(#unsafety #abi fn #name #generics(#(#parameters),*) #output #where_clause)
    }

    pub fn parameters(&self) -> Vec<TokenStream> {
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
            let ty = input.shadow_type(self.mode);
            let shadows = self.shadows(input);
            parameters.extend(shadows.iter().map(|shadow| quote!(#shadow: #ty)));
        }
        if let Some(output) = self.output.as_ref().filter(|_| self.has_seed()) {
            let (dret, ty) = (dret(), self.per_lane(&output.ty));
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
        let only = [Kind::ActiveOnly, Kind::DualOnly, Kind::DualvOnly];
        self.output.is_some() && !only.contains(&self.output_kind())
    }

    /// `T`, or at a vector width other than 1 an array of it.
    fn per_lane(&self, ty: &Type) -> Type {
        match self.width {
            1 => ty.clone(),
            width => array(ty, width),
        }
    }

    fn return_type(&self) -> ReturnType {
        let primal = self.output.iter().map(|output| &output.ty);
        let mut types: Vec<Type> = primal.filter(|_| self.returns_primal()).cloned().collect();
        match (self.mode, &self.output) {
            (Mode::Reverse, _) => {
                let gradients = self.inputs.iter().filter(|input| input.has_gradient());
                types.extend(gradients.map(|input| self.per_lane(&input.ty)));
            }
            (Mode::Forward, Some(Output { ty, activity })) if activity.kind != Kind::Const => {
                // One array of the result and its tangents, which all have one type.
                let count = self.width + types.len();
                types = match self.width {
                    1 => vec![ty.clone(); count],
                    _ => vec![array(ty, count)],
                };
            }
            (Mode::Forward, _) => {}
        }
        match types.as_slice() {
            [] => ReturnType::Default,
            [one] => parse_quote!(-> #one),
            _ => parse_quote!(-> (#(#types),*)),
        }
    }

    fn body(&self) -> TokenStream {
        let call = match self.mode {
            Mode::Forward => {
                let value = self.unpack_forward(self.call(&self.function(), self.seed()));
                match self.compares_with_differences() {
                    true => self.compared_forward(&value),
                    false => value,
                }
            }
            Mode::Reverse => {
                self.unpack_reverse(&self.kept(self.call(&self.function(), self.seed())))
            }
        };
        self.checked(&call)
    }

    /// The body of a split derivative.
    pub fn split_body(&self) -> TokenStream {
        let (pattern, gradients) = (self.gradient_pattern(0), self.gradient_values());
        let gradients = match gradients.as_slice() {
            [one] => one.clone(),
            _ => quote!((#(#gradients),*)),
        };
        let function = Ident::new("split", Span::call_site());
        let call = self.call(&function, Some(quote!(move |#pattern| #gradients)));
        self.checked(&call)
    }

    fn checked(&self, call: &TokenStream) -> TokenStream {
        let (plain_data, own, checks) = (self.plain_data(), self.same_impl(), self.checks());
        quote! {
            // Makes cargo build again when the driver comes or goes.
            const _: ::core::option::Option<&str> = ::core::option_env!(#DRIVER);
            #plain_data
            #own
            #checks
            #call
        }
    }

    /// What is `Active` may not own memory. Known here for most types; the compiler knows for all.
    fn plain_data(&self) -> TokenStream {
        let arguments = self.inputs.iter().filter(|input| input.has_gradient());
        let arguments = arguments.map(|input| {
            let text = format!(
                "argument `{}` of `{}` owns memory and cannot be `{}`: take it by reference, as `Duplicated`",
                input.ident, self.primal.sig.ident, input.activity.kind.name()
            );
            (&input.ty, input.activity.span, text)
        });
        let result = self.output.iter().filter(|_| self.has_seed());
        let result = result.map(|output| {
            let text = format!(
                "the result of `{}` owns memory and cannot be `{}`: write it into a `&mut` argument that is `Duplicated`",
                self.primal.sig.ident, output.activity.kind.name()
            );
            (&output.ty, output.activity.span, text)
        });
        let checks = arguments.chain(result).filter(|(ty, ..)| !is_float(ty));
        // A constant item is evaluated by `cargo check`, too, but cannot name what is generic.
        let is_generic = !self.primal.sig.generics.params.is_empty() || self.owner.is_some();
        let checks = checks.map(|(ty, span, text)| {
            let assert =
                quote_spanned!(span=> ::core::assert!(!::core::mem::needs_drop::<#ty>(), #text));
            match is_generic {
                true => quote_spanned!(span=> const { #assert };),
                false => quote_spanned!(span=> const _: () = #assert;),
            }
        });
        checks.collect()
    }

    /// `Self::f` in `impl Trait for Type` is a method of the type's own, if it has one of this name.
    fn same_impl(&self) -> TokenStream {
        let is_anonymous = |input: &Input| fit::is_anonymous(&input.ty);
        // What cannot be named cannot be asked for its name; a trait's own `Self::f` is its own.
        if self.owner.is_none()
            || self.primal.block.is_none()
            || self.inputs.iter().any(is_anonymous)
        {
            return TokenStream::new();
        }
        let callee = self.callee();
        let (derivative, primal) = (self.name.to_string(), self.primal.sig.ident.to_string());
        quote!(::oxide_enzyme::__private::same_impl(&#callee, &|| (), #derivative, #primal);)
    }

    /// Every shadow must have its argument's shape.
    fn checks(&self) -> TokenStream {
        let checks: Vec<TokenStream> = self
            .inputs
            .iter()
            .flat_map(|input| {
                let shadows = self.shadows(input);
                shadows.into_iter().flat_map(|shadow| {
                    [self.check(input, &shadow), self.spare(input, &shadow)]
                        .into_iter()
                        .flatten()
                })
            })
            .collect();
        if checks.is_empty() {
            return TokenStream::new();
        }
        quote! {
            {
                #[allow(unused_imports)]
                use ::oxide_enzyme::__private::{AnyType as _, Deep as _, DeepSpare as _, NoSpare as _, Shallow as _, ShallowSpare as _};
                #(#checks)*
            }
        }
    }

    fn check(&self, input: &Input, shadow: &Ident) -> Option<TokenStream> {
        let (ident, width) = (&input.ident, number(self.width));
        let names = [
            self.name.to_string(),
            input.label.clone(),
            shadow.to_string(),
        ];
        let (pair, growable) = match strip(&input.ty) {
            Type::Ptr(_) => return None,
            _ if is_float(&input.ty) => return None,
            Type::Reference(reference) => {
                (quote!(&*#ident, &*#shadow), reference.mutability.is_some())
            }
            _ => (quote!(&#ident, &#shadow), true),
        };
        let at = quote!(::oxide_enzyme::__private::At::argument(#(#names),*, #growable));
        Some(if input.activity.kind.is_joined() {
            let lane = hidden("enzyme_lane");
            quote! {
                for #lane in ::oxide_enzyme::__private::split_lanes(#pair, #width, #at) {
                    (&&&::oxide_enzyme::__private::Pair(&*#ident, #lane)).check(#at);
                }
            }
        } else {
            quote!((&&&::oxide_enzyme::__private::Pair(#pair)).check(#at);)
        })
    }

    /// Where the primal may grow a list, its reverse derivative adds to what the shadow has room for.
    fn spare(&self, input: &Input, shadow: &Ident) -> Option<TokenStream> {
        match strip(&input.ty) {
            Type::Reference(reference)
                if reference.mutability.is_some()
                    && self.mode == Mode::Reverse
                    && !is_float(&input.ty) =>
            {
                Some(quote!((&mut ::oxide_enzyme::__private::Spare(&mut *#shadow)).clear();))
            }
            _ => None,
        }
    }

    /// Arguments that own memory and their shadows keep it.
    fn kept(&self, call: TokenStream) -> TokenStream {
        let owners = self.inputs.iter().filter(|input| {
            input.has_shadow()
                && matches!(strip(&input.ty), Type::Reference(reference)
                    if reference.mutability.is_some() && !fit::is_numbers(&reference.elem))
        });
        let kept = hidden("enzyme_kept");
        let keep = |place: &Ident, name: TokenStream| quote!((&mut ::oxide_enzyme::__private::Spare(&mut *#place)).keep(&mut #kept, #name););
        let keeps: Vec<TokenStream> = owners
            .flat_map(|input| {
                let name = &input.label;
                let name = quote!(::core::option::Option::Some(#name));
                let shadows = self.shadows(input);
                let shadows = shadows
                    .iter()
                    .map(|shadow| keep(shadow, quote!(::core::option::Option::None)));
                [keep(&input.ident, name)]
                    .into_iter()
                    .chain(shadows)
                    .collect::<Vec<_>>()
            })
            .collect();
        if keeps.is_empty() {
            return call;
        }
        let (result, name) = (hidden("enzyme_result"), self.name.to_string());
        quote!({
            let mut #kept = ::oxide_enzyme::__private::Kept::new();
            {
                #[allow(unused_imports)]
                use ::oxide_enzyme::__private::{DeepKeep as _, NoKeep as _, ShallowKeep as _};
                #(#keeps)*
            }
            let #result = #call;
            #kept.put_back(#name);
            #result
        })
    }

    /// Calls a function of the library, whose last argument may be one more.
    fn call(&self, function: &Ident, last: Option<TokenStream>) -> TokenStream {
        let link = match std::env::var_os(DRIVER) {
            Some(_) => quote!(Enzyme),
            None => quote!(NoDriver),
        };
        let width = number(self.width);
        let closure = self.closure();
        let (active, constant) = (self.arguments(true), self.arguments(false));
        let shadows = nest(
            self.inputs
                .iter()
                .filter(|input| input.is_active())
                .map(|input| self.shadow(input)),
        );
        let last = last.into_iter();
        quote! {
            ::oxide_enzyme::__private::#function(
                ::oxide_enzyme::__private::#link::<#width>,
                #closure,
                #active,
                #shadows,
                #constant,
                #(#last)*
            )
        }
    }

    /// The seeds of all lanes, if the result has some.
    fn seed(&self) -> Option<TokenStream> {
        self.has_seed().then(|| match (dret(), self.width) {
            (dret, 1) => quote!([#dret]),
            (dret, _) => quote!(#dret),
        })
    }

    /// The list of the arguments that are active, or that are not.
    fn arguments(&self, active: bool) -> TokenStream {
        let chosen = self
            .inputs
            .iter()
            .filter(|input| input.is_active() == active);
        nest(chosen.map(|input| input.ident.to_token_stream()))
    }

    /// The library's function for this mode and result.
    fn function(&self) -> Ident {
        let name = match (self.mode, self.output_kind()) {
            (Mode::Reverse, Kind::Active) => "reverse",
            (Mode::Reverse, Kind::ActiveOnly) => "reverse_only",
            (Mode::Reverse, _) => "reverse_const",
            (Mode::Forward, Kind::Dual | Kind::Dualv) => "forward",
            (Mode::Forward, Kind::DualOnly | Kind::DualvOnly) => "forward_only",
            (Mode::Forward, _) => "forward_const",
        };
        Ident::new(name, Span::call_site())
    }

    /// The primal as a closure over the list of active and the list of constant arguments.
    fn closure(&self) -> TokenStream {
        let names: Vec<Ident> = (0..self.inputs.len())
            .map(|index| hidden(&format!("enzyme_argument_{index}")))
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
        // An argument may have the primal's name: items are looked up as for the user, local names are not.
        let mut name = sig.ident.clone();
        name.set_span(name.span().resolved_at(Span::mixed_site()));
        let turbofish = generic_arguments(sig);
        let prefix = self.owner.iter().map(|owner| quote!(#owner::));
        quote!(#(#prefix)* #name #turbofish)
    }

    fn shadow(&self, input: &Input) -> TokenStream {
        let shadows = self.shadows(input);
        if input.has_gradient() {
            quote!(::oxide_enzyme::__private::Zero)
        } else if input.activity.kind.is_joined() {
            quote!(::oxide_enzyme::__private::Lanes(#(#shadows)*))
        } else if self.mode == Mode::Reverse && input.is_read_only() {
            quote!(::oxide_enzyme::__private::Writable([#(#shadows),*]))
        } else {
            quote!(::oxide_enzyme::__private::Same([#(#shadows),*]))
        }
    }

    /// The result before its tangents, all in one tuple or array.
    fn unpack_forward(&self, call: TokenStream) -> TokenStream {
        let (primal, tangents) = (hidden("enzyme_primal"), self.lanes("enzyme_tangent"));
        match (self.output_kind(), self.width) {
            (Kind::Dual | Kind::Dualv, 1) => {
                quote!(let (#primal, [#(#tangents),*]) = #call; (#primal, #(#tangents),*))
            }
            (Kind::Dual | Kind::Dualv, _) => {
                quote!(let (#primal, [#(#tangents),*]) = #call; [#primal, #(#tangents),*])
            }
            (Kind::DualOnly | Kind::DualvOnly, 1) => {
                quote!(let [#(#tangents),*] = #call; #(#tangents),*)
            }
            _ => call,
        }
    }

    /// Whether the derivative compares itself with finite differences. Vectors of derivatives do not.
    fn compares_with_differences(&self) -> bool {
        checked::is_on() && self.width == 1
    }

    fn compared_forward(&self, value: &TokenStream) -> TokenStream {
        let tangent = match self.output_kind() {
            Kind::Dual | Kind::Dualv => quote!(check_value.1),
            _ => quote!(check_value),
        };
        let unused = |_: &Input| hidden("unused");
        let checked::Check { before, after } = self.comparison(&self.closure(), unused, &tangent);
        quote!(#before let check_value = { #value }; #after check_value)
    }

    /// Takes the gradients out of each lane's list of shadows.
    fn unpack_reverse(&self, call: &TokenStream) -> TokenStream {
        let lanes = (0..self.width).map(|lane| self.gradient_pattern(lane));
        let pattern = quote!([#(#lanes),*]);
        let primal = hidden("enzyme_primal");
        let mut values: Vec<TokenStream> = Vec::new();
        if self.returns_primal() {
            values.push(primal.to_token_stream());
        }
        values.extend(self.gradient_values());
        let pattern = match self.output_kind() {
            Kind::ActiveOnly => pattern,
            _ if self.returns_primal() => quote!((#primal, #pattern)),
            _ => quote!((_, #pattern)),
        };
        let value = match values.as_slice() {
            [] => TokenStream::new(),
            [one] => one.clone(),
            _ => quote!((#(#values),*)),
        };
        if self.compares_with_differences() {
            let gradient = |input: &Input| self.gradient_lanes(input)[0].clone();
            let checked::Check { before, after } =
                self.comparison(&self.closure(), gradient, &quote!(()));
            return quote!(#before let #pattern = #call; #after #value);
        }
        quote!(let #pattern = #call; #value)
    }

    /// The list of a lane's shadows, gradients by name.
    fn gradient_pattern(&self, lane: usize) -> TokenStream {
        let active = self.inputs.iter().filter(|input| input.is_active());
        nest(active.map(|input| match input.has_gradient() {
            true => self.gradient_lanes(input)[lane].to_token_stream(),
            false => quote!(_),
        }))
    }

    /// The gradients, each of one lane or an array of all.
    fn gradient_values(&self) -> Vec<TokenStream> {
        let with_gradient = self.inputs.iter().filter(|input| input.has_gradient());
        with_gradient
            .map(|input| match (self.gradient_lanes(input), self.width) {
                (lanes, 1) => quote!(#(#lanes)*),
                (lanes, _) => quote!([#(#lanes),*]),
            })
            .collect()
    }

    fn gradient_lanes(&self, input: &Input) -> Vec<Ident> {
        self.lanes(&format!("enzyme_gradient_{}", input.index))
    }

    /// A name for each lane.
    fn lanes(&self, stem: &str) -> Vec<Ident> {
        (0..self.width)
            .map(|lane| hidden(&format!("{stem}_{lane}")))
            .collect()
    }
}

fn is_float(ty: &Type) -> bool {
    matches!(strip(ty), Type::Path(path) if path.path.is_ident("f32") || path.path.is_ident("f64"))
}

/// A name that the primal's own cannot clash with.
pub fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn array(ty: &Type, count: usize) -> Type {
    let count = number(count);
    parse_quote!([#ty; #count])
}

fn number(number: usize) -> Literal {
    Literal::usize_unsuffixed(number)
}

/// A function's own type arguments, for calling it.
pub fn generic_arguments(sig: &syn::Signature) -> Option<TokenStream> {
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
    (!generics.is_empty()).then(|| quote!(::<#(#generics),*>))
}

/// The seed of the result.
fn dret() -> Ident {
    hidden("dret")
}

/// The list `(first, (second, ()))`, of any length.
pub fn nest(items: impl DoubleEndedIterator<Item = TokenStream>) -> TokenStream {
    items
        .rev()
        .fold(quote!(()), |rest, item| quote!((#item, #rest)))
}

/// An attribute does not see whether its function stands in an `impl` or a trait: it does if it says `self` or `Self`, or if the
/// attribute says so.
pub fn mentions_self(primal: &Primal) -> bool {
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
    match &primal.block {
        Some(block) => search.visit_block(block),
        // Only a trait declares a function without defining it.
        None => return true,
    }
    search.0
}

fn says_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "Self" || ident == "self",
        proc_macro2::TokenTree::Group(group) => says_self(group.stream()),
        _ => false,
    })
}
