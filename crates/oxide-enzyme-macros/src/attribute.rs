//! What is written in the attribute: `name, width, activities`. The name may say where the function stands: `Self::name`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Lit, LitInt, Result, Token};

use crate::activity::{self, Mode};
use crate::problems::{Problems, error};

/// The derivative's code grows with the width, and so does the time to compile it.
const WIDEST: usize = 1024;

/// The attribute as it was written.
pub struct Attribute {
    /// What the primal belongs to, if that is written: `Self`, or `<Self as Trait>`.
    pub owner: Option<TokenStream>,
    pub name: Ident,
    pub width: usize,
    /// What stands for an activity; `None` is something else, which was reported.
    pub activities: Vec<(Option<Ident>, Span)>,
    pub problems: Problems,
}

impl Attribute {
    pub fn read(mode: Mode, attribute: TokenStream) -> Result<Attribute> {
        let usage = format!("write `#[{}(name, activities...)]`", mode.attribute());
        if attribute.is_empty() {
            let text = "the derivative needs a name";
            return Err(error(Span::call_site(), text, &usage));
        }
        let attribute: Attribute = syn::parse2(attribute)?;
        if activity::is_activity(&attribute.name) {
            let text = "expected the derivative's name before the activities";
            return Err(error(attribute.name.span(), text, &usage));
        }
        Ok(attribute)
    }
}

impl Parse for Attribute {
    fn parse(input: ParseStream) -> Result<Attribute> {
        let mut attribute = Attribute {
            owner: owner(input)?,
            name: name(input)?,
            width: 1,
            activities: Vec::new(),
            problems: Problems::default(),
        };
        attribute.end_of_entry(input, "after the derivative's name")?;
        if let Some(width) = attribute.width(input)? {
            attribute.width = width;
        }
        while !input.is_empty() {
            attribute.activity(input)?;
        }
        Ok(attribute)
    }
}

impl Attribute {
    /// The number after the name, if there is one.
    fn width(&mut self, input: ParseStream) -> Result<Option<usize>> {
        let minus: Option<Token![-]> = input.parse()?;
        if !input.peek(Lit) || (minus.is_none() && !input.peek(LitInt) && !is_float(input)) {
            return Ok(None);
        }
        let literal: Lit = input.parse()?;
        let width = match &literal {
            Lit::Int(int) if minus.is_none() => int.base10_parse().ok(),
            _ => None,
        };
        let width = width.filter(|width| (1..=WIDEST).contains(width));
        if width.is_none() {
            let sign = if minus.is_some() { "-" } else { "" };
            self.problems.add(
                literal.span(),
                &format!("a vector width cannot be {sign}{}", shown(&literal)),
                &format!(
                    "the width is how many derivatives are computed at once: from 1, which it is if left out, to {WIDEST}"
                ),
            );
        }
        self.end_of_entry(input, "after the width")?;
        Ok(width)
    }

    /// One activity, or something else up to the next comma.
    fn activity(&mut self, input: ParseStream) -> Result<()> {
        let span = input.span();
        if input.peek(Ident::peek_any) {
            let word = input.call(Ident::parse_any)?;
            let is_alone = input.is_empty() || input.peek(Token![,]);
            self.activities.push((is_alone.then_some(word), span));
            return self.end_of_entry(input, "after an activity");
        }
        let (text, help) = match input.parse::<Lit>() {
            Ok(Lit::Str(text)) => (
                "an activity is a word, not a string".to_owned(),
                format!("leave out the quotation marks: `{}`", text.value()),
            ),
            Ok(Lit::Int(_)) => (
                "expected an activity".to_owned(),
                "a vector width stands right after the derivative's name".to_owned(),
            ),
            _ => (
                "expected an activity".to_owned(),
                "an activity is a word, such as `Const`; commas stand between".to_owned(),
            ),
        };
        self.problems.add(span, &text, &help);
        self.activities.push((None, span));
        skip_entry(input)
    }

    /// A comma or the end, or else what stands there is reported and left out.
    fn end_of_entry(&mut self, input: ParseStream, place: &str) -> Result<()> {
        if !input.is_empty() && !input.peek(Token![,]) {
            let text = format!("expected a comma {place}");
            let help = if input.peek(Token![<]) {
                "a derivative has the generic parameters of its primal: write its name only"
            } else {
                "name, width, activities and nothing else stand in this attribute"
            };
            self.problems.add(input.span(), &text, help);
        }
        skip_entry(input)
    }
}

/// What stands before the derivative's name.
fn owner(input: ParseStream) -> Result<Option<TokenStream>> {
    if input.peek(Token![Self]) && input.peek2(Token![::]) {
        let (me, _) = (input.parse::<Token![Self]>()?, input.parse::<Token![::]>()?);
        return Ok(Some(quote!(#me)));
    }
    if !input.peek(Token![<]) {
        return Ok(None);
    }
    let span = input.span();
    trait_of_self(input).map(Some).map_err(|_| {
        let text = "expected the derivative's name, or where it belongs and its name";
        let help =
            "write `<Self as Trait>::name` for a function that `impl Trait for Type` defines";
        error(span, text, help)
    })
}

fn trait_of_self(input: ParseStream) -> Result<TokenStream> {
    input.parse::<Token![<]>()?;
    let me: Token![Self] = input.parse()?;
    let word: Token![as] = input.parse()?;
    let path: syn::Path = input.parse()?;
    input.parse::<Token![>]>()?;
    input.parse::<Token![::]>()?;
    Ok(quote!(<#me #word #path>))
}

fn name(input: ParseStream) -> Result<Ident> {
    if let Ok(name) = input.fork().parse::<Ident>() {
        input.parse::<Ident>()?;
        return Ok(name);
    }
    let span = input.span();
    let help = match input.call(Ident::parse_any) {
        Ok(keyword) if is_raw_possible(&keyword) => {
            format!("`{keyword}` is a keyword of Rust: write `r#{keyword}`, or choose another name")
        }
        Ok(keyword) => format!("`{keyword}` is a keyword of Rust: choose another name"),
        Err(_) => match input.parse::<Lit>() {
            Ok(Lit::Str(text)) => format!("leave out the quotation marks: `{}`", text.value()),
            _ => "the name of a new function stands first".to_owned(),
        },
    };
    Err(error(span, "expected the derivative's name", &help))
}

fn is_raw_possible(keyword: &Ident) -> bool {
    !["self", "Self", "super", "crate", "_"].contains(&keyword.to_string().as_str())
}

fn is_float(input: ParseStream) -> bool {
    matches!(input.fork().parse(), Ok(Lit::Float(_)))
}

fn shown(literal: &Lit) -> String {
    match literal {
        Lit::Int(int) => int.to_string(),
        Lit::Float(float) => float.to_string(),
        _ => "that".to_owned(),
    }
}

fn skip_entry(input: ParseStream) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Option<Token![,]>>()?;
    Ok(())
}
