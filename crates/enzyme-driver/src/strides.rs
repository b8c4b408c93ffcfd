//! Tells Enzyme where floats are in memory that is copied whole, by what loops do with it.
//!
//! Enzyme follows an index that is not constant to its first value only. In a list of enums that a loop changes, it saw the floats of
//! the first element and the tags of all; when the list was copied (as it grows, say), it took what it did not know for of the kind
//! of its neighbour, an integer, and the floats' gradients were lost. So before each copy of a constant size stands a hint
//! ([`crate::hints`]) for each float that is loaded or stored at its place in the object that is copied, or in the copy.
//!
//! What a loop does in its first round it is taken to do in all of an object, if the object is this function's own: then whatever else
//! is in it was stored there before one's eyes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use crate::ir::{self, push_line, rewrite_functions};
use crate::layout::Layouts;
use crate::policy;

/// Enzyme knows types up to this offset.
pub const LONGEST: u64 = 500;

/// Puts hints before the copies in a module.
pub fn hint(ir: &str) -> String {
    let layouts = Layouts::of(ir);
    rewrite_functions(ir, |lines, out| in_function(lines, &layouts, out))
}

fn in_function(lines: &[&str], layouts: &Layouts<'_>, out: &mut String) {
    if !lines.iter().any(|line| taken_apart(line).is_some()) {
        return lines.iter().for_each(|line| push_line(out, line));
    }
    let places = Places::of(lines, layouts);
    let own = own_objects(lines, &places);
    let accesses: Vec<Access<'_>> = lines
        .iter()
        .filter_map(|line| access(line, &places))
        .filter(|access| access.place.stride == 0 || own.contains(access.place.object))
        .collect();
    for (number, line) in lines.iter().enumerate() {
        if let Some((to, from, length)) = taken_apart(line) {
            let ends = [to, from]
                .into_iter()
                .filter_map(|end| places.place(end, 0));
            for (slot, float) in floats(&accesses, ends, length) {
                let name = format!("%\"{number}.{slot}.float\"");
                let _ = writeln!(
                    out,
                    "  {name} = getelementptr i8, ptr {from}, i64 {slot}\n  call void @__enzyme_{float}(ptr {name})"
                );
            }
        }
        push_line(out, line);
    }
}

/// Objects that a function makes and fills itself: no other function is given them, and copies into them come from such objects.
pub fn own_objects<'a>(lines: &[&'a str], places: &Places<'a>) -> HashSet<&'a str> {
    let object = |address| Some(places.place(address, 0)?.object);
    let mut own: HashSet<&str> = places
        .definitions
        .iter()
        .filter(|(_, code)| makes_object(code))
        .map(|(name, _)| *name)
        .collect();
    for line in lines
        .iter()
        .filter(|line| line.contains("call ") && !is_harmless(line))
    {
        for address in line
            .split("ptr ")
            .skip(1)
            .filter_map(|rest| rest.split([',', ')']).next()?.rsplit(' ').next())
        {
            object(address).map(|object| own.remove(object));
        }
    }
    let copies: Vec<(&str, Option<&str>)> = lines
        .iter()
        .filter_map(|line| ir::copied(line))
        .filter_map(|(to, from, _)| Some((object(to)?, object(from))))
        .collect();
    while let Some((to, _)) = copies
        .iter()
        .find(|(to, from)| own.contains(to) && !from.is_some_and(|from| own.contains(from)))
    {
        own.remove(to);
    }
    own
}

fn makes_object(code: &str) -> bool {
    code.starts_with("alloca ") || (code.contains("call ") && code.contains("@__rust_alloc"))
}

/// Whether a call leaves what it is given as it is, or is a copy.
fn is_harmless(line: &str) -> bool {
    ["@llvm.", "@__rust_dealloc(", "@__enzyme_", "@oxide_enzyme."]
        .iter()
        .any(|name| line.contains(name))
        || line.contains(policy::INACTIVE_NAME)
}

/// Where an address points: so many bytes after the start of an object, and in loops multiples of the stride further on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The object.
    pub object: &'a str,
    /// Bytes.
    pub offset: u64,
    /// 0 where there is one place.
    pub stride: u64,
}

impl<'a> Place<'a> {
    /// The start of what an address points to.
    fn itself(address: &'a str) -> Self {
        Place {
            object: address,
            offset: 0,
            stride: 0,
        }
    }
}

/// What is loaded or stored at a place.
pub struct Access<'a> {
    /// The place.
    pub place: Place<'a>,
    /// The type.
    pub ty: &'a str,
    /// Its bytes.
    pub size: u64,
}

impl<'a> Access<'a> {
    /// `double` or `float`.
    pub fn float(&self) -> Option<&'a str> {
        matches!(self.ty, "double" | "float").then_some(self.ty)
    }
}

/// The definitions of a function's values, by which addresses are followed to their objects.
pub struct Places<'a> {
    /// By name.
    pub definitions: HashMap<&'a str, &'a str>,
    layouts: &'a Layouts<'a>,
}

impl<'a> Places<'a> {
    /// Reads a function.
    pub fn of(lines: &[&'a str], layouts: &'a Layouts<'a>) -> Self {
        let definitions = lines
            .iter()
            .filter_map(|line| line.trim_start().split_once(" = "))
            .collect();
        Places {
            definitions,
            layouts,
        }
    }

    /// Where an address points; `None` for a stride that is not understood.
    pub fn place(&self, address: &'a str, depth: u32) -> Option<Place<'a>> {
        let itself = Place::itself(address);
        let Some(code) = self.definitions.get(address).filter(|_| depth < 16) else {
            return Some(itself);
        };
        if let Some(code) = code.strip_prefix("getelementptr ") {
            let (element, operands) = code.split_once(", ptr ")?;
            let mut operands = operands.split(", ");
            let base = operands.next()?;
            let index = operands.next()?.strip_prefix("i64 ")?;
            if operands.next().is_some_and(|next| !next.starts_with('!')) {
                return Some(itself);
            }
            let size = self.size(element)?;
            let place = self.place(base, depth + 1)?;
            let (first, stride) = match index.parse::<u64>() {
                Ok(index) => (index, 0),
                Err(_) if size > 1 => (0, 1),
                Err(_) => self.steps(index)?,
            };
            return Some(Place {
                offset: place.offset + first * size,
                stride: common(place.stride, stride * size),
                ..place
            });
        }
        match code.strip_prefix("phi ptr ") {
            Some(incoming) => self.walk(address, incoming, depth),
            None => Some(itself),
        }
    }

    /// An address that a loop moves on by a constant.
    fn walk(&self, address: &'a str, incoming: &'a str, depth: u32) -> Option<Place<'a>> {
        let (mut start, mut stride) = (None, 0);
        for value in values(incoming) {
            let next = self
                .definitions
                .get(value)
                .and_then(|code| code.strip_prefix("getelementptr "));
            let moved = next
                .and_then(|code| code.split_once(", ptr "))
                .filter(|(_, operands)| operands.split(", ").next() == Some(address));
            match moved {
                Some((element, operands)) => {
                    let by = operands
                        .split(", ")
                        .nth(1)?
                        .strip_prefix("i64 ")?
                        .parse::<u64>()
                        .ok()?;
                    stride = common(stride, by * self.size(element)?);
                }
                None if start.is_none() => start = Some(self.place(value, depth + 1)?),
                None => return Some(Place::itself(address)),
            }
        }
        let start = start?;
        Some(Place {
            stride: common(start.stride, stride),
            ..start
        })
    }

    /// An index's first value, and what a loop adds to it.
    fn steps(&self, index: &str) -> Option<(u64, u64)> {
        let code = self.definitions.get(index)?;
        if let Some(incoming) = code.strip_prefix("phi i64 ") {
            let (first, next) =
                values(incoming).partition::<Vec<_>, _>(|value| value.parse::<u64>().is_ok());
            let step = |value: &&str| {
                last_operand(
                    self.definitions
                        .get(value)?
                        .strip_prefix("add ")
                        .filter(|code| code.contains(index))?,
                )
            };
            let ([first], [next]) = (&first[..], &next[..]) else {
                return None;
            };
            return Some((first.parse().ok()?, step(next)?));
        }
        let (operation, _) = code.split_once(' ')?;
        match (operation, last_operand(code)?) {
            ("shl", bits @ 0..=16) => Some((0, 1 << bits)),
            ("mul", factor) => Some((0, factor)),
            _ => None,
        }
    }

    /// Bytes of a type, which an address may have flags before.
    pub fn size(&self, element: &str) -> Option<u64> {
        let flags = ["inbounds ", "nuw ", "nusw "];
        let mut ty = element;
        while let Some(rest) = flags.iter().find_map(|flag| ty.strip_prefix(flag)) {
            ty = rest;
        }
        self.layouts.size(ty)
    }
}

/// The values of a `phi`.
pub fn values(incoming: &str) -> impl Iterator<Item = &str> {
    incoming
        .split("[ ")
        .skip(1)
        .filter_map(|pair| pair.split(", %").next())
        .map(|value| value.trim_end_matches(','))
}

fn last_operand(code: &str) -> Option<u64> {
    let code = code.split(", !").next()?;
    code.rsplit(", ").next()?.parse().ok()
}

/// The greatest common divisor.
pub fn common(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common(b, a % b) }
}

/// Target, source and length of a copy of a constant size that Enzyme would take apart.
fn taken_apart(line: &str) -> Option<(&str, &str, u64)> {
    let (to, from, length) = ir::copied(line)?;
    let length = length.parse().ok()?;
    (from.starts_with('%') && (16..=LONGEST).contains(&length)).then_some((to, from, length))
}

/// What a line loads or stores.
pub fn access<'a>(line: &'a str, places: &Places<'a>) -> Option<Access<'a>> {
    let code = line.trim_start();
    let (value, rest) = match code.split_once(" = load ") {
        Some((_, load)) => load.split_once(", ptr ")?,
        None => code.strip_prefix("store ")?.split_once(", ptr ")?,
    };
    let ty = value.split(' ').next()?;
    let address = rest.split(',').next()?;
    Some(Access {
        place: places.place(address, 0)?,
        ty,
        size: places.layouts.size(ty)?,
    })
}

/// The floats of what is copied between two places: their offsets and types.
fn floats<'a>(
    accesses: &[Access<'a>],
    ends: impl Iterator<Item = Place<'a>>,
    length: u64,
) -> Vec<(u64, &'a str)> {
    let (mut floats, mut others) = (BTreeSet::new(), BTreeSet::new());
    for end in ends.filter(|end| end.stride == 0) {
        for access in accesses
            .iter()
            .filter(|access| access.place.object == end.object)
        {
            for offset in rounds(access, end, length) {
                match access.float() {
                    Some(float) => drop(floats.insert((offset, float))),
                    None => others.extend(offset..offset + access.size),
                }
            }
        }
    }
    floats.retain(|(offset, _)| !others.contains(offset));
    floats.into_iter().collect()
}

/// The offsets in what is copied from `end` on at which there is an access. A copy of whole elements has all rounds of a loop.
fn rounds(access: &Access<'_>, end: Place<'_>, length: u64) -> impl Iterator<Item = u64> {
    let Place { offset, stride, .. } = access.place;
    let is_of_elements =
        stride > access.size && length.is_multiple_of(stride) && end.offset.is_multiple_of(stride);
    let reach = if is_of_elements {
        end.offset + length
    } else {
        offset + 1
    };
    let step = if is_of_elements { stride } else { 1 };
    let is_known = stride == 0 || is_of_elements;
    (offset..reach)
        .step_by(step as usize)
        .filter_map(move |at| at.checked_sub(end.offset))
        .filter(move |at| is_known && *at < length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
define void @f(double %x, ptr %to) {
start:
  %list = call ptr @__rust_alloc(i64 64, i64 8)
  store i64 0, ptr %list, align 8
  %second = getelementptr inbounds i8, ptr %list, i64 32
  store i64 1, ptr %second, align 8
  br label %loop
loop:
  %at = phi i64 [ 0, %start ], [ %next, %loop ]
  %element = getelementptr inbounds i8, ptr %list, i64 %at
  %next = add nuw nsw i64 %at, 32
  %tag = load i64, ptr %element, align 8
  %field = getelementptr inbounds i8, ptr %element, i64 8
  store double %x, ptr %field, align 8
  br i1 %end, label %done, label %loop
done:
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %to, ptr align 8 %list, i64 64, i1 false)
  ret void
}
";

    fn hinted(ir: &str) -> Vec<String> {
        let hinted = hint(ir);
        let slots = hinted.lines().filter(|line| line.contains(".float\" = "));
        slots
            .map(|line| line.rsplit(' ').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn what_a_loop_stores_is_in_every_element() {
        assert_eq!(hinted(LIST), ["8", "40"]);
    }

    #[test]
    fn of_what_others_may_have_filled_nothing_is_guessed() {
        let filled = LIST.replace(
            "  br label %loop\n",
            "  call void @g(ptr %list)\n  br label %loop\n",
        );
        assert!(hinted(&filled).is_empty());
        let copied = LIST.replace("  br label %loop\n", "  call void @llvm.memcpy.p0.p0.i64(ptr %list, ptr %to, i64 %n, i1 false)\n  br label %loop\n");
        assert!(hinted(&copied).is_empty());
    }

    #[test]
    fn where_there_is_an_integer_there_is_no_float() {
        let mixed = LIST.replace(
            "  br label %loop\n",
            "  %k = getelementptr i8, ptr %list, i64 40\n  store i64 1, ptr %k\n  br label %loop\n",
        );
        assert_eq!(hinted(&mixed), ["8"]);
    }

    #[test]
    fn a_moving_address_is_followed_like_an_index() {
        let walking = LIST
            .replace(
                "%at = phi i64 [ 0, %start ], [ %next, %loop ]",
                "%element = phi ptr [ %list, %start ], [ %next, %loop ]",
            )
            .replace(
                "  %element = getelementptr inbounds i8, ptr %list, i64 %at\n",
                "",
            )
            .replace(
                "%next = add nuw nsw i64 %at, 32",
                "%next = getelementptr inbounds i8, ptr %element, i64 32",
            );
        assert_eq!(hinted(&walking), ["8", "40"]);
    }
}
