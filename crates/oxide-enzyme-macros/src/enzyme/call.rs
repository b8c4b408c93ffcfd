//! `enzyme!`: a derivative of a marked primal, asked for where it is used.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Path, Result, Token, parenthesized};

use crate::expand::DRIVER;

const USAGE: &str = "write `enzyme!(grad f(arguments) wrt names)` or `enzyme!(jvp f(arguments) along name = tangent)`";

/// `grad f(arguments) wrt names seed weight`, `jvp f(arguments) along name = tangent, ...`
pub struct Call {
    primal: Path,
    arguments: Vec<Expr>,
    wanted: Wanted,
}

enum Wanted {
    Gradients {
        names: Vec<Ident>,
        seed: Option<Expr>,
    },
    Tangent {
        along: Vec<(Ident, Expr)>,
    },
}

impl Parse for Call {
    fn parse(input: ParseStream) -> Result<Call> {
        let usage = |error: Error| Error::new(error.span(), USAGE);
        let verb: Ident = input.call(Ident::parse_any).map_err(usage)?;
        if verb != "grad" && verb != "jvp" {
            let text = format!("unknown derivative `{verb}`: {USAGE}");
            return Err(Error::new(verb.span(), text));
        }
        let primal: Path = input.parse()?;
        let content;
        parenthesized!(content in input);
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
        let wanted = if verb == "grad" {
            Wanted::gradients(input)?
        } else {
            Wanted::tangent(input)?
        };
        if !input.is_empty() {
            return Err(input.error(USAGE));
        }
        Ok(Call {
            primal,
            arguments: arguments.into_iter().collect(),
            wanted,
        })
    }
}

impl Wanted {
    fn gradients(input: ParseStream) -> Result<Wanted> {
        keyword(
            input,
            "wrt",
            "`wrt` and the names of the arguments to differentiate with respect to",
        )?;
        let mut names: Vec<Ident> = Vec::new();
        loop {
            let name = input.call(Ident::parse_any)?;
            check_name(&name, names.iter(), "value")?;
            names.push(name);
            if !input.peek(Token![,]) {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        let seed = if input.is_empty() {
            None
        } else {
            keyword(input, "seed", "`,`, `seed` or the end")?;
            Some(input.parse()?)
        };
        Ok(Wanted::Gradients { names, seed })
    }

    fn tangent(input: ParseStream) -> Result<Wanted> {
        keyword(
            input,
            "along",
            "`along` and tangents, as in `along x = tangent`",
        )?;
        let mut along: Vec<(Ident, Expr)> = Vec::new();
        loop {
            let name = input.call(Ident::parse_any)?;
            check_name(&name, along.iter().map(|(name, _)| name), "")?;
            input.parse::<Token![=]>()?;
            along.push((name, input.parse()?));
            if !input.peek(Token![,]) {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        Ok(Wanted::Tangent { along })
    }
}

fn keyword(input: ParseStream, word: &str, expected: &str) -> Result<()> {
    match input.call(Ident::parse_any) {
        Ok(found) if found == word => Ok(()),
        Ok(found) => Err(Error::new(found.span(), format!("expected {expected}"))),
        Err(error) => Err(Error::new(error.span(), format!("expected {expected}"))),
    }
}

fn check_name<'a>(
    name: &Ident,
    mut before: impl Iterator<Item = &'a Ident>,
    taken: &str,
) -> Result<()> {
    if before.any(|other| other == name) {
        return Err(Error::new(name.span(), format!("`{name}` is named twice")));
    }
    if name == taken {
        let text = format!(
            "the field `{taken}` holds the function's value: give the argument another name"
        );
        return Err(Error::new(name.span(), text));
    }
    Ok(())
}

impl Call {
    pub fn expand(&self) -> TokenStream {
        let (driver, arguments) = (DRIVER, nest(self.arguments.iter().map(|a| quote!(#a))));
        let (marks, call) = match &self.wanted {
            Wanted::Gradients { names, seed } => {
                (self.wrt(names), self.gradients(names, seed.as_ref()))
            }
            Wanted::Tangent { along } => (self.along(along), self.tangent()),
        };
        let (ty, plan, list) = (self.marker(), local("plan"), local("arguments"));
        quote! {{
            // Makes cargo build again when the driver comes or goes.
            const _: ::core::option::Option<&str> = ::core::option_env!(#driver);
            #[allow(unused_imports)]
            use ::oxide_enzyme::__private::{Mark as _, Take as _};
            let #plan = #ty::__PLAN #marks;
            let #list = #arguments;
            #call
        }}
    }

    /// The path of the type beside the primal: without the primal's type arguments.
    fn marker(&self) -> TokenStream {
        let mut path = self.primal.clone();
        if let Some(last) = path.segments.last_mut() {
            last.arguments = syn::PathArguments::None;
        }
        quote!(#path)
    }

    /// The primal, as a closure of the list of its arguments that captures nothing.
    fn closure(&self) -> TokenStream {
        let names: Vec<Ident> = (0..self.arguments.len())
            .map(|index| local(&format!("x{index}")))
            .collect();
        let (pattern, primal) = (nest(names.iter().map(|n| quote!(#n))), &self.primal);
        quote!(|#pattern| #primal(#(#names),*))
    }

    fn wrt(&self, names: &[Ident]) -> TokenStream {
        let ty = self.marker();
        names
            .iter()
            .map(|name| quote_spanned!(name.span()=> .wrt(#ty::#name)))
            .collect()
    }

    fn along(&self, along: &[(Ident, Expr)]) -> TokenStream {
        let ty = self.marker();
        along
            .iter()
            .map(|(name, tangent)| quote_spanned!(name.span()=> .along(#ty::#name, #tangent)))
            .collect()
    }

    // The block inside is for the struct: expressions of the user may not see it.
    fn gradients(&self, names: &[Ident], seed: Option<&Expr>) -> TokenStream {
        let (link, closure, ty) = (link(), self.closure(), self.marker());
        let [plan, list, seed_value, value, gradients] =
            ["plan", "arguments", "seed", "value", "gradients"].map(local);
        let seed = match seed {
            Some(seed) => quote!(#seed),
            None => quote!(::oxide_enzyme::__private::default_seed()),
        };
        let types: Vec<Ident> = (0..names.len())
            .map(|n| local(&format!("Gradient{n}")))
            .collect();
        let values: Vec<Ident> = (0..names.len())
            .map(|n| local(&format!("gradient{n}")))
            .collect();
        quote! {
            let #seed_value = #seed;
            let (#value, #gradients) =
                ::oxide_enzyme::__private::grad(#link, #closure, #plan, #list, #seed_value);
            #(let (#values, #gradients) = #gradients.take(#ty::#names);)*
            let _ = #gradients;
            {
                #[derive(Debug, Clone, PartialEq)]
                #[allow(dead_code, non_camel_case_types)]
                struct Gradient<Value, #(#types),*> {
                    value: Value,
                    #(#names: #types),*
                }
                Gradient { value: #value, #(#names: #values),* }
            }
        }
    }

    fn tangent(&self) -> TokenStream {
        let (link, closure) = (link(), self.closure());
        let [plan, list, value, tangent] = ["plan", "arguments", "value", "tangent"].map(local);
        quote! {
            let (#value, #tangent) = ::oxide_enzyme::__private::jvp(#link, #closure, #plan, #list);
            {
                #[derive(Debug, Clone, PartialEq)]
                #[allow(dead_code)]
                struct Tangent<Value> {
                    value: Value,
                    tangent: Value,
                }
                Tangent { value: #value, tangent: #tangent }
            }
        }
    }
}

/// Where the derivative comes from: the driver, if `cargo enzyme` builds.
fn link() -> TokenStream {
    match std::env::var_os(DRIVER) {
        Some(_) => quote!(::oxide_enzyme::__private::Enzyme::<1>),
        None => quote!(::oxide_enzyme::__private::NoDriver::<1>),
    }
}

/// A name that the user's expressions cannot see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The list `(first, (second, ()))`.
fn nest(items: impl DoubleEndedIterator<Item = TokenStream>) -> TokenStream {
    items
        .rev()
        .fold(quote!(()), |rest, item| quote!((#item, #rest)))
}
