//! Calls through pointers: function pointers, and methods of trait objects.
//!
//! Enzyme differentiates the function that is called, so it must know which. A pointer that comes from outside of what is
//! differentiated is one of the program's functions: each call becomes a comparison with the address of every function that
//! has the right type and whose address is taken somewhere (for methods: that stands at the right place of a vtable), and a
//! direct call. An address that is not among them panics: it must not pass for a function without a derivative.

use std::collections::HashMap;

use crate::ir::{Kind, Module, balanced, quoted, references_not_called, split_list, value_length};
use crate::policy;

/// What is called: a type, and where the pointer is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Type of the result.
    pub result: String,
    /// Types of the parameters, with `sret(...)` where it belongs to the calling convention.
    pub parameters: Vec<String>,
    /// The offset in a vtable; `None` for a function pointer.
    pub slot: Option<u64>,
}

/// A call through a pointer, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// What comes before the type of the result.
    pub head: &'a str,
    /// The pointer.
    pub pointer: &'a str,
    /// The arguments, attributes included.
    pub arguments: &'a str,
    /// What comes after them.
    pub tail: &'a str,
    /// What is called.
    pub target: Target,
}

/// Reads a line of a function whose other lines are in `definitions`, by the value that they define.
pub fn call<'a>(line: &'a str, definitions: &HashMap<&str, &str>) -> Option<Call<'a>> {
    let at = line.find("call ")? + "call ".len();
    if line.contains(" asm ") || line.trim_start().starts_with('#') {
        return None;
    }
    let (result, rest) = typed(&line[at..])?;
    let pointer_length = value_length(rest).filter(|_| rest.starts_with('%'))?;
    let (pointer, rest) = rest.split_at(pointer_length);
    let length = balanced(rest).filter(|_| rest.starts_with('('))?;
    let arguments = &rest[1..length - 1];
    Some(Call {
        head: &line[..at],
        pointer,
        arguments,
        tail: &rest[length..],
        target: Target {
            result: result.to_owned(),
            parameters: parameters(arguments)?,
            slot: slot(pointer, definitions),
        },
    })
}

/// What each value of a function is defined as.
pub fn definitions(body: &str) -> HashMap<&str, &str> {
    body.lines()
        .filter_map(|line| line.trim_start().split_once(" = "))
        .filter(|(name, _)| name.starts_with('%'))
        .collect()
}

/// rustc says of what it loads from a vtable that it never changes.
fn slot(pointer: &str, definitions: &HashMap<&str, &str>) -> Option<u64> {
    let load = definitions.get(pointer)?;
    if !load.contains("!invariant.load") {
        return None;
    }
    let from = load.strip_prefix("load ptr, ptr ")?;
    // Of a vtable that is known, the place is an expression: `getelementptr inbounds (i8, ptr @vtable.0, i64 24)`.
    let place = match from.starts_with("getelementptr ") {
        true => Some(from),
        false => definitions.get(&from[..value_length(from)?]).copied(),
    };
    let offset = place
        .and_then(|code| code.split_once("i8, ptr "))
        .and_then(|(_, rest)| rest.split_once(", i64 "))
        .and_then(|(_, offset)| offset.split([',', ' ', ')']).next()?.parse().ok());
    Some(offset.unwrap_or(0))
}

/// The functions of a module that may be what is called, by symbol.
pub fn candidates(module: &Module, target: &Target) -> Vec<String> {
    let mut found: Vec<String> = module
        .entities()
        .filter(|(name, entity)| match target.slot {
            Some(_) => entity.kind == Kind::Constant && name.starts_with("vtable."),
            None => match entity.kind {
                Kind::Constant | Kind::Variable => !name.starts_with("vtable."),
                kind => kind == Kind::Define,
            },
        })
        .flat_map(|(_, entity)| {
            let text = module.text(entity);
            match target.slot {
                Some(slot) => entry(text, slot).into_iter().collect(),
                None => references_not_called(after_signature(text, entity.kind)),
            }
        })
        .filter(|symbol| has_type(module, symbol, target))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

fn after_signature(text: &str, kind: Kind) -> &str {
    match kind {
        Kind::Define => text.split_once('\n').map_or("", |(_, body)| body),
        _ => text.split_once(" = ").map_or("", |(_, value)| value),
    }
}

fn has_type(module: &Module, symbol: &str, target: &Target) -> bool {
    let Some(entity) = module.get(symbol) else {
        return false;
    };
    let start = match entity.kind {
        Kind::Define => "define ",
        Kind::Declare => "declare ",
        _ => return false,
    };
    let head = module.text(entity).lines().next().unwrap_or_default();
    let read = || {
        let (result, rest) = typed(head.strip_prefix(start)?)?;
        let rest = &rest[value_length(rest)?..];
        let arguments = &rest[1..balanced(rest)? - 1];
        Some(result == target.result && parameters(arguments)? == target.parameters)
    };
    read().unwrap_or(false)
}

/// The function at an offset of a vtable: `<{ ptr, [16 x i8], ptr }> <{ ptr @drop, [16 x i8] c"...", ptr @method }>`.
fn entry(vtable: &str, slot: u64) -> Option<&str> {
    let value = &vtable[vtable.find("}> <{ ")? + "}> <{ ".len()..];
    let value = &value[..value.rfind(" }>")?];
    let mut offset = 0;
    for element in split_list(value) {
        if let Some(symbol) = element.strip_prefix("ptr @") {
            if offset == slot {
                return Some(symbol.trim_matches('"'));
            }
            offset += 8;
        } else if let Some(bytes) = element.strip_prefix('[') {
            offset += bytes.split(' ').next()?.parse::<u64>().ok()?;
        } else {
            offset += 8;
        }
    }
    None
}

/// The types of a parameter or argument list.
fn parameters(list: &str) -> Option<Vec<String>> {
    split_list(list)
        .map(|parameter| {
            let (ty, rest) = typed(parameter)?;
            Some(
                match rest.find("sret(").or_else(|| parameter.find("sret(")) {
                    Some(_) => {
                        let from = &parameter[parameter.find("sret(")?..];
                        let length = "sret".len() + balanced(&from["sret".len()..])?;
                        format!("{ty} {}", &from[..length])
                    }
                    None => ty.to_owned(),
                },
            )
        })
        .collect()
}

/// Passes over attributes: a type, and what follows it.
fn typed(mut text: &str) -> Option<(&str, &str)> {
    loop {
        text = text.trim_start();
        let length = match text.as_bytes().first()? {
            b'{' | b'[' | b'<' => balanced(text)?,
            _ => word_length(text),
        };
        let (word, rest) = text.split_at(length);
        if is_type(word) {
            return Some((word, rest.trim_start()));
        }
        if length == 0 {
            return None;
        }
        text = rest;
    }
}

fn is_type(word: &str) -> bool {
    matches!(word, "void" | "ptr" | "double" | "float" | "half" | "fp128")
        || word.starts_with(['{', '[', '<'])
        || word
            .strip_prefix('i')
            .is_some_and(|bits| !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()))
}

/// A word with the parenthesis that belongs to it, as in `range(i64 0, 5)`.
fn word_length(text: &str) -> usize {
    let plain = text.find([' ', '(', ',']).unwrap_or(text.len());
    match text.as_bytes().get(plain) {
        Some(b'(') => plain + balanced(&text[plain..]).unwrap_or(text.len() - plain),
        _ => plain,
    }
}

/// The name of a panic in the library: no function is known at an address.
const UNKNOWN_FUNCTION: &str = "__oxide_enzyme_unknown_function";

/// Zero, but Enzyme does not know: what is added to the pointer to a trait object's data, so that each method has a pointer of
/// its own and type analysis does not take the data of different types for one.
const ZERO: &str = "oxide_enzyme.zero";

/// What the closure calls that function.
fn zero() -> String {
    quoted(&policy::inactive_name(ZERO))
}

/// What dispatchers need declared.
pub fn declarations() -> String {
    format!(
        "declare void {}() noreturn\ndeclare i64 {}() nounwind willreturn memory(none)\n",
        quoted(&policy::inactive_name(UNKNOWN_FUNCTION)),
        zero()
    )
}

/// What is left of them after differentiation.
pub const DEFINITIONS: &str =
    "define internal i64 @oxide_enzyme.zero() alwaysinline {\n  ret i64 0\n}\n";

/// A closure in which type analysis sees that the zero is one; `None` if there is none.
pub fn transparent(closure: &str) -> Option<String> {
    let opaque = format!("call i64 {}()", zero());
    closure
        .contains(&opaque)
        .then(|| closure.replace(&opaque, "add i64 0, 0"))
}

/// Whether a line of a differentiated module declares what [`DEFINITIONS`] defines.
pub fn is_declared(line: &str) -> bool {
    line.starts_with("declare ") && line.contains("@oxide_enzyme.zero(")
}

/// A function and the addresses that it has: the closure's copy, and the program's.
#[derive(Debug)]
pub struct Choice {
    /// The closure's copy, which is called.
    pub copy: String,
    /// Where the program has it.
    pub addresses: Vec<String>,
}

/// The function that finds out what is called, and calls it. Names are as in the closure, sigil included.
pub fn dispatcher(name: &str, target: &Target, choices: &[Choice]) -> String {
    let Target {
        result, parameters, ..
    } = target;
    let list: Vec<String> = parameters
        .iter()
        .enumerate()
        .map(|(n, ty)| format!("{ty} %a{n}"))
        .collect();
    let all: Vec<String> = std::iter::once("ptr %f".to_owned())
        .chain(list.iter().cloned())
        .collect();
    let data = data_parameter(target);
    let mut text = format!(
        "define internal {result} {name}({}) alwaysinline {{\nstart:\n  %zero = call i64 {}()\n",
        all.join(", "),
        zero()
    );
    for (n, Choice { copy, addresses }) in choices.iter().enumerate() {
        for (k, address) in std::iter::once(copy).chain(addresses).enumerate() {
            text += &format!(
                "  %is.{n}.{k} = icmp eq ptr %f, {address}\n  br i1 %is.{n}.{k}, label %call.{n}, label %not.{n}.{k}\nnot.{n}.{k}:\n"
            );
        }
        let next = format!("next.{n}");
        text += &format!("  br label %{next}\ncall.{n}:\n");
        let mut list = list.clone();
        if let Some(data) = data {
            text += &format!("  %data.{n} = getelementptr i8, ptr %a{data}, i64 %zero\n");
            list[data] = format!("ptr %data.{n}");
        }
        let list = list.join(", ");
        text += &match result.as_str() {
            "void" => format!("  call void {copy}({list})\n  ret void\n"),
            _ => format!("  %r.{n} = call {result} {copy}({list})\n  ret {result} %r.{n}\n"),
        };
        text += &format!("{next}:\n");
    }
    let unknown = quoted(&policy::inactive_name(UNKNOWN_FUNCTION));
    text + &format!("  call void {unknown}()\n  unreachable\n}}\n")
}

/// The parameter that points to a trait object's data: the first that is no place for the result.
fn data_parameter(target: &Target) -> Option<usize> {
    target.slot?;
    target.parameters.iter().position(|ty| ty == "ptr")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "  %1 = getelementptr inbounds i8, ptr %vtable, i64 24
  %2 = load ptr, ptr %1, align 8, !invariant.load !4, !nonnull !4
  %r = call noundef range(i64 0, 5) { i64, double } %2(ptr noundef sret([16 x i8]) align 8 %x, double noundef %\"a b\"), !dbg !5
  %s = tail call double %f(double %y)
  %t = call double @known(ptr %f)
  %3 = load ptr, ptr getelementptr inbounds (i8, ptr @vtable.0, i64 32), align 8, !invariant.load !4, !nonnull !4
  %u = call double %3(double %y)";

    #[test]
    fn a_call_through_a_pointer_is_taken_apart() {
        let definitions = definitions(BODY);
        let calls: Vec<Call> = BODY
            .lines()
            .filter_map(|line| call(line, &definitions))
            .collect();
        assert_eq!(calls.len(), 3);
        assert_eq!((calls[0].pointer, calls[0].tail), ("%2", ", !dbg !5"));
        assert_eq!(
            calls[0].target,
            Target {
                result: "{ i64, double }".into(),
                parameters: vec!["ptr sret([16 x i8])".into(), "double".into()],
                slot: Some(24)
            }
        );
        assert_eq!((calls[1].pointer, calls[1].target.slot), ("%f", None));
        assert_eq!((calls[2].pointer, calls[2].target.slot), ("%3", Some(32)));
    }

    const MODULE: &str = r#"@vtable.0 = private unnamed_addr constant <{ [24 x i8], ptr }> <{ [24 x i8] c"\00\22, \00", ptr @method }>, align 8
@table = internal constant [1 x ptr] [ptr @listed]
define internal double @method(ptr noundef %self, double %x) #0 {
  ret double %x
}
define double @listed(double %x) {
  ret double %x
}
define double @called(double %x) {
  %y = call double @listed(double %x)
  %z = call double @apply(ptr @passed, double %y)
  ret double %z
}
declare noundef double @passed(double noundef)
declare noundef double @apply(ptr noundef, double noundef)
"#;

    #[test]
    fn candidates_have_the_type_and_their_address_taken() {
        let module = Module::parse(MODULE.to_owned());
        let target = |parameters: &[&str], slot| Target {
            result: "double".into(),
            parameters: parameters.iter().map(|p| (*p).to_owned()).collect(),
            slot,
        };
        assert_eq!(
            candidates(&module, &target(&["double"], None)),
            ["listed", "passed"]
        );
        assert_eq!(
            candidates(&module, &target(&["ptr", "double"], Some(24))),
            ["method"]
        );
        assert!(candidates(&module, &target(&["ptr", "double"], Some(16))).is_empty());
    }
}
