//! Makes Enzyme pass on what its own checks need.
//!
//! With runtime activity a derivative compares each pointer with its shadow: if they are the same, there is nothing to
//! differentiate. But where a function only writes through a pointer, Enzyme takes it that the way back needs the shadow
//! alone and passes `undef` for the pointer, so that the comparison may come out either way, and gradients were lost
//! without a word. Functions that are marked keep their primal arguments.

use std::collections::HashSet;

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
}
