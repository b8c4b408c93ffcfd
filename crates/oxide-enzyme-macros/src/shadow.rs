//! `#[derive(Shadow)]`: checks a shadow field by field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Index, Member, Result, Type, parse_quote};

use crate::problems::error;

pub fn expand(mut input: DeriveInput) -> Result<TokenStream> {
    for parameter in input.generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::oxide_enzyme::Shadow));
    }
    let (flat, shapes) = match &input.data {
        Data::Struct(data) => (flat(&data.fields), vec![(quote!(Self), &data.fields)]),
        Data::Enum(data) => {
            let variants: Vec<_> = data
                .variants
                .iter()
                .map(|v| (variant(&v.ident), &v.fields))
                .collect();
            (quote!(false), variants)
        }
        Data::Union(data) => {
            return Err(error(
                data.union_token.span,
                "a union has no shape to check: nothing says which field is in use",
                "use an enum",
            ));
        }
    };
    let spare = each(
        &shapes,
        |field| quote!(::oxide_enzyme::Shadow::clear_spare(#field)),
    );
    let visits = each(
        &shapes,
        |field| quote!(::oxide_enzyme::Shadow::floats(#field, visit)),
    );
    let places = each(
        &shapes,
        |field| quote!(::oxide_enzyme::Shadow::places(#field, note)),
    );
    let (body, copies) = (arms(&shapes), copies(&shapes));
    let types: Vec<&Type> = shapes
        .iter()
        .flat_map(|(_, fields)| fields.iter().map(|field| &field.ty))
        .collect();
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::oxide_enzyme::Shadow for #name #arguments #bounds {
            const FLAT: bool = #flat;
            const OWNED: bool = true #(&& <#types as ::oxide_enzyme::Shadow>::OWNED)*;
            const OWNS: bool = false #(|| <#types as ::oxide_enzyme::Shadow>::OWNS)*;

            #[track_caller]
            fn check_shadow(&self, shadow: &Self, at: &::oxide_enzyme::__private::At<'_>) {
                match (self, shadow) {
                    #body
                    #[allow(unreachable_patterns)]
                    _ => at.different_variants(),
                }
            }

            fn clear_spare(&mut self) {
                match self { #spare }
            }

            fn places(&mut self, note: &mut dyn ::core::ops::FnMut(::oxide_enzyme::__private::Place) -> bool) {
                match self { #places }
            }

            fn duplicate(&self) -> Self {
                match self { #copies }
            }

            fn floats(&mut self, visit: &mut dyn ::core::ops::FnMut(::oxide_enzyme::__private::Float<'_>)) {
                match self { #visits }
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

/// One arm a variant, which copies its fields.
fn copies(shapes: &[(TokenStream, &Fields)]) -> TokenStream {
    let arm = |(path, fields): &(TokenStream, &Fields)| {
        let (members, locals) = bound(fields);
        quote!(#path { #(#members: #locals),* } => #path { #(#members: ::oxide_enzyme::Shadow::duplicate(#locals)),* },)
    };
    never(shapes, quote!(*self), shapes.iter().map(arm).collect())
}

/// One arm a variant, which does something with each of its fields.
fn each(shapes: &[(TokenStream, &Fields)], with: impl Fn(&Ident) -> TokenStream) -> TokenStream {
    let arm = |(path, fields): &(TokenStream, &Fields)| {
        let (members, locals) = bound(fields);
        let each = locals.iter().map(&with);
        quote!(#path { #(#members: #locals),* } => { #(#each;)* })
    };
    never(shapes, quote!(*self), shapes.iter().map(arm).collect())
}

/// An enum without variants is matched by its value.
fn never(shapes: &[(TokenStream, &Fields)], value: TokenStream, arms: TokenStream) -> TokenStream {
    if shapes.is_empty() {
        quote!(_ => match #value {},)
    } else {
        arms
    }
}

fn bound(fields: &Fields) -> (Vec<Member>, Vec<Ident>) {
    let members: Vec<Member> = fields.members().collect();
    let locals = (0..members.len())
        .map(|index| format_ident!("field{index}", span = Span::mixed_site()))
        .collect();
    (members, locals)
}

fn member_name(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(Index { index, .. }) => index.to_string(),
    }
}
