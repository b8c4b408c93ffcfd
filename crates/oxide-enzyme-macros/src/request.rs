//! What an attribute and the function under it ask for, read and checked.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, FnArg, ItemFn, LitInt, Pat, Receiver, Result, ReturnType, Token, Type};

use crate::activity::{self, Activity, Kind, Mode, Place};

/// A derivative that is asked for.
pub struct Request {
    pub mode: Mode,
    pub name: Ident,
    pub inputs: Vec<Input>,
    pub output: Option<Output>,
    pub primal: ItemFn,
}

/// An argument of the primal.
pub struct Input {
    pub ident: Ident,
    pub ty: Type,
    pub activity: Activity,
    pub receiver: Option<Receiver>,
}

/// The primal's result.
pub struct Output {
    pub ty: Type,
    pub activity: Activity,
}

impl Request {
    pub fn new(mode: Mode, attribute: TokenStream, primal: ItemFn) -> Result<Request> {
        let Attribute { name, activities } = Attribute::read(mode, attribute)?;
        check_function(&primal)?;
        check_name(&name, &primal)?;
        let result = match &primal.sig.output {
            ReturnType::Type(_, ty) if !is_unit(ty) => Some((**ty).clone()),
            _ => None,
        };
        let count = primal.sig.inputs.len();
        check_count(&name, &activities, count, result.is_some())?;
        let inputs = primal.sig.inputs.iter().zip(&activities).enumerate();
        let inputs = inputs
            .map(|(index, (input, word))| Input::new(mode, index, input, word))
            .collect::<Result<_>>()?;
        let output = result
            .map(|ty| Output::new(mode, ty, &activities[count]))
            .transpose()?;
        Ok(Request {
            mode,
            name,
            inputs,
            output,
            primal,
        })
    }
}

impl Input {
    fn new(mode: Mode, index: usize, input: &FnArg, word: &Ident) -> Result<Input> {
        let activity = activity::read(word, mode, Place::Argument)?;
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
        if let Some(attribute) = attributes
            .iter()
            .find(|a| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr"))
        {
            return Err(Error::new_spanned(
                attribute,
                "an argument of a primal cannot be conditional",
            ));
        }
        let input = Input {
            ident,
            ty,
            activity,
            receiver,
        };
        input.check_type()?;
        Ok(input)
    }

    fn check_type(&self) -> Result<()> {
        let Activity { kind, span } = self.activity;
        let ty = strip(&self.ty);
        let indirect = matches!(ty, Type::Reference(_) | Type::Ptr(_));
        let error = |text: &str| Err(Error::new(span, format!("`{}` {text}", kind.name())));
        match kind {
            Kind::Duplicated | Kind::DuplicatedOnly if !indirect => error(
                "needs a type that starts with `&` or `*`: use `Active` for an argument by value",
            ),
            Kind::Active | Kind::ActiveOnly if indirect => {
                error("needs an argument by value: use `Duplicated` for a reference or a pointer")
            }
            _ if kind != Kind::Const && is_dyn(ty) => {
                error("is not yet supported for `dyn Trait`: use `Const`")
            }
            _ => Ok(()),
        }
    }
}

impl Output {
    fn new(mode: Mode, ty: Type, word: &Ident) -> Result<Output> {
        let activity = activity::read(word, mode, Place::Result)?;
        let active = matches!(activity.kind, Kind::Active | Kind::ActiveOnly);
        if active && matches!(strip(&ty), Type::Reference(_) | Type::Ptr(_)) {
            return Err(Error::new(
                activity.span,
                format!("`{word}` needs a result by value"),
            ));
        }
        Ok(Output { ty, activity })
    }
}

/// `name, width, activities`
struct Attribute {
    name: Ident,
    activities: Vec<Ident>,
}

impl Attribute {
    fn read(mode: Mode, attribute: TokenStream) -> Result<Attribute> {
        let usage = format!("write `#[{}(name, activities...)]`", mode.attribute());
        if attribute.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                format!("the derivative needs a name: {usage}"),
            ));
        }
        let attribute: Attribute = syn::parse2(attribute)?;
        if activity::is_activity(&attribute.name) {
            let text = format!("expected the derivative's name before the activities: {usage}");
            return Err(Error::new(attribute.name.span(), text));
        }
        Ok(attribute)
    }
}

impl Parse for Attribute {
    fn parse(input: ParseStream) -> Result<Attribute> {
        let name = input
            .parse()
            .map_err(|error| Error::new(error.span(), "expected the derivative's name"))?;
        let mut activities = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if activities.is_empty() && input.peek(LitInt) {
                let width: LitInt = input.parse()?;
                if width.base10_parse::<usize>()? != 1 {
                    return Err(Error::new(
                        width.span(),
                        "a vector width other than 1 is not yet supported",
                    ));
                }
            } else if !input.is_empty() {
                activities.push(input.call(Ident::parse_any)?);
            }
        }
        Ok(Attribute { name, activities })
    }
}

fn check_function(primal: &ItemFn) -> Result<()> {
    let sig = &primal.sig;
    if let Some(asyncness) = sig.asyncness {
        return Err(Error::new(
            asyncness.span,
            "an async function has no derivative",
        ));
    }
    if let Some(variadic) = &sig.variadic {
        return Err(Error::new_spanned(
            variadic,
            "a variadic function has no derivative",
        ));
    }
    Ok(())
}

/// The name must be new: neither the primal's, nor one that an attribute below this one uses.
fn check_name(name: &Ident, primal: &ItemFn) -> Result<()> {
    let mut taken = vec![primal.sig.ident.clone()];
    for attribute in &primal.attrs {
        let last = attribute.path().segments.last();
        if last.is_some_and(|last| {
            last.ident == "autodiff_forward" || last.ident == "autodiff_reverse"
        }) {
            taken.extend(
                attribute
                    .parse_args::<Attribute>()
                    .map(|attribute| attribute.name),
            );
        }
    }
    match taken.iter().find(|other| *other == name) {
        Some(other) => Err(Error::new(
            other.span(),
            format!("duplicate name `{name}`: each derivative needs its own"),
        )),
        None => Ok(()),
    }
}

fn check_count(name: &Ident, activities: &[Ident], arguments: usize, result: bool) -> Result<()> {
    let expected = arguments + usize::from(result);
    let found = activities.len();
    if found == expected {
        return Ok(());
    }
    let span = if found > expected {
        activities[expected].span()
    } else {
        activities.last().unwrap_or(name).span()
    };
    let plural =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let activity = if expected == 1 {
        "activity"
    } else {
        "activities"
    };
    let result = match (result, found + 1 == expected) {
        (true, true) => " and the result, which has none",
        (true, false) => " and the result",
        (false, _) => "; there is no result",
    };
    let arguments = plural(arguments, "argument");
    Err(Error::new(
        span,
        format!(
            "expected {expected} {activity} but found {found}: one each for {arguments}{result}"
        ),
    ))
}

fn is_unit(ty: &Type) -> bool {
    matches!(strip(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn is_dyn(ty: &Type) -> bool {
    match strip(ty) {
        Type::Reference(reference) => is_dyn(&reference.elem),
        Type::Ptr(pointer) => is_dyn(&pointer.elem),
        Type::TraitObject(_) => true,
        _ => false,
    }
}

/// A type without the parentheses, visible or not, that macros leave around it.
pub fn strip(ty: &Type) -> &Type {
    match ty {
        Type::Paren(paren) => strip(&paren.elem),
        Type::Group(group) => strip(&group.elem),
        other => other,
    }
}

/// The name of an argument; patterns without one are numbered.
fn name_of(pattern: &Pat, index: usize) -> Ident {
    match pattern {
        Pat::Ident(named) => named.ident.clone(),
        _ => Ident::new(&format!("arg{index}"), Span::mixed_site()),
    }
}

/// `x` with something before and after: `dx_0`. It cannot clash with names of the primal.
pub fn shadow_name(mode: Mode, ident: &Ident) -> Ident {
    let prefix = if mode == Mode::Forward { 'b' } else { 'd' };
    Ident::new(
        &format!("{prefix}{}_0", ident.unraw()),
        ident.span().resolved_at(Span::mixed_site()),
    )
}
