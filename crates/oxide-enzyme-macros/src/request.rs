//! What an attribute and the function under it ask for, read and checked.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute as Outer, Block, FnArg, Pat, Receiver, Result, ReturnType, Signature, Token, Type,
    Visibility, braced,
};

use crate::activity::{self, Activity, Mode, Place};
use crate::attribute::Attribute;
use crate::expand::mentions_self;
use crate::fit;
use crate::problems::Problems;

/// A derivative that is asked for.
pub struct Request {
    pub mode: Mode,
    /// What the primal belongs to: `Self`, or `<Self as Trait>`. Nothing for a function that stands alone.
    pub owner: Option<TokenStream>,
    pub name: Ident,
    pub width: usize,
    pub inputs: Vec<Input>,
    pub output: Option<Output>,
    pub primal: Primal,
    pub problems: Problems,
    /// Whether nothing else that is in sight has this name.
    pub is_name_new: bool,
}

/// The function under the attribute: a function, a method, or what a trait declares and does not define.
pub struct Primal {
    pub attributes: Vec<Outer>,
    pub visibility: Visibility,
    pub sig: Signature,
    pub block: Option<Block>,
}

impl Parse for Primal {
    fn parse(input: ParseStream) -> Result<Primal> {
        let attributes = input.call(Outer::parse_outer)?;
        let visibility = input.parse()?;
        // Only an `impl` may say `default`, on nightly; it changes nothing here.
        let _: Option<Token![default]> = input.parse()?;
        let sig = input.parse()?;
        let block = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            Some(parse_block(input)?)
        };
        Ok(Primal {
            attributes,
            visibility,
            sig,
            block,
        })
    }
}

/// An argument of the primal.
pub struct Input {
    pub index: usize,
    pub ident: Ident,
    /// Its name without `r#`, in which two arguments differ even if a macro gave them one name.
    pub label: String,
    pub ty: Type,
    pub activity: Activity,
    pub receiver: Option<Receiver>,
}

/// The primal's result.
pub struct Output {
    pub ty: Type,
    pub activity: Activity,
}

/// A function's block, which may begin with attributes.
fn parse_block(input: ParseStream) -> Result<Block> {
    let content;
    let brace_token = braced!(content in input);
    content.call(Outer::parse_inner)?;
    let stmts = content.call(Block::parse_within)?;
    Ok(Block { brace_token, stmts })
}

impl Request {
    /// Reads everything and reports what is wrong with it; without a name there is nothing to ask for.
    pub fn new(mode: Mode, attribute: TokenStream, primal: Primal) -> Result<Request> {
        let Attribute {
            owner,
            name,
            width,
            activities,
            mut problems,
        } = Attribute::read(mode, attribute)?;
        let result = match &primal.sig.output {
            ReturnType::Type(_, ty) if !is_unit(ty) => Some((**ty).clone()),
            _ => None,
        };
        let mut reader = Reader {
            mode,
            problems: &mut problems,
            labels: Vec::new(),
        };
        reader.check_function(&primal);
        let is_name_new = reader.check_name(&name, &primal);
        let fits = reader.check_count(&name, &activities, &primal, result.is_some());
        // With the wrong number of activities, all that can be said is that they are too many or too few.
        let mut ignored = Problems::default();
        if !fits {
            reader.problems = &mut ignored;
        }
        let mut activities = activities.iter().map(|(word, span)| (word.as_ref(), *span));
        let inputs = primal.sig.inputs.iter().enumerate();
        let inputs = inputs
            .map(|(index, input)| reader.input(index, input, activities.next()))
            .collect();
        let output = result.map(|ty| reader.output(ty, activities.next()));
        let owner = owner.or_else(|| mentions_self(&primal).then(|| quote!(Self)));
        Ok(Request {
            mode,
            owner,
            name,
            width,
            inputs,
            output,
            primal,
            problems,
            is_name_new,
        })
    }
}

/// Reads a request's parts.
struct Reader<'a> {
    mode: Mode,
    problems: &'a mut Problems,
    labels: Vec<String>,
}

/// What stands for an activity, and where.
type Word<'a> = (Option<&'a Ident>, Span);

impl Reader<'_> {
    fn input(&mut self, index: usize, input: &FnArg, word: Option<Word>) -> Input {
        let activity = self.activity(word, Place::Argument);
        let (ident, ty, receiver, attributes) = match input {
            FnArg::Receiver(me) => (
                Ident::new("self", me.self_token.span),
                (*me.ty).clone(),
                Some(me.clone()),
                &me.attrs,
            ),
            FnArg::Typed(typed) => (
                name_of(&typed.pat, index),
                (*typed.ty).clone(),
                None,
                &typed.attrs,
            ),
        };
        let conditional = |a: &&Outer| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr");
        if let Some(attribute) = attributes.iter().find(conditional) {
            self.problems.add(
                attribute.span(),
                "an argument of a primal cannot be conditional",
                "write the function twice, each with a condition and a derivative of its own",
            );
        }
        self.check_fit(activity, fit::argument(activity.kind, &ty));
        Input {
            index,
            label: self.label(&ident, index),
            ident,
            ty,
            activity,
            receiver,
        }
    }

    fn label(&mut self, ident: &Ident, index: usize) -> String {
        let mut label = ident.unraw().to_string();
        if self.labels.contains(&label) {
            label = format!("{label}_{index}");
        }
        self.labels.push(label.clone());
        label
    }

    fn output(&mut self, ty: Type, word: Option<Word>) -> Output {
        let activity = self.activity(word, Place::Result);
        self.check_fit(activity, fit::result(activity.kind, &ty));
        Output { ty, activity }
    }

    fn activity(&mut self, word: Option<Word>, place: Place) -> Activity {
        match word {
            Some((Some(word), _)) => activity::read(word, self.mode, place, self.problems),
            // Reported before.
            Some((None, span)) => Activity::unknown(span),
            None => Activity::unknown(Span::call_site()),
        }
    }

    fn check_fit(&mut self, activity: Activity, misfit: Option<(&str, &str)>) {
        if let (Some((text, help)), true) = (misfit, activity.is_legal) {
            let text = format!("`{}` {text}", activity.kind.name());
            self.problems.add(activity.span, &text, help);
        }
    }

    fn check_function(&mut self, primal: &Primal) {
        let sig = &primal.sig;
        if let Some(asyncness) = sig.asyncness {
            self.problems.add(
                asyncness.span,
                "an async function has no derivative",
                "put what is to be differentiated into a function that is not async",
            );
        }
        if let Some(variadic) = &sig.variadic {
            self.problems.add(
                variadic.span(),
                "a variadic function has no derivative",
                "take a slice instead",
            );
        }
    }

    /// The name must be new: neither the primal's, nor one that an attribute below this one uses.
    fn check_name(&mut self, name: &Ident, primal: &Primal) -> bool {
        let below = primal.attributes.iter().filter(|attribute| {
            let last = attribute.path().segments.last();
            last.is_some_and(|last| {
                last.ident == "autodiff_forward" || last.ident == "autodiff_reverse"
            })
        });
        let mut derivatives = below.filter_map(|attribute| {
            let attribute = attribute.parse_args::<Attribute>();
            attribute.ok().map(|attribute| attribute.name)
        });
        let owner = if primal.sig.ident == *name {
            "the primal"
        } else if derivatives.any(|other| other == *name) {
            "another derivative"
        } else {
            return true;
        };
        let text = format!("`{name}` is the name of {owner}");
        self.problems.add(
            name.span(),
            &text,
            "each derivative needs a name of its own",
        );
        false
    }

    /// One activity for each argument, and one for the result, if there is one.
    fn check_count(
        &mut self,
        name: &Ident,
        activities: &[(Option<Ident>, Span)],
        primal: &Primal,
        result: bool,
    ) -> bool {
        let arguments = primal.sig.inputs.len();
        let (expected, found) = (arguments + usize::from(result), activities.len());
        if found == expected {
            return true;
        }
        if activities.iter().any(|(word, _)| word.is_none()) {
            // What is no activity was reported; it may have been one too many.
            return false;
        }
        let width = activities.first().and_then(|(word, _)| word.as_ref());
        let width = width.filter(|word| found > expected && !activity::is_activity(word));
        if let Some(width) = width {
            let text = "a vector width must be written as a number";
            let help = format!("the macro sees the word `{width}` and not what it stands for");
            self.problems.add(width.span(), text, &help);
            return false;
        }
        let span = if found > expected {
            activities[expected].1
        } else {
            activities.last().map_or(name.span(), |(_, span)| *span)
        };
        let noun = if expected == 1 {
            "activity"
        } else {
            "activities"
        };
        let text = format!("expected {expected} {noun} but found {found}");
        let help = match (arguments, result) {
            (0, true) => "there is no argument: one for the result".to_owned(),
            (0, false) => "there is neither an argument nor a result".to_owned(),
            (1, true) => "one for the argument, and a last one for the result".to_owned(),
            (1, false) => "one for the argument; there is no result".to_owned(),
            (_, true) => {
                format!("one for each of the {arguments} arguments, and a last one for the result")
            }
            (_, false) => format!("one for each of the {arguments} arguments; there is no result"),
        };
        self.problems.add(span, &text, &help);
        false
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(fit::strip(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// The name of an argument; patterns without one are numbered.
fn name_of(pattern: &Pat, index: usize) -> Ident {
    match pattern {
        Pat::Ident(named) => named.ident.clone(),
        _ => Ident::new(&format!("arg{index}"), Span::mixed_site()),
    }
}

/// `x` with something before and after, one name for each lane: `dx_0`. It cannot clash with names of the primal.
pub fn shadow_name(mode: Mode, input: &Input, lane: usize) -> Ident {
    let prefix = if mode == Mode::Forward { 'b' } else { 'd' };
    Ident::new(
        &format!("{prefix}{}_{lane}", input.label),
        input.ident.span().resolved_at(Span::mixed_site()),
    )
}
