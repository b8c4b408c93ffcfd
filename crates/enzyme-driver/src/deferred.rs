//! Puts off every release of memory to the end of a reverse-mode derivative.
//!
//! The reverse pass reads again what the primal read, unless Enzyme keeps it. Enzyme takes it that memory is not released in
//! between, and sees to that for memory that it knows to be active; other memory (a `Vec` of structs that hold lengths or
//! identifiers beside floats) was seen to be released in the forward pass and then read. So what the derivative would
//! release goes to a list, which is worked off when it is done. A panic on the way leaks what is on the list.
//!
//! Enzyme also releases what the primal allocates and gives away: a result that owns memory, a list that grows behind a
//! `RefCell`. So the list has notes of what the primal allocates and drops, and what it does not drop is not released.
//!
//! Where derivatives are nested, the outermost one has the list: an inner one only says what it would release, by calls that
//! neither LLVM nor Enzyme take for a release.

use crate::aliases::KEPT;
use crate::derivative::{Derivative, Mode};
use crate::ir::{self, Reference, quoted, rewrite};
use crate::policy;

const ROOT: &str = "oxide_enzyme.root";
const LATER: &str = "oxide_enzyme.free_later";
const LATER_OF_LAYOUT: &str = "oxide_enzyme.free_later_of_layout";

/// An inner derivative calls this with size and alignment, and then [`RELEASE`] with the pointer: Enzyme hands a rule the
/// tangents of all arguments, and those of integers have no type to rely on.
const LAYOUT: &str = "oxide_enzyme.layout";
const RELEASE: &str = "oxide_enzyme.release";

/// What the forward-mode rule of [`RELEASE`] calls, for the pointer and for its tangents.
const RELEASE_ONE: &str = "oxide_enzyme.release_one";

/// What the primal calls with what it has allocated, and with what it is about to drop.
const ALLOCATED: &str = "oxide_enzyme.allocated";
const DROPPED: &str = "oxide_enzyme.dropped";

/// Puts the notes into a primal that is to be differentiated in reverse mode. What a rule allocates is not the primal's.
pub fn note(module: &str) -> String {
    let [allocated, dropped] = [ALLOCATED, DROPPED].map(policy::inactive_name);
    let mut out = String::with_capacity(module.len() + 1024);
    let (mut noted, mut is_rule) = (false, false);
    for line in module.lines() {
        if line.starts_with("define ") {
            is_rule = ir::function_name(line).is_some_and(policy::is_part_of_rule);
        }
        if is_rule {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        if line.contains("call void @__rust_dealloc(") {
            out.push_str(&line.replace("@__rust_dealloc(", &format!("@{dropped}(")));
            out.push('\n');
            noted = true;
        }
        out.push_str(line);
        out.push('\n');
        if let Some(pointer) = allocated_pointer(line) {
            out.push_str(&format!("  call void @{allocated}(ptr {pointer})\n"));
            noted = true;
        }
    }
    if noted {
        for (name, sizes) in [(allocated, ""), (dropped, ", i64, i64")] {
            out.push_str(&format!(
                "declare void @{name}(ptr {KEPT}{sizes}) nofree nounwind willreturn memory(inaccessiblemem: readwrite) \"enzyme_inactive\"\n"
            ));
        }
    }
    out
}

/// `%p` of `%p = call ptr @__rust_alloc(...)`.
fn allocated_pointer(line: &str) -> Option<&str> {
    let (result, call) = line.trim_start().split_once(" = ")?;
    let allocates = call.contains("@__rust_alloc(") || call.contains("@__rust_alloc_zeroed(");
    (call.contains("call ") && allocates).then_some(result)
}

/// Whether this is how a primal notes what it allocates and drops.
fn is_note(name: &str) -> bool {
    matches!(policy::original_name(name), Some(ALLOCATED | DROPPED))
}

/// Whether Enzyme releases tangents beside their primals by a rule of ours. At other vector widths it calls rules with tangents
/// of differing types, and asserts; then what an inner derivative allocates as tangents is leaked.
fn has_rule(outer: &Derivative) -> bool {
    outer.mode == Mode::Forward && outer.width == 1
}

/// What a derivative must be told when it calls others.
pub fn rule(outer: &Derivative) -> &'static str {
    if has_rule(outer) { FORWARD_RULE } else { "" }
}

/// An inactive pointer is its own tangent.
const FORWARD_RULE: &str = r#"
@__enzyme_register_derivative_release = global [2 x ptr] [ptr @oxide_enzyme.release, ptr @oxide_enzyme.release_both]
define internal void @oxide_enzyme.release_both(ptr %pointer, ptr %tangent) noinline {
start:
  call void @oxide_enzyme.release_one(ptr %pointer)
  %same = icmp eq ptr %pointer, %tangent
  br i1 %same, label %end, label %other
other:
  call void @oxide_enzyme.release_one(ptr %tangent)
  br label %end
end:
  ret void
}
declare void @oxide_enzyme.release_one(ptr)
declare void @oxide_enzyme.release(ptr)
"#;

/// A derivative made in mode `inner`, for being called by another one.
pub fn for_outer(text: &str, inner: Mode, outer: &Derivative) -> String {
    match outer.mode {
        Mode::Reverse | Mode::Split => without_releases(text, inner),
        Mode::Forward => with_releases(text, inner, has_rule(outer)),
    }
}

/// In reverse mode Enzyme releases by itself what it sees allocated, after its last use in the reverse pass.
fn without_releases(text: &str, inner: Mode) -> String {
    let is_call = |line: &str, name: &str| line.contains(&format!("call void {}(", quoted(name)));
    let inactive = [RELEASE, LAYOUT].map(policy::inactive_name);
    let kept = text.lines().filter(|line| {
        !(inner == Mode::Reverse && is_call(line, "__rust_dealloc")
            || [RELEASE, RELEASE_ONE]
                .iter()
                .any(|name| is_call(line, name))
            || inactive.iter().any(|name| is_call(line, name)))
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

fn with_releases(text: &str, inner: Mode, rule: bool) -> String {
    let release = if rule {
        RELEASE.to_owned()
    } else {
        policy::inactive_name(RELEASE)
    };
    let layout = policy::inactive_name(LAYOUT);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let call = match inner {
            Mode::Reverse => split_release(line, &quoted(&layout), &quoted(&release)),
            Mode::Forward | Mode::Split => None,
        };
        out.push_str(call.as_deref().unwrap_or(line));
        out.push('\n');
    }
    let renamed = rewrite(&out, |reference| match reference {
        Reference::Symbol(name) if is_release(name) => Some(quoted(&release)),
        _ => None,
    });
    if !renamed.contains(&quoted(&release)) {
        return out;
    }
    let declarations = format!(
        "declare void {}(ptr)\ndeclare void {}(i64, i64)\n",
        quoted(&release),
        quoted(&layout)
    );
    without_declarations(&renamed, &[&release, &layout]) + &declarations
}

/// `call void @__rust_dealloc(ptr P, i64 S, i64 A)` as two calls.
fn split_release(line: &str, layout: &str, release: &str) -> Option<String> {
    let (_, arguments) = line.split_once("call void @__rust_dealloc(")?;
    let (arguments, rest) = arguments.split_once(')')?;
    let (pointer, sizes) = arguments.split_once(", i64 ")?;
    let location = rest
        .find("!dbg")
        .map_or(String::new(), |at| format!(", {}", &rest[at..]));
    Some(format!(
        "  call void {layout}(i64 {sizes}){location}\n  call void {release}({pointer}){location}"
    ))
}

/// Whether this is how an inner derivative says that it releases.
fn is_release(name: &str) -> bool {
    name == RELEASE || name == RELEASE_ONE || policy::original_name(name) == Some(RELEASE)
}

/// A node of the list: next, pointer, size, alignment, of what is to be released or was dropped; what was allocated has the
/// alignment 0, what was dropped has the highest bit of the alignment set. `__oxide_enzyme_settle` is in the crate
/// `oxide-enzyme`, where it is described.
///
/// Nodes are allocated 32 at a time. The last node is followed by room for the next one; the first node of each block is there to
/// release the block, and comes after all others of the block in the list.
const DEFINITIONS: &str = r#"
declare ptr @__oxide_enzyme_settle(ptr)
define internal void @oxide_enzyme.allocated(ptr %pointer) nounwind {
start:
  call void @oxide_enzyme.free_later(ptr %pointer, i64 0, i64 0)
  ret void
}
define internal void @oxide_enzyme.dropped(ptr %pointer, i64 %size, i64 %align) nounwind {
start:
  %marked = or i64 %align, -9223372036854775808
  call void @oxide_enzyme.free_later(ptr %pointer, i64 %size, i64 %marked)
  ret void
}
@oxide_enzyme.to_free = internal thread_local global ptr null
@oxide_enzyme.room = internal thread_local global i64 0
@oxide_enzyme.size = internal thread_local global i64 0
@oxide_enzyme.align = internal thread_local global i64 0
define internal void @oxide_enzyme.layout(i64 %size, i64 %align) nounwind {
start:
  store i64 %size, ptr @oxide_enzyme.size
  store i64 %align, ptr @oxide_enzyme.align
  ret void
}
define internal void @oxide_enzyme.free_later_of_layout(ptr %pointer) nounwind {
start:
  %size = load i64, ptr @oxide_enzyme.size
  %align = load i64, ptr @oxide_enzyme.align
  call void @oxide_enzyme.free_later(ptr %pointer, i64 %size, i64 %align)
  ret void
}
define internal void @oxide_enzyme.free_later(ptr %pointer, i64 %size, i64 %align) nounwind {
start:
  %room = load i64, ptr @oxide_enzyme.room
  %is.full = icmp eq i64 %room, 0
  br i1 %is.full, label %grow, label %add
grow:
  %block = call ptr @__rust_alloc(i64 1024, i64 8)
  %failed = icmp eq ptr %block, null
  br i1 %failed, label %leak, label %begin
leak:
  ret void
begin:
  call void @oxide_enzyme.fill(ptr %block, ptr %block, i64 1024, i64 8)
  br label %add
add:
  %left = phi i64 [ %room, %start ], [ 31, %begin ]
  %last = load ptr, ptr @oxide_enzyme.to_free
  %node = getelementptr i8, ptr %last, i64 32
  call void @oxide_enzyme.fill(ptr %node, ptr %pointer, i64 %size, i64 %align)
  %less = sub i64 %left, 1
  store i64 %less, ptr @oxide_enzyme.room
  ret void
}
define internal void @oxide_enzyme.fill(ptr %node, ptr %pointer, i64 %size, i64 %align) nounwind alwaysinline {
start:
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
  %list = load ptr, ptr @oxide_enzyme.to_free
  %first = call ptr @__oxide_enzyme_settle(ptr %list)
  br label %check
check:
  %node = phi ptr [ %first, %start ], [ %next, %free ], [ %next, %release ]
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
  %is.note = icmp sle i64 %align, 0
  br i1 %is.note, label %check, label %release
release:
  call void @__rust_dealloc(ptr %pointer, i64 %size, i64 %align)
  br label %check
end:
  ret void
}
"#;

/// Rewrites a differentiated module whose root is `symbol`; allocator functions have their plain names.
pub fn defer(text: &str, symbol: &str, mode: Mode) -> String {
    let renamed = rewrite(text, |reference| {
        let Reference::Symbol(name) = reference else {
            return None;
        };
        let new = match name {
            "__rust_dealloc" if mode != Mode::Forward => LATER,
            name if is_release(name) => LATER_OF_LAYOUT,
            name if policy::original_name(name) == Some(LAYOUT) => LAYOUT,
            name if is_note(name) => policy::original_name(name)?,
            name => return (name == symbol).then(|| quoted(ROOT)),
        };
        Some(quoted(new))
    });
    let is_release = |line: &str| {
        !line.starts_with("declare ")
            && [LATER, ALLOCATED, DROPPED]
                .iter()
                .any(|name| line.contains(name))
    };
    if !renamed.lines().any(is_release) {
        return text.to_owned();
    }
    let own = without_declarations(
        &renamed,
        &[LATER, LATER_OF_LAYOUT, LAYOUT, ALLOCATED, DROPPED],
    )
    .replace(
        &format!("define hidden void {}(", quoted(ROOT)),
        &format!("define internal void {}(", quoted(ROOT)),
    );
    let mut out = own + DEFINITIONS + &root(symbol, mode);
    for (name, declaration) in [
        (
            "__rust_dealloc",
            "declare void @__rust_dealloc(ptr, i64, i64)\n",
        ),
        ("__rust_alloc", "declare ptr @__rust_alloc(i64, i64)\n"),
    ] {
        if !out.lines().any(|line| is_declaration_of(line, name)) {
            out.push_str(declaration);
        }
    }
    out
}

fn is_declaration_of(line: &str, name: &str) -> bool {
    line.starts_with("declare ") && line.contains(&format!("{}(", quoted(name)))
}

fn without_declarations(text: &str, names: &[&str]) -> String {
    let kept = text
        .lines()
        .filter(|line| !names.iter().any(|name| is_declaration_of(line, name)));
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// The derivative: a list of its own, the work, and the release. It may be called from within itself. Between the passes of
/// a split derivative the list is in the last place of its state.
fn root(symbol: &str, mode: Mode) -> String {
    let (list, after) = match mode {
        Mode::Forward | Mode::Reverse => (
            "  store ptr null, ptr @oxide_enzyme.to_free\n",
            "  call void @oxide_enzyme.free_all()\n",
        ),
        Mode::Split => (
            "  %list.at = getelementptr ptr, ptr %dr, i64 3\n  \
             %list = load ptr, ptr %list.at\n  \
             store ptr %list, ptr @oxide_enzyme.to_free\n",
            "  %pass.at = getelementptr ptr, ptr %dr, i64 2\n  \
             %pass = load i64, ptr %pass.at\n  \
             %is.first = icmp eq i64 %pass, 0\n  \
             br i1 %is.first, label %keep, label %release\n\
             keep:\n  \
             %kept = load ptr, ptr @oxide_enzyme.to_free\n  \
             store ptr %kept, ptr %list.at\n  \
             br label %end\n\
             release:\n  \
             call void @oxide_enzyme.free_all()\n  \
             br label %end\n\
             end:\n",
        ),
    };
    format!(
        "define hidden void {}(ptr %a, ptr %da, ptr %c, ptr %r, ptr %dr) uwtable {{\n  \
         %outer = load ptr, ptr @oxide_enzyme.to_free\n  \
         %outer.room = load i64, ptr @oxide_enzyme.room\n  \
         store i64 0, ptr @oxide_enzyme.room\n\
         {list}  \
         call void @oxide_enzyme.root(ptr %a, ptr %da, ptr %c, ptr %r, ptr %dr)\n\
         {after}  \
         store ptr %outer, ptr @oxide_enzyme.to_free\n  \
         store i64 %outer.room, ptr @oxide_enzyme.room\n  \
         ret void\n}}\n",
        quoted(symbol),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_released_goes_to_the_list() {
        let ir = "define hidden void @d(ptr %a) {\n  call void @__rust_dealloc(ptr %a, i64 8, i64 8)\n  ret void\n}\ndeclare void @__rust_dealloc(ptr, i64, i64) #1\n";
        let out = defer(ir, "d", Mode::Reverse);
        assert!(out.starts_with("define internal void @oxide_enzyme.root(ptr %a) {\n  call void @oxide_enzyme.free_later(ptr %a"));
        assert_eq!(out.matches("declare void @__rust_dealloc").count(), 1);
        assert!(out.contains("define hidden void @d(ptr %a, ptr %da"));
    }

    fn outer(symbol: &str) -> Derivative {
        Derivative::from_symbol(symbol).unwrap()
    }

    const INNER: &str = "define void @d(ptr %p) {\n  tail call void @__rust_dealloc(ptr %p, i64 %n, i64 8) #1, !dbg !3\n  ret void\n}\ndeclare void @__rust_dealloc(ptr allocptr, i64, i64) #1\n";

    #[test]
    fn an_inner_derivative_says_what_it_would_release_to_an_outer_one_in_forward_mode() {
        let out = for_outer(INNER, Mode::Reverse, &outer("__enzyme_derivative_102_f"));
        assert!(
            out.contains("oxide_enzyme.layout(i64 %n, i64 8), !dbg !3\n  call void @oxide_enzyme.release(ptr %p), !dbg !3\n"),
            "{out}"
        );
        let out = defer(&out.replace("@d(", "@f("), "f", Mode::Forward);
        assert!(
            out.contains("call void @oxide_enzyme.free_later_of_layout(ptr %p)"),
            "{out}"
        );
    }

    #[test]
    fn enzyme_releases_itself_in_an_outer_derivative_in_reverse_mode() {
        let out = for_outer(INNER, Mode::Reverse, &outer("__enzyme_derivative_101_f"));
        assert!(!out.contains("call "), "{out}");
    }

    #[test]
    fn a_derivative_that_releases_nothing_stays_as_it_is() {
        let ir = "define hidden void @d(ptr %a) {\n  ret void\n}\ndeclare void @__rust_dealloc(ptr, i64, i64)\n";
        assert_eq!(defer(ir, "d", Mode::Reverse), ir);
    }
}
