//! Copies what comes out of a table of constants, and zeros, number by number.
//!
//! A table is bytes in the IR, which to Enzyme are of any type: of `v[k] = POINTS[i]`, which copies an array or a struct, it cannot tell
//! whether floats are copied, and refuses it. But the bytes are there to be read. Where all that may be copied looks alike, as
//! [`constants`](crate::constants) has it, the copy becomes loads and stores of what it looks like. Zeros look like anything: they are
//! floats where the type of the target says so, or beside floats and nothing else. Where something is in doubt, the copy stays.

use std::collections::HashMap;

use crate::constants::{Floats, Sizes, looks_like};
use crate::copies::Float;
use crate::ir::{self, push_line, rewrite_functions};
use crate::layout::{Layouts, Scalar};
use crate::origins::{Origins, indexed};

/// Two matrices of 4 by 4. What is larger is mostly a variable, whose type is known by what is done with it.
const MOST_BYTES: usize = 256;

/// Rewrites such copies and fills in every function of a module.
pub fn copy_each(ir: &str) -> String {
    let tables = Tables::of(ir);
    rewrite_functions(ir, |lines, out| {
        let function = Function {
            origins: Origins::of(lines),
            sizes: Sizes::of(lines),
            tables: &tables,
        };
        for (number, line) in lines.iter().enumerate() {
            match function.in_pieces(line, number) {
                Some(pieces) => out.push_str(&pieces),
                None => push_line(out, line),
            }
        }
    })
}

/// The constants of a module that are nothing but bytes, by name, and the types of what they may consist of.
struct Tables<'a> {
    bytes: HashMap<&'a str, Vec<u8>>,
    layouts: Layouts<'a>,
}

impl<'a> Tables<'a> {
    fn of(ir: &'a str) -> Self {
        let table = |line: &'a str| {
            let (name, definition) = line.split_once(" = ")?;
            let (_, value) = definition.split_once(" constant ")?;
            Some((name, bytes(value)?))
        };
        let globals = ir.lines().filter(|line| line.starts_with('@'));
        Tables {
            bytes: globals.filter_map(table).collect(),
            layouts: Layouts::of(ir),
        }
    }
}

/// The bytes of `[2 x i8] c"\00a"`, or of a struct of nothing else.
fn bytes(value: &str) -> Option<Vec<u8>> {
    let (ty, rest) = value.split_once(" c\"")?;
    let (text, _) = rest.split_once('"')?;
    let ty = match ty.strip_prefix("<{ ") {
        Some(in_struct) => in_struct.split_once(" }> <{ ")?.0,
        None => ty,
    };
    let count: usize = ty.strip_prefix('[')?.strip_suffix(" x i8]")?.parse().ok()?;
    let mut bytes = Vec::with_capacity(count);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (byte, length) = match first {
            '\\' => (u8::from_str_radix(rest.get(1..3)?, 16).ok()?, 3),
            _ => (u8::try_from(first).ok()?, 1),
        };
        bytes.push(byte);
        rest = rest.get(length..)?;
    }
    (bytes.len() == count).then_some(bytes)
}

/// What is known in a function.
struct Function<'a> {
    origins: Origins<'a>,
    sizes: Sizes,
    tables: &'a Tables<'a>,
}

impl<'a> Function<'a> {
    /// Loads and stores in place of a copy, stores in place of a fill with zeros.
    fn in_pieces(&self, line: &'a str, number: usize) -> Option<String> {
        let (to, from, length) = ir::moved(line)?;
        let length: usize = length.parse().ok()?;
        if length > MOST_BYTES || !line.contains(", i1 false") {
            return None;
        }
        let declared = self
            .origins
            .declared(to, length as u64, &self.tables.layouts)
            .unwrap_or_default();
        let pieces = match from {
            Some(from) => self.place(from)?.pieces(length, self.sizes, &declared)?,
            None => zeros(length, &declared)?,
        };
        let mut out = String::new();
        let mut offset = 0;
        for piece in pieces {
            let name = |part: &str| format!("%\"table.{number}.{offset}.{part}\"");
            let mut value = "0.0".to_owned();
            if let Some(from) = from {
                value = name("copied");
                let address = format!("getelementptr inbounds i8, ptr {from}, i64 {offset}");
                push_line(&mut out, &format!("  {} = {address}", name("from")));
                push_line(&mut out, &piece.load(&value, &name("from")));
            }
            let address = format!("getelementptr inbounds i8, ptr {to}, i64 {offset}");
            push_line(&mut out, &format!("  {} = {address}", name("to")));
            let (ty, to) = (piece.ty(), name("to"));
            push_line(
                &mut out,
                &format!("  store {ty} {value}, ptr {to}, align 1"),
            );
            offset += piece.size();
        }
        Some(out)
    }

    /// Where in a table an address is.
    fn place(&self, address: &str) -> Option<Place<'_>> {
        if let Some(table) = self.tables.bytes.get(address) {
            return Some(Place {
                table,
                offset: 0,
                stride: None,
            });
        }
        let (ty, base, index) = indexed(self.origins.code(address).unwrap_or(address))?;
        let size = self.tables.layouts.size(ty)?.try_into().ok()?;
        let mut place = self.place(base)?;
        match index.starts_with('%') {
            false => place.offset += index.parse::<usize>().ok()? * size,
            true if place.stride.is_none() => place.stride = Some(size),
            true => return None,
        }
        Some(place)
    }
}

/// Where in a table something is copied from.
struct Place<'a> {
    table: &'a [u8],
    offset: usize,
    /// How far from there its elements are from each other, if it may be any.
    stride: Option<usize>,
}

impl<'a> Place<'a> {
    /// What a copy of so many bytes may copy: each element of the table, or what begins with each piece.
    fn elements(&self, length: usize, piece: usize) -> Vec<&'a [u8]> {
        let part = |at: usize| self.table.get(at..at + length);
        let step = match self.stride {
            None => return part(self.offset).into_iter().collect(),
            Some(1) => piece,
            Some(stride) => stride,
        };
        let starts = (self.offset % step..).step_by(step);
        starts.map_while(part).collect()
    }

    /// What a copy of so many bytes copies, if it is that of each element, and if there is a float.
    fn pieces(&self, length: usize, sizes: Sizes, declared: &[Scalar]) -> Option<Vec<Piece>> {
        let mut sizes_of_pieces = [8, 4]
            .into_iter()
            .filter(|size| length.is_multiple_of(*size));
        sizes_of_pieces.find_map(|size| {
            let elements = self.elements(length, size);
            let same = |at: usize| elements.iter().map(move |element| &element[at..at + size]);
            let looks = (0..length)
                .step_by(size)
                .map(|at| Look::of(same(at), sizes));
            resolved(&looks.collect::<Option<Vec<Look>>>()?, size, declared)
        })
    }
}

/// What a part of all elements looks like.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    Float(Float),
    Integer,
    Zero,
}

impl Look {
    fn of<'a>(same: impl Iterator<Item = &'a [u8]>, sizes: Sizes) -> Option<Self> {
        let mut look = Look::Zero;
        for bytes in same {
            let this = match <[u8; 8]>::try_from(bytes) {
                Ok(long) => Look::of_one(i64::from_le_bytes(long), true, sizes)?,
                Err(_) => {
                    let short = i32::from_le_bytes(bytes.try_into().ok()?);
                    Look::of_one(short.into(), false, sizes)?
                }
            };
            match (look, this) {
                (Look::Zero, _) => look = this,
                (_, Look::Zero) => {}
                _ if look == this => {}
                _ => return None,
            }
        }
        Some(look)
    }

    fn of_one(value: i64, is_long: bool, sizes: Sizes) -> Option<Self> {
        if value == 0 {
            return Some(Look::Zero);
        }
        // As a float, what has so few bits is next to nothing.
        let half = |bits: i64| (0..1 << 16).contains(&bits);
        let is_small = match is_long {
            true => (1..1 << 32).contains(&value) || half(value & 0xFFFF_FFFF) && half(value >> 32),
            false => half(value),
        };
        match looks_like(value, is_long, sizes) {
            Some(Floats::One(float)) => Some(Look::Float(float)),
            Some(Floats::Pair) => None,
            None => is_small.then_some(Look::Integer),
        }
    }
}

/// What is moved at once.
#[derive(Clone, Copy)]
enum Piece {
    Float(Float),
    /// Of so many bytes.
    Integer(usize),
}

impl Piece {
    fn ty(self) -> &'static str {
        match self {
            Piece::Float(float) => float.name(),
            Piece::Integer(8) => "i64",
            Piece::Integer(_) => "i32",
        }
    }

    fn size(self) -> usize {
        match self {
            Piece::Float(Float::Single) => 4,
            Piece::Float(Float::Double) => 8,
            Piece::Integer(size) => size,
        }
    }

    fn load(self, value: &str, from: &str) -> String {
        // What is not undefined is an integer, for `types`.
        let promise = match self {
            Piece::Float(_) => "",
            Piece::Integer(_) => ", !noundef !{}",
        };
        let ty = self.ty();
        format!("  {value} = load {ty}, ptr {from}, align 1{promise}")
    }
}

/// The pieces of an element of which so much is seen, and the rest is declared. A zero that was taken for an integer though it is a
/// float would leave a shadow as it is.
fn resolved(looks: &[Look], size: usize, declared: &[Scalar]) -> Option<Vec<Piece>> {
    let float = looks.iter().find_map(|look| match look {
        Look::Float(float) => Some(*float),
        _ => None,
    })?;
    let only_floats = declared.is_empty() && !looks.contains(&Look::Integer);
    let pieces = looks.iter().zip((0..).step_by(size));
    pieces
        .map(|(look, offset)| match look {
            Look::Float(float) => Some(Piece::Float(*float)),
            Look::Integer => Some(Piece::Integer(size)),
            Look::Zero => {
                (only_floats || is_float(declared, offset, size)).then_some(Piece::Float(float))
            }
        })
        .collect()
}

fn is_float(declared: &[Scalar], offset: usize, size: usize) -> bool {
    let (offset, size) = (offset as u64, size as u64);
    declared
        .iter()
        .any(|s| s.is_float && (s.offset, s.size) == (offset, size))
}

/// The pieces of what is filled with zeros, if all of it is floats of one size.
fn zeros(length: usize, declared: &[Scalar]) -> Option<Vec<Piece>> {
    let (float, size) = match declared.first()?.size {
        8 => (Float::Double, 8),
        4 => (Float::Single, 4),
        _ => return None,
    };
    let mut offsets = (0..length).step_by(size);
    let count = length / size;
    offsets
        .all(|offset| is_float(declared, offset, size))
        .then(|| vec![Piece::Float(float); count])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COPY: &str = "llvm.memcpy.p0.p0.i64(ptr align 8 %a, ptr align 8 FROM, i64 16, i1 false)";

    /// Of a table of 1.0, 2.0, 3, 0.5, and pairs of floats at an address.
    fn rewritten(call: &str, address: &str) -> String {
        copy_each(&format!(
            "%P = type {{ double, double }}
@t = internal unnamed_addr constant [32 x i8] c\"\\00\\00\\00\\00\\00\\00\\F0?\\00\\00\\00\\00\\00\\00\\00@\\03\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\E0?\", align 8
define void @f(ptr %list, i64 %k) {{
  %a = getelementptr inbounds %P, ptr %list, i64 %k
  %p = {address}
  call void @{call}
  ret void
}}
"
        ))
    }

    fn copied(from: &str, address: &str) -> String {
        rewritten(&COPY.replace("FROM", from), address)
    }

    #[test]
    fn what_is_copied_is_read_in_the_table() {
        let first = copied("@t", "getelementptr i8, ptr @t, i64 0");
        for line in [
            "  %\"table.3.0.copied\" = load double, ptr %\"table.3.0.from\", align 1",
            "  store double %\"table.3.8.copied\", ptr %\"table.3.8.to\", align 1",
        ] {
            assert!(first.contains(line), "{first}");
        }
        let second = copied(
            "getelementptr inbounds nuw (i8, ptr @t, i64 16)",
            "getelementptr i8, ptr @t, i64 0",
        );
        for line in [
            "  %\"table.3.0.from\" = getelementptr inbounds i8, ptr getelementptr inbounds nuw (i8, ptr @t, i64 16), i64 0",
            "  %\"table.3.0.copied\" = load i64, ptr %\"table.3.0.from\", align 1, !noundef !{}",
            "  %\"table.3.8.copied\" = load double, ptr %\"table.3.8.from\", align 1",
        ] {
            assert!(second.contains(line), "{second}");
        }
    }

    #[test]
    fn elements_that_differ_are_copied_as_bytes() {
        for ty in ["%P", "[2 x double]", "i8"] {
            let out = copied(
                "%p",
                &format!("getelementptr inbounds nuw {ty}, ptr @t, i64 %k"),
            );
            assert!(out.contains("@llvm.memcpy."), "{out}");
        }
    }

    #[test]
    fn zeros_are_floats_where_the_type_or_all_else_says_so() {
        let (f, n) = (Look::Float(Float::Double), Look::Integer);
        let scalar = |offset, is_float| Scalar {
            offset,
            size: 8,
            is_float,
            is_pointer: false,
        };
        let pair = [scalar(0, true), scalar(8, true)];
        let mixed = [scalar(0, false), scalar(8, true)];
        let types = |looks: &[Look], declared: &[Scalar]| {
            let pieces = resolved(looks, 8, declared)?;
            Some(pieces.iter().map(|piece| piece.ty()).collect::<Vec<_>>())
        };
        assert_eq!(types(&[Look::Zero, f], &[]), Some(vec!["double", "double"]));
        assert_eq!(
            types(&[Look::Zero, f], &pair),
            Some(vec!["double", "double"])
        );
        assert_eq!(types(&[Look::Zero, f], &mixed), None);
        assert_eq!(types(&[n, f], &mixed), Some(vec!["i64", "double"]));
        assert_eq!(types(&[n, f, Look::Zero], &[]), None);
        assert_eq!(types(&[n, Look::Zero], &mixed), None);
    }

    #[test]
    fn floats_are_cleared_one_by_one() {
        let fill = "llvm.memset.p0.i64(ptr align 8 %a, i8 0, i64 16, i1 false)";
        let out = rewritten(fill, "getelementptr i8, ptr @t, i64 0");
        assert!(out.contains("  store double 0.0, ptr %\"table.3.8.to\", align 1\n"));
        for other in ["i8 1, i64 16", "i8 0, i64 8"] {
            let fill = fill.replace("i8 0, i64 16", other);
            let out = rewritten(&fill, "getelementptr i8, ptr @t, i64 0");
            assert!(out.contains("@llvm.memset."), "{out}");
        }
    }
}
