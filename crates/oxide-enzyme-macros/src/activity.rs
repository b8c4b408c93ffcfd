//! Modes and activities, and which goes where.

use proc_macro2::{Ident, Span};
use syn::{Error, Result};

/// Forward or reverse mode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Forward,
    Reverse,
}

impl Mode {
    pub fn attribute(self) -> &'static str {
        match self {
            Mode::Forward => "autodiff_forward",
            Mode::Reverse => "autodiff_reverse",
        }
    }

    fn adverb(self) -> &'static str {
        match self {
            Mode::Forward => "forward",
            Mode::Reverse => "reverse",
        }
    }
}

/// How an argument or a result takes part in differentiation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Const,
    Active,
    ActiveOnly,
    Duplicated,
    DuplicatedOnly,
    Dual,
    DualOnly,
}

use Kind::{Active, ActiveOnly, Const, Dual, DualOnly, Duplicated, DuplicatedOnly};

const KINDS: [(&str, Kind); 7] = [
    ("Const", Const),
    ("Active", Active),
    ("ActiveOnly", ActiveOnly),
    ("Duplicated", Duplicated),
    ("DuplicatedOnly", DuplicatedOnly),
    ("Dual", Dual),
    ("DualOnly", DualOnly),
];

impl Kind {
    pub fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }
}

/// Where an activity is written.
#[derive(Clone, Copy)]
pub enum Place {
    Argument,
    Result,
}

impl Place {
    fn legal(self, mode: Mode) -> &'static [Kind] {
        match (mode, self) {
            (Mode::Forward, _) => &[Const, Dual, DualOnly],
            (Mode::Reverse, Place::Argument) => {
                &[Const, Active, ActiveOnly, Duplicated, DuplicatedOnly]
            }
            (Mode::Reverse, Place::Result) => &[Const, Active, ActiveOnly],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Place::Argument => "an argument",
            Place::Result => "the result",
        }
    }
}

/// An activity as it was written.
#[derive(Clone, Copy)]
pub struct Activity {
    pub kind: Kind,
    pub span: Span,
}

/// Whether a word is the name of an activity.
pub fn is_activity(word: &Ident) -> bool {
    KINDS.iter().any(|(name, _)| word == name)
}

/// Reads an activity and checks that it may stand here.
pub fn read(word: &Ident, mode: Mode, place: Place) -> Result<Activity> {
    let error = |text: String| Err(Error::new(word.span(), text));
    let legal = place.legal(mode);
    let expected = || format!("expected {}", list(legal));
    if word == "Dualv" || word == "DualvOnly" {
        return error(format!("`{word}` is not yet supported: {}", expected()));
    }
    let Some(&(_, kind)) = KINDS.iter().find(|(name, _)| word == name) else {
        return match nearest(&word.to_string(), legal) {
            Some(name) => error(format!("unknown activity `{word}`: did you mean `{name}`?")),
            None => error(format!("unknown activity `{word}`: {}", expected())),
        };
    };
    if !legal.contains(&kind) {
        return error(format!(
            "`{word}` cannot be used for {} in {} mode: {}",
            place.name(),
            mode.adverb(),
            expected()
        ));
    }
    Ok(Activity {
        kind,
        span: word.span(),
    })
}

fn list(kinds: &[Kind]) -> String {
    let names: Vec<String> = kinds
        .iter()
        .map(|kind| format!("`{}`", kind.name()))
        .collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The activity that was probably meant.
fn nearest(word: &str, legal: &[Kind]) -> Option<&'static str> {
    let word = word.to_lowercase();
    let distance = |name: &str| edits(&word, &name.to_lowercase());
    let (name, distance) = legal
        .iter()
        .map(|kind| (kind.name(), distance(kind.name())))
        .min_by_key(|pair| pair.1)?;
    (distance <= 2 && distance <= name.len() / 2).then_some(name)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_finds_its_activity() {
        let legal = Place::Argument.legal(Mode::Reverse);
        assert_eq!(nearest("Duplicate", legal), Some("Duplicated"));
        assert_eq!(nearest("active", legal), Some("Active"));
        assert_eq!(nearest("Cnost", legal), Some("Const"));
        assert_eq!(nearest("Shadow", legal), None);
    }

    #[test]
    fn the_list_reads_like_english() {
        assert_eq!(
            list(&[Const, Dual, DualOnly]),
            "`Const`, `Dual` or `DualOnly`"
        );
    }
}
