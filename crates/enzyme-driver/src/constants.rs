//! Makes floats of constants that LLVM stores as integers.
//!
//! Where an array of constants is copied, as into each element of `vec![[1.0; 3]; n]`, LLVM stores the bits of its floats as
//! integers. If Enzyme does not know what that memory holds, it stores them in the shadow too: sums were seen to begin with a
//! tangent of 1. So what looks like a float is stored as one, unless the address is known to hold something else. If it is none
//! after all, the shadow holds a zero that nothing reads, or types contradict each other, which is an error.

use std::collections::{HashMap, HashSet};

use crate::copies::{Float, float_addresses, holds_other, pointer_operand};
use crate::ir::{find_function, push_line, rewrite_functions};

/// Rewrites such stores in every function of a module.
pub fn as_floats(ir: &str) -> String {
    rewrite_functions(ir, |lines, out| {
        let known = Known::of(lines);
        for line in lines {
            match Stored::parse(line).filter(|stored| stored.is_float(&known)) {
                Some(stored) => push_line(out, &stored.as_float()),
                None => push_line(out, line),
            }
        }
    })
}

/// The function that stores such an integer, if there is one: the engine's own optimisation could make more.
pub fn left(ir: &str) -> Option<&str> {
    find_function(ir, |lines| {
        let known = Known::of(lines);
        let is_left = |stored: Stored| stored.value != 0 && stored.is_float(&known);
        lines
            .iter()
            .filter_map(|line| Stored::parse(line))
            .any(is_left)
    })
}

/// What the rest of a function says of addresses.
struct Known<'a> {
    floats: HashMap<&'a str, Float>,
    others: HashSet<&'a str>,
    /// Whether there are floats of 32 bits at all: ciphers, as of random numbers, store large integers of that size.
    has_singles: bool,
}

impl<'a> Known<'a> {
    fn of(lines: &[&'a str]) -> Self {
        Known {
            floats: float_addresses(lines),
            others: lines.iter().filter_map(|line| holds_other(line)).collect(),
            has_singles: lines.iter().any(|line| line.contains(" float ")),
        }
    }
}

/// An integer constant that is stored.
struct Stored<'a> {
    /// The float of its size.
    float: Float,
    value: i64,
    address: &'a str,
    /// What stands after the value.
    rest: &'a str,
}

impl<'a> Stored<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let stored = line.trim_start().strip_prefix("store ")?;
        let address = pointer_operand(stored)?;
        [Float::Single, Float::Double]
            .into_iter()
            .find_map(|float| {
                let value = stored.strip_prefix(float.integer())?.strip_prefix(' ')?;
                let (value, rest) = value.split_once(", ")?;
                let value = value.parse().ok()?;
                Some(Stored {
                    float,
                    value,
                    address,
                    rest,
                })
            })
    }

    fn is_float(&self, known: &Known) -> bool {
        match known.floats.get(self.address) {
            Some(float) => *float == self.float,
            None => {
                let is_possible = self.float == Float::Double || known.has_singles;
                is_possible
                    && !known.others.contains(self.address)
                    && looks_like_one(self.float, self.value)
            }
        }
    }

    fn as_float(&self) -> String {
        let (name, value) = (self.float.name(), literal(self.float, self.value));
        format!("  store {name} {value}, {}", self.rest)
    }
}

/// Whether the bits are those of a float of usual size, about 10^-19 to 10^19. Few integers of that many digits are stored.
fn looks_like_one(float: Float, bits: i64) -> bool {
    let value = as_double(float, bits).abs();
    (2f64.powi(-64)..2f64.powi(64)).contains(&value)
}

fn as_double(float: Float, bits: i64) -> f64 {
    match float {
        Float::Single => f32::from_bits(bits as u32).into(),
        Float::Double => f64::from_bits(bits as u64),
    }
}

/// LLVM writes both kinds of floats as the bits of a double.
fn literal(float: Float, bits: i64) -> String {
    format!("0x{:016X}", as_double(float, bits).to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_that_look_like_floats_are_floats() {
        let ir = "define void @f(ptr %a, ptr %b) {
  %x = fadd float %y, %z
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
    }
}
