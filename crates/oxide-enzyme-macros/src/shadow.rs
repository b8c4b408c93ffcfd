//! `#[derive(Shadow)]`: checks a shadow field by field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Index, Member, Result, Type, parse_quote};

pub fn expand(mut input: DeriveInput) -> Result<TokenStream> {
    for parameter in input.generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::oxide_enzyme::Shadow));
    }
    let (flat, body) = match &input.data {
        Data::Struct(data) => (flat(&data.fields), arms(&[(quote!(Self), &data.fields)])),
        Data::Enum(data) => {
            let variants: Vec<_> = data
                .variants
                .iter()
                .map(|v| (variant(&v.ident), &v.fields))
                .collect();
            (quote!(false), arms(&variants))
        }
        Data::Union(data) => {
            return Err(Error::new(
                data.union_token.span,
                "a union has no shape to check",
            ));
        }
    };
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::oxide_enzyme::Shadow for #name #arguments #bounds {
            const FLAT: bool = #flat;

            #[track_caller]
            fn check_shadow(&self, shadow: &Self, at: &::oxide_enzyme::__private::At<'_>) {
                match (self, shadow) {
                    #body
                    #[allow(unreachable_patterns)]
                    _ => at.different_variants(),
                }
            }
        }
    })
}

fn variant(name: &Ident) -> TokenStream {
    quote!(Self::#name)
}

/// A struct is flat when all its fields are.
fn flat(fields: &Fields) -> TokenStream {
    let types = fields.iter().map(|field| &field.ty);
    quote!(true #(&& <#types as ::oxide_enzyme::Shadow>::FLAT)*)
}

/// One arm a variant, which binds the fields of both sides.
fn arms(variants: &[(TokenStream, &Fields)]) -> TokenStream {
    variants
        .iter()
        .map(|(path, fields)| arm(path, fields))
        .collect()
}

fn arm(path: &TokenStream, fields: &Fields) -> TokenStream {
    let members: Vec<Member> = fields.members().collect();
    let types: Vec<&Type> = fields.iter().map(|field| &field.ty).collect();
    let names: Vec<String> = members.iter().map(member_name).collect();
    let locals = |side: &str| -> Vec<Ident> {
        (0..members.len())
            .map(|index| format_ident!("{side}{index}", span = Span::mixed_site()))
            .collect()
    };
    let (primal, shadow) = (locals("primal"), locals("shadow"));
    quote! {
        (#path { #(#members: #primal),* }, #path { #(#members: #shadow),* }) => {
            #(<#types as ::oxide_enzyme::Shadow>::check_shadow(#primal, #shadow, &at.field(#names));)*
        }
    }
}

fn member_name(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(Index { index, .. }) => index.to_string(),
    }
}
