//! Tells Enzyme what the lists are that an inner derivative clears.
//!
//! An inner derivative keeps shadows on its tape, and clears them on the way back. Of a list that it finds there, Enzyme does not know
//! what it holds, for it follows an index that is not constant to its first value only, and it has to know what it clears. What
//! else is done with what is kept in the same place shows it.

use std::collections::{BTreeSet, HashSet};

use crate::hints;
use crate::ir::{push_line, rewrite_functions, values};
use crate::origins::Origins;

/// How Enzyme marks the memory of a tape.
const TAPE: &str = "!enzyme_cache_alloc";

/// Puts hints before what clears lists in a module.
pub fn hint(ir: &str) -> String {
    if !ir.contains(TAPE) {
        return ir.to_owned();
    }
    rewrite_functions(ir, in_function)
}

fn in_function(lines: &[&str], out: &mut String) {
    let origins = Origins::of(lines);
    for line in lines {
        if let Some(list) = cleared(line)
            && let Some(hint) = hint_of(list, lines, &origins)
        {
            push_line(out, &format!("  call void @{hint}(ptr {list})"));
        }
        push_line(out, line);
    }
}

/// What a line clears.
fn cleared(line: &str) -> Option<&str> {
    let (_, call) = line.split_once("call void @llvm.memset.")?;
    let (target, value) = call.split_once('(')?.1.split_once(", i8 ")?;
    let is_zero = value.starts_with("0, ");
    values(target).next().filter(|_| is_zero)
}

/// The hint that others give of what is kept where a list is found; `None` if there is none, or more than one.
fn hint_of<'a>(list: &'a str, lines: &[&'a str], origins: &Origins<'a>) -> Option<&'static str> {
    let tapes = |address| -> HashSet<&str> {
        let is_tape = |name: &&str| origins.code(name).is_some_and(|code| code.contains(TAPE));
        origins
            .of_one(address)
            .into_iter()
            .filter(is_tape)
            .collect()
    };
    let own = tapes(origins.loaded_from(list)?);
    let is_kept_there = |address| !own.is_disjoint(&tapes(address));
    let stored = lines.iter().filter_map(|line| {
        let (value, address) = line
            .trim_start()
            .strip_prefix("store ptr ")?
            .split_once(", ptr ")?;
        let is_there = values(address).next().is_some_and(is_kept_there);
        is_there.then(|| values(value).next())?
    });
    let stored = origins.of_all(stored);
    let is_same = |address| {
        origins.of_one(address).into_iter().any(|first| {
            stored.contains(first) || origins.loaded_from(first).is_some_and(is_kept_there)
        })
    };
    let given: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| hints::given(line))
        .filter(|(_, address)| is_same(address))
        .map(|(hint, _)| hint)
        .collect();
    given.first().copied().filter(|_| given.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEARED: &str = "\
define void @f(i64 %i) {
start:
  %tape = call noalias ptr @malloc(i64 %n), !enzyme_cache_alloc !1
  %one = getelementptr inbounds ptr, ptr %tape, i64 %i
  %list = load ptr, ptr %one, align 8
  call void @llvm.memset.p0.i64(ptr align 8 %list, i8 0, i64 %n, i1 false)
  %other = getelementptr inbounds ptr, ptr %tape, i64 %j
  %row = load ptr, ptr %other, align 8
  call void @__enzyme_double(ptr nonnull %row)
  ret void
}
";

    #[test]
    fn what_is_cleared_is_what_is_kept_in_the_same_place() {
        let out = hint(CLEARED);
        let hinted = "  call void @__enzyme_double(ptr %list)\n  call void @llvm.memset";
        assert!(out.contains(hinted), "{out}");
        let other = CLEARED.replace("i64 %n), !enzyme", "i64 %n) ; !enzyme_none");
        assert_eq!(hint(&other), other);
        let both = CLEARED.replace("  ret", "  call void @__enzyme_integer(ptr %row)\n  ret");
        assert_eq!(hint(&both), both);
    }
}
