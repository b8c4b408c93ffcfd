//! Keeps what is written to memory that is then copied elsewhere.
//!
//! Enzyme leaves out of a derivative what only the primal needs, and takes a copy out of memory that was never written to for
//! unnecessary. But it drops the writes first, or knows none, as of a list of zeros that the allocator zeroed: the copy went
//! too, and with it the value that the derivative returns, or the zeros that sums began with. So before each copy stands a call
//! that may have written to its source, to a function that does nothing.

use crate::aliases::KEPT;
use crate::ir::{copied, declare_if_called, define_if_declared};

/// Not one of the inactive names: Enzyme takes functions of `core::fmt` to write nothing.
const TOUCH: &str = "oxide_enzyme.touch";

/// The source and nothing else: whatever may have been written would have to be remembered.
const WRITES: &str = "memory(argmem: readwrite, inaccessiblemem: readwrite)";

/// Puts the call before each copy in a module.
pub fn touch(ir: &str) -> String {
    let mut out = String::with_capacity(ir.len() + 1024);
    for line in ir.lines() {
        if let Some(source) = source(line) {
            out.push_str(&format!("  {} {WRITES}\n", call(source)));
        }
        out.push_str(line);
        out.push('\n');
    }
    declare(&mut out);
    out
}

/// Declares the function, if a module calls it and does not declare it.
pub fn declare(ir: &mut String) {
    declare_if_called(
        ir,
        &format!(
            "declare void @{TOUCH}(ptr {KEPT}) nofree nounwind willreturn \"enzyme_inactive\" \"enzyme_no_escaping_allocation\""
        ),
    );
}

/// The call at an address.
pub fn call(address: &str) -> String {
    format!("call void @{TOUCH}(ptr {address})")
}

/// Where a `memcpy` or `memmove` copies from, unless that is constant.
fn source(line: &str) -> Option<&str> {
    let (_, from, _) = copied(line)?;
    from.starts_with('%').then_some(from)
}

/// Defines the function in a differentiated module; names have been put back.
pub fn define(text: String) -> String {
    let definition =
        format!("define internal void @{TOUCH}(ptr %source) alwaysinline {{\n  ret void\n}}");
    define_if_declared(text, TOUCH, &definition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_copy_is_touched() {
        let copy = "  call void @llvm.memcpy.p0.p0.i64(ptr noundef nonnull align 8 dereferenceable(32) %a, ptr noundef align 8 %\"b c\", i64 32, i1 false), !dbg !1";
        assert_eq!(source(&copy.replace("b c", "b")), Some("%\"b\""));
        assert_eq!(source(&copy.replace("%\"b c\"", "@constant")), None);
        let out = touch(&copy.replace("%\"b c\"", "%b"));
        assert!(
            out.starts_with("  call void @oxide_enzyme.touch(ptr %b) memory("),
            "{out}"
        );
        assert!(
            define("declare void @oxide_enzyme.touch(ptr) #1\n".to_owned())
                .starts_with("define internal")
        );
    }
}
