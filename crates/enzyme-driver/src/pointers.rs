//! Keeps pointers pointers.
//!
//! A slot that holds a pointer in one case and a number in another (the result of an allocation that may fail) becomes an
//! integer when LLVM takes it apart: `ptrtoint`, a `phi` of integers, `inttoptr`. Enzyme does not see through that: it was
//! seen to drop stores to memory that is read through such a pointer. So a merge of integers that come from pointers gets a
//! merge of the pointers beside it, and what was made a pointer again uses that.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::ir::{bare, push_line, rewrite_functions};

/// Rewrites every function of a module.
pub fn restore(ir: &str) -> String {
    rewrite_functions(ir, in_function)
}

fn in_function(lines: &[&str], out: &mut String) {
    let definitions: HashMap<&str, &str> = lines
        .iter()
        .filter_map(|line| line.trim_start().split_once(" = "))
        .collect();
    let mut wanted = HashSet::new();
    for code in definitions.values() {
        if let Some(integer) = operand(code, "inttoptr i64 ") {
            collect(integer, &definitions, &mut wanted);
        }
    }
    for line in lines {
        let parts = line.trim_start().split_once(" = ");
        match parts {
            Some((name, code)) if wanted.contains(name) => {
                let _ = writeln!(out, "{}\n{line}", beside(name, code, &definitions, &wanted));
            }
            Some((name, code)) if pointer_for(code, &definitions, &wanted).is_some() => {
                let pointer = pointer_for(code, &definitions, &wanted).unwrap_or_default();
                let _ = writeln!(out, "  {name} = getelementptr i8, ptr {pointer}, i64 0");
            }
            _ => push_line(out, line),
        }
    }
}

/// The pointer of an `inttoptr` whose integer comes from pointers.
fn pointer_for(
    code: &str,
    definitions: &HashMap<&str, &str>,
    wanted: &HashSet<&str>,
) -> Option<String> {
    pointer_of(operand(code, "inttoptr i64 ")?, definitions, wanted)
        .filter(|pointer| pointer.starts_with('%'))
}

/// Adds `integer`, and the merges that it merges, if all of them come from pointers in the end.
fn collect<'a>(
    integer: &'a str,
    definitions: &HashMap<&'a str, &'a str>,
    wanted: &mut HashSet<&'a str>,
) {
    let mut found = HashSet::new();
    if comes_from_pointers(integer, definitions, &mut found) {
        wanted.extend(found);
    }
}

fn comes_from_pointers<'a>(
    integer: &'a str,
    definitions: &HashMap<&'a str, &'a str>,
    found: &mut HashSet<&'a str>,
) -> bool {
    if !integer.starts_with('%') {
        return true;
    }
    let Some(code) = definitions.get(integer) else {
        return false;
    };
    if code.starts_with("ptrtoint ptr ") {
        return true;
    }
    let Some(merged) = merged(code) else {
        return false;
    };
    if !found.insert(integer) {
        return true;
    }
    merged
        .iter()
        .all(|(value, _)| comes_from_pointers(value, definitions, found))
}

/// Values and blocks of a `phi i64`; values alone of a `select` of integers.
fn merged(code: &str) -> Option<Vec<(&str, &str)>> {
    if let Some(incoming) = code.strip_prefix("phi i64 ") {
        return incoming
            .split("[ ")
            .skip(1)
            .map(|pair| {
                pair.split_once(" ]")
                    .and_then(|(pair, _)| pair.split_once(", "))
            })
            .collect();
    }
    None
}

/// A `phi` of the pointers beside the `phi` of the integers.
fn beside(
    name: &str,
    code: &str,
    definitions: &HashMap<&str, &str>,
    wanted: &HashSet<&str>,
) -> String {
    let pairs: Vec<String> = merged(code)
        .unwrap_or_default()
        .into_iter()
        .map(|(value, block)| {
            let pointer =
                pointer_of(value, definitions, wanted).unwrap_or_else(|| "poison".to_owned());
            format!("[ {pointer}, {block} ]")
        })
        .collect();
    format!("  {} = phi ptr {}", pointer_name(name), pairs.join(", "))
}

/// The pointer that an integer stands for.
fn pointer_of(
    value: &str,
    definitions: &HashMap<&str, &str>,
    wanted: &HashSet<&str>,
) -> Option<String> {
    if value == "undef" || value == "poison" {
        return Some(value.to_owned());
    }
    if !value.starts_with('%') {
        return Some(format!("inttoptr (i64 {value} to ptr)"));
    }
    if wanted.contains(value) {
        return Some(pointer_name(value));
    }
    operand(definitions.get(value)?, "ptrtoint ptr ").map(str::to_owned)
}

fn pointer_name(integer: &str) -> String {
    format!("%\"{}.pointer\"", bare(integer))
}

fn operand<'a>(code: &'a str, start: &str) -> Option<&'a str> {
    code.strip_prefix(start)?.split([' ', ',']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IR: &str = "define void @f(ptr %p) {
  %i = ptrtoint ptr %p to i64
  br label %b
b:
  %m = phi i64 [ 8, %a ], [ %i, %c ]
  %q = inttoptr i64 %m to ptr
  ret void
}
";

    #[test]
    fn a_pointer_that_was_an_integer_for_a_while_is_a_pointer_again() {
        let out = restore(IR);
        assert!(
            out.contains(
                "  %\"m.pointer\" = phi ptr [ inttoptr (i64 8 to ptr), %a ], [ %p, %c ]\n"
            ),
            "{out}"
        );
        assert!(out.contains("  %q = getelementptr i8, ptr %\"m.pointer\", i64 0\n"));
    }

    #[test]
    fn an_integer_that_comes_from_elsewhere_is_left_alone() {
        let ir = IR.replace("%i = ptrtoint ptr %p to i64", "%i = load i64, ptr %p");
        assert_eq!(restore(&ir), ir);
    }
}
