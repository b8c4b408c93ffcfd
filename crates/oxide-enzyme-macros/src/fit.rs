//! Which activity fits which type, as far as a type can be read without being resolved.

use syn::visit::Visit;
use syn::{GenericArgument, PathArguments, Type, TypeImplTrait, TypePath};

use crate::activity::Kind;

/// Why an argument of this type cannot have this activity, and what would be right.
pub fn argument(kind: Kind, ty: &Type) -> Option<(&'static str, &'static str)> {
    let ty = strip(ty);
    match kind {
        Kind::Const => None,
        Kind::Duplicated | Kind::DuplicatedOnly if !is_indirect(ty) => {
            Some(("needs a type that starts with `&` or `*`", by_value(ty)))
        }
        Kind::Active | Kind::ActiveOnly if is_indirect(ty) => Some((
            "needs an argument by value",
            "use `Duplicated` for a reference or a pointer",
        )),
        _ if kind.is_joined() && !has_lanes(ty) => Some((
            "needs a slice or a pointer: one shadow that is as many times as long",
            "use `Dual`, which takes one shadow for each lane",
        )),
        _ => without_shadow(ty)
            .or_else(|| without_derivative(ty))
            .or_else(|| unfit_for_gradient(kind, ty)),
    }
}

/// Why a result of this type cannot have this activity, and what would be right.
pub fn result(kind: Kind, ty: &Type) -> Option<(&'static str, &'static str)> {
    const WRITE: &str = "write the result into a `&mut` argument that is `Duplicated`";
    let ty = strip(ty);
    match kind {
        Kind::Const => None,
        Kind::Active | Kind::ActiveOnly if is_indirect(ty) => {
            Some(("needs a result by value", WRITE))
        }
        Kind::Active | Kind::ActiveOnly if matches!(ty, Type::ImplTrait(_)) => Some((
            "needs a result whose type has a name: its seed is of the same type",
            "write the type instead of `impl Trait`",
        )),
        Kind::Active | Kind::ActiveOnly if matches!(ty, Type::Never(_)) => {
            Some(("needs a result", "use `Const`: the function never returns"))
        }
        Kind::Active | Kind::ActiveOnly if owns_memory(ty) => {
            Some(("needs plain data, and this result owns memory", WRITE))
        }
        _ if is_code(ty) => Some((
            "is not for functions: nothing says what their shadows are",
            "use `Const`",
        )),
        _ => without_derivative(ty),
    }
}

/// What to do instead of `Duplicated`.
fn by_value(ty: &Type) -> &'static str {
    match ty {
        _ if without_derivative(ty).is_some() => "use `Const`",
        _ if owns_memory(ty) => "take the argument by reference",
        Type::Path(path) if last(path) == "Pin" => "use `Const`, or take a plain reference",
        _ => "use `Active` for an argument by value, or take it by reference",
    }
}

fn without_shadow(ty: &Type) -> Option<(&'static str, &'static str)> {
    match pointee(ty) {
        Type::TraitObject(_) => Some((
            "is not supported for `dyn Trait`: nothing says what its shadow is",
            "use `Const`, or make it generic: `fn f<T: Trait>(x: &T)`",
        )),
        Type::ImplTrait(_) => Some((
            "is not supported for `impl Trait`: its shadow would be of another type",
            "name the type: `fn f<T: Trait>(x: T)`",
        )),
        ty if is_code(ty) => Some((
            "is not for function pointers: nothing says what their shadows are",
            "use `Const`, or make it generic: `fn f<F: Fn(f64) -> f64>(g: &F)`",
        )),
        _ => None,
    }
}

fn without_derivative(ty: &Type) -> Option<(&'static str, &'static str)> {
    const DISCRETE: [&str; 14] = [
        "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
        "u128", "usize",
    ];
    match ty {
        Type::Path(path) if DISCRETE.iter().any(|name| path.path.is_ident(name)) => Some((
            "needs floats: what is not continuous has no derivative",
            "use `Const`",
        )),
        _ => None,
    }
}

/// A gradient by value starts as zero bytes and is returned.
fn unfit_for_gradient(kind: Kind, ty: &Type) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::Active | Kind::ActiveOnly if owns_memory(ty) => Some((
            "needs plain data, and this argument owns memory",
            "take it by reference, as `Duplicated`",
        )),
        Kind::Active | Kind::ActiveOnly if holds(ty, &is_indirect) => Some((
            "needs plain data, and this argument holds a reference or a pointer",
            "take what it refers to as an argument of its own, as `Duplicated`",
        )),
        _ => None,
    }
}

/// Whether the type is one of the standard library's that own memory, or holds one.
fn owns_memory(ty: &Type) -> bool {
    const OWNERS: [&str; 13] = [
        "Vec",
        "String",
        "Box",
        "Rc",
        "Arc",
        "VecDeque",
        "BinaryHeap",
        "LinkedList",
        "HashMap",
        "HashSet",
        "BTreeMap",
        "BTreeSet",
        "PathBuf",
    ];
    holds(
        ty,
        &|ty| matches!(ty, Type::Path(path) if OWNERS.contains(&last(path).as_str())),
    )
}

/// Whether this is so for the type, or for what it is made of by value.
fn holds(ty: &Type, predicate: &dyn Fn(&Type) -> bool) -> bool {
    let ty = strip(ty);
    let inside = |ty: &Type| holds(ty, predicate);
    predicate(ty)
        || match ty {
            Type::Array(array) => inside(&array.elem),
            Type::Tuple(tuple) => tuple.elems.iter().any(inside),
            Type::Path(path) if last(path) != "PhantomData" => arguments(path).any(inside),
            _ => false,
        }
}

/// The type arguments of the last part of a path.
fn arguments(path: &TypePath) -> impl Iterator<Item = &Type> {
    let arguments = path.path.segments.last().map(|last| &last.arguments);
    let arguments = match arguments {
        Some(PathArguments::AngleBracketed(list)) => Some(list.args.iter()),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| {
        if let GenericArgument::Type(ty) = argument {
            Some(ty)
        } else {
            None
        }
    })
}

/// Whether the type is a number, or is made of numbers alone.
pub fn is_numbers(ty: &Type) -> bool {
    match strip(ty) {
        Type::Array(array) => is_numbers(&array.elem),
        Type::Slice(slice) => is_numbers(&slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter().all(is_numbers),
        ty @ Type::Path(path) => {
            path.path.is_ident("f32")
                || path.path.is_ident("f64")
                || without_derivative(ty).is_some()
        }
        _ => false,
    }
}

fn last(path: &TypePath) -> String {
    let last = path.path.segments.last();
    last.map(|last| last.ident.to_string()).unwrap_or_default()
}

fn is_indirect(ty: &Type) -> bool {
    matches!(ty, Type::Reference(_) | Type::Ptr(_))
}

/// Whether `impl Trait` stands somewhere in the type.
pub fn is_anonymous(ty: &Type) -> bool {
    struct Search(bool);

    impl<'ast> Visit<'ast> for Search {
        fn visit_type_impl_trait(&mut self, _: &'ast TypeImplTrait) {
            self.0 = true;
        }
    }

    let mut search = Search(false);
    search.visit_type(ty);
    search.0
}

fn is_code(ty: &Type) -> bool {
    matches!(ty, Type::BareFn(_))
}

/// Whether one shadow can hold several lanes.
fn has_lanes(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => matches!(strip(&reference.elem), Type::Slice(_)),
        Type::Ptr(_) => true,
        _ => false,
    }
}

/// What all references and pointers lead to.
fn pointee(ty: &Type) -> &Type {
    match strip(ty) {
        Type::Reference(reference) => pointee(&reference.elem),
        Type::Ptr(pointer) => pointee(&pointer.elem),
        other => other,
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

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn owners_are_found_where_they_are_by_value() {
        for owner in [
            parse_quote!(Vec<f64>),
            parse_quote!(std::string::String),
            parse_quote!([Box<f64>; 3]),
            parse_quote!((f64, Option<Vec<f64>>)),
        ] {
            let owner: Type = owner;
            assert!(owns_memory(&owner));
        }
        for plain in [
            parse_quote!([f64; 3]),
            parse_quote!(&Vec<f64>),
            parse_quote!(PhantomData<Vec<f64>>),
            parse_quote!(Point),
        ] {
            let plain: Type = plain;
            assert!(!owns_memory(&plain));
        }
    }
}
