//! Takes pairs of 32-bit numbers apart that LLVM moves as one 64-bit integer.
//!
//! rustc passes a `[f32; 2]` or an `(f32, f32)` as an `i64`, and LLVM puts such pairs together and takes them apart by shifts, for
//! which Enzyme has no derivative. Here every such integer becomes its two halves: two loads, two stores, two `phi`s. This is
//! done where each half is known to be a float by what is done with it elsewhere; what remains unknown stays as it is, and
//! Enzyme refuses it. That a load is `noundef` says nothing: LLVM loads floats that it moves as integers, and takes that over.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use crate::copies;
use crate::ir::{bare, push_line, rewrite_functions, values};

/// Which half of an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Half {
    Low,
    High,
}

const HALVES: [Half; 2] = [Half::Low, Half::High];

/// How a 64-bit integer comes about, as far as its halves can be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Op<'a> {
    Load {
        address: &'a str,
    },
    /// `zext i32`.
    Extend(&'a str),
    /// `shl .., 32`.
    Up(&'a str),
    /// `lshr .., 32`.
    Down(&'a str),
    /// `and` with a mask of one half.
    Only(&'a str, Half),
    Or(&'a str, &'a str),
    /// Both halves are the low one: `mul .., 4294967297` of a low half.
    Twice(&'a str),
    /// `fshl x, x, 32`.
    Turned(&'a str),
    Freeze(&'a str),
    /// Values and the blocks that they come from.
    Phi(Vec<(&'a str, &'a str)>),
    Select {
        condition: &'a str,
        values: [&'a str; 2],
    },
}

impl<'a> Op<'a> {
    /// Reads what stands after `%name = `.
    fn parse(code: &'a str) -> Option<Op<'a>> {
        let code = without_metadata(code);
        let code = code
            .strip_prefix("tail ")
            .or_else(|| code.strip_prefix("musttail "))
            .unwrap_or(code);
        let (word, rest) = code.split_once(' ')?;
        let binary = |flags: &[&str]| {
            let mut rest = rest;
            for flag in flags {
                rest = rest.strip_prefix(flag).unwrap_or(rest);
            }
            rest.strip_prefix("i64 ")?.split_once(", ")
        };
        match word {
            "load" => {
                let address = rest.strip_prefix("i64, ptr ")?.split(',').next()?;
                Some(Op::Load { address })
            }
            "zext" => {
                let value = rest.strip_prefix("nneg ").unwrap_or(rest);
                Some(Op::Extend(
                    value.strip_prefix("i32 ")?.strip_suffix(" to i64")?,
                ))
            }
            "shl" => match binary(&["nuw ", "nsw "])? {
                (value, "32") => Some(Op::Up(value)),
                _ => None,
            },
            "lshr" => match binary(&["exact "])? {
                (value, "32") => Some(Op::Down(value)),
                _ => None,
            },
            "and" => match binary(&[])? {
                (value, "4294967295") => Some(Op::Only(value, Half::Low)),
                (value, "-4294967296") => Some(Op::Only(value, Half::High)),
                _ => None,
            },
            "or" => binary(&["disjoint "]).map(|(a, b)| Op::Or(a, b)),
            "mul" => match binary(&["nuw ", "nsw "])? {
                (value, "4294967297") => Some(Op::Twice(value)),
                _ => None,
            },
            "call" => {
                let (_, arguments) = rest.split_once("i64 @llvm.fshl.i64(i64 ")?;
                let mut arguments = arguments.strip_suffix(", i64 32)")?.split(", i64 ");
                let (a, b) = (arguments.next()?, arguments.next()?);
                (a == b).then_some(Op::Turned(a))
            }
            "freeze" => rest.strip_prefix("i64 ").map(Op::Freeze),
            "phi" => rest
                .strip_prefix("i64 ")?
                .split("[ ")
                .skip(1)
                .map(|pair| pair.split(" ]").next()?.split_once(", "))
                .collect::<Option<_>>()
                .map(Op::Phi),
            "select" => {
                let (condition, values) = rest.split_once(", i64 ")?;
                let (a, b) = values.split_once(", i64 ")?;
                Some(Op::Select {
                    condition: condition.strip_prefix("i1 ")?,
                    values: [a, b],
                })
            }
            _ => None,
        }
    }

    /// The 64-bit integers that it is made of.
    fn operands(&self) -> Vec<&'a str> {
        match self {
            Op::Load { .. } | Op::Extend(_) => vec![],
            Op::Up(a)
            | Op::Down(a)
            | Op::Only(a, _)
            | Op::Twice(a)
            | Op::Turned(a)
            | Op::Freeze(a) => {
                vec![a]
            }
            Op::Or(a, b) => vec![a, b],
            Op::Phi(incoming) => incoming.iter().map(|(value, _)| *value).collect(),
            Op::Select { values, .. } => values.to_vec(),
        }
    }

    /// Whether LLVM makes it only to put halves together or to take them apart.
    fn is_of_pairs(&self) -> bool {
        matches!(
            self,
            Op::Up(_) | Op::Down(_) | Op::Only(..) | Op::Or(..) | Op::Twice(_) | Op::Turned(_)
        )
    }
}

/// Where the value of a half is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Zero,
    /// Half of a constant: of this text.
    Constant(&'a str, Half),
    /// The half of a load, an extension, a `phi` or a `select`.
    Of(&'a str, Half),
}

/// Rewrites every function of a module.
pub fn split(ir: &str) -> String {
    rewrite_functions(ir, in_function)
}

fn in_function(lines: &[&str], out: &mut String) {
    let pairs = Pairs::of(lines);
    for (number, line) in lines.iter().enumerate() {
        if !pairs.members.is_empty() && pairs.rewrite(line, number, out) {
            continue;
        }
        push_line(out, line);
    }
}

/// The integers of a function that are pairs.
struct Pairs<'a> {
    ops: HashMap<&'a str, Op<'a>>,
    members: HashSet<&'a str>,
    /// The 32-bit integers, extended, that they are made of.
    extended: HashSet<&'a str>,
}

impl<'a> Pairs<'a> {
    fn of(lines: &[&'a str]) -> Pairs<'a> {
        let ops: HashMap<&str, Op<'_>> = lines
            .iter()
            .filter_map(|line| {
                let (name, code) = line.strip_prefix("  ")?.split_once(" = ")?;
                Some((name, Op::parse(code)?))
            })
            .collect();
        let mut pairs = Pairs {
            ops,
            members: HashSet::new(),
            extended: HashSet::new(),
        };
        if pairs.ops.values().any(Op::is_of_pairs) {
            let mut evidence = Evidence::of(lines);
            for group in pairs.groups(lines) {
                pairs.admit(lines, &group, &mut evidence);
            }
        }
        pairs
    }

    /// Integers that are made of each other. An extension belongs to every group that uses it; it stays what it is.
    fn groups(&self, lines: &[&'a str]) -> Vec<BTreeSet<&'a str>> {
        let mut neighbours: HashMap<&str, Vec<&str>> = HashMap::new();
        let is_link = |name: &str| !matches!(self.ops.get(name), None | Some(Op::Extend(_)));
        for (name, op) in &self.ops {
            for operand in op.operands() {
                if is_link(name) && is_link(operand) {
                    neighbours.entry(name).or_default().push(operand);
                    neighbours.entry(operand).or_default().push(name);
                }
            }
        }
        let mut seen = HashSet::new();
        let mut groups = Vec::new();
        for start in lines.iter().filter_map(|line| defined(line)) {
            if !is_link(start) || !seen.insert(start) {
                continue;
            }
            let (mut group, mut open) = (BTreeSet::from([start]), vec![start]);
            while let Some(name) = open.pop() {
                for next in neighbours.get(name).into_iter().flatten() {
                    if seen.insert(next) {
                        group.insert(next);
                        open.push(next);
                    }
                }
            }
            if group.iter().any(|name| self.is_of_pairs(name)) {
                groups.push(group);
            }
        }
        groups
    }

    /// Loads, `phi`s and `select`s are of pairs only where the group has something that is; a `trunc` is seen at its use.
    fn is_of_pairs(&self, name: &str) -> bool {
        self.ops.get(name).is_some_and(Op::is_of_pairs)
    }

    /// Takes in a group if all that is done with it can be done with halves, and if all halves are floats.
    fn admit(&mut self, lines: &[&'a str], group: &BTreeSet<&'a str>, evidence: &mut Evidence<'a>) {
        let is_supported = |value: &str| {
            group.contains(value)
                || matches!(self.ops.get(value), Some(Op::Extend(_)))
                || is_constant(value)
        };
        let made_of_pairs = group
            .iter()
            .filter_map(|name| self.ops.get(name))
            .all(|op| op.operands().into_iter().all(is_supported));
        let uses_are_known = lines.iter().all(|line| {
            let uses = values(operands_of(line)).any(|name| group.contains(name));
            !uses
                || defined(line).is_some_and(|name| group.contains(name))
                || Use::parse(line).is_some()
        });
        if !made_of_pairs || !uses_are_known {
            return;
        }
        if self.holds_floats(lines, group, evidence).is_some() {
            let operands = group.iter().filter_map(|name| self.ops.get(name));
            self.extended.extend(
                operands
                    .flat_map(Op::operands)
                    .filter(|name| matches!(self.ops.get(name), Some(Op::Extend(_)))),
            );
            self.members.extend(group);
        }
    }

    /// Where a half's value is; `None` if it is a mix of two.
    fn value(&self, name: &'a str, half: Half) -> Option<Value<'a>> {
        let Some(op) = self.ops.get(name) else {
            return is_constant(name).then_some(if name == "0" {
                Value::Zero
            } else {
                Value::Constant(name, half)
            });
        };
        match (op, half) {
            (Op::Extend(_), Half::High) | (Op::Up(_), Half::Low) | (Op::Down(_), Half::High) => {
                Some(Value::Zero)
            }
            (Op::Up(a), Half::High) => self.value(a, Half::Low),
            (Op::Down(a), Half::Low) => self.value(a, Half::High),
            (Op::Only(a, kept), half) if *kept == half => self.value(a, half),
            (Op::Only(..), _) => Some(Value::Zero),
            (Op::Or(a, b), half) => match (self.value(a, half)?, self.value(b, half)?) {
                (Value::Zero, other) | (other, Value::Zero) => Some(other),
                _ => None,
            },
            (Op::Twice(a), _) => match self.value(a, Half::High)? {
                Value::Zero => self.value(a, Half::Low),
                _ => None,
            },
            (Op::Turned(a), Half::Low) => self.value(a, Half::High),
            (Op::Turned(a), Half::High) => self.value(a, Half::Low),
            (Op::Freeze(a), half) => self.value(a, half),
            (Op::Load { .. } | Op::Extend(_) | Op::Phi(_) | Op::Select { .. }, half) => {
                Some(Value::Of(name, half))
            }
        }
    }

    /// `Some` if each half of a group is known to be a float.
    fn holds_floats(
        &self,
        lines: &[&'a str],
        group: &BTreeSet<&'a str>,
        evidence: &mut Evidence<'a>,
    ) -> Option<()> {
        let mut halves = BTreeSet::new();
        for name in group {
            for half in HALVES {
                let value = self.value(name, half)?;
                self.join_sources(evidence, name, half)?;
                if let Value::Of(name, half) = value {
                    halves.insert((name, half));
                }
            }
        }
        for line in lines {
            let Some(used) = Use::parse(line).filter(|used| group.contains(used.value())) else {
                continue;
            };
            for half in HALVES {
                let Value::Of(name, of) = self.value(used.value(), half)? else {
                    continue;
                };
                match used {
                    Use::Truncate { result, .. } if half == Half::Low => {
                        evidence.join(&half_name(name, of), result);
                    }
                    Use::Truncate { .. } => {}
                    Use::Store { address, .. } => {
                        evidence.at_address(&half_name(name, of), address, half);
                    }
                }
            }
        }
        let all_floats = halves
            .iter()
            .all(|(name, half)| evidence.is_float(&half_name(name, *half)));
        (all_floats && !halves.is_empty()).then_some(())
    }

    /// Says which halves and 32-bit values a half is the same as.
    fn join_sources(&self, evidence: &mut Evidence<'a>, name: &'a str, half: Half) -> Option<()> {
        let of_operand = |evidence: &mut Evidence<'a>, operand: &'a str| {
            match self.value(operand, half)? {
                Value::Of(other, of) => {
                    evidence.join(&half_name(name, half), &half_name(other, of));
                    self.join_extension(evidence, other, of);
                }
                // Nothing is known of a constant by itself, and it may stand for either.
                Value::Zero | Value::Constant(..) => {}
            }
            Some(())
        };
        match self.ops.get(name)? {
            Op::Load { address } => evidence.at_address(&half_name(name, half), address, half),
            Op::Phi(incoming) => {
                for (operand, _) in incoming {
                    of_operand(evidence, operand)?;
                }
            }
            Op::Select { values, .. } => {
                for operand in values {
                    of_operand(evidence, operand)?;
                }
            }
            _ => {
                if let Value::Of(other, of) = self.value(name, half)? {
                    self.join_extension(evidence, other, of);
                }
            }
        }
        Some(())
    }

    fn join_extension(&self, evidence: &mut Evidence<'a>, name: &'a str, half: Half) {
        if let Some(Op::Extend(value)) = self.ops.get(name) {
            evidence.join(&half_name(name, half), value);
        }
    }

    /// Writes what takes the place of a line; `false` if the line stays.
    fn rewrite(&self, line: &'a str, number: usize, out: &mut String) -> bool {
        if let Some(name) = defined(line) {
            if let Some(Op::Extend(value)) = self.ops.get(name)
                && self.extended.contains(name)
            {
                // The float beside the integer.
                let float = half_name(name, Half::Low);
                let _ = writeln!(out, "{line}\n  {float} = bitcast i32 {value} to float");
                return true;
            }
            if self.members.contains(name) {
                self.write_halves(name, line, out);
                return true;
            }
        }
        match Use::parse(line).filter(|used| self.members.contains(used.value())) {
            Some(Use::Truncate { value, result }) => {
                let low = self.text(value, Half::Low);
                let _ = writeln!(out, "  {result} = bitcast float {low} to i32");
                true
            }
            Some(Use::Store {
                value,
                address,
                tail,
            }) => {
                self.write_store(value, address, tail, number, out);
                true
            }
            None => false,
        }
    }

    fn write_halves(&self, name: &'a str, line: &str, out: &mut String) {
        match self.ops.get(name) {
            Some(Op::Load { address }) => {
                // The name may begin like the address.
                let load = line.split_once(" = ").map_or(line, |(_, load)| load);
                let tail = &load[load.find(address).unwrap_or(0) + address.len()..];
                let high = format!("%\"{}.high.at\"", bare(name));
                let _ = writeln!(
                    out,
                    "  {high} = getelementptr inbounds nuw i8, ptr {address}, i64 4"
                );
                for (half, address) in HALVES.into_iter().zip([*address, &high]) {
                    let _ = writeln!(
                        out,
                        "  {} = load float, ptr {address}{}",
                        half_name(name, half),
                        aligned_to_four(tail)
                    );
                }
            }
            Some(Op::Phi(incoming)) => {
                for half in HALVES {
                    let incoming: Vec<String> = incoming
                        .iter()
                        .map(|(value, block)| format!("[ {}, {block} ]", self.text(value, half)))
                        .collect();
                    let _ = writeln!(
                        out,
                        "  {} = phi float {}",
                        half_name(name, half),
                        incoming.join(", ")
                    );
                }
            }
            Some(Op::Select { condition, values }) => {
                for half in HALVES {
                    let [a, b] = values.map(|value| self.text(value, half));
                    let _ = writeln!(
                        out,
                        "  {} = select i1 {condition}, float {a}, float {b}",
                        half_name(name, half)
                    );
                }
            }
            // The others only say where halves go.
            _ => {}
        }
    }

    fn write_store(
        &self,
        value: &'a str,
        address: &str,
        tail: &str,
        number: usize,
        out: &mut String,
    ) {
        let high = format!("%\"{}.{number}.high.to\"", bare(value));
        let _ = writeln!(
            out,
            "  {high} = getelementptr inbounds nuw i8, ptr {address}, i64 4"
        );
        for (half, address) in HALVES.into_iter().zip([address, &high]) {
            let _ = writeln!(
                out,
                "  store float {}, ptr {address}{}",
                self.text(value, half),
                aligned_to_four(tail)
            );
        }
    }

    /// A half as an operand.
    fn text(&self, name: &'a str, half: Half) -> String {
        match self.value(name, half) {
            Some(Value::Of(name, half)) => half_name(name, half),
            Some(Value::Constant(text, half)) => constant(text, half),
            Some(Value::Zero) | None => constant("0", half),
        }
    }
}

/// What may be done with a pair, but for making other pairs.
#[derive(Debug, PartialEq, Eq)]
enum Use<'a> {
    Truncate {
        result: &'a str,
        value: &'a str,
    },
    Store {
        value: &'a str,
        address: &'a str,
        /// Alignment and metadata.
        tail: &'a str,
    },
}

impl<'a> Use<'a> {
    fn parse(line: &'a str) -> Option<Use<'a>> {
        let code = line.strip_prefix("  ")?;
        if let Some(stored) = code.strip_prefix("store i64 ") {
            let (value, rest) = stored.split_once(", ptr ")?;
            let end = rest.find(',')?;
            return Some(Use::Store {
                value,
                address: &rest[..end],
                tail: &rest[end..],
            });
        }
        let (result, code) = code.split_once(" = trunc ")?;
        let code = without_metadata(code);
        let code = code.strip_prefix("nuw ").unwrap_or(code);
        let code = code.strip_prefix("nsw ").unwrap_or(code);
        let value = code.strip_prefix("i64 ")?.strip_suffix(" to i32")?;
        Some(Use::Truncate { result, value })
    }

    fn value(&self) -> &'a str {
        match self {
            Use::Truncate { value, .. } | Use::Store { value, .. } => value,
        }
    }
}

/// What was seen done with a value.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// It is a float somewhere.
    as_float: bool,
    /// It is compared as a number.
    as_number: bool,
}

/// What is known of 32-bit values and of halves, which are known to be the same where they were joined.
struct Evidence<'a> {
    parents: HashMap<String, String>,
    seen: HashMap<String, Seen>,
    /// At which there are floats of 32 bits.
    floats: HashSet<&'a str>,
    /// Addresses that are four bytes after another.
    fours: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Evidence<'a> {
    fn of(lines: &[&'a str]) -> Evidence<'a> {
        let mut evidence = Evidence {
            parents: HashMap::new(),
            seen: HashMap::new(),
            floats: copies::addresses_of_singles(lines),
            fours: HashMap::new(),
        };
        for line in lines {
            evidence.look(line);
        }
        evidence
    }

    /// What a line says of 32-bit values.
    fn look(&mut self, line: &'a str) {
        let Some((result, code)) = line.trim_start().split_once(" = ") else {
            return;
        };
        let bare_code = without_metadata(code);
        if let Some(rest) = bare_code.strip_prefix("bitcast ") {
            if let Some(value) = rest
                .strip_prefix("i32 ")
                .and_then(|r| r.strip_suffix(" to float"))
            {
                self.note_float(value);
            } else if rest.starts_with("float ") && rest.ends_with(" to i32") {
                self.note_float(result);
            }
        } else if let Some(load) = code.strip_prefix("load i32, ptr ") {
            let address = load.split(',').next().unwrap_or_default();
            if self.floats.contains(address) {
                self.note_float(result);
            }
        } else if let Some((_, operands)) = bare_code
            .strip_prefix("getelementptr ")
            .and_then(|rest| rest.split_once("i8, ptr "))
        {
            if let Some(base) = operands.strip_suffix(", i64 4") {
                self.fours.entry(base).or_default().push(result);
            }
        } else if let Some(rest) = bare_code.strip_prefix("phi i32 ") {
            for pair in rest.split("[ ").skip(1) {
                let value = pair.split(',').next().unwrap_or_default();
                if value.starts_with('%') {
                    self.join(result, value);
                }
            }
        } else if let Some(rest) = bare_code.strip_prefix("select ") {
            for value in rest.split(", i32 ").skip(1).filter(|v| v.starts_with('%')) {
                self.join(result, value);
            }
        } else if let Some(rest) = bare_code.strip_prefix("icmp ") {
            for value in compared(rest) {
                self.seen_of(value).as_number = true;
            }
        }
    }

    fn root(&self, name: &str) -> String {
        let mut name = name;
        while let Some(parent) = self.parents.get(name) {
            name = parent;
        }
        name.to_owned()
    }

    fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            let seen = self.seen.remove(&a).unwrap_or_default();
            let both = self.seen.entry(b.clone()).or_default();
            both.as_float |= seen.as_float;
            both.as_number |= seen.as_number;
            self.parents.insert(a, b);
        }
    }

    fn seen_of(&mut self, name: &str) -> &mut Seen {
        let root = self.root(name);
        self.seen.entry(root).or_default()
    }

    fn note_float(&mut self, name: &str) {
        self.seen_of(name).as_float = true;
    }

    /// A half is loaded from, or stored to, an address or the one four bytes further.
    fn at_address(&mut self, name: &str, address: &str, half: Half) {
        let is_float = match half {
            Half::Low => self.floats.contains(address),
            Half::High => self
                .fours
                .get(address)
                .is_some_and(|there| there.iter().any(|a| self.floats.contains(a))),
        };
        if is_float {
            self.note_float(name);
        }
    }

    fn is_float(&self, name: &str) -> bool {
        self.seen
            .get(&self.root(name))
            .is_some_and(|seen| seen.as_float && !seen.as_number)
    }
}

/// The values that an integer comparison of 32 bits compares.
fn compared(code: &str) -> Vec<&str> {
    let Some((_, values)) = code.split_once("i32 ") else {
        return Vec::new();
    };
    values
        .split(", ")
        .filter(|value| value.starts_with('%'))
        .collect()
}

fn defined(line: &str) -> Option<&str> {
    Some(line.strip_prefix("  ")?.split_once(" = ")?.0)
}

/// A line without the name that it defines.
fn operands_of(line: &str) -> &str {
    match line.strip_prefix("  ").and_then(|l| l.split_once(" = ")) {
        Some((_, code)) => code,
        None => line,
    }
}

fn without_metadata(code: &str) -> &str {
    code.split_once(", !").map_or(code, |(code, _)| code)
}

fn is_constant(value: &str) -> bool {
    value.parse::<i64>().is_ok() || matches!(value, "undef" | "poison")
}

/// Half of a constant.
fn constant(text: &str, half: Half) -> String {
    let Ok(value) = text.parse::<i64>() else {
        return text.to_owned();
    };
    let bits = match half {
        Half::Low => value as u32,
        Half::High => (value >> 32) as u32,
    };
    format!("bitcast (i32 {} to float)", bits as i32)
}

fn half_name(name: &str, half: Half) -> String {
    let half = match half {
        Half::Low => "low",
        Half::High => "high",
    };
    format!("%\"{}.{half}\"", bare(name))
}

/// `, align 8, ...` of a load or store of 64 bits, for one of 32.
fn aligned_to_four(tail: &str) -> String {
    tail.replacen(", align 8", ", align 4", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_that_are_put_together_are_stored_apart() {
        let ir = "define void @f(float %x, float %y, ptr %p) {
  %1 = bitcast float %x to i32
  %2 = bitcast float %y to i32
  %a = zext i32 %1 to i64
  %b = zext i32 %2 to i64
  %c = shl nuw i64 %b, 32
  %d = or disjoint i64 %c, %a, !dbg !1
  %e = tail call i64 @llvm.fshl.i64(i64 %d, i64 %d, i64 32)
  store i64 %e, ptr %p, align 4, !dbg !2
  ret void
}
";
        let out = split(ir);
        assert!(
            out.contains(
                "  store float %\"b.low\", ptr %p, align 4, !dbg !2\n  store float %\"a.low\", ptr %\"e.8.high.to\", align 4, !dbg !2\n"
            ),
            "{out}"
        );
        assert!(!out.contains("shl ") && !out.contains("fshl"), "{out}");
        assert!(
            out.contains("  %\"a.low\" = bitcast i32 %1 to float\n"),
            "{out}"
        );
    }

    #[test]
    fn a_loop_that_carries_a_pair_carries_its_halves() {
        let ir = "define void @f(ptr %p, i1 %c) {
start:
  %x = load i64, ptr %p, align 8
  br label %loop
loop:
  %v = phi i64 [ %x, %start ], [ 0, %loop ]
  %h = lshr i64 %v, 32
  %h.4 = trunc nuw i64 %h to i32
  %h.f = bitcast i32 %h.4 to float
  %l = trunc i64 %v to i32
  %l.f = bitcast i32 %l to float
  br i1 %c, label %loop, label %end
end:
  store i64 %v, ptr %p, align 8
  ret void
}
";
        let out = split(ir);
        assert!(
            out.contains(
                "  %\"x.low\" = load float, ptr %p, align 4\n  %\"x.high\" = load float, ptr %\"x.high.at\", align 4\n"
            ),
            "{out}"
        );
        let alike = split(&ir.replace("%x", "%p.x"));
        assert!(
            alike.contains("  %\"p.x.low\" = load float, ptr %p, align 4\n"),
            "{alike}"
        );
        assert!(
            out.contains("  %\"v.high\" = phi float [ %\"x.high\", %start ], [ bitcast (i32 0 to float), %loop ]\n"),
            "{out}"
        );
        assert!(
            out.contains("  %h.4 = bitcast float %\"v.high\" to i32\n"),
            "{out}"
        );
    }

    #[test]
    fn what_is_not_known_of_both_halves_stays() {
        let unknown = "define void @f(ptr %p, ptr %q) {
  %x = load i64, ptr %p, align 4
  %h = lshr i64 %x, 32
  %n = trunc nuw i64 %h to i32
  %y = bitcast i32 %n to float
  store i64 %x, ptr %q, align 4
  ret void
}
";
        assert_eq!(split(unknown), unknown);
        let numbers = "define i64 @f(i32 %a, i32 %b) {
  %x = zext i32 %a to i64
  %y = zext i32 %b to i64
  %z = shl nuw i64 %y, 32
  %w = or disjoint i64 %z, %x
  ret i64 %w
}
";
        assert_eq!(split(numbers), numbers);
    }
}
