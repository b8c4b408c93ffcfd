//! What addresses begin with.

use std::collections::{HashMap, HashSet};

use crate::ir::values;
use crate::layout::{Layouts, Scalar};

/// The definitions of the values in a function.
pub struct Origins<'a>(HashMap<&'a str, &'a str>);

/// How an address comes out of another one.
const STEPS: [&str; 3] = ["getelementptr ", "phi ptr ", "select "];

impl<'a> Origins<'a> {
    /// Reads a function.
    pub fn of(lines: &[&'a str]) -> Self {
        let definitions = lines
            .iter()
            .filter_map(|line| line.trim_start().split_once(" = "));
        Origins(definitions.collect())
    }

    /// What defines a value.
    pub fn code(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// Where a pointer is loaded from; `None` if it is not.
    pub fn loaded_from(&self, name: &str) -> Option<&'a str> {
        let address = self.code(name)?.strip_prefix("load ptr, ptr ")?;
        values(address).next()
    }

    /// The scalars of what is at an address, if an index there has a type of that length.
    pub fn declared(
        &self,
        address: &str,
        length: u64,
        layouts: &Layouts<'_>,
    ) -> Option<Vec<Scalar>> {
        let (ty, ..) = indexed(self.code(address)?)?;
        let is_whole = layouts.size(ty)? == length;
        layouts.scalars(ty).filter(|_| is_whole)
    }

    /// What some addresses begin with, through offsets and choices.
    pub fn of_all(&self, addresses: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
        let mut first = HashSet::new();
        let mut seen = HashSet::new();
        let mut open: Vec<&str> = addresses.collect();
        while let Some(address) = open.pop() {
            if !seen.insert(address) {
                continue;
            }
            match self.code(address) {
                // Of a choice also the condition, of an offset also the index: they are no pointers.
                Some(code) if STEPS.iter().any(|step| code.starts_with(step)) => {
                    open.extend(values(code));
                }
                _ => {
                    first.insert(address);
                }
            }
        }
        first
    }

    /// The same of one.
    pub fn of_one(&self, address: &'a str) -> HashSet<&'a str> {
        self.of_all(std::iter::once(address))
    }
}

/// Of an address, the type and the base of an index, and the index.
pub fn indexed(code: &str) -> Option<(&str, &str, &str)> {
    let (head, operands) = code.strip_prefix("getelementptr ")?.split_once(", ptr ")?;
    // Of a constant address the operands stand in brackets.
    let (mut ty, operands) = match head.split_once('(') {
        Some((_, ty)) => (ty, operands.strip_suffix(')')?),
        None => (head, operands),
    };
    for flag in ["inbounds ", "nusw ", "nuw "] {
        ty = ty.strip_prefix(flag).unwrap_or(ty);
    }
    let (base, index) = operands.split_once(", i64 ")?;
    let (index, rest) = index.split_once(',').unwrap_or((index, ""));
    let is_all = rest.is_empty() || rest.starts_with(" !");
    is_all.then_some((ty, base, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_followed_through_offsets_and_choices() {
        let lines = [
            "  %a = load ptr, ptr %at, align 8",
            "  %b = call ptr @f()",
            "  %c = select i1 %which, ptr %a, ptr %b",
            "  %d = phi ptr [ %c, %start ], [ %e, %next ]",
            "  %e = getelementptr inbounds i8, ptr %d, i64 8",
        ];
        let origins = Origins::of(&lines);
        let first = origins.of_one("%e");
        assert!(first.contains("%a") && first.contains("%b") && !first.contains("%c"));
        assert_eq!(origins.loaded_from("%a"), Some("%at"));
        assert_eq!(origins.loaded_from("%b"), None);
    }
}
