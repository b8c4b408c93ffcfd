//! An engine's failure in words that a user of Rust can act on.

use std::fmt;
use std::path::PathBuf;

use crate::derivative::Mode;
use crate::ir::{Reference, references};
use crate::policy;
use crate::process::Ended;

/// Why a derivative could not be made.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The function that the user differentiates.
    pub function: String,
    /// Forward or reverse.
    pub mode: Mode,
    /// `file:line:column` in Rust, where known.
    pub place: Option<String>,
    /// The function in which Enzyme stopped, if it is another.
    pub inside: Option<String>,
    /// What it could not do.
    pub reason: String,
    /// What to try.
    pub advice: String,
    /// Where the engine's own words are kept.
    pub log: PathBuf,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot differentiate `{}` ({} mode): {}",
            self.function, self.mode, self.reason
        )?;
        match (&self.place, &self.inside) {
            (Some(place), Some(inside)) => write!(f, "\n  --> {place}, in {inside}")?,
            (Some(place), None) => write!(f, "\n  --> {place}")?,
            (None, Some(inside)) => write!(f, "\n  --> in {inside}")?,
            (None, None) => {}
        }
        write!(
            f,
            "\n  help: {}\n  note: the engine's own words are in `{}`",
            self.advice,
            self.log.display()
        )
    }
}

/// What an engine said, sorted.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// `file:line:column`.
    pub place: Option<String>,
    /// The function, demangled.
    pub inside: Option<String>,
    /// In plain words.
    pub reason: String,
    /// What to try.
    pub advice: String,
}

/// What no engine is asked about: code that is handed to another thread looks like data, and its gradient would be lost without
/// a word.
pub fn refused(input: &str) -> Option<Finding> {
    let starts_thread = input
        .lines()
        .filter(|line| line.contains("call "))
        .filter(|line| line.contains("10rayon_core") || line.contains("6Thread3new"))
        .flat_map(references)
        .any(|reference| match reference {
            Reference::Symbol(symbol) => policy::starts_thread(symbol),
            _ => false,
        });
    starts_thread.then(|| Finding {
        place: None,
        inside: None,
        reason: "it hands work to other threads, which Enzyme does not follow".into(),
        advice: "compute in one thread what is differentiated (`iter` instead of `par_iter`), and call derivatives from several"
            .into(),
    })
}

/// Of a loop in which Enzyme would forget how many rounds it had.
pub fn forgets_rounds(function: &str) -> Finding {
    Finding {
        place: None,
        inside: Some(policy::path(function)),
        reason: "a loop that ends only within a loop inside of it would get a wrong gradient from Enzyme".into(),
        advice: "give the outer loop a condition of its own: `while`, or `if done { break; }` after the inner loop".into(),
    }
}

/// Of a derivative at a width above 1 that would take one list for another.
pub fn reads_stale_shadow(function: &str) -> Finding {
    Finding {
        place: None,
        inside: Some(policy::path(function)),
        reason: "it replaces pointers that it goes through (rows of a `Vec<Vec<f64>>` that are swapped, for one), and at vector widths above 1 \
                 it would get a wrong gradient from Enzyme"
            .into(),
        advice: "use width 1, a call for each seed; or keep the numbers in one `Vec<f64>`, or in rows that are arrays".into(),
    }
}

/// Of a derivative that would look up what it remembers at an undefined place.
pub fn looks_up_nowhere(function: &str) -> Finding {
    Finding {
        place: None,
        inside: Some(policy::path(function)),
        reason: "two of its loops go through the same lists of lists, and it would get a wrong gradient from Enzyme, which looks up in the one \
                 what it has read in the other"
            .into(),
        advice: "do in one loop what the two do; or keep the numbers in one `Vec<f64>`, or in rows that are arrays".into(),
    }
}

/// Of a function with a variable that Enzyme may take for another one.
pub fn takes_for_another(function: &str) -> Finding {
    Finding {
        place: None,
        inside: Some(policy::path(function)),
        reason: "it has a variable without a value at first, which Enzyme may take for what the variable is set to later".into(),
        advice: "set variables where they are declared; or keep an `Option`'s parts apart, a `bool` and a number that begins with 0".into(),
    }
}

/// Of a function that stores a constant of which Enzyme does not see that it is a float.
pub fn takes_for_integer(function: &str) -> Finding {
    Finding {
        place: None,
        inside: Some(policy::path(function)),
        reason: "it stores a constant as an integer that looks like a float, and Enzyme would take it for its own derivative".into(),
        advice: "set the elements of a list or an array of constants one by one; or pass the constant as an argument".into(),
    }
}

/// Of a function that chooses among floats as integers.
pub fn chooses_integers(function: &str) -> Finding {
    Finding {
        place: None,
        inside: Some(policy::path(function)),
        reason: "it chooses among numbers as integers, and Enzyme would take a constant among them for its own derivative".into(),
        advice: "set variables in place, instead of by `mem::swap` or `mem::replace`; or choose by `if` around the arithmetic".into(),
    }
}

/// Of a function that moves what may be a float, or may be something else.
pub fn moves_unknown(function: &str) -> Finding {
    Finding {
        place: None,
        inside: Some(policy::path(function)),
        reason: "it moves parts of structs or enums of which nothing shows whether they are floating-point numbers, as \
                 `mem::swap` of structs does and copies of structs with enums"
            .into(),
        advice: "move the numbers one by one, or keep them in fields, arrays or a Vec of their own; where the function that moves them is \
                 small, `#[inline(always)]` may show what they are"
            .into(),
    }
}

/// Sorts what an engine said of `input`.
pub fn explain(ended: &Ended, input: &str, limit: std::time::Duration) -> Finding {
    let error = ended
        .output
        .lines()
        .find(|line| line.starts_with("error: "))
        .or_else(|| {
            ended
                .output
                .lines()
                .find(|line| line.contains("Illegal update"))
        })
        .or_else(|| ended.output.lines().next());
    let line = error.unwrap_or_default();
    let (reason, advice) = reason(ended, input, line, limit);
    Finding {
        place: place(line),
        inside: inside(line),
        reason,
        advice,
    }
}

fn reason(ended: &Ended, input: &str, line: &str, limit: std::time::Duration) -> (String, String) {
    let all = &ended.output;
    if ended.status.is_none() {
        return (
            format!("the engine did not finish within {} s and was stopped", limit.as_secs()),
            "raise the limit with `OXIDE_ENZYME_TIMEOUT=SECONDS`, or differentiate a smaller function".into(),
        );
    }
    if let Some(callee) = missing_rule(all) {
        if callee.starts_with(crate::hints::SORTED_FLOATS) {
            return (
                "it sorts floating-point numbers by the standard library".into(),
                "sort indices instead: `order.sort_by(|a, b| x[*a].total_cmp(&x[*b]))`".into(),
            );
        }
        if callee.starts_with(crate::hints::MIXED_COPY) {
            return (
                "it moves memory in pieces of unknown kind (as `swap` and `reverse` do with structs, or `make_contiguous` of a `VecDeque`)".into(),
                "make a struct's floats `f64`, or keep them in an array or a Vec of their own".into(),
            );
        }
        if callee.starts_with(crate::hints::MOVE_UNKNOWN) {
            return (
                "it moves elements that are not plain floats within a slice or a Vec (`insert`, `remove`, `copy_within`, ...)".into(),
                "keep floats in a slice or Vec of their own, or build a new Vec".into(),
        );
        }
        let callee = policy::path(&callee);
        return (
            format!(
                "it calls `{callee}`, whose body is not available as Rust bitcode and for which Enzyme has no rule"
            ),
            "write that function in Rust, or move the call out of the differentiated function"
                .into(),
        );
    }
    if input.contains(" asm ")
        && (all.contains(" asm ") || all.contains("InlineAsm") || all.contains("Assertion"))
    {
        return (
            "it contains inline assembly, which has no derivative".into(),
            "use a Rust implementation".into(),
        );
    }
    if all.contains("= cmpxchg ") || all.contains("= atomicrmw ") {
        return (
            "it changes an atomic, as `Mutex`, `RwLock` and `OnceLock` do".into(),
            "take the data out before, or use `RefCell`, `OnceCell` or `LazyCell`".into(),
        );
    }
    if all.contains("Cannot deduce") || all.contains("Illegal update") {
        return (
            "Enzyme could not find out which memory holds floating-point numbers".into(),
            "avoid memory that holds floats at one time and integers at another (unions, transmutes, enums moved as a whole)".into(),
        );
    }
    if all.contains("marked shadow global")
        || all.contains("without shadow") && all.contains("global")
    {
        return (
            "it reads or writes floating-point numbers in a mutable static".into(),
            "pass the data as an argument instead".into(),
        );
    }
    if all.contains("unknown intrinsic") || all.contains("cannot handle") {
        return (
            format!(
                "Enzyme has no rule for an operation: {}",
                operation(all).unwrap_or_else(|| "see the log".into())
            ),
            "write the operation in another way".into(),
        );
    }
    if all.trim().is_empty() {
        return (
            format!(
                "the engine said nothing and made nothing ({})",
                ended.describe()
            ),
            "run `cargo enzyme doctor`".into(),
        );
    }
    if all.contains("Assertion")
        || all.contains("PLEASE submit a bug report")
        || all.contains("Stack dump")
    {
        return (
            format!("the engine crashed ({})", ended.describe()),
            "this is a limit of Enzyme: try to simplify the function; the log may be worth an issue".into(),
        );
    }
    (plain(line), "see the log".into())
}

/// `no forward derivative found for NAME`, `No augmented forward pass found for NAME`,
/// `No create nofree of empty function (NAME)` and the like.
fn missing_rule(all: &str) -> Option<String> {
    for line in all.lines() {
        let lower = line.to_lowercase();
        for words in [
            "pass found for ",
            "derivative found for ",
            "empty function (",
        ] {
            if let Some(at) = lower.find(words) {
                let name = line[at + words.len()..].split([' ', '(', ')']).next()?;
                let name = name.trim_matches(['@', '"', '\'', '`', ',', '.']);
                if !name.is_empty() {
                    return Some(name.to_owned());
                }
            }
        }
    }
    None
}

fn operation(all: &str) -> Option<String> {
    let at = all.find("unknown intrinsic")?;
    let line = all[at..].lines().nth(1)?;
    let name = line.split('@').nth(1)?.split('(').next()?;
    Some(format!("`{name}`"))
}

/// `error: FILE:LINE:COLUMN: in function ...`; `<unknown>:0:0` is no place.
fn place(line: &str) -> Option<String> {
    let place = line.strip_prefix("error: ")?.split(": ").next()?;
    let is_place = place.rsplit(':').take(2).all(|n| n.parse::<u32>().is_ok());
    (is_place && !place.starts_with("<unknown>")).then(|| place.to_owned())
}

fn inside(line: &str) -> Option<String> {
    let name = line.split_once("in function ")?.1.split(' ').next()?;
    let name = ["preprocess_", "augmented_", "diffe", "fwddiffe"]
        .iter()
        .fold(name, |n, p| n.strip_prefix(p).unwrap_or(n));
    Some(policy::path(name))
}

fn plain(line: &str) -> String {
    let text = line.split_once("Enzyme: ").map_or(line, |(_, text)| text);
    text.strip_prefix("error: ")
        .unwrap_or(text)
        .chars()
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn ended(output: &str) -> Ended {
        Ended {
            status: Some(std::process::ExitStatus::default()),
            output: output.to_owned(),
        }
    }

    #[test]
    fn a_missing_rule_names_the_callee_and_the_line() {
        let said = "error: src/main.rs:7:5: in function preprocess__ZN4main1f17h0123456789abcdefE double (ptr): Enzyme: No augmented forward pass found for opaque\n at context: call";
        let finding = explain(&ended(said), "", Duration::from_secs(1));
        assert_eq!(finding.place.as_deref(), Some("src/main.rs:7:5"));
        assert_eq!(finding.inside.as_deref(), Some("main::f"));
        assert!(finding.reason.contains("`opaque`"), "{}", finding.reason);
    }

    #[test]
    fn a_callee_without_a_body_is_named_in_every_wording_of_the_engine() {
        for said in [
            "error: <unknown>:0:0: in function f void (): Enzyme: No forward mode derivative found for oxide_enzyme.mixed_copy",
            "error: <unknown>:0:0: in function f void (): Enzyme: No create nofree of empty function (oxide_enzyme.mixed_copy) at",
        ] {
            let finding = explain(&ended(said), "", Duration::ZERO);
            assert!(
                finding.reason.contains("unknown kind"),
                "{}",
                finding.reason
            );
        }
    }

    #[test]
    fn what_starts_threads_is_refused() {
        let thread = "  %r = call i32 @_ZN4core3fmt.inactive._RNvMs0_NtNtNtCsjrHSEGnQ3l9_3std3sys6thread4unixNtB5_6Thread3new(ptr %f)";
        let rayon =
            "  call void @_ZN10rayon_core8registry8Registry6inject17h0123456789abcdefE(ptr %f)";
        for line in [thread, rayon] {
            let finding = refused(line).unwrap();
            assert!(finding.reason.contains("threads"), "{}", finding.reason);
        }
        assert_eq!(
            refused("  call void @_ZN4main6Thread3new17h0123456789abcdefE()"),
            None
        );
    }

    #[test]
    fn an_unknown_place_is_left_out_and_silence_is_reported() {
        let finding = explain(
            &ended(
                "error: <unknown>:0:0: in function f void (): Enzyme: Cannot deduce type of copy",
            ),
            "",
            Duration::ZERO,
        );
        assert_eq!(finding.place, None);
        assert!(finding.reason.contains("floating-point"));
        assert!(
            explain(&ended(""), "", Duration::ZERO)
                .reason
                .contains("said nothing")
        );
    }
}
