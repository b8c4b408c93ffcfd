//! Tells Enzyme what untyped copies copy.
//!
//! `copy_nonoverlapping::<f64>` becomes a `memcpy` of bytes, and Enzyme must know whether bytes are floats. The type is
//! still in the debug information: the call's location leads through the inlined functions, whose names carry their type
//! arguments. A hint is a call of a function that Enzyme knows by name and removes.

use std::fmt::Write as _;

use crate::aliases::KEPT;
use crate::ir::{Module, values};

/// Hints as Enzyme declares them; they touch no memory that the program can see, but may not be dropped as unused.
pub fn declarations() -> String {
    ["double", "float", "integer", "pointer"]
        .map(|ty| {
            format!(
                "declare void @__enzyme_{ty}(ptr readnone {KEPT}) nounwind willreturn memory(inaccessiblemem: readwrite)\n"
            )
        })
        .concat()
}

/// Functions that hints and moves name, and that are the closure's own.
pub const NAMES: [&str; 10] = [
    "__enzyme_double",
    "__enzyme_float",
    INTEGER,
    POINTER,
    MOVE_DOUBLES,
    MOVE_FLOATS,
    MOVE_ONE,
    MOVE_UNKNOWN,
    MIXED_COPY,
    SORTED_FLOATS,
];

/// The hint of integers.
pub const INTEGER: &str = "__enzyme_integer";

const POINTER: &str = "__enzyme_pointer";

/// The hint of memory in which parts of these types lie at these places, the first of them at its start.
pub fn of_parts(parts: &[(u64, String)], address: &str) -> Option<String> {
    let names = |ty: &str| match ty {
        "double" => ("__enzyme_double", "Float@double"),
        "float" => ("__enzyme_float", "Float@float"),
        "ptr" => (POINTER, "Pointer"),
        _ => (INTEGER, "Integer"),
    };
    let (_, first) = parts.first().filter(|(at, _)| *at == 0)?;
    let (hint, _) = names(first);
    let types: String = parts
        .iter()
        .map(|(at, ty)| format!(", [-1,{at}]:{}", names(ty).1))
        .collect();
    Some(format!(
        "  call void @{hint}(ptr \"enzyme_type\"=\"{{[-1]:Pointer{types}}}\" {address})"
    ))
}

/// The name of the hint that a line is, and what it is of.
pub fn given(line: &str) -> Option<(&'static str, &str)> {
    let types = ["__enzyme_double", "__enzyme_float", INTEGER];
    types.into_iter().find_map(|hint| {
        let (_, argument) = line.split_once(&format!("call void @{hint}(ptr "))?;
        Some((hint, values(types_of(argument).1).next()?))
    })
}

/// The types of parts that a hint's argument begins with, and the rest.
pub fn types_of(argument: &str) -> (&str, &str) {
    let start = "\"enzyme_type\"=\"";
    let types = argument.find(start).and_then(|at| {
        let end = at + start.len() + argument[at + start.len()..].find("\" ")? + 2;
        Some((&argument[at..end], &argument[end..]))
    });
    types.unwrap_or(("", argument))
}

const MOVE_DOUBLES: &str = "oxide_enzyme.move_doubles";
const MOVE_FLOATS: &str = "oxide_enzyme.move_floats";
/// Stands before a copy of floats and other data in one integer, under a name for which Enzyme has no rule.
pub const MIXED_COPY: &str = "oxide_enzyme.mixed_copy";

/// Declares it.
pub const MIXED_COPY_DECLARATION: &str =
    "declare void @oxide_enzyme.mixed_copy(ptr) nounwind willreturn";
/// Stands at the start of the standard library's sorting of floats, under a name for which Enzyme has no rule: it moves
/// them in ways that were seen to lose gradients.
pub const SORTED_FLOATS: &str = "oxide_enzyme.sorted_floats";
/// A move of one element, as in a swap: its places are the same or do not overlap.
const MOVE_ONE: &str = "oxide_enzyme.move_one";
/// `memmove` of memory whose type is not known, under a name for which Enzyme has no rule.
pub const MOVE_UNKNOWN: &str = "oxide_enzyme.memmove";

/// Moves of floats within memory that overlaps. Enzyme's rule for `memmove` takes it for `memcpy`, and is wrong when source
/// and destination overlap; loops that go the right way round are differentiated like any other.
pub fn moves() -> String {
    let one = |name: &str, float: &str, bytes: u32| {
        format!(
            "define internal void @{name}(ptr %to, ptr %from, i64 %bytes) {{
start:
  %n = udiv i64 %bytes, {bytes}
  %none = icmp eq i64 %n, 0
  br i1 %none, label %end, label %some
some:
  %down = icmp ult ptr %to, %from
  br i1 %down, label %ascend, label %descend
ascend:
  %i = phi i64 [ 0, %some ], [ %i.next, %ascend ]
  %i.from = getelementptr inbounds {float}, ptr %from, i64 %i
  %i.to = getelementptr inbounds {float}, ptr %to, i64 %i
  %i.value = load {float}, ptr %i.from
  store {float} %i.value, ptr %i.to
  %i.next = add nuw i64 %i, 1
  %i.end = icmp eq i64 %i.next, %n
  br i1 %i.end, label %end, label %ascend
descend:
  %j = phi i64 [ %n, %some ], [ %j.next, %descend ]
  %j.next = sub nuw i64 %j, 1
  %j.from = getelementptr inbounds {float}, ptr %from, i64 %j.next
  %j.to = getelementptr inbounds {float}, ptr %to, i64 %j.next
  %j.value = load {float}, ptr %j.from
  store {float} %j.value, ptr %j.to
  %j.end = icmp eq i64 %j.next, 0
  br i1 %j.end, label %end, label %descend
end:
  ret void
}}
"
        )
    };
    let unknown = format!(
        "declare void @{MOVE_UNKNOWN}(ptr, ptr, i64) nounwind willreturn\ndeclare void @{SORTED_FLOATS}(ptr) nounwind willreturn\n"
    );
    let single = format!(
        "define internal void @{MOVE_ONE}(ptr %to, ptr %from, i64 %bytes) alwaysinline {{
start:
  %same = icmp eq ptr %to, %from
  br i1 %same, label %end, label %copy
copy:
  call void @llvm.memcpy.p0.p0.i64(ptr align 1 %to, ptr align 1 %from, i64 %bytes, i1 false)
  br label %end
end:
  ret void
}}
"
    );
    single + &one(MOVE_DOUBLES, "double", 8) + &one(MOVE_FLOATS, "float", 4) + &unknown
}

/// Functions whose first type argument is the type of the elements that they copy or fill.
const COPIES: &[&str] = &[
    "copy_nonoverlapping<",
    "copy<",
    "write_bytes<",
    "copy_to_nonoverlapping<",
    "copy_from_nonoverlapping<",
    "copy_to<",
    "copy_from<",
    "swap<",
    "replace<",
    "read<",
    "write<",
    "swap_nonoverlapping<",
];

/// Puts a hint before each copy or fill in a function of `module` whose element type is known.
pub fn add(module: &Module, body: &str) -> String {
    if !body.contains("@llvm.mem") {
        return body.to_owned();
    }
    let mut out = String::with_capacity(body.len());
    for line in body.split('\n') {
        if let Some(moved) = move_for(module, line) {
            let _ = writeln!(out, "{moved}");
            continue;
        }
        if let Some(copied) = split_copy(module, line, out.len()) {
            let _ = writeln!(out, "{copied}");
            continue;
        }
        if let Some((hint, pointers, location)) = hint_for(module, line) {
            for pointer in pointers {
                let _ = writeln!(out, "  call void @{hint}(ptr {pointer}), !dbg !{location}");
            }
        }
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// The body of a function that sorts floats, with the mark that refuses it; other bodies as they are.
pub fn refuse_sorting(module: &Module, symbol: &str, head: &str, body: &str) -> String {
    let sorts_floats = || {
        let name = subprogram_name(module, location_of(head)?)?;
        let element = hint_of(first_argument(name.split_once('<')?.1))?;
        (element != "__enzyme_integer").then_some(())
    };
    let is_sort =
        symbol.contains("sort") && crate::policy::path(symbol).starts_with("core::slice::sort::");
    let first = head
        .find("(ptr ")
        .and_then(|at| head[at..].split('%').nth(1))
        .and_then(|v| v.split([',', ')']).next());
    match (
        is_sort.then(sorts_floats).flatten(),
        first,
        body.split_once(":\n"),
    ) {
        (Some(()), Some(pointer), Some((label, rest))) => {
            format!("{label}:\n  call void @{SORTED_FLOATS}(ptr %{pointer})\n{rest}")
        }
        _ => body.to_owned(),
    }
}

/// Another call in the place of a `memmove`, unless it moves integers.
fn move_for(module: &Module, line: &str) -> Option<String> {
    let (head, call) = line.split_once("call void @llvm.memmove.")?;
    let location = location_of(line);
    let element = location
        .and_then(|id| element_type(module, id))
        .and_then(|ty| hint_of(&ty));
    let function = match element {
        Some("__enzyme_double") => MOVE_DOUBLES,
        Some("__enzyme_float") => MOVE_FLOATS,
        Some(_) => return None,
        None if has_constant_size(call) => MOVE_ONE,
        None => MOVE_UNKNOWN,
    };
    let (_, arguments) = call.split_once('(')?;
    let values: Vec<&str> = arguments
        .split(", ")
        .take(3)
        .filter_map(|a| a.split(' ').next_back())
        .collect();
    let [to, from, bytes] = values[..] else {
        return None;
    };
    let debug = location
        .map(|id| format!(", !dbg !{id}"))
        .unwrap_or_default();
    Some(format!(
        "{head}call void @{function}(ptr {to}, ptr {from}, i64 {bytes}){debug}"
    ))
}

/// A copy of eight bytes that are aligned to four, in two pieces. LLVM would make it one integer, of which two floats are
/// shifted out again, and Enzyme does not see through that.
fn split_copy(module: &Module, line: &str, number: usize) -> Option<String> {
    let (_, call) = line.split_once("call void @llvm.memcpy.")?;
    let (_, arguments) = call.split_once('(')?;
    let mut arguments = arguments.split(", ");
    let mut pointer = || {
        let argument = arguments.next()?;
        let is_aligned = argument.contains(" align 4 ");
        is_aligned.then(|| argument.rsplit(' ').next())?
    };
    let (to, from) = (pointer()?, pointer()?);
    if arguments.next()? != "i64 8" || !arguments.next()?.starts_with("i1 false") {
        return None;
    }
    // As integers the pieces would lose their gradients: what may be floats must be known to be.
    let hint = location_of(line)
        .and_then(|id| element_type(module, id))
        .and_then(|ty| hint_of(&ty));
    if hint != Some("__enzyme_float") {
        return None;
    }
    let ty = "float";
    let name = |part: &str| format!("%\"oxide.{part}.{number}\"");
    let (low, high, source, target) = (name("low"), name("high"), name("from"), name("to"));
    Some(format!(
        "  {low} = load {ty}, ptr {from}, align 4\n  {source} = getelementptr inbounds i8, ptr {from}, i64 4\n  {high} = load {ty}, ptr {source}, align 4\n  store {ty} {low}, ptr {to}, align 4\n  {target} = getelementptr inbounds i8, ptr {to}, i64 4\n  store {ty} {high}, ptr {target}, align 4"
    ))
}

fn has_constant_size(call: &str) -> bool {
    call.split(", i64 ")
        .nth(1)
        .is_some_and(|size| !size.starts_with('%'))
}

/// The location that a line of IR names.
pub fn location_of(line: &str) -> Option<u32> {
    let digits = line.split_once("!dbg !")?.1;
    digits
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn hint_for<'a>(module: &Module, line: &'a str) -> Option<(&'static str, Vec<&'a str>, u32)> {
    let (_, call) = line.split_once("call void @llvm.mem")?;
    let operands = if call.starts_with("set.") { 1 } else { 2 };
    let location = location_of(line)?;
    let hint = hint_of(&element_type(module, location)?)?;
    let (_, arguments) = call.split_once('(')?;
    let pointers: Vec<&str> = arguments
        .split(", ")
        .take(operands)
        .filter_map(|argument| argument.split(' ').next_back())
        .filter(|pointer| pointer.starts_with('%') || pointer.starts_with('@'))
        .collect();
    Some((hint, pointers, location))
}

/// The element type of a copy, by the name of the innermost function around `location` that copies.
pub fn element_type(module: &Module, location: u32) -> Option<String> {
    around(module, location, |name| {
        let copy = COPIES.iter().find(|copy| name.starts_with(**copy))?;
        Some(first_argument(&name[copy.len()..]).to_owned())
    })
}

/// The element type of a list that is copied as it grows, by the name of the innermost function around `location` that has a list of
/// its type: what grows it knows no types.
pub fn list_type(module: &Module, location: u32) -> Option<String> {
    around(module, location, |name| {
        let (_, arguments) = name.split_once('<')?;
        let element = first_argument(arguments);
        let is_list = arguments[element.len()..].starts_with(", alloc::alloc::Global");
        is_list.then(|| element.to_owned())
    })
}

/// What a name says of the functions around `location`, from the innermost on.
fn around<T>(module: &Module, location: u32, says: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut location = Some(location);
    while let Some(here) = location {
        let text = module.metadata(here)?;
        let name = subprogram_name(module, field(text, "scope: !")?)?;
        if let Some(said) = says(name) {
            return Some(said);
        }
        location = field(text, "inlinedAt: !");
    }
    None
}

fn subprogram_name(module: &Module, mut scope: u32) -> Option<&str> {
    loop {
        let text = module.metadata(scope)?;
        if text.contains("DISubprogram(") {
            return text.split_once("name: \"")?.1.split('"').next();
        }
        scope = field(text, "scope: !")?;
    }
}

fn field(text: &str, name: &str) -> Option<u32> {
    let digits = text.split_once(name)?.1;
    digits
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// `f64` of `f64, alloc::alloc::Global>`.
fn first_argument(list: &str) -> &str {
    let mut depth = 0;
    for (at, c) in list.char_indices() {
        match c {
            '<' | '[' | '(' => depth += 1,
            ',' if depth == 0 => return &list[..at],
            '>' | ']' | ')' if depth == 0 => return &list[..at],
            '>' | ']' | ')' => depth -= 1,
            _ => {}
        }
    }
    list
}

/// The hint for memory full of `ty`. Nothing is said of what is not all of one kind, nor of the types through which the
/// standard library moves memory of any kind: bytes and 64-bit words.
pub fn hint_of(ty: &str) -> Option<&'static str> {
    let ty = ty.trim();
    if let Some(array) = ty.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return hint_of(array.rsplit_once(';').map_or(array, |(element, _)| element));
    }
    if let Some(tuple) = ty.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        return hint_of_all(tuple);
    }
    match ty {
        "f64" => Some("__enzyme_double"),
        "f32" => Some("__enzyme_float"),
        "u16" | "i16" | "u32" | "i32" | "usize" | "isize" | "bool" | "char" => {
            Some("__enzyme_integer")
        }
        _ => None,
    }
}

/// The hint for a tuple, whose elements must all be of one kind.
fn hint_of_all(mut elements: &str) -> Option<&'static str> {
    let mut hint = None;
    while !elements.is_empty() {
        let element = first_argument(elements);
        let next = hint_of(element)?;
        if *hint.get_or_insert(next) != next {
            return None;
        }
        elements = elements[element.len()..].trim_start_matches([',', ' ']);
    }
    hint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_element_type_is_found_through_inlined_functions() {
        let module = Module::parse(
            "!1 = !DILocation(line: 1, scope: !2, inlinedAt: !4)\n\
             !2 = distinct !DILexicalBlock(scope: !3, file: !9)\n\
             !3 = distinct !DISubprogram(name: \"something\", scope: !9)\n\
             !4 = distinct !DILocation(line: 2, scope: !5)\n\
             !5 = distinct !DISubprogram(name: \"copy_nonoverlapping<[f64; 3]>\", scope: !9)\n"
                .to_owned(),
        );
        let line = "  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %a, ptr align 8 %b, i64 %n, i1 false), !dbg !1";
        let expected = "  call void @__enzyme_double(ptr %a), !dbg !1\n  call void @__enzyme_double(ptr %b), !dbg !1\n";
        assert_eq!(add(&module, line), format!("{expected}{line}"));
    }

    #[test]
    fn moves_of_floats_become_loops_and_moves_of_the_unknown_have_no_rule() {
        let module = Module::parse(
            "!1 = !DILocation(line: 1, scope: !2)\n!2 = distinct !DISubprogram(name: \"copy<f64>\", scope: !9)\n".to_owned(),
        );
        let call =
            "  call void @llvm.memmove.p0.p0.i64(ptr align 8 %a, ptr align 8 %b, i64 %n, i1 false)";
        assert_eq!(
            add(&module, &format!("{call}, !dbg !1")),
            "  call void @oxide_enzyme.move_doubles(ptr %a, ptr %b, i64 %n), !dbg !1"
        );
        assert_eq!(
            add(&module, call),
            "  call void @oxide_enzyme.memmove(ptr %a, ptr %b, i64 %n)"
        );
    }

    #[test]
    fn a_pair_of_floats_is_copied_in_two_pieces() {
        let module = Module::parse(
            "!1 = !DILocation(line: 1, scope: !2)\n!2 = distinct !DISubprogram(name: \"write<[f32; 2]>\", scope: !9)\n".to_owned(),
        );
        let line =
            "  call void @llvm.memcpy.p0.p0.i64(ptr align 4 %a, ptr align 4 %b, i64 8, i1 false)";
        let out = add(&module, &format!("{line}, !dbg !1"));
        assert!(
            out.contains("load float, ptr %b, align 4") && !out.contains("memcpy"),
            "{out}"
        );
        assert_eq!(add(&module, line), line, "nobody knows what it copies");
    }

    #[test]
    fn mixed_types_get_no_hint() {
        assert_eq!(hint_of("main::Particle"), None);
        assert_eq!(hint_of("[u8; 8]"), None);
        assert_eq!(hint_of("(f64, f32)"), None);
        assert_eq!(hint_of("()"), None);
        assert_eq!(hint_of("(f64, [f64; 3], f64)"), Some("__enzyme_double"));
        assert_eq!(hint_of(first_argument("alloc::vec::Vec<f64, G>, G>")), None);
        assert_eq!(hint_of(first_argument("usize>")), Some("__enzyme_integer"));
    }
}
