//! `#[autodiff_reverse_split]`: the forward pass as a function that returns the result and a tape.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Error, GenericParam, Generics, Lifetime, Result, Type, TypeReference, parse_quote};

use crate::activity::Kind;
use crate::docs;
use crate::fit::strip;
use crate::problems::error;
use crate::request::{Input, Request};

impl Request {
    /// The source of the split derivative.
    pub fn expand_split(&self) -> Result<TokenStream> {
        self.check_split()?;
        let (attributes, docs) = (self.attributes(), docs::of_split(self));
        let (vis, name, unsafety) = (
            &self.primal.visibility,
            &self.name,
            &self.primal.sig.unsafety,
        );
        let generics = self.split_generics();
        let where_clause = &generics.where_clause;
        let parameters = self.split_parameters();
        let (result, gradients) = (self.output.as_ref().map(|o| &o.ty), self.gradients());
        let body = self.split_body();
        Ok(quote! {
            #(#attributes)*
            #(#[doc = #docs])*
            #[allow(non_snake_case, clippy::too_many_arguments, clippy::type_complexity)]
            #[track_caller]
            #vis #unsafety fn #name #generics(#(#parameters),*)
                -> (#result, ::oxide_enzyme::Tape<'tape, #result, #gradients>)
            #where_clause
            {
                #body
            }
        })
    }

    fn check_split(&self) -> Result<()> {
        if self.width != 1 {
            return Err(Error::new(
                self.name.span(),
                "a split derivative has vector width 1",
            ));
        }
        if self.output_kind() != Kind::Active {
            let span = self
                .output
                .as_ref()
                .map_or(self.name.span(), |o| o.activity.span);
            return Err(error(
                span,
                "a split derivative needs a result that is `Active`",
                "the tape takes its seed",
            ));
        }
        self.inputs.iter().try_for_each(check_input)
    }

    /// The primal's generics, all of which outlive the tape.
    fn split_generics(&self) -> Generics {
        let mut generics = self.primal.sig.generics.clone();
        let tape = tape();
        let mut bounds: Vec<TokenStream> = Vec::new();
        for parameter in &generics.params {
            match parameter {
                GenericParam::Lifetime(lifetime) => {
                    let name = &lifetime.lifetime;
                    bounds.push(quote!(#name: #tape));
                }
                GenericParam::Type(ty) => {
                    let name = &ty.ident;
                    bounds.push(quote!(#name: #tape));
                }
                GenericParam::Const(_) => {}
            }
        }
        if self.inputs.iter().any(|input| input.receiver.is_some()) {
            bounds.push(quote!(Self: #tape));
        }
        generics.params.insert(0, parse_quote!(#tape));
        let where_clause = generics.make_where_clause();
        for bound in bounds {
            where_clause.predicates.push(parse_quote!(#bound));
        }
        generics
    }

    fn split_parameters(&self) -> Vec<TokenStream> {
        let tape = tape();
        let mut parameters = Vec::new();
        for input in &self.inputs {
            let (ident, ty) = (&input.ident, borrowed(&input.ty));
            parameters.push(match &input.receiver {
                Some(receiver)
                    if receiver.reference.is_some() && receiver.colon_token.is_none() =>
                {
                    quote!(&#tape self)
                }
                Some(_) => quote!(self: #ty),
                None => quote!(#ident: #ty),
            });
            let shadow_type = borrowed(&input.shadow_type(self.mode));
            let shadows = self.shadows(input);
            parameters.extend(shadows.iter().map(|shadow| quote!(#shadow: #shadow_type)));
        }
        parameters
    }

    fn gradients(&self) -> TokenStream {
        let types: Vec<Type> = self
            .inputs
            .iter()
            .filter(|input| input.has_gradient())
            .map(|input| borrowed(&input.ty))
            .collect();
        match types.as_slice() {
            [one] => one.to_token_stream(),
            _ => quote!((#(#types),*)),
        }
    }
}

fn check_input(input: &Input) -> Result<()> {
    let span = input.activity.span;
    let is_mutable = match strip(&input.ty) {
        Type::Reference(reference) => reference.mutability.is_some(),
        Type::Ptr(_) => true,
        Type::ImplTrait(_) => {
            return Err(error(
                span,
                "a split derivative cannot take an `impl Trait` argument",
                "name its type: `fn f<T: Trait>(x: T)`",
            ));
        }
        _ => false,
    };
    if is_mutable {
        return Err(error(
            span,
            "a split derivative takes arguments by value or by shared reference",
            "return what the function computes: the tape holds on to its arguments",
        ));
    }
    if input.activity.kind.discards() {
        return Err(error(
            span,
            &format!(
                "`{}` has no use in a split derivative",
                input.activity.kind.name()
            ),
            "use `Duplicated`",
        ));
    }
    Ok(())
}

fn tape() -> Lifetime {
    Lifetime::new("'tape", Span::call_site())
}

/// A type in which every lifetime without a name is the tape's.
fn borrowed(ty: &Type) -> Type {
    struct Borrowed;

    impl VisitMut for Borrowed {
        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            reference.lifetime.get_or_insert_with(tape);
            visit_mut::visit_type_reference_mut(self, reference);
        }

        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident == "_" {
                *lifetime = tape();
            }
        }

        // The lifetimes of these are their own.
        fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments_mut(
            &mut self,
            _: &mut syn::ParenthesizedGenericArguments,
        ) {
        }
    }

    let mut ty = ty.clone();
    Borrowed.visit_type_mut(&mut ty);
    ty
}
