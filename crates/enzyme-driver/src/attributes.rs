//! Changes of what is said of functions as a whole.
//!
//! Makes Enzyme pass on what its own checks need: with runtime activity a derivative compares each pointer with its shadow: if they are the same, there is nothing to
//! differentiate. But where a function only writes through a pointer, Enzyme takes it that the way back needs the shadow
//! alone and passes `undef` for the pointer, so that the comparison may come out either way, and gradients were lost
//! without a word. Functions that are marked keep their primal arguments.

use std::collections::HashSet;

use crate::ir::function_name;

const MARK: &str = "\"enzyme_preserve_primal\"";

/// Marks every function that a module defines.
pub fn preserve_primals(ir: &str) -> String {
    let groups: HashSet<&str> = ir
        .lines()
        .filter(|line| line.starts_with("define "))
        .filter_map(group)
        .collect();
    let mut out = String::with_capacity(ir.len() + 1024);
    for line in ir.lines() {
        let own = line
            .strip_prefix("attributes ")
            .and_then(|rest| rest.split_once(" = { "))
            .filter(|(name, _)| groups.contains(name));
        match own {
            Some((name, rest)) => out.push_str(&format!("attributes {name} = {{ {MARK} {rest}")),
            None if line.starts_with("define ") && group(line).is_none() => {
                out.push_str(&marked(line));
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Has functions inlined, whatever is said of them, in which Enzyme does not see floats:
/// - those of `f32` that take or give small data as an integer: rustc passes a `[f32; 2]` as an `i64`, which it does not call
///   `noundef` as it does real integers;
/// - those that make lists grow and shrink: they copy bytes, and only their callers show of what (see `elements`).
pub fn inline_untyped(ir: &str) -> String {
    let mut next = 1 + ir
        .lines()
        .filter_map(|line| line.strip_prefix("attributes #")?.split(' ').next())
        .filter_map(|number| number.parse::<usize>().ok())
        .max()
        .unwrap_or(0);
    let mut out = String::with_capacity(ir.len() + 1024);
    let mut groups = String::new();
    for (start, line) in with_starts(ir) {
        let hides_floats = passes_small_data(line) && has_singles(&ir[start..]);
        let own = if hides_floats || resizes(line) {
            group(line)
        } else {
            None
        };
        if let Some(own) = own {
            let words = ir
                .lines()
                .find_map(|line| line.strip_prefix(&format!("attributes {own} = {{ ")))
                .unwrap_or("}");
            let words = words.replace("noinline ", "").replace("alwaysinline ", "");
            groups.push_str(&format!("attributes #{next} = {{ alwaysinline {words}\n"));
            out.push_str(&line.replace(&format!(" {own} "), &format!(" #{next} ")));
            next += 1;
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out + &groups
}

/// Lines, and where they start.
fn with_starts(ir: &str) -> impl Iterator<Item = (usize, &str)> {
    ir.split_inclusive('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len();
        Some((at, line.trim_end_matches('\n')))
    })
}

/// Whether a line begins a function of `alloc` that makes a list grow or shrink.
fn resizes(line: &str) -> bool {
    let of_list = |name: &str| {
        name.contains("5alloc")
            && ["grow", "shrink", "do_reserve_and_handle"]
                .iter()
                .any(|part| name.contains(part))
    };
    line.starts_with("define ") && function_name(line).is_some_and(of_list)
}

/// Whether the function that `text` begins with computes in single precision.
fn has_singles(text: &str) -> bool {
    text.lines()
        .take_while(|line| *line != "}")
        .any(|line| line.contains(" float "))
}

/// Whether a definition has a parameter or a result that is an integer of which rustc says nothing.
fn passes_small_data(definition: &str) -> bool {
    let Some((head, rest)) = definition
        .strip_prefix("define ")
        .and_then(|d| d.split_once(" @"))
    else {
        return false;
    };
    let is_integer = |word: &str| {
        word.strip_prefix('i')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let gives = head.rsplit(' ').next().is_some_and(is_integer) && !head.contains("noundef");
    let parameters = rest
        .split_once('(')
        .map_or("", |(_, parameters)| parameters);
    gives
        || parameters.split([',', '(']).any(|parameter| {
            let mut words = parameter.split_whitespace();
            words.next().is_some_and(is_integer)
                && words.next().is_some_and(|word| word.starts_with('%'))
        })
}

/// `#3` of a definition.
fn group(definition: &str) -> Option<&str> {
    definition
        .split(' ')
        .rev()
        .find(|word| word.starts_with('#') && word[1..].bytes().all(|b| b.is_ascii_digit()))
}

/// A definition without attributes of its own: they stand after the parameters.
fn marked(definition: &str) -> String {
    match definition.rfind(')') {
        Some(end) => format!("{} {MARK}{}", &definition[..=end], &definition[end + 1..]),
        None => definition.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_marked_and_declarations_are_not() {
        let ir = "define void @f(ptr %0) #1 !dbg !2 {\n}\ndefine void @g(ptr %0) {\n}\ndeclare void @h() #0\nattributes #0 = { nounwind }\nattributes #1 = { uwtable }\n";
        let expected = "define void @f(ptr %0) #1 !dbg !2 {\n}\ndefine void @g(ptr %0) \"enzyme_preserve_primal\" {\n}\ndeclare void @h() #0\nattributes #0 = { nounwind }\nattributes #1 = { \"enzyme_preserve_primal\" uwtable }\n";
        assert_eq!(preserve_primals(ir), expected);
    }

    #[test]
    fn functions_that_pass_small_data_are_inlined() {
        let ir = "define internal i64 @f(i64 %0, float noundef %x) unnamed_addr #3 !dbg !2 {\n}\n\
                  define internal i64 @h(i64 %0) #3 {\n}\n\
                  define internal noundef i64 @g(ptr align 8 dereferenceable(8) %p, i64 noundef %n) #3 {\n}\n\
                  attributes #3 = { cold noinline uwtable }\n";
        let out = inline_untyped(ir);
        assert!(
            out.starts_with(
                "define internal i64 @f(i64 %0, float noundef %x) unnamed_addr #4 !dbg !2 {\n"
            ),
            "{out}"
        );
        assert!(
            out.contains("%n) #3 {\n") && out.contains("@h(i64 %0) #3 {\n"),
            "{out}"
        );
        assert!(out.ends_with("attributes #3 = { cold noinline uwtable }\nattributes #4 = { alwaysinline cold uwtable }\n"), "{out}");
    }
}
