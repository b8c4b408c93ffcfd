//! Finds what a gradient moves as integers though nothing tells Enzyme that it is none.
//!
//! A swap of two structs moves words, and a copy of one moves bytes. Where Enzyme does not know what is in them, it takes a word for an
//! integer, and bytes for what stands before them, without a word (`visitLoadLike` and `visitMemTransferCommon` in its
//! AdjointGenerator.h). If they are floats, what is done with the copy is lost to the gradient. Enzyme's own analysis tells what it
//! knew.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::elements;
use crate::ir::{self, bare, for_each_function, function_name};
use crate::strides::LONGEST;

/// What could be moved so, by the function that does it.
#[derive(Debug, Default)]
pub struct Suspects {
    loads: Vec<Load>,
    copies: Vec<Copy>,
}

#[derive(Debug)]
struct Load {
    function: String,
    name: String,
    address: String,
}

#[derive(Debug)]
struct Copy {
    function: String,
    ends: [String; 2],
    length: u64,
}

/// What Enzyme knew of the values of a function, each time that it differentiated it.
type Known = HashMap<String, Vec<HashMap<String, Type>>>;

/// What is known of a value, and of what lies at the offsets of the memory that it leads to, or at all of them.
#[derive(Debug, Default)]
struct Type {
    is_known: bool,
    parts: BTreeMap<u64, String>,
    everywhere: Option<String>,
}

impl Suspects {
    /// Reads what Enzyme made for reverse mode.
    pub fn of(differentiated: &str) -> Self {
        let mut suspects = Suspects::default();
        for_each_function(differentiated, |function| {
            if let Ok(lines) = function
                && let Some(primal) = function_name(lines[0]).and_then(primal)
            {
                suspects.read(primal, lines);
            }
        });
        suspects
    }

    /// Whether there are none, and no analysis is needed.
    pub fn is_empty(&self) -> bool {
        self.loads.is_empty() && self.copies.is_empty()
    }

    fn read(&mut self, primal: &str, lines: &[&str]) {
        let shadows: HashSet<[&str; 2]> = shadow_copies(lines).collect();
        for line in lines {
            if let Some((name, address)) = integer_shadow(line)
                && !name.starts_with(elements::PART)
            {
                self.loads.push(Load {
                    function: primal.to_owned(),
                    name: name.to_owned(),
                    address: address.to_owned(),
                });
            } else if let Some((to, from, length)) = ir::copied(line)
                && let Ok(length) = length.parse()
                && (9..=LONGEST).contains(&length)
                && shadows.contains(&[to, from].map(bare))
            {
                self.copies.push(Copy {
                    function: primal.to_owned(),
                    ends: [to, from].map(|end| bare(end).to_owned()),
                    length,
                });
            }
        }
    }

    /// The function that moves something of no known type, if there is one, by what `--enzyme-print-type` printed.
    pub fn unknown(&self, analysis: &str) -> Option<&str> {
        let known = known(analysis);
        let none = Type::default();
        let times = |function| {
            let times = known
                .get(function)
                .or_else(|| known.get(original(function)));
            times.map_or(&[][..], Vec::as_slice)
        };
        let load = self.loads.iter().find(|load| {
            times(&load.function).iter().any(|known| {
                let [value, memory] =
                    [&load.name, &load.address].map(|name| known.get(name).unwrap_or(&none));
                !value.is_known && memory.at(0).is_none() && !memory.is_list(0)
            })
        });
        let copy = || {
            self.copies.iter().find(|copy| {
                times(&copy.function).iter().any(|known| {
                    let [to, from] = copy
                        .ends
                        .each_ref()
                        .map(|end| known.get(end).unwrap_or(&none));
                    hides_word(to, from, copy.length)
                })
            })
        };
        load.map(|load| &load.function)
            .or_else(|| copy().map(|copy| &copy.function))
            .map(String::as_str)
    }
}

/// Reads what the analysis printed of the functions that it differentiated. What it printed of what they call in between does not count.
fn known(analysis: &str) -> Known {
    let mut known = Known::new();
    let mut functions = vec![""];
    for line in analysis.lines() {
        if line.starts_with(" starting IPO of ") {
            functions.push("");
        } else if line.starts_with(" ending IPO of ") && functions.len() > 1 {
            functions.pop();
        } else if let Some(name) = line.strip_prefix("analyzing function ")
            && let Some(function) = functions.last_mut()
        {
            *function = name.trim().strip_prefix("preprocess_").unwrap_or("");
            known
                .entry((*function).to_owned())
                .or_default()
                .push(HashMap::new());
        } else if let Some(update) = line.strip_prefix("updating analysis of val: ")
            && let Some(function) = functions.last().filter(|function| !function.is_empty())
            && let Some((value, types)) = updated(update)
            && let Some(values) = known.get_mut(*function).and_then(|times| times.last_mut())
        {
            let known = values.entry(value.to_owned()).or_default();
            types.split(['{', '}']).for_each(|tree| known.add(tree));
        }
    }
    known
}

/// The name and the types in `  %x = load i64, ... current: {} new {[-1]:Integer} from ...`.
fn updated(update: &str) -> Option<(&str, &str)> {
    let (value, types) = update.split_once(" current: ")?;
    let (types, _) = types.split_once(" from ")?;
    let name = match value.trim().split_once(" = ") {
        Some((name, _)) => name,
        None => value.trim().rsplit(' ').next()?,
    };
    Some((bare(name), types))
}

impl Type {
    /// Adds `[-1]:Pointer, [-1,8]:Float@double`.
    fn add(&mut self, tree: &str) {
        for part in tree.split(", ") {
            let Some((at, ty)) = part
                .trim()
                .strip_prefix('[')
                .and_then(|part| part.split_once("]:"))
            else {
                continue;
            };
            let mut at = at.split(',');
            match (at.next(), at.next(), at.next()) {
                (Some(_), None, None) => self.is_known = true,
                (Some(_), Some("-1"), None) => self.everywhere = Some(ty.to_owned()),
                (Some(_), Some(at), None) => {
                    let at = at.parse().ok();
                    self.parts.extend(at.map(|at| (at, ty.to_owned())));
                }
                _ => {}
            }
        }
    }

    fn at(&self, offset: u64) -> Option<&str> {
        let part = self.parts.get(&offset).or(self.everywhere.as_ref());
        part.map(String::as_str)
    }

    /// Whether a `Vec` begins there, with its capacity, which few look at. The pointer and the length follow.
    fn is_list(&self, offset: u64) -> bool {
        self.at(offset + 8) == Some("Pointer") && self.at(offset + 16) == Some("Integer")
    }
}

/// Whether a word of what is copied is of unknown kind, and taken for an integer.
fn hides_word(to: &Type, from: &Type, length: u64) -> bool {
    let at = |offset| to.at(offset).or(from.at(offset));
    let mut before = (0..length).find_map(at);
    for word in (0..length).step_by(8) {
        let mut kinds = (word..length.min(word + 8)).filter_map(at);
        match kinds.next_back() {
            Some(kind) => before = Some(kind),
            None if to.is_list(word) || from.is_list(word) => {}
            None if before.is_some_and(|kind| !kind.starts_with("Float")) => return true,
            None => {}
        }
    }
    false
}

/// What is differentiated by `diffef` and `augmented_f`.
fn primal(derivative: &str) -> Option<&str> {
    let rest = derivative
        .strip_prefix("diffe")
        .or_else(|| derivative.strip_prefix("augmented_"))
        .or_else(|| derivative.strip_prefix("fakeaugmented_"))?;
    Some(rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A function may be differentiated more than once, and then all but the first derivative have a number after their names.
fn original(function: &str) -> &str {
    let name = function.trim_end_matches(|c: char| c.is_ascii_digit());
    name.strip_suffix('.').unwrap_or(function)
}

/// Between the shadows of which addresses a function copies integers.
fn shadow_copies<'a>(lines: &[&'a str]) -> impl Iterator<Item = [&'a str; 2]> {
    let within: HashMap<&str, &str> = lines
        .iter()
        .filter_map(|line| {
            let (name, code) = line.trim_start().split_once(" = getelementptr ")?;
            Some((name, &code[code.find("ptr %")? + "ptr ".len()..]))
        })
        .collect();
    let shadowed = move |address: &'a str| {
        let address = match within.get(address) {
            Some(base) if !address.contains('\'') => &base[..ir::value_length(base)?],
            _ => address,
        };
        bare(address).split_once('\'').map(|(base, _)| base)
    };
    lines.iter().filter_map(move |line| {
        let (to, from, _) = ir::copied(line)?;
        Some([shadowed(to)?, shadowed(from)?])
    })
}

/// `x` and `y` of `%"x'ipl" = load i64, ptr %"y'ipg", ...`.
fn integer_shadow(line: &str) -> Option<(&str, &str)> {
    let (name, load) = line.trim_start().split_once(" = load i")?;
    let (bits, address) = load.split_once(", ptr ")?;
    let bits: u32 = bits.parse().ok()?;
    let (base, _) = bare(name).split_once("'ipl")?;
    let address = &address[..ir::value_length(address)?];
    let address = bare(address).split('\'').next()?;
    (bits.is_multiple_of(32) && !line.contains("!noundef")).then_some((base, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVES: &str = "\
define internal void @augmented_f.2(ptr %a, ptr %\"a'\") {
  %\"word'ipl\" = load i64, ptr %\"a'\", align 8
  %word = load i64, ptr %a, align 8
  ret void
}
define internal void @diffeg(ptr %to, ptr %\"to'\", ptr %from, ptr %\"from'\") {
  %1 = getelementptr inbounds i8, ptr %\"from'\", i64 8
  call void @llvm.memcpy.p0.p0.i64(ptr %\"to'\", ptr %1, i64 16, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 24, i1 false)
  ret void
}
";

    fn analysis(word: &str, from: &str) -> String {
        format!(
            "analyzing function preprocess_f
updating analysis of val:   %word = load i64, ptr %a, align 8 current: {{}} new {word} from   ret void Changed=1 legal=1
analyzing function preprocess_g
 starting IPO of   call void @h(ptr %from)
analyzing function h
updating analysis of val: ptr %from current: {{}} new {{[-1]:Pointer, [-1,-1]:Integer}} from ptr %from Changed=1 legal=1
 ending IPO of   call void @h(ptr %from)
updating analysis of val: ptr %from current: {{}} new {from} from ptr %from Changed=1 legal=1
"
        )
    }

    const INTEGER: &str = "{[-1]:Integer}";
    const ALL: &str = "{[-1]:Pointer, [-1,0]:Integer, [-1,8]:Float@double, [-1,16]:Integer}";

    #[test]
    fn what_enzyme_knows_may_be_moved() {
        let suspects = Suspects::of(MOVES);
        assert!(!suspects.is_empty());
        assert_eq!(suspects.unknown(&analysis(INTEGER, ALL)), None);
        let list = "{[-1]:Pointer, [-1,8]:Pointer, [-1,16]:Integer}";
        assert_eq!(suspects.unknown(&analysis(INTEGER, list)), None);
        let floats = "{[-1]:Pointer, [-1,0]:Float@double}";
        assert_eq!(suspects.unknown(&analysis(INTEGER, floats)), None);
    }

    #[test]
    fn a_word_of_no_known_type_may_not() {
        let suspects = Suspects::of(MOVES);
        assert_eq!(suspects.unknown(&analysis("{}", ALL)), Some("f.2"));
        for hidden in [
            "{[-1]:Pointer, [-1,0]:Integer, [-1,16]:Integer}",
            "{[-1]:Pointer, [-1,0]:Pointer}",
            "{[-1]:Pointer, [-1,0]:Integer, [-1,8]:Float@double, [-1,12]:Integer}",
        ] {
            assert_eq!(
                suspects.unknown(&analysis(INTEGER, hidden)),
                Some("g"),
                "{hidden}"
            );
        }
    }

    #[test]
    fn what_is_known_once_but_not_each_time_is_unknown() {
        let twice = analysis(INTEGER, ALL) + &analysis("{}", ALL);
        assert_eq!(Suspects::of(MOVES).unknown(&twice), Some("f.2"));
    }

    #[test]
    fn what_has_no_shadow_is_moved_as_it_is() {
        let without = MOVES.replace("to'", "to").replace("word'ipl", "word.other");
        assert!(Suspects::of(&without).is_empty());
    }
}
