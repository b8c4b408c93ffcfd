//! Walks over a module as text: its functions, and the values in a line.

/// Rewrites a module: `function` writes what takes the place of the lines of a function (`define` to `}`); what is between
/// functions stays.
pub fn rewrite_functions<'a>(
    ir: &'a str,
    mut function: impl FnMut(&[&'a str], &mut String),
) -> String {
    let mut out = String::with_capacity(ir.len() + ir.len() / 32);
    for_each_function(ir, |lines| match lines {
        Ok(lines) => function(lines, &mut out),
        Err(line) => push_line(&mut out, line),
    });
    out
}

/// Calls `with` each function as lines, and with each line in between.
pub fn for_each_function<'a>(ir: &'a str, mut with: impl FnMut(Result<&[&'a str], &'a str>)) {
    let mut function = Vec::new();
    for line in ir.lines() {
        if line.starts_with("define ") || !function.is_empty() {
            function.push(line);
            if line == "}" {
                with(Ok(&function));
                function.clear();
            }
        } else {
            with(Err(line));
        }
    }
}

/// The name of the first function whose lines are such.
pub fn find_function<'a>(
    ir: &'a str,
    mut is_such: impl FnMut(&[&'a str]) -> bool,
) -> Option<&'a str> {
    let mut found = None;
    for_each_function(ir, |function| {
        if let (Ok(lines), None) = (function, found)
            && is_such(lines)
        {
            found = function_name(lines[0]);
        }
    });
    found
}

/// Target, source and length of a `memcpy` or `memmove`.
pub fn copied(line: &str) -> Option<(&str, &str, &str)> {
    let (_, call) = line.split_once("call void @llvm.mem")?;
    if !call.starts_with("cpy.") && !call.starts_with("move.") {
        return None;
    }
    let mut parts = split_list(call.split_once('(')?.1);
    let (to, from) = (parts.next()?, parts.next()?);
    let length = parts.next()?.strip_prefix("i64 ")?;
    Some((pointer_of(to)?, pointer_of(from)?, length))
}

/// The same of a copy or of a fill with zeros, which has no source.
pub fn moved(line: &str) -> Option<(&str, Option<&str>, &str)> {
    match copied(line) {
        Some((to, from, length)) => Some((to, Some(from), length)),
        None => cleared(line).map(|(to, length)| (to, None, length)),
    }
}

/// Target and length of a fill with zeros.
fn cleared(line: &str) -> Option<(&str, &str)> {
    let (_, call) = line.split_once("call void @llvm.memset.")?;
    let mut parts = split_list(call.split_once('(')?.1);
    let to = pointer_of(parts.next()?)?;
    let is_zero = parts.next()? == "i8 0";
    let length = parts.next()?.strip_prefix("i64 ")?;
    is_zero.then_some((to, length))
}

/// The pointer of an argument: a value, or a constant address whose operands stand in brackets.
fn pointer_of(argument: &str) -> Option<&str> {
    match argument.find("getelementptr ") {
        Some(at) => Some(&argument[at..]),
        None => argument.rsplit(' ').next(),
    }
}

/// Writes a line, and its end.
pub fn push_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// Adds the declaration of a function that a module calls, unless it does not, or has one.
pub fn declare_if_called(ir: &mut String, declaration: &str) {
    let signature = declaration.trim_start_matches("declare ");
    let (function, _) = signature.split_once('(').unwrap_or((signature, ""));
    let (_, name) = function.split_once('@').unwrap_or(("", function));
    if ir.contains(&format!("call {function}(")) && declaration_of(ir, name).is_none() {
        push_line(ir, declaration);
    }
}

/// Puts a definition in place of a function's declaration, if a module has that.
pub fn define_if_declared(ir: String, name: &str, definition: &str) -> String {
    match declaration_of(&ir, name) {
        Some(declaration) => ir.replace(declaration, definition),
        None => ir,
    }
}

fn declaration_of<'a>(ir: &'a str, name: &str) -> Option<&'a str> {
    let called = format!("@{name}(");
    ir.lines()
        .find(|line| line.starts_with("declare ") && line.contains(&called))
}

/// A name without sigil and quotes: `x` of `%x`, `a b` of `@"a b"`.
pub fn bare(name: &str) -> &str {
    name.trim_start_matches(['%', '@']).trim_matches('"')
}

/// The name in a function's first line.
pub fn function_name(define: &str) -> Option<&str> {
    let (_, rest) = define.split_once('@')?;
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split('(').next(),
    }
}

/// Where the parameters in a function's first line stand, without the parentheses around them.
pub fn parameter_list(define: &str) -> Option<std::ops::Range<usize>> {
    let name = define.find('@')?;
    let open = name + value_length(&define[name..])?;
    let length = balanced(&define[open..])?;
    Some(open + 1..open + length - 1)
}

/// The length of `%name`, `%"name"`, `@name` or `@"name"`.
pub fn value_length(text: &str) -> Option<usize> {
    if text.as_bytes().get(1) == Some(&b'"') {
        return Some(text[2..].find('"')? + 3);
    }
    let end = text[1..].find(|c: char| !(c.is_ascii_alphanumeric() || "-$._".contains(c)));
    Some(end.map_or(text.len(), |end| end + 1))
}

/// The length of the bracketed text that `text` begins with; strings may hold brackets.
pub fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut in_string) = (0usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => in_string = !in_string,
            '(' | '[' | '{' | '<' if !in_string => depth += 1,
            ')' | ']' | '}' | '>' if !in_string => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 && !in_string {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// Splits at the commas that are in no bracket.
pub fn split_list(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut depth, mut in_string) = (0usize, false);
        let end = rest.find(|c| {
            match c {
                '"' => in_string = !in_string,
                '(' | '[' | '{' | '<' if !in_string => depth += 1,
                ')' | ']' | '}' | '>' if !in_string => depth = depth.saturating_sub(1),
                ',' if !in_string && depth == 0 => return true,
                _ => {}
            }
            false
        });
        let (item, after) = match end {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        rest = after.trim_start();
        Some(item.trim())
    })
}

/// The local values in a text, sigil included.
pub fn values(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('%')
        .filter_map(|(at, _)| Some(&text[at..at + value_length(&text[at..])?]))
}

/// The first number that no metadata of a module has.
pub fn free_metadata_number(ir: &str) -> usize {
    ir.lines()
        .filter_map(|line| {
            line.strip_prefix('!')?
                .split_once(" = ")?
                .0
                .parse::<usize>()
                .ok()
        })
        .max()
        .map_or(0, |n| n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_rewritten_and_the_rest_stays() {
        let ir = "@g = global i8 0\ndefine void @f() {\n  ret void\n}\n\ndeclare void @h()\n";
        let out = rewrite_functions(ir, |lines, out| {
            assert_eq!(lines.len(), 3);
            push_line(out, lines[0]);
        });
        assert_eq!(
            out,
            "@g = global i8 0\ndefine void @f() {\n\ndeclare void @h()\n"
        );
    }

    #[test]
    fn values_are_whole_names() {
        let line = "call void @g(i64 %x.1, ptr %\"a b\", label %x)";
        assert_eq!(values(line).collect::<Vec<_>>(), ["%x.1", "%\"a b\"", "%x"]);
        assert_eq!(bare("%\"a b\""), "a b");
    }
}
