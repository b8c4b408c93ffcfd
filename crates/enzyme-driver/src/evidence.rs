//! What loads and stores show of the elements of a function's lists, and of what is copied to and from them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::ir;
use crate::layout::Layouts;
use crate::strides::{self, Access, Places, access, common, values};
use crate::words;

/// Longer elements than this are not seen in practice, and not worth so much code.
pub const LONGEST: u64 = 4096;

/// All that is loaded and stored in a function.
pub struct Evidence<'a> {
    pub places: Places<'a>,
    /// Values that are integers by what is done with them.
    pub integers: HashSet<&'a str>,
    webs: Webs<'a>,
    /// By their webs.
    accesses: HashMap<&'a str, Vec<Access<'a>>>,
    own: HashSet<&'a str>,
}

impl<'a> Evidence<'a> {
    /// Reads a function. What is moved without a type shows nothing.
    pub fn of(lines: &[&'a str], layouts: &'a Layouts<'a>) -> Self {
        let places = Places::of(lines, layouts);
        let own = strides::own_objects(lines, &places);
        let webs = Webs::of(lines, &places);
        let integers = words::integers(lines);
        let untyped = words::untyped(lines, &integers);
        let mut accesses: HashMap<&str, Vec<Access<'_>>> = HashMap::new();
        for line in lines {
            if let Some(access) = access(line, &places)
                && !clears(line)
                && !words::moves(line, &untyped)
            {
                let web = webs.root(access.place.object);
                accesses.entry(web).or_default().push(access);
            }
        }
        Evidence {
            places,
            webs,
            accesses,
            own,
            integers,
        }
    }

    /// What is in the list that an address leads to.
    pub fn seen(&self, address: &'a str) -> Kind {
        let web = self.webs.of_address(address, &self.places);
        Element::of(self.in_web(web).iter())
    }

    fn in_web(&self, web: &'a str) -> &[Access<'a>] {
        self.accesses.get(web).map_or(&[], Vec::as_slice)
    }

    /// The parts of what is copied between two addresses, if either end is a variable and shows all of its words.
    pub fn variable(&self, ends: [&'a str; 2], length: u64) -> Option<Vec<(u64, String)>> {
        let mut parts: BTreeMap<u64, &str> = BTreeMap::new();
        for end in ends.iter().filter_map(|end| self.places.place(end, 0)) {
            let there: Vec<&Access<'_>> = self
                .in_web(self.webs.root(end.object))
                .iter()
                .filter(|access| access.place.object == end.object)
                .collect();
            let is_list = there.iter().any(|access| access.place.stride != 0);
            let is_of_integers = there.iter().all(|access| access.ty.starts_with('i'));
            if is_list && is_of_integers && self.own.contains(end.object) {
                parts.extend((0..length).step_by(8).map(|word| (word, "i64")));
                continue;
            }
            for access in there {
                if let Some(at) = access.place.offset.checked_sub(end.offset)
                    && at + access.size <= length
                    && end.stride + access.place.stride == 0
                    && parts
                        .insert(at, access.ty)
                        .is_some_and(|ty| kind(ty) != kind(access.ty))
                {
                    return None;
                }
            }
        }
        let is_seen = |word: u64| parts.range(word..word + 8).next().is_some();
        let parts = || parts.iter().map(|(at, ty)| (*at, (*ty).to_owned()));
        (0..length)
            .step_by(8)
            .all(is_seen)
            .then(|| parts().collect())
    }
}

/// Whether a line stores the zero that all types have: Enzyme clears shadows so.
fn clears(line: &str) -> bool {
    let line = line.trim_start();
    line.strip_prefix("store i")
        .and_then(|store| store.split_once(' '))
        .is_some_and(|(_, value)| value.starts_with("0, "))
}

/// Target, source and length of a `memcpy` of a length that is known only when it runs, or beyond what Enzyme knows types of.
pub fn copied(line: &str) -> Option<(&str, &str, &str)> {
    ir::copied(line).filter(|(_, from, length)| {
        line.contains("@llvm.memcpy.") && from.starts_with('%') && is_long(length)
    })
}

pub fn is_long(length: &str) -> bool {
    !length
        .parse()
        .is_ok_and(|length: u64| length <= strides::LONGEST)
}

/// Which objects of a function may be the same: they are merged, copied into each other, or kept in one place.
struct Webs<'a> {
    parents: HashMap<&'a str, &'a str>,
}

impl<'a> Webs<'a> {
    fn of(lines: &[&'a str], places: &Places<'a>) -> Self {
        let mut webs = Webs {
            parents: HashMap::new(),
        };
        let mut kept: HashMap<(&str, u64), &str> = HashMap::new();
        for line in lines {
            let defined = line.trim_start().split_once(" = ");
            match defined {
                Some((name, code)) if code.starts_with("phi ptr ") => {
                    values(code).for_each(|value| webs.unite(name, value, places));
                }
                Some((name, code)) if code.starts_with("select ") => {
                    for value in code.split(", ptr ").skip(1) {
                        let value = value.split(',').next().unwrap_or(value);
                        webs.unite(name, value, places);
                    }
                }
                _ => {}
            }
            if let Some((to, from, _)) = copied(line) {
                webs.unite(to, from, places);
            }
            let Some(access) = access(line, places).filter(keeps_pointer) else {
                continue;
            };
            let loaded = defined.map(|(name, _)| name);
            let Some(pointer) = loaded.or_else(|| stored_pointer(line)) else {
                continue;
            };
            let place = (access.place.object, access.place.offset);
            let first = *kept.entry(place).or_insert(pointer);
            webs.unite(first, pointer, places);
        }
        webs
    }

    fn unite(&mut self, a: &'a str, b: &'a str, places: &Places<'a>) {
        // `null` and `undef` are nobody's.
        if ![a, b].iter().all(|address| address.starts_with('%')) {
            return;
        }
        let (a, b) = (self.of_address(a, places), self.of_address(b, places));
        if a != b {
            self.parents.insert(a, b);
        }
    }

    fn of_address(&self, address: &'a str, places: &Places<'a>) -> &'a str {
        let place = places.place(address, 0);
        self.root(place.map_or(address, |place| place.object))
    }

    fn root(&self, object: &'a str) -> &'a str {
        let mut root = object;
        while let Some(parent) = self.parents.get(root) {
            root = parent;
        }
        root
    }
}

/// Whether one pointer is loaded or stored, at a place of its own.
fn keeps_pointer(access: &Access<'_>) -> bool {
    access.ty == "ptr" && access.place.stride == 0
}

/// `%p` of `store ptr %p, ptr %at`.
fn stored_pointer(line: &str) -> Option<&str> {
    let value = line.trim_start().strip_prefix("store ptr ")?;
    value
        .split(',')
        .next()
        .filter(|value| value.starts_with('%'))
}

/// What loads and stores show of the elements of a list.
pub enum Kind {
    /// Floats, for all that is seen, or none, or nothing that could be told.
    Uniform,
    /// Nothing but floats.
    Floats,
    /// More than one kind of elements, or guesses.
    Several,
    Mixed(Element),
    /// Floats beside others, but not all of an element.
    Unknown,
}

/// The parts of an element.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Element {
    /// Bytes.
    pub size: u64,
    /// Types, by offset.
    pub parts: BTreeMap<u64, String>,
}

impl Element {
    fn of<'a>(accesses: impl Iterator<Item = &'a Access<'a>> + Clone) -> Kind {
        let is_float = |access: &Access<'_>| access.float().is_some();
        if !accesses.clone().any(is_float) {
            return Kind::Uniform;
        }
        let at = |access: &Access<'_>| (access.place.offset, access.place.stride);
        let mut places: HashMap<(u64, u64), (&str, u64)> = HashMap::new();
        let mut is_other = |access: &Access<'a>| {
            let ty = (access.ty, access.size);
            *places.entry(at(access)).or_insert(ty) != ty
        };
        if accesses.clone().any(&mut is_other) {
            return Kind::Several;
        }
        let size = accesses
            .clone()
            .fold(0, |size, access| common(access.place.stride, size));
        if accesses.clone().all(is_float) {
            let parts: BTreeMap<u64, u64> = accesses
                .map(|access| (access.place.offset % size.max(1), access.size))
                .collect();
            return match parts.values().sum::<u64>() == size {
                true => Kind::Floats,
                false => Kind::Uniform,
            };
        }
        if size == 0 || size > LONGEST {
            return Kind::Uniform;
        }
        let mut seen = BTreeMap::new();
        for access in accesses {
            let at = access.place.offset % size;
            let ty = seen.entry(at).or_insert((access.ty, access.size));
            if *ty != (access.ty, access.size) {
                // Enzyme says so itself if it is one list.
                return Kind::Several;
            }
        }
        let mut end = 0;
        for (&at, (_, bytes)) in &seen {
            // Less than a word between two parts is padding.
            if at < end || at - end >= 4 && at % 8 != 0 || at - end >= 8 {
                return Kind::Unknown;
            }
            end = at + bytes;
        }
        if end > size || size - end >= 8 {
            return Kind::Unknown;
        }
        let parts = seen.into_iter().map(|(at, (ty, _))| (at, ty.to_owned()));
        Kind::Mixed(Element {
            size,
            parts: parts.collect(),
        })
    }

    /// The parts of what is copied from an address on: their places there, and types. `None` if one is cut.
    pub fn parts_of<'a>(
        &self,
        address: &'a str,
        length: u64,
        places: &Places<'a>,
    ) -> Option<Vec<(u64, String)>> {
        let place = places.place(address, 0)?;
        if !place.stride.is_multiple_of(self.size) {
            return None;
        }
        let start = place.offset % self.size;
        let end = start + length;
        let mut parts = Vec::new();
        for element in (0..end).step_by(self.size as usize) {
            for (at, ty) in &self.parts {
                let at = element + at;
                let after = at + places.size(ty)?;
                match (at >= start && after <= end, after <= start || at >= end) {
                    (true, _) => parts.push((at - start, ty.clone())),
                    (false, true) => {}
                    (false, false) => return None,
                }
            }
        }
        Some(parts)
    }

    /// Whether one begins at an address, for all that is known.
    pub fn begins<'a>(&self, address: &'a str, places: &Places<'a>) -> bool {
        let place = places.place(address, 0);
        place.is_some_and(|place| {
            place.offset.is_multiple_of(self.size) && place.stride.is_multiple_of(self.size)
        })
    }

    /// Whether a length may be that of some.
    pub fn fills(&self, length: &str) -> bool {
        let known = length.parse::<u64>();
        known.map_or(true, |length| length.is_multiple_of(self.size))
    }
}

/// Integers of all sizes are of one kind.
fn kind(ty: &str) -> &str {
    if ty.starts_with('i') { "integer" } else { ty }
}
