//! Copies lists whose elements hold floats beside others element by element, and fills them with zeros so.
//!
//! Of a copy whose length is known only when it runs Enzyme asks for the type of the first byte, and takes all of it to be of that type;
//! of a longer one than it knows types of, it takes the rest to be of the last. A list of `(usize, f64)` that had grown was all integers to
//! it, and its floats' gradients were lost. Where loads and stores show what an element is, or the name of the element's type in what
//! the copy was made for, such a copy becomes a call of a function that copies one element after the other, each part by its type.
//! Where they show only that there are floats beside others, it is refused ([`crate::hints::MIXED_COPY`]).

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Deref;

use crate::evidence::{Element, Evidence, Kind, copied, is_long};
use crate::hints;
use crate::ir::{self, Module, push_line, rewrite_functions};
use crate::layout::{Layouts, Scalar};

/// What the names begin with of the parts that are copied, which are of the types that they are copied as.
pub const PART: &str = "part.";

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
    let evidence = Evidence::of(lines, layouts);
    for line in lines {
        let Some((to, from, length)) = moved(line) else {
            push_line(out, line);
            continue;
        };
        let ends: Vec<&str> = [Some(to), from].into_iter().flatten().collect();
        let kind = match evidence.seen(from.unwrap_or(to)) {
            Kind::Uniform | Kind::Several => Element::named(line, module, layouts),
            seen => seen,
        };
        match kind {
            Kind::Uniform | Kind::Floats | Kind::Several => push_line(out, line),
            Kind::Mixed(element)
                if element.fills(length)
                    && ends.iter().all(|end| element.begins(end, &evidence.places)) =>
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

/// The same, and of a fill with zeros, which has no source and may be short: Enzyme goes wrong on a single struct.
fn moved(line: &str) -> Option<(&str, Option<&str>, &str)> {
    ir::moved(line).filter(|(_, from, _)| from.is_none() || copied(line).is_some())
}

impl Element {
    /// By the name of what a line copies: where a function does nothing else with a list, nothing shows what is in it.
    fn named(line: &str, module: &Module, layouts: &Layouts<'_>) -> Kind {
        let name = hints::location_of(line).and_then(|at| {
            hints::element_type(module, at).or_else(|| hints::list_type(module, at))
        });
        let Some(name) = name.filter(|name| hints::hint_of(name).is_none()) else {
            return Kind::Uniform;
        };
        let name = without_arrays(&name);
        if is_plain(name) {
            return Kind::Uniform;
        }
        if ["(", "core::"].iter().any(|start| name.starts_with(start)) {
            return match parts_of(name).any(|part| may_hold_floats(part, layouts)) {
                true => Kind::Unknown,
                false => Kind::Uniform,
            };
        }
        let types: Vec<&str> = layouts.named(name).collect();
        if types.is_empty() || types.iter().any(|ty| layouts.is_opaque(ty)) {
            return Kind::Unknown;
        }
        let mut kind = Kind::Uniform;
        for ty in types {
            let Some((scalars, size)) = layouts.scalars(ty).zip(layouts.size(ty)) else {
                return Kind::Unknown;
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
                value = format!("%{PART}{at}");
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

/// Whether a type has no floats of its own, by its name: integers, and what is reached through pointers.
fn is_plain(name: &str) -> bool {
    let is_integer = || {
        let size = name.strip_prefix(['i', 'u']).unwrap_or("");
        size == "size" || size.parse::<u32>().is_ok()
    };
    matches!(name, "bool" | "char" | "()")
        || is_integer()
        || ["&", "*", "alloc::", "fn(", "unsafe ", "extern "]
            .iter()
            .any(|start| name.starts_with(start))
}

/// The types that those of a name such as `core::option::Option<(f64, usize)>` are made of.
fn parts_of(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|c: char| !is_of_path(c));
            let end = rest.find(|c| !is_of_path(c)).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            rest = after;
            if part.is_empty() {
                return None;
            }
            // A count or what has arguments.
            if !after.starts_with('<') && !part.starts_with(|c: char| c.is_ascii_digit()) {
                return Some(part);
            }
        }
    })
}

fn is_of_path(c: char) -> bool {
    c.is_alphanumeric() || "_:".contains(c)
}

fn may_hold_floats(name: &str, layouts: &Layouts<'_>) -> bool {
    if is_plain(name) {
        return false;
    }
    let mut types = layouts.named(name).peekable();
    types.peek().is_none()
        || types.any(|ty| {
            let scalars = layouts.scalars(ty).unwrap_or_default();
            layouts.is_opaque(ty) || scalars.iter().any(|scalar| scalar.is_float)
        })
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
  %count = load i64, ptr %a, align 8, !noundef !1
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
        ] {
            let out = copied_by_name(definition, name);
            assert!(!out.contains("oxide_enzyme"), "{out}");
        }
        let list = mixed.replace("i64", "ptr");
        let of_enums = "%E = type { i64, [1 x i64] }\n%\"0.Q\" = type { %E, double }";
        for (definition, name) in [
            (&*list, "copy_nonoverlapping<a::Q>"),
            (of_enums, "copy_nonoverlapping<a::Q>"),
            (mixed, "copy_nonoverlapping<a::R>"),
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
