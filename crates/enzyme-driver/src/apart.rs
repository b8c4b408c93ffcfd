//! Takes copies of structs and arrays apart, as far as Enzyme does it wrong.
//!
//! Enzyme copies the shadow of each part of another kind by itself. Where the source is inactive it clears the shadow of floats, but
//! always at the beginning of the target (`SubTransferHelper` in its AdjointGenerator.cpp): the adjoint of a float that follows an
//! integer stayed, as if it had not been overwritten. The same where a struct is filled with zeros. So a copy of a constant size goes
//! through a variable of its own, unless the type of an end says that there is nothing but floats. The variable is given to a function
//! that may write there, for all that Enzyme knows: it is active, and the shadow of its floats, which nobody reads, is what stays.
//!
//! What is beyond the offset up to which Enzyme knows types it takes for more of the last that it knows. So a longer copy is one piece
//! after the other, each with a type of its own: known, or refused.

use crate::hints;
use crate::ir::{self, bare, push_line, rewrite_functions};
use crate::layout::{Layouts, Scalar};
use crate::nothing;
use crate::origins::Origins;
use crate::reached;
use crate::sources;
use crate::strides;

/// Not [`reached`]'s own function: where a module is optimised again, that has another calling convention.
const PASSED: &str = "oxide_enzyme.passed";

const MEMCPY: &str = "llvm.memcpy.p0.p0.i64";

/// A float and something else.
const SHORTEST: u64 = 9;

/// A piece: what Enzyme knows types of, in whole words.
const PIECE: u64 = strides::LONGEST / 16 * 16;

/// More would be too much code. Arrays of that size hold one kind of number.
const LONGEST: u64 = 1 << 16;

/// Rewrites such copies in a module.
pub fn pass_through(ir: &str) -> String {
    let layouts = Layouts::of(ir);
    let out = rewrite_functions(ir, |lines, out| {
        let origins = Origins::of(lines);
        let copies: Vec<Option<Copy<'_>>> = lines
            .iter()
            .map(|line| Copy::parse(line).filter(|copy| copy.may_be_mixed(&origins, &layouts)))
            .collect();
        let entry = nothing::entry(lines);
        for (number, line) in lines.iter().enumerate() {
            if number == entry {
                let all = copies.iter().enumerate();
                all.filter_map(|(number, copy)| Some(copy.as_ref()?.variable(number)))
                    .for_each(|line| push_line(out, &line));
            }
            match &copies[number] {
                Some(copy) => copy.write(number, out),
                None => push_line(out, line),
            }
        }
    });
    let mut out = reached::define(out, PASSED);
    sources::declare(&mut out);
    ir::declare_if_called(
        &mut out,
        &format!("declare void @{MEMCPY}(ptr, ptr, i64, i1)"),
    );
    out
}

/// A copy of a constant size, or a fill with zeros.
struct Copy<'a> {
    to: &'a str,
    from: Option<&'a str>,
    length: u64,
    location: Option<u32>,
}

impl<'a> Copy<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (to, from, length) = ir::moved(line)?;
        let copy = Copy {
            to,
            from,
            length: length.parse().ok()?,
            location: hints::location_of(line),
        };
        // What overlaps may not be moved piece by piece.
        let longest = match line.contains("@llvm.memmove.") {
            true => PIECE,
            false => LONGEST,
        };
        let is_such = (SHORTEST..=longest).contains(&copy.length) && line.contains(", i1 false");
        is_such.then_some(copy)
    }

    /// Of a fill only where the type says so: filling memory whose type nothing tells is no error to Enzyme, but copying is.
    fn may_be_mixed(&self, origins: &Origins<'_>, layouts: &Layouts<'_>) -> bool {
        let is_uniform = |end: &str| {
            let scalars = origins.declared(end, self.length, layouts)?;
            let is_same = |s: &Scalar| s.is_float && s.size == scalars[0].size;
            let has_floats = scalars.iter().any(|s| s.is_float);
            has_floats.then(|| scalars.iter().all(is_same))
        };
        match self.from {
            Some(from) => ![self.to, from]
                .iter()
                .any(|end| is_uniform(end) == Some(true)),
            None => is_uniform(self.to) == Some(false),
        }
    }

    fn variable(&self, number: usize) -> String {
        let (name, length) = (self.name(number), self.length.min(PIECE));
        format!("  {name} = alloca [{length} x i8], align 16")
    }

    fn name(&self, number: usize) -> String {
        format!("%\"{}.{number}.passed\"", bare(self.to))
    }

    fn write(&self, number: usize, out: &mut String) {
        let variable = self.name(number);
        let debug = self
            .location
            .map_or(String::new(), |id| format!(", !dbg !{id}"));
        let copy = |to: &str, from: &str, length: u64| {
            format!("  call void @{MEMCPY}(ptr {to}, ptr {from}, i64 {length}, i1 false){debug}")
        };
        for start in (0..self.length).step_by(PIECE as usize) {
            let length = PIECE.min(self.length - start);
            let mut piece = |whole: &str, end: &str| {
                if start == 0 {
                    return whole.to_owned();
                }
                let piece = format!("%\"{}.{number}.{start}.{end}\"", bare(self.to));
                let address = format!("getelementptr inbounds i8, ptr {whole}, i64 {start}");
                push_line(out, &format!("  {piece} = {address}"));
                piece
            };
            let to = piece(self.to, "to");
            let first = match self.from {
                Some(from) => copy(&variable, &piece(from, "from"), length),
                None => format!(
                    "  call void @llvm.memset.p0.i64(ptr {variable}, i8 0, i64 {length}, i1 false){debug}"
                ),
            };
            push_line(out, &first);
            push_line(
                out,
                &format!("  call void @{PASSED}(ptr {variable}){debug}"),
            );
            push_line(out, &copy(&to, &variable, length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IR: &str = "\
%Q = type { i64, double }
define void @f(ptr %to, ptr %from, i64 %n) {
start:
  %a = getelementptr inbounds %Q, ptr %to, i64 %n
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %a, ptr align 8 %from, i64 16, i1 false), !dbg !1
  ret void
}
";

    #[test]
    fn a_struct_passes_through_a_variable() {
        let expected = "\
start:
  %\"a.3.passed\" = alloca [16 x i8], align 16
  %a = getelementptr inbounds %Q, ptr %to, i64 %n
  call void @llvm.memcpy.p0.p0.i64(ptr %\"a.3.passed\", ptr %from, i64 16, i1 false), !dbg !1
  call void @oxide_enzyme.passed(ptr %\"a.3.passed\"), !dbg !1
  call void @llvm.memcpy.p0.p0.i64(ptr %a, ptr %\"a.3.passed\", i64 16, i1 false), !dbg !1
";
        let out = pass_through(IR);
        assert!(out.contains(expected), "{out}");
        assert!(out.contains("define internal void @oxide_enzyme.passed("));
    }

    #[test]
    fn what_is_long_passes_piece_by_piece() {
        let out = pass_through(&IR.replace("i64 16, i1", "i64 1000, i1"));
        assert!(out.contains("alloca [496 x i8]"), "{out}");
        for piece in [
            "(ptr %\"a.3.passed\", ptr %from, i64 496,",
            "(ptr %\"a.3.496.to\", ptr %\"a.3.passed\", i64 496,",
            "(ptr %\"a.3.992.to\", ptr %\"a.3.passed\", i64 8,",
        ] {
            assert!(out.contains(piece), "{out}");
        }
    }

    #[test]
    fn zeros_pass_through_a_variable_too() {
        let fill = IR.replace(
            "memcpy.p0.p0.i64(ptr align 8 %a, ptr align 8 %from",
            "memset.p0.i64(ptr align 8 %a, i8 0",
        );
        let expected = "\
  call void @llvm.memset.p0.i64(ptr %\"a.3.passed\", i8 0, i64 16, i1 false), !dbg !1
  call void @oxide_enzyme.passed(ptr %\"a.3.passed\"), !dbg !1
  call void @llvm.memcpy.p0.p0.i64(ptr %a, ptr %\"a.3.passed\", i64 16, i1 false), !dbg !1
";
        let out = pass_through(&fill);
        assert!(out.contains(expected), "{out}");
        for function in ["llvm.memcpy.p0.p0.i64", "oxide_enzyme.touch"] {
            assert!(out.contains(&format!("declare void @{function}(")), "{out}");
        }
    }

    #[test]
    fn what_is_nothing_but_floats_or_has_one_part_is_copied_at_once() {
        for (old, new) in [
            ("{ i64, double }", "{ double, double }"),
            ("i64 16", "i64 8"),
            ("i64 16", "i64 65544"),
            (
                "memcpy.p0.p0.i64(ptr align 8 %a, ptr align 8 %from, i64 16",
                "memmove.p0.p0.i64(ptr align 8 %a, ptr align 8 %from, i64 504",
            ),
            ("i64 16", "i64 %n"),
        ] {
            let out = pass_through(&IR.replace(old, new));
            assert!(!out.contains(PASSED), "{out}");
        }
    }
}
