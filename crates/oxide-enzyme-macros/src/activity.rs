//! Modes and activities, and which goes where.

use proc_macro2::{Ident, Span};

use crate::problems::Problems;

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Const,
    Active,
    ActiveOnly,
    Duplicated,
    DuplicatedOnly,
    Dual,
    DualOnly,
    Dualv,
    DualvOnly,
}

use Kind::{
    Active, ActiveOnly, Const, Dual, DualOnly, Dualv, DualvOnly, Duplicated, DuplicatedOnly,
};

const KINDS: [(&str, Kind); 9] = [
    ("Const", Const),
    ("Active", Active),
    ("ActiveOnly", ActiveOnly),
    ("Duplicated", Duplicated),
    ("DuplicatedOnly", DuplicatedOnly),
    ("Dual", Dual),
    ("DualOnly", DualOnly),
    ("Dualv", Dualv),
    ("DualvOnly", DualvOnly),
];

impl Kind {
    pub fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// Whether one shadow holds all lanes.
    pub fn is_joined(self) -> bool {
        matches!(self, Dualv | DualvOnly)
    }

    /// Whether what the argument refers to may hold anything afterwards.
    pub fn discards(self) -> bool {
        matches!(self, DuplicatedOnly | DualOnly | DualvOnly)
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
            (Mode::Forward, _) => &[Const, Dual, DualOnly, Dualv, DualvOnly],
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
    /// Whether it may stand where it stands.
    pub is_legal: bool,
}

impl Activity {
    /// Stands for what could not be read.
    pub fn unknown(span: Span) -> Activity {
        Activity {
            kind: Const,
            span,
            is_legal: false,
        }
    }
}

/// Whether a word is the name of an activity.
pub fn is_activity(word: &Ident) -> bool {
    KINDS.iter().any(|(name, _)| word == name)
}

/// What may stand here, in words.
fn legal_here(mode: Mode, place: Place) -> String {
    format!(
        "{} in {} mode can be {}",
        place.name(),
        mode.adverb(),
        list(place.legal(mode))
    )
}

/// Reads an activity and checks that it may stand here. What is wrong is reported, and read as what was probably meant.
pub fn read(word: &Ident, mode: Mode, place: Place, problems: &mut Problems) -> Activity {
    let (span, here) = (word.span(), legal_here(mode, place));
    let legal = place.legal(mode);
    let (kind, is_legal) = match KINDS.iter().find(|(name, _)| word == name) {
        Some(&(_, kind)) => {
            if !legal.contains(&kind) {
                let (place, adverb) = (place.name(), mode.adverb());
                let text = format!("`{word}` cannot be used for {place} in {adverb} mode");
                problems.add(span, &text, &here);
            }
            (kind, legal.contains(&kind))
        }
        None => {
            let nearest = nearest(&word.to_string(), legal);
            let help = match nearest {
                Some(kind) => format!("did you mean `{}`? {here}", kind.name()),
                None => here,
            };
            problems.add(span, &format!("unknown activity `{word}`"), &help);
            (nearest.unwrap_or(Const), false)
        }
    };
    Activity {
        kind,
        span,
        is_legal,
    }
}

/// The same, for an attribute that stops at the first mistake.
pub fn read_strictly(word: &Ident, mode: Mode, place: Place) -> syn::Result<Activity> {
    let mut problems = Problems::default();
    let activity = read(word, mode, place, &mut problems);
    problems.into_result().map(|()| activity)
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
fn nearest(word: &str, legal: &[Kind]) -> Option<Kind> {
    let word = word.to_lowercase();
    let distance = |kind: Kind| edits(&word, &kind.name().to_lowercase());
    let kind = legal.iter().copied().min_by_key(|kind| distance(*kind))?;
    let distance = distance(kind);
    (distance <= 2 && distance <= kind.name().len() / 2).then_some(kind)
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
        assert_eq!(nearest("Duplicate", legal), Some(Duplicated));
        assert_eq!(nearest("active", legal), Some(Active));
        assert_eq!(nearest("Cnost", legal), Some(Const));
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
