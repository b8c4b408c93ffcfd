//! Tells Enzyme the types of what is moved as words or as bytes.
//!
//! A swap of two structs moves words, and the copy of one moves bytes. Of a word that it does not know Enzyme says nothing: it takes it
//! for an integer, and bytes of unknown kind for what stands before them. What else a function does with the list or the variable
//! shows what they are, or the name of what the move was made for.

use std::cell::LazyCell;
use std::collections::HashSet;

use crate::evidence::{Evidence, Kind};
use crate::hints;
use crate::ir::blocks::{Phi, Select};
use crate::ir::{self, Module, push_line, rewrite_functions, split_list, values};
use crate::layout::Layouts;
use crate::strides::LONGEST;

/// Puts hints before the moves in a module.
pub fn hint(ir: &str) -> String {
    let layouts = Layouts::of(ir);
    // Read when the first name of a type is asked for.
    let module = LazyCell::new(|| Module::parse(ir.to_owned()));
    rewrite_functions(ir, |lines, out| {
        if !lines.iter().any(|line| moved(line).is_some()) {
            return lines.iter().for_each(|line| push_line(out, line));
        }
        let evidence = Evidence::of(lines, &layouts);
        for line in lines {
            let parts = moved(line).and_then(|moved| {
                let by_name = || {
                    let at = hints::location_of(line)?;
                    hints::element_type(&module, at)
                };
                moved.parts(&evidence, by_name)
            });
            let hint = parts.and_then(|(address, parts)| hints::of_parts(&parts, address));
            hint.iter().for_each(|hint| push_line(out, hint));
            push_line(out, line);
        }
    })
}

/// Integers that are loaded, and of which nothing shows that they are none, with all that is chosen among them.
pub fn untyped<'a>(lines: &[&'a str], integers: &HashSet<&str>) -> HashSet<&'a str> {
    let loaded = lines.iter().filter_map(|line| Some(loaded(line)?.name));
    let untyped = loaded.filter(|name| !integers.contains(name)).collect();
    with_choices(lines, untyped)
}

/// Values, and all that chooses among them and is chosen with them.
pub fn with_choices<'a>(
    lines: &[&'a str],
    mut values_of_a_kind: HashSet<&'a str>,
) -> HashSet<&'a str> {
    let webs: Vec<Vec<&str>> = lines.iter().filter_map(|line| chosen(line)).collect();
    loop {
        let before = values_of_a_kind.len();
        for web in &webs {
            if web.iter().any(|value| values_of_a_kind.contains(value)) {
                values_of_a_kind.extend(web);
            }
        }
        if values_of_a_kind.len() == before {
            return values_of_a_kind;
        }
    }
}

/// The integer that a line chooses, and those that it chooses among.
fn chosen(line: &str) -> Option<Vec<&str>> {
    let (name, ty, among) = if let Some(phi) = Phi::parse(line) {
        let among = phi.incoming.iter().map(|(value, _)| *value).collect();
        (phi.name, phi.ty, among)
    } else if let Some(select) = Select::parse(line) {
        (select.name, select.ty, select.among.to_vec())
    } else {
        let (name, code) = line.trim_start().split_once(" = freeze ")?;
        let (ty, value) = code.split_once(' ')?;
        (name, ty, values(value).take(1).collect())
    };
    let among = among.into_iter().filter(|value| value.starts_with('%'));
    ty.starts_with('i')
        .then(|| std::iter::once(name).chain(among).collect())
}

/// Whether a line loads or stores one of them.
pub fn moves(line: &str, untyped: &HashSet<&str>) -> bool {
    let stored = || {
        let value = line
            .trim_start()
            .strip_prefix("store i")?
            .split(',')
            .next()?;
        Some(untyped.contains(value.split_once(' ')?.1))
    };
    loaded(line).is_some() || stored().unwrap_or(false)
}

/// What a line moves.
enum Moved<'a> {
    Word(Word<'a>),
    /// Target, source and length.
    Bytes(&'a str, &'a str, u64),
}

/// A word that is loaded.
struct Word<'a> {
    name: &'a str,
    ty: &'a str,
    address: &'a str,
}

fn moved(line: &str) -> Option<Moved<'_>> {
    if let Some(word) = loaded(line) {
        return Some(Moved::Word(word));
    }
    let (to, from, length) = ir::copied(line)?;
    let length = length.parse().ok()?;
    let is_plain = line.contains(", i1 false") && to.starts_with('%');
    (is_plain && (9..=LONGEST).contains(&length)).then_some(Moved::Bytes(to, from, length))
}

fn loaded(line: &str) -> Option<Word<'_>> {
    let (name, load) = line.trim_start().split_once(" = load ")?;
    let (ty, address) = load.split_once(", ptr ")?;
    let address = &address[..ir::value_length(address)?];
    let is_untyped = matches!(ty, "i32" | "i64") && !line.contains("!noundef");
    (is_untyped && address.starts_with('%')).then_some(Word { name, ty, address })
}

/// Where parts lie after an address, and their types.
type Parts<'a> = (&'a str, Vec<(u64, String)>);

impl<'a> Moved<'a> {
    /// What is moved, for all that is known.
    fn parts(
        &self,
        evidence: &Evidence<'a>,
        by_name: impl FnOnce() -> Option<String>,
    ) -> Option<Parts<'a>> {
        match self {
            Moved::Bytes(to, from, length) => {
                let ends = [from, to].map(|end| (end, evidence.seen(end)));
                let is_clear = !ends.iter().any(|(_, kind)| matches!(kind, Kind::Several));
                let parts = ends.iter().find_map(|(end, kind)| match kind {
                    Kind::Mixed(element) if is_clear => {
                        element.parts_of(end, *length, &evidence.places)
                    }
                    _ => None,
                });
                let parts = parts.or_else(|| evidence.variable([from, to], *length))?;
                Some((from, parts))
            }
            Moved::Word(Word { name, ty, address }) => {
                let parts = match evidence.seen(address) {
                    Kind::Mixed(element) => {
                        element.parts_of(address, evidence.places.size(ty)?, &evidence.places)
                    }
                    _ => None,
                };
                let by_name = || {
                    let is_integer = hints::hint_of(&by_name()?) == Some(hints::INTEGER);
                    is_integer.then_some(*ty)
                };
                let by_use = || evidence.integers.contains(name).then_some(*ty);
                let parts = match parts.filter(|parts| !parts.is_empty()) {
                    Some(parts) => parts,
                    None => vec![(0, by_use().or_else(by_name)?.to_owned())],
                };
                Some((address, parts))
            }
        }
    }
}

/// What nobody does with the bits of a float.
const ARITHMETIC: [&str; 5] = ["mul ", "shl nuw ", "shl nsw ", "add nuw ", "add nsw "];

/// Values that are integers by what is done with them.
pub fn integers<'a>(lines: &[&'a str]) -> HashSet<&'a str> {
    let mut integers = HashSet::new();
    for line in lines {
        let Some((_, code)) = line.trim_start().split_once(" = ") else {
            continue;
        };
        if ARITHMETIC.iter().any(|start| code.starts_with(start)) {
            integers.extend(values(code));
        } else if code.starts_with("getelementptr ") {
            let indices = split_list(code).filter_map(|operand| operand.strip_prefix("i64 "));
            integers.extend(indices);
        }
    }
    with_choices(lines, integers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWAP: &str = "\
define void @f(ptr %list, i64 %i, ptr %other) {
start:
  %a = getelementptr inbounds { i64, double }, ptr %list, i64 %i
  %count = load i64, ptr %a, align 8, !noundef !1
  %b = getelementptr inbounds i8, ptr %a, i64 8
  %x = load double, ptr %b, align 8
  %first = load i64, ptr %a, align 8
  %second = load i64, ptr %b, align 8
  store i64 %second, ptr %other, align 8
  %word = load i64, ptr %other, align 8
  ret void
}
";

    #[test]
    fn words_of_a_list_are_what_the_rest_of_the_function_shows() {
        let out = hint(SWAP);
        for expected in [
            "  call void @__enzyme_integer(ptr \"enzyme_type\"=\"{[-1]:Pointer, [-1,0]:Integer}\" %a)\n  %first = ",
            "  call void @__enzyme_double(ptr \"enzyme_type\"=\"{[-1]:Pointer, [-1,0]:Float@double}\" %b)\n  %second = ",
            "  store i64 %second, ptr %other, align 8\n  %word = ",
        ] {
            assert!(out.contains(expected), "{out}");
        }
    }

    #[test]
    fn what_is_counted_with_is_an_integer() {
        let out = hint(&SWAP.replace(
            "  ret void",
            "  %chosen = select i1 %c, i64 %i, i64 %word\n  %at = getelementptr i8, ptr %list, i64 %chosen\n  ret void",
        ));
        assert!(
            out.contains("[-1,0]:Integer}\" %other)\n  %word = "),
            "{out}"
        );
    }

    #[test]
    fn a_variable_of_integers_is_copied_as_such() {
        let ir = "\
define void @f(ptr %to, i64 %i, i64 %n) {
start:
  %p = alloca [24 x i8], align 8
  call void @llvm.memset.p0.i64(ptr %p, i8 0, i64 16, i1 false)
  %len = getelementptr inbounds nuw i8, ptr %p, i64 16
  store i64 0, ptr %len, align 8
  %at = getelementptr { i64, i64 }, ptr %p, i64 %i, !dbg !603
  store i64 %i, ptr %at, align 8
  %and = getelementptr inbounds nuw i8, ptr %at, i64 8
  store i64 %n, ptr %and, align 8
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %p, i64 24, i1 false)
  ret void
}
";
        let out = hint(ir);
        assert!(out.contains("call void @__enzyme_integer(ptr \"enzyme_type\"=\"{[-1]:Pointer, [-1,0]:Integer, [-1,8]:Integer, [-1,16]:Integer}\" %p)\n"), "{out}");
    }
}
