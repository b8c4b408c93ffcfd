//! What stands in for a derivative that cannot be made, so that each mistake is reported once and its callers are left alone.
//!
//! The compiler says nothing more about what has to do with a type that it could not make out. The first message is put into
//! such a type: the length of an array.

use proc_macro2::TokenStream;
use quote::quote;

use crate::request::Request;

impl Request {
    /// The messages, and an item with the derivative's name.
    pub fn stand_in(&self) -> TokenStream {
        let mut errors = self.problems.compile_errors();
        if !self.is_name_new {
            return errors.collect();
        }
        let first = errors.next();
        let unknown = quote!(<[(); #first] as ::core::ops::Deref>::Target);
        let item = if self.owner.is_some() {
            self.method(&unknown)
        } else {
            let (vis, name) = (&self.primal.visibility, &self.name);
            // A constant can be called with any number of arguments.
            quote!(#vis const #name: #unknown = loop {};)
        };
        let attributes = self.attributes();
        quote! {
            #(#attributes)*
            #[doc(hidden)]
            #[allow(unused, non_snake_case, non_upper_case_globals)]
            #item
            #(#errors)*
        }
    }

    /// Only a method is found behind a dot, and only a function is what a trait asked for.
    fn method(&self, unknown: &TokenStream) -> TokenStream {
        let (vis, name, parameters) = (&self.primal.visibility, &self.name, self.parameters());
        let generics = &self.primal.sig.generics;
        let bounds = &generics.where_clause;
        quote!(#vis fn #name #generics(#(#parameters),*) -> #unknown #bounds { loop {} })
    }
}
