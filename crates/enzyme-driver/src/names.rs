//! Names what has none.
//!
//! What Enzyme prints of values it prints by their names, and a number is another one in each function that it makes.

use std::fmt::Write as _;

use crate::ir::{push_line, rewrite_functions};

/// Gives each value and each block of a module a name.
pub fn give(ir: &str) -> String {
    rewrite_functions(ir, |lines, out| {
        // The number of a block that is not there can be referred to.
        let starts_with_block = lines
            .get(1)
            .is_some_and(|line| !line.starts_with(' ') && line.contains(':'));
        for line in lines {
            if starts_with_block {
                push_line(out, &named(line));
            } else {
                push_line(out, line);
            }
        }
    })
}

fn named(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 32);
    let mut rest = line;
    if let Some((number, after)) = number(line).filter(|(_, after)| after.starts_with(':')) {
        let _ = write!(out, "\"{number}.unnamed\"");
        rest = after;
    }
    while let Some(at) = rest.find('%') {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        let is_end =
            |after: &str| !after.starts_with(|c: char| c.is_alphanumeric() || "._$-".contains(c));
        if let Some((number, after)) = number(rest).filter(|(_, after)| is_end(after)) {
            let _ = write!(out, "\"{number}.unnamed\"");
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The number that a text begins with, and the rest.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_blocks_without_names_get_some() {
        let ir = "define void @f(ptr %0) {\nstart:\n  %1 = load i64, ptr %0, align 8, !dbg !1\n  br label %2\n\n2: ; preds = %start\n  %x.1 = add i64 %1, 1\n  ret void\n}\n";
        let expected = "define void @f(ptr %\"0.unnamed\") {\nstart:\n  %\"1.unnamed\" = load i64, ptr %\"0.unnamed\", align 8, !dbg !1\n  br label %\"2.unnamed\"\n\n\"2.unnamed\": ; preds = %start\n  %x.1 = add i64 %\"1.unnamed\", 1\n  ret void\n}\n";
        assert_eq!(give(ir), expected);
    }

    #[test]
    fn a_first_block_without_a_label_may_be_referred_to_by_its_number() {
        let ir = "define void @f(ptr %0) {\n  br label %2\n\n2:\n  %x = phi i64 [ 0, %1 ]\n  ret void\n}\n";
        assert_eq!(give(ir), ir);
    }
}
