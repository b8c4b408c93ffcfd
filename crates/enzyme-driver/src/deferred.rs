//! Puts off every release of memory to the end of a reverse-mode derivative.
//!
//! The reverse pass reads again what the primal read, unless Enzyme keeps it. Enzyme takes it that memory is not released in
//! between, and sees to that for memory that it knows to be active; other memory (a `Vec` of structs that hold lengths or
//! identifiers beside floats) was seen to be released in the forward pass and then read. So what the derivative would
//! release goes to a list, which is worked off when it is done. A panic on the way leaks what is on the list.

use crate::ir::{Reference, quoted, rewrite};

const ROOT: &str = "oxide_enzyme.root";
const LATER: &str = "oxide_enzyme.free_later";

/// A node of the list: next, pointer, size, alignment.
const DEFINITIONS: &str = r#"
@oxide_enzyme.to_free = internal thread_local global ptr null
define internal void @oxide_enzyme.free_later(ptr %pointer, i64 %size, i64 %align) nounwind {
start:
  %node = call ptr @__rust_alloc(i64 32, i64 8)
  %failed = icmp eq ptr %node, null
  br i1 %failed, label %leak, label %add
leak:
  ret void
add:
  %next = load ptr, ptr @oxide_enzyme.to_free
  store ptr %next, ptr %node
  %pointer.at = getelementptr i8, ptr %node, i64 8
  store ptr %pointer, ptr %pointer.at
  %size.at = getelementptr i8, ptr %node, i64 16
  store i64 %size, ptr %size.at
  %align.at = getelementptr i8, ptr %node, i64 24
  store i64 %align, ptr %align.at
  store ptr %node, ptr @oxide_enzyme.to_free
  ret void
}
define internal void @oxide_enzyme.free_all() nounwind noinline {
start:
  %first = load ptr, ptr @oxide_enzyme.to_free
  br label %check
check:
  %node = phi ptr [ %first, %start ], [ %next, %free ]
  %done = icmp eq ptr %node, null
  br i1 %done, label %end, label %free
free:
  %next = load ptr, ptr %node
  %pointer.at = getelementptr i8, ptr %node, i64 8
  %pointer = load ptr, ptr %pointer.at
  %size.at = getelementptr i8, ptr %node, i64 16
  %size = load i64, ptr %size.at
  %align.at = getelementptr i8, ptr %node, i64 24
  %align = load i64, ptr %align.at
  call void @__rust_dealloc(ptr %pointer, i64 %size, i64 %align)
  call void @__rust_dealloc(ptr %node, i64 32, i64 8)
  br label %check
end:
  ret void
}
"#;

/// Rewrites a differentiated module whose root is `symbol`; allocator functions have their plain names.
pub fn defer(text: &str, symbol: &str) -> String {
    let releases = text
        .lines()
        .any(|line| line.contains("@__rust_dealloc(") && !line.starts_with("declare "));
    if !releases {
        return text.to_owned();
    }
    let kept: String = text
        .lines()
        .filter(|line| !is_declaration_of(line, "__rust_dealloc"))
        .map(|line| format!("{line}\n"))
        .collect();
    let renamed = rewrite(&kept, |reference| match reference {
        Reference::Symbol("__rust_dealloc") => Some(quoted(LATER)),
        Reference::Symbol(name) if name == symbol => Some(quoted(ROOT)),
        _ => None,
    });
    let own = renamed.replace(
        &format!("define hidden void {}(", quoted(ROOT)),
        &format!("define internal void {}(", quoted(ROOT)),
    );
    let mut out = own + DEFINITIONS + &root(symbol);
    out.push_str("declare void @__rust_dealloc(ptr, i64, i64)\n");
    if !kept
        .lines()
        .any(|line| is_declaration_of(line, "__rust_alloc"))
    {
        out.push_str("declare ptr @__rust_alloc(i64, i64)\n");
    }
    out
}

fn is_declaration_of(line: &str, name: &str) -> bool {
    line.starts_with("declare ") && line.contains(&format!("@{name}("))
}

/// The derivative: a list of its own, the work, and the release. It may be called from within itself.
fn root(symbol: &str) -> String {
    format!(
        "define hidden void {}(ptr %a, ptr %da, ptr %c, ptr %r, ptr %dr) uwtable {{\n  \
         %outer = load ptr, ptr @oxide_enzyme.to_free\n  \
         store ptr null, ptr @oxide_enzyme.to_free\n  \
         call void {}(ptr %a, ptr %da, ptr %c, ptr %r, ptr %dr)\n  \
         call void @oxide_enzyme.free_all()\n  \
         store ptr %outer, ptr @oxide_enzyme.to_free\n  \
         ret void\n}}\n",
        quoted(symbol),
        quoted(ROOT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_released_goes_to_the_list() {
        let ir = "define hidden void @d(ptr %a) {\n  call void @__rust_dealloc(ptr %a, i64 8, i64 8)\n  ret void\n}\ndeclare void @__rust_dealloc(ptr, i64, i64) #1\n";
        let out = defer(ir, "d");
        assert!(out.starts_with("define internal void @oxide_enzyme.root(ptr %a) {\n  call void @oxide_enzyme.free_later(ptr %a"));
        assert_eq!(out.matches("declare void @__rust_dealloc").count(), 1);
        assert!(out.contains("define hidden void @d(ptr %a, ptr %da"));
    }

    #[test]
    fn a_derivative_that_releases_nothing_stays_as_it_is() {
        let ir = "define hidden void @d(ptr %a) {\n  ret void\n}\ndeclare void @__rust_dealloc(ptr, i64, i64)\n";
        assert_eq!(defer(ir, "d"), ir);
    }
}
