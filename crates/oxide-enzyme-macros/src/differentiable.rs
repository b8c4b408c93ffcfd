//! `#[derive(Differentiable)]`: a zero gradient field by field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Member, Result, Type, parse_quote};

pub fn expand(mut input: DeriveInput) -> Result<TokenStream> {
    for parameter in input.generics.type_params_mut() {
        let itself = parameter.ident.clone();
        parameter
            .bounds
            .push(parse_quote!(::oxide_enzyme::Differentiable<Gradient = #itself>));
    }
    let variants: Vec<(TokenStream, &Fields)> = match &input.data {
        Data::Struct(data) => vec![(quote!(Self), &data.fields)],
        Data::Enum(data) if data.variants.is_empty() => {
            return Err(Error::new(
                input.ident.span(),
                "a type without values has no gradient",
            ));
        }
        Data::Enum(data) => {
            let path = |name: &Ident| quote!(Self::#name);
            data.variants
                .iter()
                .map(|v| (path(&v.ident), &v.fields))
                .collect()
        }
        Data::Union(data) => {
            return Err(Error::new(data.union_token.span, "a union has no gradient"));
        }
    };
    let zeros = variants.iter().map(|(path, fields)| zero(path, fields));
    let clears = variants.iter().map(|(path, fields)| clear(path, fields));
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::oxide_enzyme::calculus::Clear for #name #arguments #bounds {
            fn clear(&mut self) {
                match self { #(#clears)* }
            }
        }

        #[automatically_derived]
        impl #generics ::oxide_enzyme::Differentiable for #name #arguments #bounds {
            type Gradient = Self;
            fn zero_gradient(&self) -> Self {
                match self { #(#zeros)* }
            }
        }
    })
}

fn zero(path: &TokenStream, fields: &Fields) -> TokenStream {
    let (members, types, locals) = parts(fields);
    quote! {
        #path { #(#members: #locals),* } => #path {
            #(#members: <#types as ::oxide_enzyme::Differentiable>::zero_gradient(#locals)),*
        },
    }
}

fn clear(path: &TokenStream, fields: &Fields) -> TokenStream {
    let (members, types, locals) = parts(fields);
    quote! {
        #path { #(#members: #locals),* } => {
            #(<#types as ::oxide_enzyme::calculus::Clear>::clear(#locals);)*
        }
    }
}

fn parts(fields: &Fields) -> (Vec<Member>, Vec<&Type>, Vec<Ident>) {
    let types: Vec<&Type> = fields.iter().map(|field| &field.ty).collect();
    let local = |index| format_ident!("field{index}", span = Span::mixed_site());
    let locals = (0..types.len()).map(local).collect();
    (fields.members().collect(), types, locals)
}
