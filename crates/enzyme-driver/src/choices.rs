//! Chooses among floats as floats.
//!
//! A float that is only moved, such as one of two variables that change places, is an integer to LLVM, and so is the `phi` or the
//! `select` that chooses it among others. To Enzyme the shadow of an integer is the integer itself wherever what is chosen has no
//! derivative: the tangent of a constant was seen to be its value. So where anything in a web of such choices is turned into a
//! float, or comes from one, all of it is chosen as floats, and turned into integers where integers are wanted.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::constants::{Sizes, as_literal, looks_like};
use crate::copies::Float;
use crate::ir::blocks::{Phi, Select, chosen_as};
use crate::ir::{bare, find_function, push_line, rewrite_functions, split_list, values};
use crate::nothing;

/// Rewrites such choices in every function of a module.
pub fn as_floats(ir: &str) -> String {
    rewrite_functions(ir, |lines, out| {
        let webs = Webs::of(lines);
        if webs.floats.is_empty() {
            return lines.iter().for_each(|line| push_line(out, line));
        }
        let others = webs.others();
        let entry = nothing::entry(lines);
        let mut after_phis = String::new();
        for (number, line) in lines.iter().enumerate() {
            if number == entry {
                let all: HashSet<&str> = lines.iter().filter_map(|line| defined(line)).collect();
                let parameters = others.iter().filter(|(name, _)| !all.contains(*name));
                parameters.for_each(|(name, float)| push_line(out, &float.of_bits(name)));
            }
            let is_phi = line.contains(" = phi ");
            if !is_phi {
                out.push_str(&std::mem::take(&mut after_phis));
            }
            let choice = Choice::parse(line).and_then(|choice| choice.as_float(&webs));
            let (line, back) = match choice {
                Some((chosen, back)) => (Cow::Owned(chosen), Some(back)),
                None => {
                    let other = defined(line).and_then(|name| others.get_key_value(name));
                    let cast = other.map(|(name, float)| float.of_bits(name));
                    (Cow::Borrowed(*line), cast)
                }
            };
            push_line(out, &line);
            if let Some(cast) = back {
                let casts = if is_phi { &mut after_phis } else { &mut *out };
                push_line(casts, &cast);
            }
        }
    })
}

/// The function that chooses so among the bits of a float and what looks like a float, if there is one: the engine's own optimisation
/// could make more. What is computed from integers has no derivative.
pub fn left(ir: &str) -> Option<&str> {
    find_function(ir, |lines| {
        let webs = Webs::of(lines);
        let sizes = Sizes::of(lines);
        lines
            .iter()
            .filter_map(|line| Choice::parse(line))
            .any(|choice| {
                let among = || choice.among.iter();
                webs.floats.contains_key(choice.name)
                    && among().any(|value| webs.bits.contains_key(value))
                    && among().any(|value| {
                        let bits = value.parse().ok().filter(|bits| *bits != 0);
                        let is_long = choice.float == Float::Double;
                        bits.and_then(|bits| looks_like(bits, is_long, sizes))
                            .is_some()
                    })
            })
    })
}

fn defined(line: &str) -> Option<&str> {
    line.trim_start().split_once(" = ").map(|(name, _)| name)
}

/// An integer of a float's size that a line chooses.
struct Choice<'a> {
    name: &'a str,
    float: Float,
    among: Vec<&'a str>,
    line: &'a str,
}

impl<'a> Choice<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let name = defined(line)?;
        let choice = |integer: &str, among: Vec<&'a str>| {
            let float = [Float::Single, Float::Double]
                .into_iter()
                .find(|float| float.integer() == integer)?;
            let is_known =
                |value: &&str| value.starts_with('%') || as_literal(value, float).is_some();
            if !among.iter().all(is_known) {
                return None;
            }
            Some(Choice {
                name,
                float,
                among,
                line,
            })
        };
        if let Some(phi) = Phi::parse(line) {
            return choice(
                phi.ty,
                phi.incoming.iter().map(|(value, _)| *value).collect(),
            );
        }
        if let Some(select) = Select::parse(line) {
            return choice(select.ty, select.among.to_vec());
        }
        let (_, code) = line.split_once(" = ")?;
        let (integer, value) = code.strip_prefix("freeze ")?.split_once(' ')?;
        choice(integer, vec![split_list(value).next()?])
    }

    /// The names and constants that must be of one kind.
    fn all(&self) -> impl Iterator<Item = &'a str> + '_ {
        std::iter::once(self.name).chain(self.among.iter().copied())
    }

    /// The same choice among floats, and the integer.
    fn as_float(&self, webs: &Webs<'a>) -> Option<(String, String)> {
        webs.floats.get(self.name)?;
        let ty = self.float.name();
        let name = chosen(self.name);
        let of = |value: &str| webs.float_of(value, self.float);
        let new = chosen_as(self.line, &name, ty, of)
            .unwrap_or_else(|| format!("  {name} = freeze {ty} {}", of(self.among[0])));
        let back = format!(
            "  {} = bitcast {ty} {name} to {}",
            self.name,
            self.float.integer()
        );
        Some((new, back))
    }
}

fn chosen(value: &str) -> String {
    format!("%\"{}.as.float\"", bare(value))
}

/// Which integers of a function are floats: those that choices connect with one.
struct Webs<'a> {
    /// Names, and what they are.
    floats: HashMap<&'a str, Float>,
    /// The floats that integers are the bits of.
    bits: HashMap<&'a str, &'a str>,
    choices: HashSet<&'a str>,
}

impl<'a> Webs<'a> {
    fn of(lines: &[&'a str]) -> Self {
        let choices: Vec<Choice<'a>> = lines
            .iter()
            .filter_map(|line| Choice::parse(line))
            .collect();
        let mut webs = Webs {
            floats: HashMap::new(),
            bits: HashMap::new(),
            choices: choices.iter().map(|choice| choice.name).collect(),
        };
        if choices.is_empty() {
            return webs;
        }
        for line in lines {
            webs.read_cast(line);
        }
        // Only what choices connect with something.
        let mut connected = HashSet::new();
        loop {
            let before = connected.len();
            for choice in &choices {
                let is_float = choice
                    .all()
                    .any(|name| webs.floats.get(name) == Some(&choice.float));
                if is_float && connected.insert(choice.name) {
                    let names = choice.all().filter(|name| name.starts_with('%'));
                    names.for_each(|name| {
                        webs.floats.insert(name, choice.float);
                    });
                }
            }
            if connected.len() == before {
                let in_web: HashSet<&str> = choices
                    .iter()
                    .filter(|choice| connected.contains(choice.name))
                    .flat_map(Choice::all)
                    .collect();
                webs.floats.retain(|name, _| in_web.contains(name));
                return webs;
            }
        }
    }

    /// `bitcast double %x to i64`, or the other way round.
    fn read_cast(&mut self, line: &'a str) {
        let Some((name, cast)) = line.trim_start().split_once(" = bitcast ") else {
            return;
        };
        let Some((from, to)) = cast.split_once(" to ") else {
            return;
        };
        let to = to.split([',', ' ']).next().unwrap_or(to);
        for float in [Float::Single, Float::Double] {
            let value = values(from).next();
            if from.starts_with(&format!("{} ", float.name())) && to == float.integer() {
                self.floats.insert(name, float);
                self.bits.extend(value.map(|value| (name, value)));
            }
            if from.starts_with(&format!("{} ", float.integer())) && to == float.name() {
                self.floats.extend(value.map(|value| (value, float)));
            }
        }
    }

    /// What is neither chosen nor the bits of a float: it is turned into one where it is defined.
    fn others(&self) -> HashMap<&'a str, Float> {
        let is_other =
            |name: &&str| !self.choices.contains(*name) && !self.bits.contains_key(*name);
        let floats = self.floats.iter().map(|(name, float)| (*name, *float));
        floats.filter(|(name, _)| is_other(name)).collect()
    }

    /// An integer as an operand that is a float.
    fn float_of(&self, value: &str, float: Float) -> String {
        match (as_literal(value, float), self.bits.get(value)) {
            (Some(constant), _) => constant,
            (None, Some(float)) => (*float).to_owned(),
            (None, None) => chosen(value),
        }
    }
}

impl Float {
    fn of_bits(self, value: &str) -> String {
        let (name, integer) = (self.name(), self.integer());
        format!("  {} = bitcast {integer} {value} to {name}", chosen(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IR: &str = "\
define void @f(double %x, i1 %c, ptr %p) {
start:
  %a = select i1 %c, i64 4597634718158473703, i64 4596788048371679875, !dbg !1
  %n = load i64, ptr %p, align 8
  br i1 %c, label %one, label %two
one:
  %b = bitcast double %x to i64
  br label %two
two:
  %m = phi i64 [ %a, %start ], [ %b, %one ], !dbg !2
  %k = phi i64 [ %n, %start ], [ 0, %one ]
  %y = bitcast i64 %m to double
  ret void
}
";

    #[test]
    fn what_becomes_a_float_is_chosen_as_one() {
        let out = as_floats(IR);
        for expected in [
            "%\"a.as.float\" = select i1 %c, double 0x3FCE146AB6D6C9E7, double 0x3FCB12600AF48283\n  %a = bitcast double %\"a.as.float\" to i64\n",
            "%\"m.as.float\" = phi double [ %\"a.as.float\", %start ], [ %x, %one ], !dbg !2\n  %k = phi i64 [ %n, %start ], [ 0, %one ]\n  %m = bitcast double %\"m.as.float\" to i64\n  %y = ",
        ] {
            assert!(out.contains(expected), "{out}");
        }
    }

    #[test]
    fn what_is_loaded_or_passed_becomes_a_float_first() {
        let out = as_floats(&IR.replace("[ %b, %one ]", "[ %n, %one ]"));
        assert!(
            out.contains("align 8\n  %\"n.as.float\" = bitcast i64 %n to double\n"),
            "{out}"
        );
        assert!(out.contains("%\"k.as.float\" = phi double [ %\"n.as.float\", %start ]"));
        let passed = IR
            .replace("[ %b, %one ]", "[ %z, %one ]")
            .replace("%x, i1", "%x, i64 %z, i1");
        let out = as_floats(&passed);
        assert!(
            out.contains("start:\n  %\"z.as.float\" = bitcast i64 %z to double\n"),
            "{out}"
        );
    }

    #[test]
    fn integers_stay_integers() {
        let ir = IR
            .replace("bitcast i64 %m to double", "add i64 %m, 1")
            .replace("bitcast double %x to i64", "fptoui double %x to i64");
        assert_eq!(as_floats(&ir), ir);
        assert_eq!(left(&ir), None);
        let constant = IR.replace("[ %a, %start ]", "[ 4597634718158473703, %start ]");
        assert!(left(&constant).is_some());
    }
}
