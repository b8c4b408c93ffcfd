//! Withdraws what a derivative's code promises and does not keep.
//!
//! Enzyme copies the attributes of a function's parameters to its derivative, which compares primals with shadows to find out
//! what is inactive at run time: it uses addresses that the primal had not looked at. Told that nobody looks, LLVM was seen
//! to pass another address, and the gradient was zero. LLVM finds out by itself what is true of the derivative.

use std::borrow::Cow;

use crate::ir::balanced;

/// Attributes without arguments, and the start of those with some.
const WORDS: [&str; 2] = [" readnone", " writeonly"];
const WITH_ARGUMENTS: [&str; 2] = [" captures(", " initializes("];

/// Metadata of loads and stores.
/// - That memory holds the same for good: Enzyme says it of what it reads again in the reverse pass, though the program may
///   overwrite it in between. LLVM was seen to take loads for equal between which elements were swapped.
/// - That addresses differ: Enzyme copies it from what two shared references read to the sums in their shadows. Both references
///   may be to the same floats, and both shadows are written: LLVM was seen to lose one of two sums.
const METADATA: [&str; 3] = [", !invariant.group !", ", !alias.scope !", ", !noalias !"];

/// A line of a module without such attributes.
pub fn withdraw(line: &str) -> Cow<'_, str> {
    let takes_parameters = line.starts_with("define ") || line.contains("call ");
    let mut line = Cow::Borrowed(line);
    for start in METADATA {
        while let Some(at) = line.find(start) {
            let number = &line[at + start.len()..];
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            line.to_mut()
                .replace_range(at..at + start.len() + digits, "");
        }
    }
    if !takes_parameters {
        return line;
    }
    for word in WORDS {
        let with_blank = format!("{word} ");
        while let Some(at) = line.find(&with_blank) {
            line.to_mut().replace_range(at..at + word.len(), "");
        }
    }
    for start in WITH_ARGUMENTS {
        while let Some(at) = line.find(start) {
            let Some(length) = balanced(&line[at + start.len() - 1..]) else {
                break;
            };
            line.to_mut()
                .replace_range(at..at + start.len() - 1 + length, "");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_promise_nothing_about_their_addresses() {
        assert_eq!(
            withdraw(
                "define internal void @f(ptr noalias readnone captures(none) %a, ptr captures(address, read_provenance) initializes((0, 8)) %b) #1 {"
            ),
            "define internal void @f(ptr noalias %a, ptr %b) #1 {"
        );
        assert_eq!(
            withdraw("  call void @f(ptr nonnull captures(none) %a)"),
            "  call void @f(ptr nonnull %a)"
        );
        assert_eq!(
            withdraw(
                "  %x = load double, ptr %a, align 8, !dbg !7, !invariant.group !8, !noundef !9, !alias.scope !10, !noalias !11"
            ),
            "  %x = load double, ptr %a, align 8, !dbg !7, !noundef !9"
        );
        let other = "@s = constant [17 x i8] c\" captures(none) x\"";
        assert_eq!(withdraw(other), other);
    }
}
