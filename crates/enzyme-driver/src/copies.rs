//! Makes copies of floats look like copies of floats.
//!
//! LLVM turns a `memcpy` of eight bytes into a load and a store of an `i64`, whatever the bytes are. Enzyme takes an integer
//! of unknown type for inactive, so that a gradient would get lost without a word. Where the address says that there is a
//! float (it was computed as an index into floats, or a float is loaded from it or stored to it elsewhere), the copy is
//! rewritten to move a float.

use std::borrow::Cow;
use std::collections::HashMap;

/// A float type and the integer of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Float {
    Single,
    Double,
}

impl Float {
    fn name(self) -> &'static str {
        match self {
            Float::Single => "float",
            Float::Double => "double",
        }
    }

    fn integer(self) -> &'static str {
        match self {
            Float::Single => "i32",
            Float::Double => "i64",
        }
    }

    fn at_start_of(text: &str) -> Option<Float> {
        [Float::Single, Float::Double].into_iter().find(|float| {
            text.strip_prefix(float.name())
                .is_some_and(|rest| rest.starts_with([',', ' ']))
        })
    }
}

/// Rewrites the integer copies of floats in every function of a module.
pub fn as_floats(ir: &str) -> String {
    let mut out = String::with_capacity(ir.len());
    let mut rest = ir;
    while let Some(start) = find_function(rest) {
        let end = rest[start..]
            .find("\n}")
            .map_or(rest.len(), |n| start + n + 2);
        out.push_str(&rest[..start]);
        out.push_str(&in_function(&rest[start..end]));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn find_function(text: &str) -> Option<usize> {
    if text.starts_with("define ") {
        Some(0)
    } else {
        text.find("\ndefine ").map(|n| n + 1)
    }
}

fn in_function(text: &str) -> Cow<'_, str> {
    let floats = float_addresses(text);
    if floats.is_empty() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        match rewritten(line, number, &floats) {
            Some(new) => out.push_str(&new),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out.pop();
    out.into()
}

/// Addresses in a function at which there are floats, by what is done with them.
fn float_addresses(text: &str) -> HashMap<&str, Float> {
    let mut floats = HashMap::new();
    for line in text.lines() {
        if let Some((address, float)) = float_access(line) {
            floats.insert(address, float);
        }
    }
    // What rustc itself loads as an integer is one, at least on some path.
    for line in text.lines().filter(|line| line.contains("!noundef")) {
        if let Some((_, load)) = line.split_once(" = load i")
            && let Some(address) = pointer_operand(load)
        {
            floats.remove(address);
        }
    }
    floats
}

fn float_access(line: &str) -> Option<(&str, Float)> {
    let line = line.trim_start();
    if let Some((result, address)) = line.split_once(" = getelementptr ") {
        // Flags such as `inbounds` come before the element type.
        let element = address.split(", ptr ").next()?.rsplit(' ').next()?;
        let float = [Float::Single, Float::Double]
            .into_iter()
            .find(|f| f.name() == element)?;
        return Some((result, float));
    }
    if let Some((_, load)) = line.split_once(" = load ") {
        return Some((pointer_operand(load)?, Float::at_start_of(load)?));
    }
    let stored = line.strip_prefix("store ")?;
    Some((pointer_operand(stored)?, Float::at_start_of(stored)?))
}

/// `%p` of `double, ptr %p, align 8`.
fn pointer_operand(text: &str) -> Option<&str> {
    let after = text.split_once(", ptr ")?.1;
    let end = after.find([',', ' ']).unwrap_or(after.len());
    Some(&after[..end])
}

fn rewritten(line: &str, number: usize, floats: &HashMap<&str, Float>) -> Option<String> {
    let code = line.trim_start();
    if let Some((result, load)) = code.split_once(" = load ") {
        let float = *floats.get(pointer_operand(load)?)?;
        let rest = load.strip_prefix(float.integer())?.strip_prefix(", ")?;
        let (name, integer) = (float.name(), float.integer());
        let new = with_suffix(result);
        return Some(format!(
            "  {new} = load {name}, {rest}\n  {result} = bitcast {name} {new} to {integer}"
        ));
    }
    let stored = code.strip_prefix("store ")?;
    let float = *floats.get(pointer_operand(stored)?)?;
    let (value, rest) = stored
        .strip_prefix(float.integer())?
        .strip_prefix(' ')?
        .split_once(", ")?;
    if !value.starts_with('%') {
        return None;
    }
    // A value may be stored more than once.
    let new = with_suffix(&format!("{}.{number}", bare(value)));
    let (name, integer) = (float.name(), float.integer());
    Some(format!(
        "  {new} = bitcast {integer} {value} to {name}\n  store {name} {new}, {rest}"
    ))
}

fn bare(value: &str) -> &str {
    value.trim_start_matches(['%', '@']).trim_matches('"')
}

fn with_suffix(value: &str) -> String {
    format!("%\"{}.float\"", bare(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_between_float_addresses_moves_a_float() {
        let ir = "define void @f(ptr %a, i64 %i) {\n  %x = getelementptr inbounds nuw double, ptr %a, i64 %i\n  %y = getelementptr double, ptr %a, i64 1\n  %3 = load i64, ptr %y, align 8, !dbg !1\n  store i64 %3, ptr %x, align 8\n  ret void\n}\n";
        let expected = "  %\"3.float\" = load double, ptr %y, align 8, !dbg !1\n  %3 = bitcast double %\"3.float\" to i64\n  %\"3.4.float\" = bitcast i64 %3 to double\n  store double %\"3.4.float\", ptr %x, align 8\n";
        assert!(as_floats(ir).contains(expected), "{}", as_floats(ir));
    }

    #[test]
    fn integers_stay_integers() {
        let ir = "define void @f(ptr %a, ptr %x) {\n  %v = load i64, ptr %a, align 8\n  store i64 %v, ptr %x, align 8\n  %d = load double, ptr %q, align 8\n  %n = load i64, ptr %q, align 8, !noundef !0\n  ret void\n}\n";
        assert_eq!(as_floats(ir), ir);
    }
}
