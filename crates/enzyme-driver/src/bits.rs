//! Floats that are also looked at as bits (`to_bits`, `total_cmp`) are loaded as floats.
//!
//! LLVM loads such a float once, as an integer, and takes over `noundef` from the float's load, by which integers are told
//! from raw memory elsewhere: the float would count as an integer, and its gradient be lost without a word. The same
//! happens to a float whose bits are passed to a function that takes an integer. There the conversion becomes a call that
//! type analysis does not look through.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::ir::{bare, declare_if_called, define_if_declared, push_line, rewrite_functions};
use crate::policy;

/// From a float to its bits, behind Enzyme's back.
const CONVERSIONS: [(&str, &str, &str); 2] = [
    ("double", "i64", "oxide_enzyme.bits64"),
    ("float", "i32", "oxide_enzyme.bits32"),
];

/// Defines the conversions that a differentiated module calls; names have been put back.
pub fn define(mut text: String) -> String {
    for (float, integer, name) in CONVERSIONS {
        let definition = format!(
            "define internal {integer} @{name}({float} %x) {{\n  %bits = bitcast {float} %x to {integer}\n  ret {integer} %bits\n}}"
        );
        text = define_if_declared(text, name, &definition);
    }
    text
}

/// Rewrites every function of a module.
pub fn as_floats(ir: &str) -> String {
    let mut out = rewrite_functions(ir, in_function);
    for (float, integer, name) in CONVERSIONS {
        let name = policy::inactive_name(name);
        declare_if_called(
            &mut out,
            &format!("declare {integer} @{name}({float}) nounwind willreturn memory(none)"),
        );
    }
    out
}

fn in_function(lines: &[&str], out: &mut String) {
    let floats: HashSet<(&str, &str, &str)> = lines
        .iter()
        .filter_map(|line| float_of_bits(line))
        .collect();
    let passed: Vec<(&str, usize)> = lines
        .iter()
        .filter_map(|line| bits_of_float(line))
        .filter(|(value, _)| lines.iter().any(|line| passes(line, value)))
        .collect();
    for line in lines {
        match rewritten(line, &floats) {
            Some(new) => push_line(out, &new),
            None => push_line(out, &with_conversions(line, &passed)),
        }
    }
}

/// The integer of `%n = bitcast double %x to i64`, and the conversion that it is.
fn bits_of_float(line: &str) -> Option<(&str, usize)> {
    let (name, cast) = line.trim_start().split_once(" = bitcast ")?;
    let (from, to) = cast.split_once(" to ")?;
    let integer = to.split([',', ' ']).next()?;
    let at = CONVERSIONS.iter().position(|(float, i, _)| {
        from.strip_prefix(float)
            .is_some_and(|rest| rest.starts_with(' '))
            && *i == integer
    })?;
    Some((name, at))
}

/// Whether the value is passed as what rustc vouches for as an integer.
fn passes(line: &str, value: &str) -> bool {
    line.contains("call ") && argument(line, value).is_some()
}

/// Where `noundef %value` ends.
fn argument(line: &str, value: &str) -> Option<usize> {
    let pattern = format!("noundef {value}");
    line.match_indices(&pattern)
        .map(|(at, _)| at + pattern.len())
        .find(|end| line[*end..].starts_with([',', ')']))
}

fn with_conversions(line: &str, passed: &[(&str, usize)]) -> String {
    let mut line = line.to_owned();
    for (value, conversion) in passed {
        let new = format!("%\"{}.integer\"", bare(value));
        while passes(&line, value) {
            let end = argument(&line, value).unwrap_or_default();
            line.replace_range(end - value.len()..end, &new);
        }
        if bits_of_float(&line).is_some_and(|(name, _)| name == *value) {
            let (float, integer, name) = CONVERSIONS[*conversion];
            let operand = line
                .split_once(&format!("bitcast {float} "))
                .and_then(|(_, rest)| rest.split(' ').next())
                .unwrap_or_default()
                .to_owned();
            let _ = write!(
                line,
                "\n  {new} = call {integer} @{}({float} {operand})",
                policy::inactive_name(name)
            );
        }
    }
    line
}

/// Integer, its type and the float's type of `bitcast i64 %x to double`.
fn float_of_bits(line: &str) -> Option<(&str, &str, &str)> {
    let (_, cast) = line.split_once(" = bitcast ")?;
    let (from, to) = cast.split_once(" to ")?;
    let (integer, value) = from.split_once(' ')?;
    let float = to.split([',', ' ']).next()?;
    let fits = matches!((integer, float), ("i64", "double") | ("i32", "float"));
    fits.then_some((value, integer, float))
}

fn rewritten(line: &str, floats: &HashSet<(&str, &str, &str)>) -> Option<String> {
    let (name, load) = line.trim_start().split_once(" = load ")?;
    let (_, integer, float) = floats.iter().find(|(value, ..)| *value == name)?;
    let rest = load.strip_prefix(integer)?.strip_prefix(", ")?;
    // A range is one of integers.
    let rest = rest.split(", !range ").next()?;
    let new = format!("%\"{}.bits\"", bare(name));
    let mut out = String::new();
    let _ = write!(
        out,
        "  {new} = load {float}, {rest}\n  {name} = bitcast {float} {new} to {integer}"
    );
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_a_float_is_loaded_as_a_float() {
        let ir = "define void @f(ptr %p) {\n  %x = load i64, ptr %p, align 8, !noundef !1\n  %n = load i64, ptr %q, align 8\n  %y = bitcast i64 %x to double, !dbg !2\n  ret void\n}\n";
        let expected = ir.replace(
            "  %x = load i64, ptr %p, align 8, !noundef !1\n",
            "  %\"x.bits\" = load double, ptr %p, align 8, !noundef !1\n  %x = bitcast double %\"x.bits\" to i64\n",
        );
        assert_eq!(as_floats(ir), expected);
    }

    #[test]
    fn what_is_passed_as_an_integer_is_converted_unseen() {
        let ir = "define void @f(double %x) {\n  %n = bitcast double %x to i64, !dbg !1\n  call void @g(i64 noundef %n, i64 %n)\n  ret void\n}\n";
        let out = as_floats(ir);
        assert!(
            out.contains(
                "%\"n.integer\" = call i64 @_ZN4core3fmt.inactive.oxide_enzyme.bits64(double %x)\n"
            ),
            "{out}"
        );
        assert!(
            out.contains("call void @g(i64 noundef %\"n.integer\", i64 %n)"),
            "{out}"
        );
        let restored = define("declare i64 @oxide_enzyme.bits64(double) #1\n".to_owned());
        assert!(restored.starts_with("define internal i64 @oxide_enzyme.bits64(double %x) {\n"));
    }
}
