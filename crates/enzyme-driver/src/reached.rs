//! Keeps Enzyme from taking what a pointer from memory leads to for constant.
//!
//! Enzyme goes by what is done with a pointer that it finds in memory, the row of a list of lists say: where it is only written to, and
//! only constants, nothing is active to it, and it leaves the shadow as it is (`isValueInactiveFromUsers` in its ActivityAnalysis.cpp).
//! But the row is read through the list later, and the derivative of what had stood there before was that of the constant. So such a
//! pointer is given to a function that may read and write there, for all that Enzyme knows, and does nothing. Whether the pointer is
//! active then depends on where it was found.

use std::collections::HashSet;

use crate::aliases::KEPT;
use crate::hints;
use crate::ir::{self, push_line, rewrite_functions, values};
use crate::origins::Origins;
use crate::sources;

const REACHED: &str = "oxide_enzyme.reached";

/// Puts the calls into a module.
pub fn mark(ir: &str) -> String {
    define(rewrite_functions(ir, in_function), REACHED)
}

/// Defines a function that may read and write at an address, for all that Enzyme knows, if a module calls it.
pub fn define(mut ir: String, name: &str) -> String {
    if ir.contains(&format!("  call void @{name}(")) {
        // Not an inactive one: Enzyme looks into it, and finds nothing to differentiate.
        ir.push_str(&format!(
            "define internal void @{name}(ptr {KEPT} %address) nofree noinline nounwind {{\n  {}\n  ret void\n}}\n",
            sources::call("%address")
        ));
    }
    ir
}

fn in_function(lines: &[&str], out: &mut String) {
    let found = found(lines);
    for line in lines {
        push_line(out, line);
        if let Some((name, _)) = line.trim_start().split_once(" = load ptr, ")
            && found.contains(name)
        {
            push_line(out, &format!("  call void @{REACHED}(ptr {name})"));
        }
    }
}

/// The pointers from memory that floats are written through.
fn found<'a>(lines: &[&'a str]) -> HashSet<&'a str> {
    let origins = Origins::of(lines);
    let mut found = origins.of_all(lines.iter().filter_map(|line| written(line)));
    found.retain(|address| origins.loaded_from(address).is_some());
    found
}

/// Where a line writes what may be floats: it stores one, copies constants, or a hint says what it copies or fills.
fn written(line: &str) -> Option<&str> {
    let code = line.trim_start();
    if code.starts_with("store double ") || code.starts_with("store float ") {
        return values(code.split_once(", ptr ")?.1).next();
    }
    if let Some((hint, address)) = hints::given(code) {
        return (hint != hints::INTEGER).then_some(address);
    }
    let (to, from, _) = ir::copied(code)?;
    let is_constant = from.starts_with('@') || from.contains("ptr @");
    is_constant.then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_floats_are_written_to_is_reached() {
        let ir = "\
define void @f(ptr %rows, i64 %i) {
start:
  %at = getelementptr inbounds i8, ptr %rows, i64 8
  %row = load ptr, ptr %at, align 8
  %counts = load ptr, ptr %rows, align 8
  br label %next
next:
  %p = phi ptr [ %row, %start ], [ %q, %next ]
  %q = getelementptr inbounds double, ptr %p, i64 1
  store double 2.5e-1, ptr %p, align 8
  store i64 3, ptr %counts, align 8
  br i1 %c, label %next, label %end
end:
  ret void
}
";
        let out = mark(ir);
        let call =
            "  %row = load ptr, ptr %at, align 8\n  call void @oxide_enzyme.reached(ptr %row)\n";
        assert!(out.contains(call), "{out}");
        assert_eq!(out.matches("  call void @oxide_enzyme.reached(").count(), 1);
        assert!(out.contains("define internal void @oxide_enzyme.reached("));
        let integers = ir.replace("store double 2.5e-1", "store i64 1");
        assert_eq!(mark(&integers), integers);
    }

    #[test]
    fn copies_and_fills_write() {
        let copy = "  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %a, ptr align 8 @table, i64 16, i1 false)";
        assert_eq!(written(copy), Some("%a"));
        assert_eq!(written(&copy.replace("@table", "%b")), None);
        assert_eq!(
            written("  tail call void @__enzyme_float(ptr nonnull %a)"),
            Some("%a")
        );
    }
}
