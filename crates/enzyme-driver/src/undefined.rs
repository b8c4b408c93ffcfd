//! Gives a value to what has none yet.
//!
//! What a variable holds before a loop sets it is undefined for LLVM, such as the number beside the tag of a `None`. Enzyme takes
//! such a `phi`, and those that lead to it, for the only other value that they bring (`RemoveRedundantPHI` of its
//! FunctionUtils.cpp), though in a loop they bring that of an earlier round: values and derivatives were seen to be those of
//! another program. So they begin with zero, which the program may well have had there.

use crate::ir::blocks::Phi;
use crate::ir::{find_function, push_line, rewrite_functions};

/// Makes what every `phi` of a module brings defined.
pub fn as_zero(ir: &str) -> String {
    rewrite_functions(ir, |lines, out| {
        for line in lines {
            match Phi::parse(line).filter(brings_undefined) {
                Some(phi) => push_line(out, &defined(&phi)),
                None => push_line(out, line),
            }
        }
    })
}

/// The function that brings what is undefined, if there is one: the engine's own optimisation could find more.
pub fn left(ir: &str) -> Option<&str> {
    find_function(ir, |lines| {
        lines
            .iter()
            .any(|line| Phi::parse(line).is_some_and(|phi| brings_undefined(&phi)))
    })
}

fn brings_undefined(phi: &Phi) -> bool {
    phi.incoming.iter().any(|(value, _)| is_undefined(value))
}

fn defined(phi: &Phi) -> String {
    phi.with(phi.incoming.iter().map(|&(value, from)| {
        let value = if is_undefined(value) {
            "zeroinitializer"
        } else {
            value
        };
        (value, from)
    }))
}

/// Whether an operand has no value.
pub fn is_undefined(value: &str) -> bool {
    matches!(value, "undef" | "poison")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undefined_becomes_zero() {
        let ir = "define void @f() {\n  %a = phi i64 [ undef, %start ], [ %\"b c\", %next ], !dbg !1\n  %p = phi ptr [ %q, %start ], [ %r, %next ]\n}\n";
        assert_eq!(as_zero(ir), ir.replace("undef", "zeroinitializer"));
        assert_eq!(as_zero(&ir.replace("undef", "poison")), as_zero(ir));
        assert_eq!(left(ir), Some("f"));
        assert_eq!(left(&as_zero(ir)), None);
    }
}
