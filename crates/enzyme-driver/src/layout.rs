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
        if let Some((count, element)) = ty
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']')?.split_once(" x "))
        {
            let (scalars, size, align) = self.lay(element.trim(), depth + 1)?;
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
}
