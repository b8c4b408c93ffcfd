//! Where the floats are in LLVM's named struct types, as far as integer copies need to know.

use std::collections::HashMap;

use crate::ir::{bare, split_list};

/// A scalar of a type: its offset and size in bytes, and whether it is a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scalar {
    /// Bytes from the start.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// `float` or `double`.
    pub is_float: bool,
    /// `ptr`.
    pub is_pointer: bool,
}

/// The named types of a module.
pub struct Layouts<'a> {
    definitions: HashMap<&'a str, &'a str>,
}

/// A type's scalars, size and alignment.
type Laid = (Vec<Scalar>, u64, u64);

impl<'a> Layouts<'a> {
    /// Reads the type definitions of a module.
    pub fn of(ir: &'a str) -> Self {
        let definitions = ir
            .lines()
            .filter(|l| l.starts_with('%'))
            .filter_map(|l| l.split_once(" = type "))
            .collect();
        Layouts { definitions }
    }

    /// The named types that a struct of a crate, named by its path, may have become.
    pub fn named(&self, path: &str) -> impl Iterator<Item = &'a str> {
        let name = path.rsplit("::").next().unwrap_or(path).to_owned();
        let names = self.definitions.keys().copied();
        names.filter(move |ty| {
            // `%"0.Q"` of the first module.
            let ty = bare(ty);
            let in_module = ty.split_once('.').filter(|(n, _)| n.parse::<u32>().is_ok());
            in_module.map_or(ty, |(_, ty)| ty).rsplit("::").next() == Some(name.as_str())
        })
    }

    /// The scalars of a type such as `%"0.Q"`; `None` for what is not understood.
    pub fn scalars(&self, ty: &str) -> Option<Vec<Scalar>> {
        self.lay(ty.trim(), 0).map(|(scalars, _, _)| scalars)
    }

    /// The size of a type in bytes, as an element of an array.
    pub fn size(&self, ty: &str) -> Option<u64> {
        self.lay(ty.trim(), 0).map(|(_, size, _)| size)
    }

    /// Whether parts of a type may be anything: what an enum carries is an array of integers there. One beside a float is an array.
    pub fn is_opaque(&self, ty: &str) -> bool {
        let ty = ty.trim();
        if ty.starts_with('%') {
            return self.definitions.get(ty).is_none_or(|ty| self.is_opaque(ty));
        }
        if let Some(fields) = ty.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            let fields: Vec<&str> = split_list(fields).collect();
            let has_float = fields.iter().any(|ty| matches!(*ty, "double" | "float"));
            let is_array = |ty: &&str| element(ty).is_some_and(|element| element.starts_with('i'));
            let mut fields = fields.iter().filter(|ty| !has_float || !is_array(ty));
            return fields.any(|ty| self.is_opaque(ty));
        }
        element(ty).is_some_and(|element| element.starts_with('i') || self.is_opaque(element))
    }

    fn lay(&self, ty: &str, depth: u32) -> Option<Laid> {
        if depth > 16 {
            return None;
        }
        if ty.starts_with('%') {
            return self.lay(self.definitions.get(ty)?, depth + 1);
        }
        if let Some(fields) = ty.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            return self.lay_struct(fields, depth);
        }
        if let Some((count, element)) = array(ty) {
            let (scalars, size, align) = self.lay(element, depth + 1)?;
            let count: u64 = count.trim().parse().ok()?;
            let at = |n: u64| {
                scalars.iter().map(move |s| Scalar {
                    offset: s.offset + n * size,
                    ..*s
                })
            };
            // Long arrays of bytes are padding or text; nobody asks for their scalars.
            let copies = if count > 256 { 0 } else { count };
            return Some(((0..copies).flat_map(at).collect(), size * count, align));
        }
        let (size, is_float) = match ty {
            "double" => (8, true),
            "float" => (4, true),
            "ptr" => (8, false),
            _ => (
                ty.strip_prefix('i')?
                    .parse::<u64>()
                    .ok()?
                    .div_ceil(8)
                    .next_power_of_two(),
                false,
            ),
        };
        Some((
            vec![Scalar {
                offset: 0,
                size,
                is_float,
                is_pointer: ty == "ptr",
            }],
            size,
            size.min(16),
        ))
    }

    fn lay_struct(&self, fields: &str, depth: u32) -> Option<Laid> {
        let (mut scalars, mut offset, mut align) = (Vec::new(), 0u64, 1u64);
        for field in split_list(fields) {
            let (inner, size, alignment) = self.lay(field, depth + 1)?;
            offset = offset.next_multiple_of(alignment.max(1));
            scalars.extend(inner.iter().map(|s| Scalar {
                offset: s.offset + offset,
                ..*s
            }));
            offset += size;
            align = align.max(alignment);
        }
        Some((scalars, offset.next_multiple_of(align), align))
    }
}

/// How many, and of what, `[2 x double]` has.
fn array(ty: &str) -> Option<(&str, &str)> {
    let (count, element) = ty.strip_prefix('[')?.strip_suffix(']')?.split_once(" x ")?;
    Some((count, element.trim()))
}

fn element(ty: &str) -> Option<&str> {
    array(ty).map(|(_, element)| element)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_where_llvm_puts_them() {
        let layouts = Layouts::of(
            "%\"a, b\" = type { double, float, i8, [3 x i8] }\n%O = type { i8, [2 x %\"a, b\"] }\n",
        );
        let floats = |ty| -> Vec<(u64, u64)> {
            layouts
                .scalars(ty)
                .unwrap()
                .iter()
                .filter(|s| s.is_float)
                .map(|s| (s.offset, s.size))
                .collect()
        };
        assert_eq!(floats("%\"a, b\""), [(0, 8), (8, 4)]);
        assert_eq!(floats("%O"), [(8, 8), (16, 4), (24, 8), (32, 4)]);
    }

    #[test]
    fn what_an_enum_carries_may_be_anything() {
        let layouts = Layouts::of(
            "%E = type { i64, [1 x i64] }\n%Q = type { double, %E }\n%P = type { i64, [2 x %Q] }\n\
             %S = type { float, [1 x i32], i64, [3 x i64] }\n%R = type { i64, [2 x %S], ptr }\n",
        );
        for ty in ["%E", "%Q", "%P", "%unknown"] {
            assert!(layouts.is_opaque(ty), "{ty}");
        }
        for ty in ["%S", "%R", "{ i64, double }"] {
            assert!(!layouts.is_opaque(ty), "{ty}");
        }
    }
}
