//! Finds references (`@function`, `!7`, `#3`) in textual IR without being fooled by strings and comments.

use std::borrow::Cow;

/// One reference found in IR text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference<'a> {
    /// `@name` or `@"name"`: a function or a global, by its name without quotes.
    Symbol(&'a str),
    /// `%name` or `%"name"`: a type or a value, which have different namespaces but look alike.
    Local(&'a str),
    /// `!7`: a metadata node.
    Metadata(u32),
    /// `#3`: an attribute group.
    Attributes(u32),
}

/// All references in `text`, in order, with duplicates.
pub fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    scan(text, |reference, _| found.push(reference));
    found
}

/// The symbols in `text` whose address is used otherwise than by a direct call.
pub fn references_not_called(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    scan(text, |reference, span| {
        if let Reference::Symbol(name) = reference
            && text.as_bytes().get(span.end) != Some(&b'(')
        {
            found.push(name);
        }
    });
    found
}

/// Copies `text`, putting what `replace` returns (sigil included) in the place of each reference; `None` keeps it.
pub fn rewrite<'a>(
    text: &'a str,
    mut replace: impl FnMut(Reference<'a>) -> Option<String>,
) -> Cow<'a, str> {
    let mut out = String::new();
    let mut copied = 0;
    scan(text, |reference, span: std::ops::Range<usize>| {
        if let Some(new) = replace(reference) {
            out.push_str(&text[copied..span.start]);
            out.push_str(&new);
            copied = span.end;
        }
    });
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn scan<'a>(text: &'a str, mut found: impl FnMut(Reference<'a>, std::ops::Range<usize>)) {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'"' => i = after_string(bytes, i),
            b';' => i = after_line(bytes, i),
            sigil @ (b'@' | b'%') => {
                let (name, end) = symbol(text, i + 1);
                let reference = if sigil == b'@' {
                    Reference::Symbol(name)
                } else {
                    Reference::Local(name)
                };
                found(reference, i..end);
                i = end;
            }
            sigil @ (b'!' | b'#') => match number(text, i + 1) {
                Some((id, end)) => {
                    let reference = if sigil == b'!' {
                        Reference::Metadata(id)
                    } else {
                        Reference::Attributes(id)
                    };
                    found(reference, i..end);
                    i = end;
                }
                None => i += 1,
            },
            _ => i += 1,
        }
    }
}

/// LLVM writes a quote inside a string as `\22`, so the next quote always ends it.
fn after_string(bytes: &[u8], start: usize) -> usize {
    memchr::memchr(b'"', &bytes[start + 1..]).map_or(bytes.len(), |n| start + 1 + n + 1)
}

fn after_line(bytes: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |n| start + n)
}

fn symbol(text: &str, start: usize) -> (&str, usize) {
    let bytes = text.as_bytes();
    if bytes.get(start) == Some(&b'"') {
        let end = after_string(bytes, start);
        return (&text[start + 1..end - 1], end);
    }
    let length = bytes[start..]
        .iter()
        .take_while(|b| is_name_byte(**b))
        .count();
    (&text[start..start + length], start + length)
}

fn number(text: &str, start: usize) -> Option<(u32, usize)> {
    let length = text.as_bytes()[start..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let end = start + length;
    text[start..end].parse().ok().map(|id| (id, end))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'$' | b'.' | b'_')
}

/// `@name`, quoted where LLVM's grammar wants quotes.
pub fn quoted(name: &str) -> String {
    let plain =
        !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(is_name_byte);
    if plain {
        format!("@{name}")
    } else {
        format!("@\"{name}\"")
    }
}

/// Drops `!dbg` attachments and debug records.
pub fn without_debug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, line) in text.split('\n').enumerate() {
        if line.trim_start().starts_with("#dbg_") {
            continue;
        }
        if n > 0 {
            out.push('\n');
        }
        match line.find("!dbg !") {
            None => out.push_str(line),
            Some(at) => {
                out.push_str(line[..at].trim_end().trim_end_matches(','));
                out.push_str(
                    line[at + "!dbg !".len()..].trim_start_matches(|c: char| c.is_ascii_digit()),
                );
            }
        }
    }
    out
}

/// The text without anything that is there for debuggers only.
pub fn code(text: &str) -> String {
    let is_debug_node = |line: &str| {
        line.starts_with("!llvm.dbg.cu")
            || line.starts_with('!')
                && line.split_once(" = ").is_some_and(|(_, node)| {
                    node.trim_start_matches("distinct ").starts_with("!DI")
                })
    };
    without_debug(text)
        .split_inclusive('\n')
        .filter(|line| !is_debug_node(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_hide_what_looks_like_a_reference() {
        let text = "call void @f(ptr @\"a b\"), !dbg !7 ; @no\n@g = constant [3 x i8] c\"@x#1\", section \"!2\" #4";
        assert_eq!(
            references(text),
            [
                Reference::Symbol("f"),
                Reference::Symbol("a b"),
                Reference::Metadata(7),
                Reference::Symbol("g"),
                Reference::Attributes(4)
            ]
        );
    }

    #[test]
    fn rewriting_touches_only_what_it_is_asked_to() {
        let text = "call void @f(), !dbg !7 #1";
        let new = rewrite(text, |r| {
            (r == Reference::Metadata(7)).then(|| "!70".to_owned())
        });
        assert_eq!(new, "call void @f(), !dbg !70 #1");
        assert!(matches!(rewrite(text, |_| None), Cow::Borrowed(_)));
    }

    #[test]
    fn code_that_only_moved_is_the_same_code() {
        let text = |line: u32| {
            format!(
                "define void @f() !dbg !1 {{\n  %x = load i64, ptr @g, !dbg !2, !noundef !3\n}}\n!llvm.dbg.cu = !{{!0}}\n\
                 !1 = distinct !DISubprogram(name: \"f\", line: {line})\n!2 = !DILocation(line: {line}, scope: !1)\n!3 = !{{}}\n"
            )
        };
        assert_eq!(code(&text(1)), code(&text(7)));
        assert_eq!(
            code(&text(1)),
            "define void @f() {\n  %x = load i64, ptr @g, !noundef !3\n}\n!3 = !{}\n"
        );
    }

    #[test]
    fn debug_attachments_are_dropped_and_the_rest_of_the_line_kept() {
        assert_eq!(
            without_debug("  %x = load i64, ptr %p, !dbg !7, !noundef !3"),
            "  %x = load i64, ptr %p, !noundef !3"
        );
        assert_eq!(
            without_debug("define void @f() !dbg !7 {"),
            "define void @f() {"
        );
        assert_eq!(
            without_debug("a\n    #dbg_value(i64 0, !1, !2, !3)\nb"),
            "a\nb"
        );
    }
}
