//! Makes floats of constants that LLVM stores as integers.
//!
//! Where an array of constants is copied, as into each element of `vec![[1.0; 3]; n]`, LLVM stores the bits of its floats as
//! integers, or chooses among them first. If Enzyme does not know what that memory holds, it stores them in the shadow too: sums
//! were seen to begin with a tangent of 1. So what looks like a float is stored as one, unless the address is known to hold
//! something else. If it is none after all, the shadow holds a zero that nothing reads, or types contradict each other, which is
//! an error.

use std::collections::{HashMap, HashSet};

use crate::copies::{Float, float_addresses, holds_other, pointer_operand};
use crate::ir::blocks::{Phi, Select, chosen_as};
use crate::ir::{bare, find_function, push_line, rewrite_functions};
use crate::undefined;

/// Rewrites such stores in every function of a module.
pub fn as_floats(ir: &str) -> String {
    rewrite_functions(ir, |lines, out| {
        let known = Known::of(lines);
        let stored: Vec<Option<(Stored, Floats)>> =
            lines.iter().map(|line| stored(line, &known)).collect();
        let wanted = known.choices.wanted(stored.iter().flatten());
        for (number, (line, stored)) in lines.iter().zip(stored).enumerate() {
            match stored {
                Some((stored, floats)) => push_line(out, &stored.as_floats(floats, number)),
                None => push_line(out, line),
            }
            for chosen in known.choices.of_floats(line, &wanted) {
                push_line(out, &chosen);
            }
        }
    })
}

/// The function that stores such an integer where Enzyme cannot know better, if there is one: the engine's own optimisation could
/// make more.
pub fn left(ir: &str) -> Option<&str> {
    find_function(ir, |lines| {
        let known = Known::of(lines);
        lines.iter().any(|line| {
            stored(line, &known).is_some_and(|(stored, floats)| {
                // Of two floats in one integer, Enzyme would know the first only.
                let is_known = floats != Floats::Pair && known.floats.contains_key(stored.address);
                !is_known && stored.values.iter().any(|v| *v != 0)
            })
        })
    })
}

fn stored<'a>(line: &'a str, known: &Known<'a>) -> Option<(Stored<'a>, Floats)> {
    let stored = Stored::parse(line, &known.choices)?;
    let floats = stored.stands_for(known)?;
    Some((stored, floats))
}

/// Integers that are chosen among others.
struct Choices<'a>(HashMap<&'a str, Vec<&'a str>>);

impl<'a> Choices<'a> {
    fn of(lines: &[&'a str]) -> Self {
        Choices(lines.iter().filter_map(|line| choice(line)).collect())
    }

    /// The constants that a value may be, if it is nothing else.
    fn constants(&self, value: &'a str) -> Option<Vec<i64>> {
        let mut constants = Vec::new();
        for name in self.reached_from(value) {
            if !self.0.contains_key(name) {
                constants.push(constant(name)?);
            }
        }
        Some(constants)
    }

    /// A value, and all that it is chosen among.
    fn reached_from(&self, value: &'a str) -> HashSet<&'a str> {
        let mut reached = HashSet::new();
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            if reached.insert(value) {
                open.extend(self.0.get(value).into_iter().flatten());
            }
        }
        reached
    }

    /// What choices stand for, of which something is stored.
    fn wanted<'s>(
        &self,
        stored: impl Iterator<Item = &'s (Stored<'a>, Floats)>,
    ) -> HashMap<&'a str, Floats>
    where
        'a: 's,
    {
        stored
            .flat_map(|(stored, floats)| {
                let reached = self.reached_from(stored.text).into_iter();
                reached.map(|name| (name, *floats))
            })
            .collect()
    }

    /// The same choice among floats.
    fn of_floats(&self, line: &str, wanted: &HashMap<&str, Floats>) -> Vec<String> {
        let Some((name, _)) = choice(line) else {
            return Vec::new();
        };
        let Some(floats) = wanted.get(name) else {
            return Vec::new();
        };
        floats
            .parts()
            .iter()
            .map(|part| {
                let (name, float) = (part.of(name), part.float.name());
                chosen_as(line, &name, float, |value| part.of(value)).expect("a choice")
            })
            .collect()
    }
}

/// A constant operand; what is undefined may as well be zero.
fn constant(operand: &str) -> Option<i64> {
    match undefined::is_undefined(operand) {
        true => Some(0),
        false => operand.parse().ok(),
    }
}

/// The name of an integer that a line chooses, and what among.
fn choice(line: &str) -> Option<(&str, Vec<&str>)> {
    if let Some(phi) = Phi::parse(line) {
        let values = phi.incoming.iter().map(|(value, _)| *value).collect();
        return matches!(phi.ty, "i64" | "i32").then_some((phi.name, values));
    }
    let select = Select::parse(line)?;
    matches!(select.ty, "i64" | "i32").then(|| (select.name, select.among.to_vec()))
}

/// What the rest of a function says.
struct Known<'a> {
    floats: HashMap<&'a str, Float>,
    /// Addresses of something else.
    others: HashSet<&'a str>,
    sizes: Sizes,
    choices: Choices<'a>,
}

impl<'a> Known<'a> {
    fn of(lines: &[&'a str]) -> Self {
        Known {
            floats: float_addresses(lines),
            others: lines.iter().filter_map(|line| holds_other(line)).collect(),
            sizes: Sizes::of(lines),
            choices: Choices::of(lines),
        }
    }
}

/// Which floats a function has at all: ciphers, as of random numbers, store large integers of 32 bits.
#[derive(Clone, Copy)]
pub struct Sizes {
    singles: bool,
    doubles: bool,
}

impl Sizes {
    /// Reads a function.
    pub fn of(lines: &[&str]) -> Self {
        let has = |float: &str| lines.iter().any(|line| line.contains(float));
        Sizes {
            singles: has(" float "),
            doubles: has(" double "),
        }
    }
}

/// What an integer stands for.
#[derive(Clone, Copy, PartialEq)]
pub enum Floats {
    /// One of its size.
    One(Float),
    /// Two of 32 bits.
    Pair,
}

impl Floats {
    fn parts(self) -> Vec<Part> {
        let part = |float, name, shift| Part { float, name, shift };
        match self {
            Floats::One(float) => vec![part(float, "all", 0)],
            // The low half comes first.
            Floats::Pair => vec![
                part(Float::Single, "low", 0),
                part(Float::Single, "high", 32),
            ],
        }
    }
}

/// A float in an integer.
struct Part {
    float: Float,
    name: &'static str,
    shift: u32,
}

impl Part {
    /// The float as an operand, of a constant or of a choice.
    fn of(&self, integer: &str) -> String {
        match constant(integer) {
            Some(bits) => literal(bits >> self.shift, self.float),
            None => format!("%\"{}.{}.chosen\"", bare(integer), self.name),
        }
    }
}

/// An integer that is stored: a constant, or chosen among constants.
struct Stored<'a> {
    is_long: bool,
    text: &'a str,
    values: Vec<i64>,
    address: &'a str,
    /// What stands after the value.
    rest: &'a str,
}

impl<'a> Stored<'a> {
    fn parse(line: &'a str, choices: &Choices<'a>) -> Option<Self> {
        let (ty, stored) = line.trim_start().strip_prefix("store ")?.split_once(' ')?;
        let is_long = match ty {
            "i64" => true,
            "i32" => false,
            _ => return None,
        };
        let (text, rest) = stored.split_once(", ")?;
        Some(Stored {
            is_long,
            text,
            values: choices.constants(text)?,
            address: pointer_operand(stored)?,
            rest,
        })
    }

    fn stands_for(&self, known: &Known) -> Option<Floats> {
        match (known.floats.get(self.address), self.is_long) {
            (Some(Float::Single), true) => Some(Floats::Pair),
            (Some(float), is_long) => {
                (is_long == (*float == Float::Double)).then_some(Floats::One(*float))
            }
            (None, _) if known.others.contains(self.address) => None,
            (None, _) => self.looks_like(known),
        }
    }

    /// What all constants look like that are not zero.
    fn looks_like(&self, known: &Known) -> Option<Floats> {
        let mut all = self.values.iter().filter(|value| **value != 0);
        let first = looks_like(*all.next()?, self.is_long, known.sizes)?;
        all.all(|value| looks_like(*value, self.is_long, known.sizes) == Some(first))
            .then_some(first)
    }

    fn as_floats(&self, floats: Floats, number: usize) -> String {
        let (address, rest) = (self.address, self.rest);
        let parts = floats.parts();
        let value = |part: &Part| format!("{} {}", part.float.name(), part.of(self.text));
        let first = format!("  store {}, {rest}", value(&parts[0]));
        let Some(part) = parts.get(1) else {
            return first;
        };
        let second = format!("%\"{}.{number}.second\"", bare(address));
        format!(
            "{first}\n  {second} = getelementptr inbounds i8, ptr {address}, i64 4\n  store {}, ptr {second}, align 4",
            value(part)
        )
    }
}

/// What an integer of 64 or 32 bits that is not zero looks like, in a function with such floats.
pub fn looks_like(value: i64, is_long: bool, sizes: Sizes) -> Option<Floats> {
    if !is_long {
        let is_float = sizes.singles && is_usual(single_of(value), Float::Single, 64);
        return is_float.then_some(Floats::One(Float::Single));
    }
    let halves = [single_of(value), single_of(value >> 32)];
    let is_pair = sizes.singles
        && halves
            .iter()
            .all(|half| *half == 0.0 || is_usual(*half, Float::Single, 40));
    let is_double = is_usual(f64::from_bits(value as u64), Float::Double, 120);
    match is_pair && !(sizes.doubles && is_double) {
        true => Some(Floats::Pair),
        false => is_double.then_some(Floats::One(Float::Double)),
    }
}

/// The float whose bits are the lower half of an integer.
fn single_of(bits: i64) -> f64 {
    f32::from_bits(bits as u32).into()
}

/// Whether a float is within so many powers of two of 1, or is one that programs write: infinite, the largest or the smallest of
/// its kind, or of few digits as `1e-300`. Few integers that look like it are stored.
fn is_usual(value: f64, float: Float, powers: i32) -> bool {
    let size = value.abs();
    let (smallest, largest, written, digits) = match float {
        Float::Single => {
            let (smallest, largest) = (f32::MIN_POSITIVE.into(), f32::MAX.into());
            (smallest, largest, format!("{:e}", size as f32), 6)
        }
        Float::Double => (f64::MIN_POSITIVE, f64::MAX, format!("{size:e}"), 12),
    };
    let is_short = || written.bytes().take_while(|b| *b != b'e').count() <= digits + ".".len();
    size == smallest
        || size >= largest
        || (2f64.powi(-powers)..2f64.powi(powers)).contains(&size)
        || size > smallest && is_short()
}

/// The float whose bits are a constant. LLVM writes floats of both sizes as the bits of a double.
fn literal(bits: i64, float: Float) -> String {
    let bits = match float {
        Float::Single => single_of(bits).to_bits(),
        Float::Double => bits as u64,
    };
    format!("0x{bits:016X}")
}

/// The float that a constant integer is, as an operand.
pub fn as_literal(integer: &str, float: Float) -> Option<String> {
    constant(integer).map(|bits| literal(bits, float))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_that_look_like_floats_are_floats() {
        let ir = "define void @f(ptr %a, ptr %b) {
  %x = fadd float %y, %z
  %u = fadd double %v, %w
  store i64 4607182418800017408, ptr %a, align 8
  store i32 1065353216, ptr %b, align 4
  store i64 -1, ptr %c, align 8
  store i32 12, ptr %d, align 4
}
";
        let expected = ir
            .replace("i64 4607182418800017408", "double 0x3FF0000000000000")
            .replace("i32 1065353216", "float 0x3FF0000000000000");
        assert_eq!(as_floats(ir), expected);
        assert_eq!(left(ir), Some("f"));
        assert_eq!(left(&expected), None);
        let without = ir.replace("fadd float", "fadd double");
        assert!(as_floats(&without).contains("store i32 1065353216"));
    }

    #[test]
    fn what_searches_begin_with_and_short_numbers_look_like_floats() {
        let is_double = |bits: u64| is_usual(f64::from_bits(bits), Float::Double, 120);
        for float in [
            1.0 / 3.0,
            -f64::MAX,
            f64::INFINITY,
            f64::MIN_POSITIVE,
            -1.25e-300,
            1e30,
        ] {
            assert!(is_double(float.to_bits()), "{float}");
        }
        for integer in [
            12,
            1 << 40,
            u64::MAX,
            i64::MAX as u64,
            0x7F4A_7C15_9E37_79B9,
        ] {
            assert!(!is_double(integer), "{integer}");
        }
        let is_single = |bits: u32| is_usual(f32::from_bits(bits).into(), Float::Single, 40);
        for float in [
            1.0 / 3.0,
            -f32::MAX,
            f32::INFINITY,
            f32::MIN_POSITIVE,
            -1.25e-30,
            1e30,
        ] {
            assert!(is_single(float.to_bits()), "{float}");
        }
        for integer in [12, 1 << 20, u32::MAX, i32::MAX as u32] {
            assert!(!is_single(integer), "{integer}");
        }
    }

    #[test]
    fn what_is_known_of_an_address_counts_more() {
        let ir = "define void @f(ptr %a, ptr %b) {
  store i64 4607182418800017408, ptr %a, align 8
  %n = load i64, ptr %a, align 8, !noundef !1
  store i64 12, ptr %b, align 8
  %x = load double, ptr %b, align 8
  store i64 0, ptr %c, align 8
  %y = load double, ptr %c, align 8
}
";
        let expected = ir
            .replace("i64 12", "double 0x000000000000000C")
            .replace("i64 0", "double 0x0000000000000000");
        assert_eq!(as_floats(ir), expected);
        let zero_is_left = expected.replace("double 0x0000000000000000", "i64 0");
        assert_eq!(left(&zero_is_left), None);
        assert_eq!(left(&ir.replace("i64 12", "i64 4607182418800017408")), None);
    }

    #[test]
    fn two_floats_in_one_integer_are_stored_one_by_one() {
        let ir = "define void @f(ptr %a) {
  %x = fadd float %y, %z
  store i64 4575657222473777152, ptr %a, align 8
}
";
        let expected = "  store float 0x3FF0000000000000, ptr %a, align 8
  %\"a.2.second\" = getelementptr inbounds i8, ptr %a, i64 4
  store float 0x3FF0000000000000, ptr %\"a.2.second\", align 4
";
        assert!(as_floats(ir).contains(expected), "{}", as_floats(ir));
        let doubles = ir.replace("float %y", "double %y");
        assert!(as_floats(&doubles).contains("store double 0x3F8000003F800000"));
        let first_is_known = ir.replace("}\n", "  %b = load float, ptr %a, align 4\n}\n");
        assert_eq!(left(&first_is_known), Some("f"));
    }

    #[test]
    fn what_is_chosen_among_constants_is_chosen_among_floats() {
        let ir = "define void @f(ptr %a, ptr %b, i1 %c) {
  %v = phi i64 [ 4607182418800017408, %start ], [ %w, %next ], !dbg !1
  %w = select i1 %c, i64 4611686018427387904, i64 %v
  %n = select i1 %c, i64 1, i64 2
  store i64 %w, ptr %a, align 8
  store i64 %n, ptr %b, align 8
}
";
        let expected = ir
            .replace(
                "  %w = ",
                "  %\"v.all.chosen\" = phi double [ 0x3FF0000000000000, %start ], [ %\"w.all.chosen\", %next ], !dbg !1\n  %w = ",
            )
            .replace(
                "  %n = ",
                "  %\"w.all.chosen\" = select i1 %c, double 0x4000000000000000, double %\"v.all.chosen\"\n  %n = ",
            )
            .replace("store i64 %w", "store double %\"w.all.chosen\"");
        assert_eq!(as_floats(ir), expected);
    }
}
