//! What a derivative does besides under `cargo enzyme ... --check-gradients`: it copies its arguments before the call, and
//! hands the copies and all that came out to the library, which compares with finite differences.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use crate::activity::{Kind, Mode};
use crate::fit::strip;
use crate::request::{Input, Request, shadow_name};

/// The environment variable by which `cargo enzyme` asks for checks.
const CHECK: &str = "OXIDE_ENZYME_CHECK_GRADIENTS";

/// Whether this build checks.
pub fn is_on() -> bool {
    std::env::var_os(CHECK).is_some_and(|value| value == "1")
}

/// The two halves of a check: before the call and after it.
pub struct Check {
    pub before: TokenStream,
    pub after: TokenStream,
}

/// How an input is passed to the primal.
#[derive(Clone, Copy, PartialEq)]
enum Passing {
    Value,
    Shared,
    Mutable,
    Pointer,
}

fn passing(input: &Input) -> Passing {
    match strip(&input.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => Passing::Mutable,
        Type::Reference(_) => Passing::Shared,
        Type::Ptr(_) => Passing::Pointer,
        _ => Passing::Value,
    }
}

fn local(name: &str, index: usize) -> Ident {
    format_ident!("check_{name}{index}", span = Span::mixed_site())
}

fn store(value: &TokenStream) -> TokenStream {
    quote!((&&&::oxide_enzyme::__private::checked::Source(#value)).store())
}

impl Request {
    /// The check of this derivative. `closure` calls the primal; `gradient` names what reverse mode returns for an input, and
    /// `primal` and `tangent` what the result and its tangent are called. A derivative of the derivative does not look into it.
    pub fn comparison(
        &self,
        closure: &TokenStream,
        gradient: impl Fn(&Input) -> Ident,
        tangent: &TokenStream,
    ) -> Check {
        let copies = self.copies();
        let evaluate = self.evaluate(closure);
        let name = self.name.to_string();
        let mode = match self.mode {
            Mode::Forward => "forward",
            Mode::Reverse => "reverse",
        };
        let all = self.check_locals();
        let before = quote! {
            let check_place = ::core::panic::Location::caller();
            let mut check_started = ::core::option::Option::None;
            ::oxide_enzyme::__private::checked::aside(|| {
                #[allow(unused_imports)]
                use ::oxide_enzyme::__private::checked::{CopyDeep as _, CopyList as _, CopyNot as _};
                #copies
                let check_call = ::oxide_enzyme::__private::checked::Call::new(
                    ::core::concat!(::core::module_path!(), "::", #name),
                    #mode,
                    check_place,
                );
                check_started = check_call.map(|check_call| (#(#all,)* check_call));
            });
        };
        let available = (0..self.inputs.len()).map(|index| local("copy", index));
        let shadows = self.shadowed().map(|(index, _)| local("before", index));
        let seed = self.has_seed().then(|| local("seed", 0)).into_iter();
        let results = match self.mode {
            Mode::Reverse => self.after_reverse(gradient),
            Mode::Forward => self.after_forward(tangent),
        };
        let after = quote! {
            ::oxide_enzyme::__private::checked::aside(|| {
                #[allow(unused_variables, unused_mut)]
                if let ::core::option::Option::Some((#(mut #all,)* check_call)) = check_started {
                    #[allow(unused_imports)]
                    use ::oxide_enzyme::__private::checked::{CopyDeep as _, CopyList as _, CopyNot as _};
                    if check_call.can(&[#(&#available,)* #(&#shadows,)* #(&#seed,)*]) {
                        #evaluate
                        #results
                    }
                }
            });
        };
        Check { before, after }
    }

    fn shadowed(&self) -> impl Iterator<Item = (usize, &Input)> {
        self.inputs
            .iter()
            .enumerate()
            .filter(|(_, input)| input.has_shadow())
    }

    /// Copies of the arguments, of their shadows and of the seed, as they are before the call.
    fn copies(&self) -> TokenStream {
        let mut lines = TokenStream::new();
        for (index, input) in self.inputs.iter().enumerate() {
            let (copy, ident) = (local("copy", index), &input.ident);
            let constant = input.activity.kind == Kind::Const;
            let made = match passing(input) {
                Passing::Shared | Passing::Value if constant => {
                    quote!(::oxide_enzyme::__private::checked::Bits::of(&#ident))
                }
                Passing::Value | Passing::Pointer => store(&quote!(&#ident)),
                Passing::Shared | Passing::Mutable => store(&quote!(&*#ident)),
            };
            lines.extend(quote!(#[allow(unused_mut)] let mut #copy = #made;));
        }
        for (index, input) in self.shadowed() {
            let (shadow, before, later) = (
                shadow_name(self.mode, input, 0),
                local("before", index),
                local("later", index),
            );
            let value = match passing(input) {
                Passing::Value | Passing::Pointer => quote!(&#shadow),
                Passing::Shared | Passing::Mutable => quote!(&*#shadow),
            };
            let made = store(&value);
            lines.extend(quote! {
                #[allow(unused_mut)]
                let mut #before = #made;
                let #later = ::oxide_enzyme::__private::checked::Later::of(#value);
            });
        }
        if self.has_seed() {
            // The seed's name is the macro's own.
            let dret = Ident::new("dret", Span::mixed_site());
            let (seed, made) = (local("seed", 0), store(&quote!(&#dret)));
            lines.extend(quote!(#[allow(unused_mut)] let mut #seed = #made;));
        }
        lines
    }

    /// The names of what [`Request::copies`] makes.
    fn check_locals(&self) -> Vec<Ident> {
        let copies = (0..self.inputs.len()).map(|index| local("copy", index));
        let befores = self.shadowed().map(|(index, _)| local("before", index));
        let laters = self.shadowed().map(|(index, _)| local("later", index));
        let seed = self.has_seed().then(|| local("seed", 0));
        copies.chain(befores).chain(laters).chain(seed).collect()
    }

    /// A closure that moves copies of the arguments and runs the primal on them.
    fn evaluate(&self, closure: &TokenStream) -> TokenStream {
        let (mut again, mut moved, mut written) = (Vec::new(), Vec::new(), Vec::new());
        let (mut active, mut constant) = (Vec::new(), Vec::new());
        for (index, input) in self.inputs.iter().enumerate() {
            let (copy, fresh) = (local("copy", index), local("fresh", index));
            let is_constant = input.activity.kind == Kind::Const;
            let how = passing(input);
            let argument = match how {
                Passing::Value | Passing::Shared if is_constant => quote!(#copy.value()),
                Passing::Value | Passing::Pointer => quote!(#fresh.value()),
                Passing::Shared => quote!(&*#fresh.place()),
                Passing::Mutable => quote!(&mut *#fresh.place()),
            };
            if !is_constant || how == Passing::Mutable || how == Passing::Pointer {
                again.push(quote!(#[allow(unused_mut)] let mut #fresh = #copy.again();));
            }
            if !is_constant {
                moved.push(quote!(&mut #fresh));
                if how == Passing::Mutable {
                    written.push(quote!(&mut #fresh));
                }
                active.push(argument);
            } else {
                constant.push(argument);
            }
        }
        let nest = |list: Vec<TokenStream>| {
            list.into_iter()
                .rev()
                .fold(quote!(()), |rest, item| quote!((#item, #rest)))
        };
        let (active, constant) = (nest(active), nest(constant));
        let result = store(&quote!(&check_result));
        let result = (self.output_kind() != Kind::Const).then(|| quote!(&mut #result,));
        quote! {
            let check_evaluate: &mut ::oxide_enzyme::__private::checked::Evaluate<'_> = &mut |check_move, check_take| {
                #(#again)*
                check_move(&mut [#(#moved),*]);
                #[allow(clippy::let_unit_value, clippy::redundant_closure_call)]
                let check_result = (#closure)(#active, #constant);
                check_take(&mut [#result #(#written),*]);
            };
        }
    }

    fn after_reverse(&self, gradient: impl Fn(&Input) -> Ident) -> TokenStream {
        let floats = quote!(::oxide_enzyme::__private::checked::floats);
        let mut parts = TokenStream::new();
        let seed = self.has_seed().then(|| local("seed", 0));
        let mut weights: Vec<TokenStream> = seed.iter().map(|seed| quote!(&mut #seed)).collect();
        for (index, input) in self.inputs.iter().enumerate() {
            if input.activity.kind == Kind::Const {
                continue;
            }
            let (before, later) = (local("before", index), local("later", index));
            let part = if input.has_gradient() {
                let gradient = gradient(input);
                let made = store(&quote!(&#gradient));
                quote!(#floats(&mut [&mut #made]))
            } else {
                let made = store(&quote!(#later.get()));
                let after = quote!(#floats(&mut [&mut #made]));
                if passing(input) == Passing::Mutable {
                    weights.push(quote!(&mut #before));
                    after
                } else {
                    quote!(::oxide_enzyme::__private::checked::added(#after, &#floats(&mut [&mut #before])))
                }
            };
            parts.extend(quote!(::core::iter::Extend::extend(&mut check_gradient, #part);));
        }
        quote! {
            let mut check_gradient = ::oxide_enzyme::__private::checked::floats(&mut []);
            #parts
            let check_weights = #floats(&mut [#(#weights),*]);
            check_call.reverse(&check_gradient, &check_weights, check_evaluate);
        }
    }

    fn after_forward(&self, tangent: &TokenStream) -> TokenStream {
        let floats = quote!(::oxide_enzyme::__private::checked::floats);
        let befores = self.shadowed().map(|(index, _)| local("before", index));
        let mut tangents = TokenStream::new();
        if self.output_kind() != Kind::Const {
            let made = store(&quote!(&#tangent));
            tangents.extend(quote!(&mut #made,));
        }
        for (index, input) in self.shadowed() {
            if passing(input) == Passing::Mutable {
                let later = local("later", index);
                let made = store(&quote!(#later.get()));
                tangents.extend(quote!(&mut #made,));
            }
        }
        quote! {
            let check_direction = #floats(&mut [#(&mut #befores),*]);
            let check_tangents = #floats(&mut [#tangents]);
            check_call.forward(&check_direction, &check_tangents, check_evaluate);
        }
    }
}
