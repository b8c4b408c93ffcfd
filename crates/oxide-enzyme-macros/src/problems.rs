//! What is wrong with an attribute: all of it at once, so that nobody has to compile again to see the next mistake.

use proc_macro2::Span;
use syn::Error;

/// The mistakes found so far.
#[derive(Default)]
pub struct Problems(Vec<Error>);

impl Problems {
    /// Says what is wrong, and what would be right.
    pub fn add(&mut self, span: Span, text: &str, help: &str) {
        self.0.push(error(span, text, help));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as one error, if there are any.
    pub fn into_result(self) -> syn::Result<()> {
        let combined = self.0.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        });
        combined.map_or(Ok(()), Err)
    }

    /// One macro call each: `compile_error!(...)`.
    pub fn compile_errors(&self) -> impl Iterator<Item = proc_macro2::TokenStream> {
        self.0.iter().map(Error::to_compile_error)
    }
}

/// What is wrong, and what would be right.
pub fn error(span: Span, text: &str, help: &str) -> Error {
    Error::new(span, format!("{text}\nhelp: {help}"))
}
