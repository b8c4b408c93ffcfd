//! Copies lists whose elements hold floats beside others element by element, and fills them with zeros so.
//!
//! Of a copy whose length is known only when it runs Enzyme asks for the type of the first byte, and takes all of it to be of that type;
//! of a longer one than it knows types of, it takes the rest to be of the last. A list of `(usize, f64)` that had grown was all integers to
//! it, and its floats' gradients were lost. Where loads and stores show what an element is, or the name of the element's type in what
//! the copy was made for, such a copy becomes a call of a function that copies one element after the other, each part by its type.
//! Where they show only that there are floats beside others, it is refused ([`crate::hints::MIXED_COPY`]).

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::Deref;

use crate::hints;
use crate::ir::{self, Module, push_line, rewrite_functions};
use crate::layout::{Layouts, Scalar};
use crate::strides::{self, Access, Places, access, common, values};

/// Longer elements than this are not seen in practice, and not worth so much code.
const LONGEST: u64 = 4096;

/// Replaces the copies in a module.
pub fn copy_each(ir: &str) -> String {
    let layouts = Layouts::of(ir);
    // Read when the first name of a type is asked for.
    let module = LazyCell::new(|| Module::parse(ir.to_owned()));
    let mut copiers = BTreeSet::new();
    let mut out = rewrite_functions(ir, |lines, out| {
        in_function(lines, &layouts, &module, &mut copiers, out);
    });
    for (element, copies) in copiers {
        out.push_str(&element.function(copies));
    }
    ir::declare_if_called(&mut out, hints::MIXED_COPY_DECLARATION);
    out
}

fn in_function(
    lines: &[&str],
    layouts: &Layouts<'_>,
    module: &impl Deref<Target = Module>,
    copiers: &mut BTreeSet<(Element, bool)>,
    out: &mut String,
) {
    if !lines.iter().any(|line| moved(line).is_some()) {
        return lines.iter().for_each(|line| push_line(out, line));
    }
    let places = Places::of(lines, layouts);
    let webs = Webs::of(lines, &places);
    let accesses: Vec<Access<'_>> = lines
        .iter()
        .filter(|line| !clears(line))
        .filter_map(|line| access(line, &places))
        .collect();
    for line in lines {
        let Some((to, from, length)) = moved(line) else {
            push_line(out, line);
            continue;
        };
        let ends: Vec<&str> = [Some(to), from].into_iter().flatten().collect();
        let web = webs.of_address(from.unwrap_or(to), &places);
        let seen = accesses
            .iter()
            .filter(|access| web == webs.root(access.place.object));
        let kind = match Element::of(seen) {
            Kind::Uniform => Element::named(line, module, layouts),
            seen => seen,
        };
        match kind {
            Kind::Uniform => push_line(out, line),
            Kind::Mixed(element)
                if element.fills(length) && ends.iter().all(|end| element.begins(end, &places)) =>
            {
                let name = element.name(from.is_some());
                let from = from.map_or(String::new(), |from| format!("ptr {from}, "));
                let call = format!("  call void @{name}(ptr {to}, {from}i64 {length})");
                push_line(out, &call);
                copiers.insert((element, !from.is_empty()));
            }
            Kind::Mixed(_) | Kind::Unknown if !is_long(length) => push_line(out, line),
            Kind::Mixed(_) | Kind::Unknown => {
                let end = from.unwrap_or(to);
                push_line(
                    out,
                    &format!("  call void @{}(ptr {end})", hints::MIXED_COPY),
                );
                push_line(out, line);
            }
        }
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
fn copied(line: &str) -> Option<(&str, &str, &str)> {
    ir::copied(line).filter(|(_, from, length)| {
        line.contains("@llvm.memcpy.") && from.starts_with('%') && is_long(length)
    })
}

/// The same, and of a fill with zeros, which has no source and may be short: Enzyme goes wrong on a single struct.
fn moved(line: &str) -> Option<(&str, Option<&str>, &str)> {
    ir::moved(line).filter(|(_, from, _)| from.is_none() || copied(line).is_some())
}

fn is_long(length: &str) -> bool {
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
enum Kind {
    /// All floats, or none, or nothing that could be told.
    Uniform,
    Mixed(Element),
    /// Floats beside others, but not all of an element.
    Unknown,
}

/// The parts of an element.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Element {
    size: u64,
    /// Types, by offset.
    parts: BTreeMap<u64, String>,
}

impl Element {
    fn of<'a>(accesses: impl Iterator<Item = &'a Access<'a>> + Clone) -> Kind {
        let is_float = |access: &Access<'_>| access.float().is_some();
        if accesses.clone().all(is_float) || !accesses.clone().any(is_float) {
            return Kind::Uniform;
        }
        let size = accesses
            .clone()
            .fold(0, |size, access| common(access.place.stride, size));
        if size == 0 || size > LONGEST {
            return Kind::Uniform;
        }
        let mut seen = BTreeMap::new();
        for access in accesses {
            let at = access.place.offset % size;
            let ty = seen.entry(at).or_insert((access.ty, access.size));
            if *ty != (access.ty, access.size) {
                // More than one kind of list; Enzyme says so itself if it is one.
                return Kind::Uniform;
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

    /// By the name of what a line copies: where a function does nothing else with a list, nothing shows what is in it.
    fn named(line: &str, module: &Module, layouts: &Layouts<'_>) -> Kind {
        let name = hints::location_of(line).and_then(|at| {
            hints::element_type(module, at).or_else(|| hints::list_type(module, at))
        });
        let Some(name) = name.filter(|name| hints::hint_of(name).is_none()) else {
            return Kind::Uniform;
        };
        let name = without_arrays(&name);
        if ["(", "core::option::Option<"]
            .iter()
            .any(|start| name.starts_with(start))
        {
            let mut inner = name.split(|c: char| !(c.is_alphanumeric() || "_:".contains(c)));
            return match inner.any(|name| is_float(name) || has_floats(name, layouts)) {
                true => Kind::Unknown,
                false => Kind::Uniform,
            };
        }
        let mut kind = Kind::Uniform;
        for ty in layouts.named(name) {
            let Some((scalars, size)) = layouts.scalars(ty).zip(layouts.size(ty)) else {
                continue;
            };
            let floats = scalars.iter().filter(|s| s.is_float).count();
            if floats == 0 || floats == scalars.len() {
                continue;
            }
            let parts = scalars.iter().map(|s| (s.offset, part(s).to_owned()));
            let element = Element {
                size,
                parts: parts.collect(),
            };
            let is_plain = !scalars.iter().any(|s| s.is_pointer);
            kind = match kind {
                Kind::Uniform if is_plain => Kind::Mixed(element),
                Kind::Mixed(other) if other == element => Kind::Mixed(other),
                _ => Kind::Unknown,
            };
        }
        kind
    }

    /// Whether one begins at an address, for all that is known.
    fn begins<'a>(&self, address: &'a str, places: &Places<'a>) -> bool {
        let place = places.place(address, 0);
        place.is_some_and(|place| {
            place.offset.is_multiple_of(self.size) && place.stride.is_multiple_of(self.size)
        })
    }

    /// Whether a length may be that of some.
    fn fills(&self, length: &str) -> bool {
        let known = length.parse::<u64>();
        known.map_or(true, |length| length.is_multiple_of(self.size))
    }

    fn name(&self, copies: bool) -> String {
        let what = if copies { "elements" } else { "zeros" };
        let mut name = format!("oxide_enzyme.{what}.{}", self.size);
        for (at, ty) in &self.parts {
            let _ = write!(name, ".{at}{ty}");
        }
        name
    }

    /// The function that copies a list of them, or fills it with zeros.
    fn function(&self, copies: bool) -> String {
        let mut parts = String::new();
        for (at, ty) in &self.parts {
            let mut value = zero(ty).to_owned();
            if copies {
                value = format!("%part.{at}");
                let _ = writeln!(
                    parts,
                    "  %from.{at} = getelementptr inbounds i8, ptr %from.element, i64 {at}
  {value} = load {ty}, ptr %from.{at}"
                );
            }
            let _ = writeln!(
                parts,
                "  %to.{at} = getelementptr inbounds i8, ptr %to.element, i64 {at}
  store {ty} {value}, ptr %to.{at}"
            );
        }
        let (parameter, element) = match copies {
            true => (
                "ptr noalias captures(none) %from, ",
                "  %from.element = getelementptr inbounds i8, ptr %from, i64 %at\n",
            ),
            false => ("", ""),
        };
        format!(
            "define internal void @{}(ptr noalias captures(none) %to, {parameter}i64 %length) \"enzyme_preserve_primal\" nofree nounwind willreturn {{
start:
  %none = icmp eq i64 %length, 0
  br i1 %none, label %end, label %next
next:
  %at = phi i64 [ 0, %start ], [ %after, %next ]
  %to.element = getelementptr inbounds i8, ptr %to, i64 %at
{element}{parts}  %after = add nuw i64 %at, {}
  %more = icmp ult i64 %after, %length
  br i1 %more, label %next, label %end
end:
  ret void
}}
",
            self.name(copies),
            self.size
        )
    }
}

fn zero(ty: &str) -> &'static str {
    match ty {
        "double" | "float" => "0.0",
        "ptr" => "null",
        _ => "0",
    }
}

/// `T` of `[[T; 2]; 3]`.
fn without_arrays(mut name: &str) -> &str {
    while let Some((element, _)) = name
        .strip_prefix('[')
        .and_then(|name| name.rsplit_once(';'))
    {
        name = element;
    }
    name
}

fn is_float(name: &str) -> bool {
    matches!(name, "f32" | "f64")
}

fn has_floats(name: &str, layouts: &Layouts<'_>) -> bool {
    let mut scalars = layouts.named(name).filter_map(|ty| layouts.scalars(ty));
    scalars.any(|scalars| scalars.iter().any(|scalar| scalar.is_float))
}

/// The type of a part that is no pointer.
fn part(scalar: &Scalar) -> &'static str {
    match (scalar.is_float, scalar.size) {
        (true, 4) => "float",
        (true, _) => "double",
        (false, 1) => "i8",
        (false, 2) => "i16",
        (false, 4) => "i32",
        (false, _) => "i64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWS: &str = "\
define void @f(i64 %n, double %x) {
start:
  %first = call ptr @__rust_alloc(i64 16, i64 8)
  br label %next
next:
  %i = phi i64 [ 0, %start ], [ %j, %push ]
  %old = phi ptr [ %first, %start ], [ %list, %push ]
  br i1 %c, label %grow, label %push
grow:
  %new = call ptr @__rust_alloc(i64 %m, i64 8)
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %new, ptr align 8 %old, i64 %n, i1 false)
  br label %push
push:
  %list = phi ptr [ %old, %next ], [ %new, %grow ]
  %end = getelementptr inbounds { i64, double }, ptr %list, i64 %i
  store i64 %i, ptr %end, align 8
  %field = getelementptr inbounds i8, ptr %end, i64 8
  store double %x, ptr %field, align 8
  %j = add i64 %i, 1
  br i1 %d, label %next, label %done
done:
  ret void
}
";

    #[test]
    fn a_list_of_integers_and_floats_is_copied_by_their_types() {
        let out = copy_each(GROWS);
        assert!(
            out.contains(
                "  call void @oxide_enzyme.elements.16.0i64.8double(ptr %new, ptr %old, i64 %n)\n"
            ),
            "{out}"
        );
        assert!(
            out.contains("  %part.8 = load double, ptr %from.8\n"),
            "{out}"
        );
        assert!(!out.contains("@llvm.memcpy"), "{out}");
    }

    #[test]
    fn a_list_of_floats_is_left_as_it_is() {
        let floats = GROWS.replace(
            "  store i64 %i, ptr %end, align 8\n",
            "  store double %x, ptr %end, align 8\n",
        );
        assert_eq!(copy_each(&floats), floats);
    }

    #[test]
    fn a_copy_from_within_an_element_is_refused() {
        let within = GROWS.replace(
            "  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %new, ptr align 8 %old,",
            "  %within = getelementptr inbounds i8, ptr %old, i64 8\n  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %new, ptr align 8 %within,",
        );
        assert!(copy_each(&within).contains("  call void @oxide_enzyme.mixed_copy(ptr %within)\n"));
    }

    #[test]
    fn what_is_not_known_in_full_is_refused() {
        let longer = GROWS.replace("{ i64, double }", "{ i64, double, i64 }");
        assert!(copy_each(&longer).contains("  call void @oxide_enzyme.mixed_copy(ptr %old)\n"));
    }

    #[test]
    fn a_list_is_filled_with_zeros_of_its_parts() {
        let ir = "\
define void @f(ptr %list, i64 %n, i64 %i) {
  %a = getelementptr inbounds { i64, double }, ptr %list, i64 %i
  %b = getelementptr inbounds i8, ptr %a, i64 8
  %count = load i64, ptr %a, align 8
  store double %x, ptr %b, align 8
  call void @llvm.memset.p0.i64(ptr align 8 %list, i8 0, i64 %n, i1 false)
  ret void
}
";
        let out = copy_each(ir);
        for line in [
            "  call void @oxide_enzyme.zeros.16.0i64.8double(ptr %list, i64 %n)",
            "  store i64 0, ptr %to.0",
            "  store double 0.0, ptr %to.8",
        ] {
            assert!(out.contains(line), "{out}");
        }
        let one = copy_each(&ir.replace("i64 %n, i1", "i64 16, i1"));
        assert!(one.contains("8double(ptr %list, i64 16)"), "{one}");
        let part = ir.replace("i64 %n, i1", "i64 8, i1");
        assert_eq!(copy_each(&part), part);
    }

    /// Of a module in which a function copies a list of a type, and does nothing else.
    fn copied_by_name(definition: &str, name: &str) -> String {
        copy_each(&format!(
            "{definition}
define void @f(ptr %to, ptr %from, i64 %n) {{
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %to, ptr align 8 %from, i64 %n, i1 false), !dbg !1
  ret void
}}
!1 = !DILocation(line: 1, scope: !2, inlinedAt: !3)
!2 = distinct !DISubprogram(name: \"{name}\", scope: !9)
!3 = distinct !DILocation(line: 1, scope: !4)
!4 = distinct !DISubprogram(name: \"f\", scope: !9)
"
        ))
    }

    #[test]
    fn what_is_only_copied_is_known_by_its_name() {
        let mixed = "%\"0.Q\" = type { i64, double }";
        for name in [
            "copy_nonoverlapping<a::Q>",
            "copy_nonoverlapping<[[a::Q; 2]; 3]>",
            "reserve<a::Q, alloc::alloc::Global>",
        ] {
            let out = copied_by_name(mixed, name);
            let call =
                "  call void @oxide_enzyme.elements.16.0i64.8double(ptr %to, ptr %from, i64 %n)";
            assert!(out.contains(call), "{out}");
        }
        let floats = mixed.replace("i64", "double");
        for (definition, name) in [
            (&*floats, "copy_nonoverlapping<a::Q>"),
            (mixed, "copy_nonoverlapping<f64>"),
            (mixed, "copy_nonoverlapping<a::R>"),
        ] {
            let out = copied_by_name(definition, name);
            assert!(!out.contains("oxide_enzyme"), "{out}");
        }
        let list = mixed.replace("i64", "ptr");
        for (definition, name) in [
            (&*list, "copy_nonoverlapping<a::Q>"),
            (mixed, "copy_nonoverlapping<(usize, f64)>"),
            (&*floats, "copy_nonoverlapping<core::option::Option<a::Q>>"),
        ] {
            let out = copied_by_name(definition, name);
            assert!(
                out.contains("call void @oxide_enzyme.mixed_copy(ptr %from)"),
                "{out}"
            );
        }
    }
}
