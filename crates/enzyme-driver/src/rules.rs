//! Derivatives by hand: what the library says of a function that has some, in the words of Enzyme.

use crate::files;
use crate::ir::{quoted, references_not_called};

/// What the comment in inline assembly begins with; a number follows that says which rules there are.
pub const MARK: &str = "__enzyme_rule_";

/// What the names of globals begin with by which Enzyme is told.
pub const REGISTER: &str = "__enzyme_register_";

/// The same, of the global that names the function of mathematics that another one computes.
pub const FUNCTION_LIKE: &str = "__enzyme_function_like_";

const REVERSE: u32 = 1;
const FORWARD: u32 = 2;

/// The globals that tell Enzyme of the rules of `symbol`, which `line` names: the forward and the reverse pass of reverse mode,
/// and forward mode. `None` if the line is not understood.
pub fn registration(symbol: &str, line: &str) -> Option<String> {
    let (_, after) = line.split_once(MARK)?;
    let rules: u32 = after.chars().next()?.to_digit(10)?;
    let [augmented, reverse, forward] = references_not_called(line).try_into().ok()?;
    let (primal, augmented, reverse, forward) = (
        quoted(symbol),
        quoted(augmented),
        quoted(reverse),
        quoted(forward),
    );
    // Outside of the module the name must not clash.
    let tag = &files::digest(&[symbol.as_bytes()])[..16];
    let mut text = String::new();
    if rules & REVERSE != 0 {
        text += &format!(
            "@{REGISTER}gradient_{tag} = global [3 x ptr] [ptr {primal}, ptr {augmented}, ptr {reverse}]\n"
        );
    }
    if rules & FORWARD != 0 {
        text += &format!(
            "@{REGISTER}derivative_{tag} = global [2 x ptr] [ptr {primal}, ptr {forward}]\n"
        );
    }
    Some(text)
}

/// The globals that tell Enzyme that `symbol` computes the function of mathematics of that name.
pub fn function_like(symbol: &str, name: &str) -> String {
    let tag = &files::digest(&[symbol.as_bytes()])[..16];
    format!(
        "@{REGISTER}name_{tag} = internal constant [{} x i8] c\"{name}\\00\"\n\
         @{FUNCTION_LIKE}{tag} = global [2 x ptr] [ptr {}, ptr @{REGISTER}name_{tag}]\n",
        name.len() + 1,
        quoted(symbol),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enzyme_is_told_of_the_rules_that_there_are() {
        let line = |rules| {
            format!(
                "  call void asm sideeffect \"/* __enzyme_rule_{rules} ${{0:P}} ${{1:P}} ${{2:P}} */\", \"s,s,s\"(ptr @a, ptr @r, ptr @f) #4"
            )
        };
        let both = registration("p", &line(3)).unwrap();
        assert!(both.contains("= global [3 x ptr] [ptr @p, ptr @a, ptr @r]\n"));
        assert!(both.contains("= global [2 x ptr] [ptr @p, ptr @f]\n"));
        assert_eq!(registration("p", &line(1)).unwrap().lines().count(), 1);
        assert_eq!(registration("p", "  ret void"), None);
    }
}
