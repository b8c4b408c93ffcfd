//! Finds shadow pointers that Enzyme reads again on the way back though the program may have replaced them.
//!
//! What the program reads and overwrites later, Enzyme keeps for the way back, and so it does with the shadow of a pointer. At
//! vector widths above 1 it forgets that the loads of the single shadows belong to the program's load (`hasUninverted` of its
//! `GradientUtils.cpp` knows the pack of them only), takes them for its own, and repeats them: rows of a matrix that had been
//! swapped got each other's gradients. The program's pointer itself is kept, as it should be. So where a shadow is read again
//! and its pointer is not, it is stale.

use std::collections::HashSet;

use crate::ir::{bare, find_function, function_name};

/// The function of which a derivative of a width above 1 reads a stale shadow, if there is one.
pub fn stale_shadow(differentiated: &str) -> Option<String> {
    let is_stale = |lines: &[&str]| {
        function_name(lines[0]).and_then(wide).is_some() && reads_stale_shadow(lines)
    };
    find_function(differentiated, is_stale)
        .and_then(wide)
        .map(str::to_owned)
}

/// What is differentiated by `diffe4f`, the way back of `f` at width 4.
fn wide(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("diffe")?;
    let width = rest.bytes().take_while(u8::is_ascii_digit).count();
    (width > 0).then(|| &rest[width..])
}

fn reads_stale_shadow(lines: &[&str]) -> bool {
    let again: Vec<&str> = lines
        .iter()
        .filter_map(|line| pointer_read_again(line))
        .collect();
    let pointers: HashSet<&str> = again
        .iter()
        .filter_map(|name| name.split_once("_unwrap"))
        .map(|(base, _)| base)
        .collect();
    again
        .iter()
        .filter_map(|name| name.split_once("'ipl"))
        .any(|(base, _)| !pointers.contains(base))
}

/// The name in a line such as `%x_unwrap = load ptr, ptr %y`.
fn pointer_read_again(line: &str) -> Option<&str> {
    let (name, _) = line.trim_start().split_once(" = load ptr,")?;
    name.contains("_unwrap").then(|| bare(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: &str = "define internal void @diffe2f(ptr %a) {\n  %\"row'ipl3_unwrap\" = load ptr, ptr %\"x'ipg_unwrap\", align 8\n}\n";

    #[test]
    fn a_shadow_that_is_read_again_without_its_pointer_is_stale() {
        assert_eq!(stale_shadow(WIDE).as_deref(), Some("f"));
    }

    #[test]
    fn what_is_read_again_together_was_not_replaced() {
        let together = WIDE.replace("}\n", "  %row_unwrap = load ptr, ptr %x, align 8\n}\n");
        assert_eq!(stale_shadow(&together), None);
    }

    #[test]
    fn at_width_1_enzyme_knows() {
        assert_eq!(stale_shadow(&WIDE.replace("diffe2f", "diffef")), None);
    }
}
