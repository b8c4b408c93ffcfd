//! Values that only we know until Enzyme is done: `-0.0`, which added to a number is nothing, and a `true`.

use std::fmt::Write as _;

use crate::ir::blocks::label;
use crate::ir::{declare_if_called, define_if_declared};
use crate::policy;

/// What they are called in a function, before the type.
pub const NOTHING: &str = "oxide_enzyme.nothing.";

/// By type.
const KNOWN: [(&str, &str); 3] = [("float", "-0.0"), ("double", "-0.0"), ("i1", "true")];

/// The place in a function's lines where the values have to stand.
pub fn entry(lines: &[&str]) -> usize {
    1 + usize::from(lines.get(1).is_some_and(|line| label(line).is_some()))
}

/// The calls that give the values that some lines take.
pub fn calls<'a>(takers: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut calls = String::new();
    for (ty, _) in KNOWN {
        let name = format!("%{NOTHING}{ty}");
        if takers.clone().any(|line| line.contains(&name)) {
            let _ = writeln!(calls, "  {name} = call {ty} @{}()", function(ty));
        }
    }
    calls
}

/// Declares the functions that a module calls.
pub fn declare(mut ir: String) -> String {
    for (ty, _) in KNOWN {
        declare_if_called(
            &mut ir,
            &format!(
                "declare {ty} @{}() nofree nosync nounwind willreturn memory(none) \"enzyme_inactive\"",
                function(ty)
            ),
        );
    }
    ir
}

/// Says what the values are, in a differentiated module; names have been put back.
pub fn define(mut text: String) -> String {
    for (ty, value) in KNOWN {
        let name = format!("{NOTHING}{ty}");
        let definition =
            format!("define internal {ty} @{name}() alwaysinline {{\n  ret {ty} {value}\n}}");
        text = define_if_declared(text, &name, &definition);
    }
    text
}

fn function(ty: &str) -> String {
    policy::inactive_name(&format!("{NOTHING}{ty}"))
}
