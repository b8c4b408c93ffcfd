//! Tells Enzyme what rustc knew: which values are integers, and which are floats.
//!
//! rustc writes no type-based alias information, so Enzyme has to infer what memory holds from how it is used, and a
//! length that is only copied and compared could be anything. But rustc marks each load of a scalar `!noundef` (and so
//! parameters and results), and it loads a float as a float: a `noundef` integer is an integer, unless it becomes a float later.
//! Integers that stand for raw memory (small structs in registers, copies) carry no such mark.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::attributes;
use crate::bits;
use crate::choices;
use crate::constants;
use crate::copies;
use crate::elements;
use crate::hints;
use crate::ir::{for_each_function, free_metadata_number, values};
use crate::names;
use crate::pairs;
use crate::pointers;
use crate::reached;
use crate::sources;
use crate::strides;
use crate::tables;
use crate::tapes;
use crate::words;
use crate::writes;

const ATTRIBUTE: &str = "\"enzyme_type\"=\"{[-1]:Integer}\" ";

/// Adds Enzyme's type annotations to a module of textual IR.
pub fn annotate(ir: &str) -> String {
    let ir = tables::copy_each(&attributes::preserve_primals(ir));
    let ir = bits::as_floats(&pairs::split(&ir));
    let ir = constants::as_floats(&copies::as_floats(&pointers::restore(&ir)));
    let ir = choices::as_floats(&ir);
    let ir = reached::mark(&tapes::hint(&words::hint(&elements::copy_each(&ir))));
    let ir = strides::hint(&ir);
    names::give(&mark_scalars(&sources::touch(&writes::mark(&ir))))
}

fn mark_scalars(ir: &str) -> String {
    let number = free_metadata_number(ir);
    let mut out = String::with_capacity(ir.len() + ir.len() / 8);
    for_each_function(ir, |lines| match lines {
        Ok(lines) => {
            let bits = bits_of_floats(lines);
            let is_integer = |name: &str| !bits.contains(name);
            lines
                .iter()
                .for_each(|line| mark_line(line, number, is_integer, &mut out));
        }
        Err(line) => mark_line(line, number, |_| true, &mut out),
    });
    for (at, ty) in SCALARS.iter().enumerate() {
        let (at, name) = (number + 2 * at, number + 2 * at + 1);
        let _ = writeln!(
            out,
            "!{at} = !{{!\"Unknown\", i32 -1, !{name}}}\n!{name} = !{{!\"{ty}\"}}"
        );
    }
    out
}

fn mark_line(line: &str, number: usize, is_integer: impl Fn(&str) -> bool, out: &mut String) {
    let _ = if let Some(hint) = bare_hint(line) {
        writeln!(out, "{hint}")
    } else if let Some((name, scalar)) = scalar_load(line)
        && (scalar != INTEGER || is_integer(name))
    {
        writeln!(out, "{line}, !enzyme_type !{}", number + 2 * scalar)
    } else if line.starts_with("define ") || line.starts_with("declare ") || line.contains("call ")
    {
        writeln!(out, "{}", annotate_noundef(line))
    } else {
        writeln!(out, "{line}")
    };
}

/// Integers that stand for floats, though they are `noundef`: LLVM loads a float as an integer where all that is done with it is to
/// move it, and forgets nothing of what the load of the float promised.
fn bits_of_floats<'a>(lines: &[&'a str]) -> HashSet<&'a str> {
    let mut bits: HashSet<&str> = HashSet::new();
    for line in lines {
        let Some((name, cast)) = line.trim_start().split_once(" = bitcast ") else {
            continue;
        };
        let is_float = ["double ", "float "].iter().any(|ty| cast.starts_with(ty));
        let to_float = [" to double", " to float"]
            .iter()
            .any(|to| cast.contains(to));
        bits.extend(is_float.then_some(name));
        bits.extend(values(cast).next().filter(|_| to_float));
    }
    words::with_choices(lines, bits)
}

/// A hint's call without the attributes that optimisation gave its argument: Enzyme adds `readnone`, and then they clash.
fn bare_hint(line: &str) -> Option<String> {
    let (head, rest) = hints::NAMES
        .iter()
        .find_map(|name| line.split_once(&format!("call void @{name}(ptr ")))?;
    let (types, rest) = hints::types_of(rest);
    let starts = [rest.find(['%', '@']), rest.find("getelementptr ")];
    let value = starts.into_iter().flatten().min()?;
    let name = line[head.len()..].split('(').next()?;
    Some(format!("{head}{name}(ptr {types}{}", &rest[value..]))
}

/// What Enzyme calls the scalars that rustc loads.
const SCALARS: [&str; 3] = ["Integer", "Float@double", "Float@float"];

/// The place of integers among them.
const INTEGER: usize = 0;

/// The name of what rustc loads as a scalar, and which of the scalars.
fn scalar_load(line: &str) -> Option<(&str, usize)> {
    let (name, load) = line.split_once(" = load ")?;
    let scalar = match load.split_once(',')?.0 {
        ty if is_integer_type(ty) => INTEGER,
        "double" => 1,
        "float" => 2,
        _ => return None,
    };
    // The program's globals are bytes here, for Enzyme as well.
    let is_own = scalar == INTEGER || !load.contains(" ptr @");
    (is_own && line.contains("!noundef")).then(|| (name.trim_start(), scalar))
}

/// `i64 noundef` (an argument) and `noundef i64 @f` (a result) gain the attribute.
fn annotate_noundef(line: &str) -> String {
    const WORD: &str = "noundef ";
    if line.contains(".with.overflow.") {
        return annotate_checked(line);
    }
    if line.contains("@llvm.") && !line.contains("@llvm.umax") {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len() + 64);
    let mut copied = 0;
    for (at, _) in line.match_indices(WORD) {
        let after = at + WORD.len();
        let argument = ends_with_integer_type(&line[..at]);
        if argument || starts_with_integer_type(&line[after..]) {
            out.push_str(&line[copied..after]);
            out.push_str(ATTRIBUTE);
            copied = after;
        }
    }
    out.push_str(&line[copied..]);
    out
}

/// Whatever is added or multiplied with a check is an integer, also where LLVM has merged loads and forgotten what rustc said of
/// them.
fn annotate_checked(line: &str) -> String {
    let Some((call, (arguments, rest))) = line
        .split_once(".with.overflow.")
        .filter(|(call, _)| call.contains("call "))
        .and_then(|(call, rest)| Some((call, rest.split_once(')')?)))
    else {
        return line.to_owned();
    };
    let arguments = arguments.replace(" %", &format!(" {ATTRIBUTE}%"));
    format!("{call}.with.overflow.{arguments}){rest}")
}

/// `... i64 ` with nothing but attributes in between, such as `zeroext`.
fn ends_with_integer_type(text: &str) -> bool {
    let word = text
        .trim_end()
        .rsplit([' ', '('])
        .find(|w| !matches!(*w, "zeroext" | "signext" | "allocalign" | "inreg"));
    word.is_some_and(is_integer_type)
}

/// `[range(..)] [zeroext] i64 @f(`.
fn starts_with_integer_type(text: &str) -> bool {
    let mut text = text;
    loop {
        if let Some(rest) = text.strip_prefix("range(") {
            text = rest.split_once(") ").map_or("", |(_, rest)| rest);
        } else if let Some(rest) = text
            .strip_prefix("zeroext ")
            .or_else(|| text.strip_prefix("signext "))
        {
            text = rest;
        } else {
            let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
            return is_integer_type(word) && rest.starts_with('@');
        }
    }
}

fn is_integer_type(word: &str) -> bool {
    word.strip_prefix('i')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scalars_that_rustc_vouches_for_are_annotated() {
        let ir = "  %a = load i64, ptr %p, align 8, !noundef !3\n  %b = load i64, ptr %p, align 8\n  %c = load double, ptr %p, !noundef !3\n!3 = !{}\n";
        let out = mark_scalars(ir);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].ends_with("!noundef !3, !enzyme_type !4"));
        assert!(!lines[1].contains("enzyme_type"));
        assert!(lines[2].ends_with("!noundef !3, !enzyme_type !6"));
        assert!(out.contains(
            "!4 = !{!\"Unknown\", i32 -1, !5}\n!5 = !{!\"Integer\"}\n!6 = !{!\"Unknown\", i32 -1, !7}\n!7 = !{!\"Float@double\"}\n"
        ));
    }

    #[test]
    fn integers_that_become_floats_are_none() {
        let ir = "define void @f(ptr %p) {
next:
  %a = phi i64 [ 0, %start ], [ %c, %next ]
  %b = load i64, ptr %p, align 8, !noundef !3
  %n = load i64, ptr %q, align 8, !noundef !3
  %c = select i1 %d, i64 %b, i64 %a
  %m = select i1 %d, i64 %n, i64 7
  %x = bitcast i64 %c to double
}
";
        let out = mark_scalars(ir);
        let marked: Vec<&str> = out
            .lines()
            .filter(|line| line.contains("!enzyme_type"))
            .collect();
        assert_eq!(marked.len(), 1, "{out}");
        assert!(marked[0].starts_with("  %n = load"));
    }

    #[test]
    fn hints_lose_the_attributes_of_their_argument() {
        assert_eq!(
            bare_hint(
                "  tail call void @__enzyme_double(ptr nonnull readonly align 8 %x.0), !dbg !1"
            )
            .as_deref(),
            Some("  tail call void @__enzyme_double(ptr %x.0), !dbg !1")
        );
        let constant =
            "  call void @__enzyme_double(ptr getelementptr inbounds (i8, ptr @x, i64 8)), !dbg !1";
        assert_eq!(
            bare_hint(&constant.replace("(ptr get", "(ptr nonnull get")).as_deref(),
            Some(constant)
        );
    }

    #[test]
    fn arguments_and_results_are_annotated() {
        let line = "  %x = tail call noundef range(i64 0, 9) i64 @f(i64 noundef %n, double noundef %d, i1 noundef zeroext %b)";
        let out = annotate_noundef(line);
        assert_eq!(out.matches("enzyme_type").count(), 3, "{out}");
        assert!(out.contains("noundef \"enzyme_type\"=\"{[-1]:Integer}\" range(i64 0, 9) i64 @f"));
        let checked =
            "  %x = call { i64, i1 } @llvm.umul.with.overflow.i64(i64 %n, i64 3), !dbg !1";
        assert_eq!(
            annotate_noundef(checked),
            checked.replace("i64 %n", "i64 \"enzyme_type\"=\"{[-1]:Integer}\" %n")
        );
    }
}
