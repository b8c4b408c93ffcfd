//! Tells Enzyme that inactive functions write to what they are given.
//!
//! Enzyme knows them by a name under which it takes them to write nothing. In a loop it read a parsed number again on the way
//! back, where the next round's stood by then: gradients were wrong without a word. So after each call of one stands a call of a
//! function that is given the same addresses, may write to them for all that Enzyme knows, and does nothing. It is inactive by
//! attribute: memory that nothing else writes to has no shadow, and a list in it is as constant as the function says.

use std::fmt::Write as _;

use crate::policy;
use crate::sources;

const WRITTEN: &str = "oxide_enzyme.written";

/// Puts the calls into a module.
pub fn mark(ir: &str) -> String {
    let mut out = String::with_capacity(ir.len() + 1024);
    let mut marked = false;
    let mut lines = ir.lines().peekable();
    while let Some(line) = lines.next() {
        let _ = writeln!(out, "{line}");
        let fails = lines
            .peek()
            .is_some_and(|next| next.trim_start().starts_with("unreachable"));
        if fails {
            continue;
        }
        for address in given(line) {
            let _ = writeln!(out, "  call void @{WRITTEN}(ptr {address})");
            marked = true;
        }
    }
    if marked {
        // Enzyme looks into it, and finds nothing to differentiate.
        let _ = writeln!(
            out,
            "define internal void @{WRITTEN}(ptr %address) nofree noinline nounwind \"enzyme_inactive\" {{\n  {}\n  ret void\n}}",
            sources::call("%address")
        );
    }
    out
}

/// The addresses that the call of an inactive function is given and that it may write to.
fn given(line: &str) -> Vec<&str> {
    let inactive = format!("@{}", policy::INACTIVE_NAME);
    let is_call = line.trim_start().starts_with(['c', 't', '%']) && line.contains("call ");
    let Some((_, call)) = line.split_once(&inactive).filter(|_| is_call) else {
        return Vec::new();
    };
    if call.starts_with("oxide_enzyme.") || line.contains("musttail") {
        return Vec::new();
    }
    call.split("ptr ")
        .skip(1)
        .filter_map(|argument| {
            // Attributes with arguments of their own stand between the type and the value.
            let value = argument.find('%')?;
            let (attributes, value) = argument.split_at(value);
            let is_read_only = ["readonly", "readnone"]
                .iter()
                .any(|word| attributes.contains(word));
            let is_own = !attributes.contains(", ");
            let end = match value.strip_prefix("%\"") {
                Some(rest) => 2 + rest.find('"')? + 1,
                None => value.find([',', ')', ' ']).unwrap_or(value.len()),
            };
            (!is_read_only && is_own).then_some(&value[..end])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_inactive_function_is_given_is_marked_as_written() {
        let call = "  call void @_ZN4core3fmt.inactive.f(ptr noalias sret([24 x i8]) align 8 dereferenceable(24) %s, ptr readonly %text, i64 %n, ptr align 8 @table, ptr %\"a b\"), !dbg !1";
        let out = mark(&format!("{call}\n  ret void\n"));
        let expected = format!(
            "{call}\n  call void @{WRITTEN}(ptr %s)\n  call void @{WRITTEN}(ptr %\"a b\")\n  ret void\n"
        );
        assert!(out.starts_with(&expected), "{out}");
        assert!(out.contains("define internal void @oxide_enzyme.written(ptr %address)"));
    }

    #[test]
    fn what_does_not_come_back_marks_nothing() {
        let ir = "  call void @_ZN4core3fmt.inactive.panic(ptr %text)\n  unreachable\n";
        assert_eq!(mark(ir), ir);
        let own = "  call void @_ZN4core3fmt.inactive.oxide_enzyme.shared(ptr %a)\n  ret void\n";
        assert_eq!(mark(own), own);
    }
}
