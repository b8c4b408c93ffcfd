//! Makes copies of floats look like copies of floats, by what else is done at their addresses.
//!
//! LLVM turns a `memcpy` of eight bytes into a load and a store of an `i64`, whatever the bytes are. Enzyme takes an integer
//! of unknown type for inactive, so that a gradient would get lost without a word. Where the address says that there is a
//! float (it was computed as an index into floats, or a float is loaded from it or stored to it elsewhere), the copy is
//! rewritten to move a float. A `memcpy` between such addresses gets a hint ([`crate::hints`]).
//!
//! Addresses that a `phi` or a `select` merges, and an address and one computed from it by an index into floats, point to
//! the same kind of memory: they form a web. A web in which anything but floats was seen says nothing.

use std::collections::{HashMap, HashSet};

use crate::hints;
use crate::ir::{balanced, bare, declare_if_called, push_line, rewrite_functions};
use crate::layout::{Layouts, Scalar};

/// A float type and the integer of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Float {
    /// `f32`.
    Single,
    /// `f64`.
    Double,
}

impl Float {
    /// LLVM's name.
    pub fn name(self) -> &'static str {
        match self {
            Float::Single => "float",
            Float::Double => "double",
        }
    }

    /// LLVM's name of the integer.
    pub fn integer(self) -> &'static str {
        match self {
            Float::Single => "i32",
            Float::Double => "i64",
        }
    }

    fn at_start_of(text: &str) -> Option<Float> {
        [Float::Single, Float::Double].into_iter().find(|float| {
            text.strip_prefix(float.name())
                .is_some_and(|rest| rest.starts_with([',', ' ']))
        })
    }
}

/// Rewrites the integer copies of floats in every function of a module.
pub fn as_floats(ir: &str) -> String {
    let layouts = Layouts::of(ir);
    let mut out = rewrite_functions(ir, |lines, out| in_function(lines, &layouts, out));
    declare_if_called(&mut out, hints::MIXED_COPY_DECLARATION);
    for declaration in hints::declarations().lines() {
        let name = declaration
            .split('@')
            .nth(1)
            .and_then(|d| d.split('(').next())
            .unwrap_or_default();
        if !out.contains(&format!("declare void @{name}(")) {
            out.push_str(declaration);
            out.push('\n');
        }
    }
    out
}

fn in_function(lines: &[&str], layouts: &Layouts<'_>, out: &mut String) {
    let floats = float_addresses(lines);
    let fields = field_addresses(lines);
    if floats.is_empty() && fields.is_empty() {
        return lines.iter().for_each(|line| push_line(out, line));
    }
    // An address computed by an index may be the end of an array, where there is no float.
    let computed: HashSet<&str> = lines
        .iter()
        .filter(|line| indexed(line).is_some())
        .filter_map(|line| result_of(line))
        .collect();
    for (number, line) in lines.iter().enumerate() {
        if let Some(address) = mixed_copy(line, &fields, layouts) {
            out.push_str(&format!(
                "  call void @{}(ptr {address})\n",
                hints::MIXED_COPY
            ));
        }
        out.push_str(&hints_before(line, &floats, &computed));
        match rewritten(line, number, &floats) {
            Some(new) => out.push_str(&new),
            None => out.push_str(line),
        }
        out.push('\n');
    }
}

/// Addresses in a function at which there are floats, by what is done with them and with those of the same web.
pub fn float_addresses<'a>(lines: &[&'a str]) -> HashMap<&'a str, Float> {
    let mut webs = Webs::default();
    for line in lines {
        for (a, b) in merged(line) {
            webs.join(a, b);
        }
    }
    let mut seen: HashMap<usize, Option<Float>> = HashMap::new();
    for line in lines {
        if let Some((address, float)) = float_access(line) {
            let known = seen.entry(webs.of(address)).or_insert(Some(float));
            if *known != Some(float) {
                *known = None;
            }
        } else if let Some(address) = other_access(line) {
            seen.insert(webs.of(address), None);
        }
    }
    webs.members()
        .filter_map(|(name, web)| Some((name, (*seen.get(&web)?)?)))
        .collect()
}

/// Addresses in a function at which there are floats of 32 bits.
pub fn addresses_of_singles<'a>(lines: &[&'a str]) -> HashSet<&'a str> {
    float_addresses(lines)
        .into_iter()
        .filter_map(|(address, float)| (float == Float::Single).then_some(address))
        .collect()
}

fn result_of(line: &str) -> Option<&str> {
    line.trim_start()
        .split_once(" = ")
        .map(|(result, _)| result)
}

/// Addresses of parts of structs: the struct's type and the offset in it.
fn field_addresses<'a>(lines: &[&'a str]) -> HashMap<&'a str, (&'a str, u64)> {
    let mut fields: HashMap<&str, (&str, u64)> = HashMap::new();
    for line in lines {
        let Some((result, code)) = line.trim_start().split_once(" = getelementptr ") else {
            continue;
        };
        let Some((flags, operands)) = code.split_once(", ptr ") else {
            continue;
        };
        if let Some(at) = flags.find('%') {
            fields.insert(result, (&flags[at..], 0));
        } else if flags.ends_with("i8") {
            let (base, index) = operands.split_once(", i64 ").unwrap_or((operands, ""));
            let offset = index.split(',').next().and_then(|n| n.parse::<u64>().ok());
            if let (Some((ty, start)), Some(offset)) = (fields.get(base).copied(), offset) {
                fields.insert(result, (ty, start + offset));
            }
        }
    }
    fields
}

/// The address of an integer load that takes floats along with other data.
fn mixed_copy<'a>(
    line: &'a str,
    fields: &HashMap<&str, (&str, u64)>,
    layouts: &Layouts<'_>,
) -> Option<&'a str> {
    let (_, load) = line.split_once(" = load i")?;
    if line.contains("!noundef") {
        return None;
    }
    let bytes = load.split(',').next()?.parse::<u64>().ok()? / 8;
    let address = pointer_operand(load)?;
    let (ty, start) = fields.get(address)?;
    if ty.contains("MaybeUninit<[u8") {
        // The standard library swaps memory of any kind in pieces. In a loop that was not unrolled, nothing tells floats from
        // the rest, and Enzyme would take all pieces for integers.
        return Some(address);
    }
    let taken = |s: &Scalar| s.offset < start + bytes && *start < s.offset + s.size;
    let scalars: Vec<Scalar> = layouts.scalars(ty)?.into_iter().filter(taken).collect();
    let is_mixed = scalars.len() > 1 && scalars.iter().any(|s| s.is_float);
    is_mixed.then_some(address)
}

/// Which addresses belong together.
#[derive(Default)]
struct Webs<'a> {
    numbers: HashMap<&'a str, usize>,
    parents: Vec<usize>,
}

impl<'a> Webs<'a> {
    fn of(&mut self, name: &'a str) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        self.root(number)
    }

    fn root(&self, mut number: usize) -> usize {
        while self.parents[number] != number {
            number = self.parents[number];
        }
        number
    }

    fn join(&mut self, a: &'a str, b: &'a str) {
        let (a, b) = (self.of(a), self.of(b));
        self.parents[a.max(b)] = a.min(b);
    }

    fn members(&self) -> impl Iterator<Item = (&'a str, usize)> {
        self.numbers
            .iter()
            .map(|(name, number)| (*name, self.root(*number)))
    }
}

/// Pairs of addresses that a line says are of one web.
fn merged(line: &str) -> Vec<(&str, &str)> {
    let Some((result, code)) = line.trim_start().split_once(" = ") else {
        return Vec::new();
    };
    let others: Vec<&str> = if let Some(incoming) = code.strip_prefix("phi ptr ") {
        incoming
            .split("[ ")
            .skip(1)
            .filter_map(|pair| pair.split(',').next())
            .collect()
    } else if code.starts_with("select ") {
        code.split(", ptr ")
            .skip(1)
            .filter_map(|v| v.split([',', ' ']).next())
            .collect()
    } else if code.starts_with("getelementptr ") && float_access(line).is_some() {
        pointer_operand(code).into_iter().collect()
    } else {
        Vec::new()
    };
    others
        .into_iter()
        .filter(|other| other.starts_with('%'))
        .map(|other| (result, other))
        .collect()
}

/// The address of a line that says that there is something else than a float: a pointer, an integer that rustc vouches for,
/// or an index into other elements.
fn other_access(line: &str) -> Option<&str> {
    let Some((_, address)) = line.split_once(" = getelementptr ") else {
        return holds_other(line);
    };
    let element = address.split(", ptr ").next()?.rsplit(' ').next()?;
    match element {
        "i8" => None,
        _ => pointer_operand(address),
    }
}

/// The address at which a line loads an integer that rustc vouches for, or loads or stores a pointer.
pub fn holds_other(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let Some((_, load)) = code.split_once(" = load ") else {
        return code.strip_prefix("store ptr ").and_then(pointer_operand);
    };
    let is_integer = load.starts_with('i') && line.contains("!noundef");
    (is_integer || load.starts_with("ptr, "))
        .then(|| pointer_operand(load))
        .flatten()
}

/// The base of an index into floats that is not known before run time. An array may be a part of a struct, and Enzyme must
/// know where in the struct its floats begin.
fn indexed(line: &str) -> Option<(&str, Float)> {
    let (_, float) = float_access(line)?;
    let (_, address) = line.split_once(" = getelementptr ")?;
    let index = address.rsplit(", ").find(|part| part.starts_with("i64 "))?;
    index
        .starts_with("i64 %")
        .then_some((pointer_operand(address)?, float))
}

/// Hints before a copy or a fill at addresses of floats, and before an index into them.
fn hints_before(line: &str, floats: &HashMap<&str, Float>, computed: &HashSet<&str>) -> String {
    if let Some((base, float)) = indexed(line).filter(|(base, _)| !computed.contains(base)) {
        return format!(
            "  call void @__enzyme_{}(ptr {base})
",
            float.name()
        );
    }
    let Some((_, call)) = line.split_once("call void @llvm.mem") else {
        return String::new();
    };
    // What has a constant size may be a struct of which only a part is floats.
    if call
        .split(", i64 ")
        .nth(1)
        .is_none_or(|size| !size.starts_with('%'))
    {
        return String::new();
    }
    // Attributes such as `dereferenceable(8)` stand between the type and the value.
    let addresses = call.split("ptr ").skip(1).filter_map(|argument| {
        let name = argument
            .split(", ")
            .next()?
            .trim_end_matches(')')
            .rsplit(' ')
            .next()?;
        name.starts_with('%').then_some(name)
    });
    let addresses: Vec<&str> = addresses.collect();
    let Some(float) = addresses.iter().find_map(|address| floats.get(address)) else {
        return String::new();
    };
    addresses
        .iter()
        .map(|address| format!("  call void @__enzyme_{}(ptr {address})\n", float.name()))
        .collect()
}

fn float_access(line: &str) -> Option<(&str, Float)> {
    let line = line.trim_start();
    if let Some((result, address)) = line.split_once(" = getelementptr ") {
        // Flags such as `inbounds` come before the element type.
        let element = address.split(", ptr ").next()?.rsplit(' ').next()?;
        let float = [Float::Single, Float::Double]
            .into_iter()
            .find(|f| f.name() == element)?;
        return Some((result, float));
    }
    if let Some((_, load)) = line.split_once(" = load ") {
        return Some((pointer_operand(load)?, Float::at_start_of(load)?));
    }
    let stored = line.strip_prefix("store ")?;
    Some((pointer_operand(stored)?, Float::at_start_of(stored)?))
}

/// `%p` of `double, ptr %p, align 8`. The address may be a constant that is computed: `getelementptr (i8, ptr @p, i64 8)`.
pub fn pointer_operand(text: &str) -> Option<&str> {
    let after = text.split_once(", ptr ")?.1;
    let name = after.find([',', ' ']).unwrap_or(after.len());
    if after.starts_with(['%', '@']) {
        return Some(&after[..name]);
    }
    // Flags such as `inbounds` stand before the parenthesis.
    match after.find(['(', ',']) {
        Some(open) if after[open..].starts_with('(') => {
            Some(&after[..open + balanced(&after[open..])?])
        }
        _ => Some(&after[..name]),
    }
}

fn rewritten(line: &str, number: usize, floats: &HashMap<&str, Float>) -> Option<String> {
    let code = line.trim_start();
    if let Some((result, load)) = code.split_once(" = load ") {
        let float = *floats.get(pointer_operand(load)?)?;
        let rest = load.strip_prefix(float.integer())?.strip_prefix(", ")?;
        let (name, integer) = (float.name(), float.integer());
        let new = with_suffix(result);
        return Some(format!(
            "  {new} = load {name}, {rest}\n  {result} = bitcast {name} {new} to {integer}"
        ));
    }
    let stored = code.strip_prefix("store ")?;
    let float = *floats.get(pointer_operand(stored)?)?;
    let (value, rest) = stored
        .strip_prefix(float.integer())?
        .strip_prefix(' ')?
        .split_once(", ")?;
    if !value.starts_with('%') {
        return None;
    }
    // A value may be stored more than once.
    let new = with_suffix(&format!("{}.{number}", bare(value)));
    let (name, integer) = (float.name(), float.integer());
    Some(format!(
        "  {new} = bitcast {integer} {value} to {name}\n  store {name} {new}, {rest}"
    ))
}

fn with_suffix(value: &str) -> String {
    format!("%\"{}.float\"", bare(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_between_float_addresses_moves_a_float() {
        let ir = "define void @f(ptr %a, i64 %i) {\n  %x = getelementptr inbounds nuw double, ptr %a, i64 %i\n  %y = getelementptr double, ptr %a, i64 1\n  %3 = load i64, ptr %y, align 8, !dbg !1\n  store i64 %3, ptr %x, align 8\n  ret void\n}\n";
        let expected = "  %\"3.float\" = load double, ptr %y, align 8, !dbg !1\n  %3 = bitcast double %\"3.float\" to i64\n  %\"3.4.float\" = bitcast i64 %3 to double\n  store double %\"3.4.float\", ptr %x, align 8\n";
        assert!(as_floats(ir).contains(expected), "{}", as_floats(ir));
    }

    #[test]
    fn an_address_that_is_computed_from_a_constant_is_a_whole_operand() {
        let table = "getelementptr inbounds nuw (i8, ptr @table, i64 8)";
        let ir = format!(
            "define void @f(i64 %i) {{\n  %x = getelementptr inbounds nuw double, ptr {table}, i64 %i\n  %n = load i64, ptr {}, align 8\n  ret void\n}}\n",
            table.replace("@table", "@other")
        );
        let out = as_floats(&ir);
        assert!(
            out.contains(&format!(
                "  call void @__enzyme_double(ptr {table})\n  %x = "
            )),
            "{out}"
        );
        assert!(out.contains("  %n = load i64, "), "{out}");
    }

    #[test]
    fn integers_stay_integers() {
        let ir = "define void @f(ptr %a, ptr %x) {\n  %v = load i64, ptr %a, align 8\n  store i64 %v, ptr %x, align 8\n  %d = load double, ptr %q, align 8\n  %n = load i64, ptr %q, align 8, !noundef !0\n  ret void\n}\n";
        assert!(as_floats(ir).starts_with(ir));
    }

    #[test]
    fn a_buffer_that_is_merged_with_one_of_floats_holds_floats() {
        let ir = "define void @f(ptr %old, ptr %new, i64 %n) {\n  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %new, ptr align 8 dereferenceable(1) %old, i64 %n, i1 false)\n  %buffer = phi ptr [ %new, %a ], [ %old, %b ]\n  %x = getelementptr inbounds double, ptr %buffer, i64 %n\n  store double 1.0, ptr %x, align 8\n  ret void\n}\n";
        let hints = "  call void @__enzyme_double(ptr %new)\n  call void @__enzyme_double(ptr %old)\n  call void @llvm.memcpy";
        assert!(as_floats(ir).contains(hints), "{}", as_floats(ir));
        let mixed = ir.replace("ret void", "%p = load ptr, ptr %old, align 8\n  ret void");
        assert!(!as_floats(&mixed).contains("call void @__enzyme_double"));
    }
}
