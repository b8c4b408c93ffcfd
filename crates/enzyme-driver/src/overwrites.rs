//! Tells Enzyme what a loop overwrites in a later round.
//!
//! What the reverse pass needs of memory that is overwritten before the primal ends, Enzyme has to remember. It asks LLVM whether
//! a store writes what a load reads, and LLVM answers for one round of a loop: in `y += a[j]; a[j + 1] = y`, or where two pointers
//! swap places from round to round, the two addresses differ. But a later round may write what an earlier one has read
//! (`overwritesToMemoryReadBy` in Enzyme's Utils.cpp asks before it looks at loops). Values were then read too late, and
//! gradients seen to be wrong.
//!
//! So a call that may write anywhere in the same memory follows each store whose address depends on the round. It does nothing
//! and goes away after differentiation.

use std::collections::{BTreeSet, HashMap};

use crate::aliases::makes_memory;
use crate::ir::{push_line, rewrite_functions, split_list, value_length, values};
use crate::loops;

/// Not one of the inactive names: Enzyme takes functions of `core::fmt` to write nothing.
const OVERWRITES: &str = "oxide_enzyme.overwrites";

/// Marks the stores of every function with a loop.
pub fn mark(ir: &str) -> String {
    let mut out = rewrite_functions(ir, in_function);
    if out.contains(&format!("call void @{OVERWRITES}(")) {
        push_line(
            &mut out,
            &format!(
                "declare void @{OVERWRITES}(ptr captures(none)) nofree nounwind willreturn memory(argmem: write, inaccessiblemem: readwrite) \"enzyme_inactive\" \"enzyme_no_escaping_allocation\""
            ),
        );
    }
    out
}

/// Whether a line of a differentiated module is a mark, or what declares it.
pub fn is_mark(line: &str) -> bool {
    line.contains("oxide_enzyme.overwrites(")
}

fn in_function(lines: &[&str], out: &mut String) {
    let function = loops::has_loop(lines).then(|| Function::of(lines));
    for line in lines {
        push_line(out, line);
        for address in function.iter().flat_map(|function| function.marks(line)) {
            push_line(out, &format!("  call void @{OVERWRITES}(ptr {address})"));
        }
    }
}

struct Function<'a> {
    /// What defines a value, and in which block.
    definitions: HashMap<&'a str, (&'a str, usize)>,
    /// The merges of pointers that each block begins with.
    merges: HashMap<usize, Vec<&'a str>>,
}

impl<'a> Function<'a> {
    fn of(lines: &[&'a str]) -> Self {
        let mut function = Function {
            definitions: HashMap::new(),
            merges: HashMap::new(),
        };
        let mut block = 0;
        for line in &lines[1..] {
            block += usize::from(loops::label(line).is_some());
            let Some((name, code)) = line.trim_start().split_once(" = ") else {
                continue;
            };
            function.definitions.insert(name, (code, block));
            if code.starts_with("phi ptr ") {
                function.merges.entry(block).or_default().push(name);
            }
        }
        function
    }

    /// The addresses of memory that a line may overwrite in another round than it seems.
    fn marks(&self, line: &'a str) -> BTreeSet<&'a str> {
        let mut marks = BTreeSet::new();
        if let Some(address) = written(line) {
            self.collect(address, false, &mut marks);
        } else if line.contains("call ") && !line.contains("@llvm.") {
            for argument in values(line).filter(|value| self.is_merged(value)) {
                self.collect(argument, true, &mut marks);
            }
        }
        marks
    }

    /// Adds what an address is an offset from, if the offset or that itself may be another in another round.
    fn collect(&self, address: &'a str, varies: bool, marks: &mut BTreeSet<&'a str>) {
        let Some(&(code, block)) = self.definitions.get(address) else {
            // A parameter or a constant.
            if varies && address.starts_with('%') {
                marks.insert(address);
            }
            return;
        };
        match code.split(' ').next().unwrap_or_default() {
            "getelementptr" => {
                let Some((base, offsets)) = offset_from(code) else {
                    return;
                };
                self.collect(base, varies || values(offsets).count() > 0, marks);
            }
            "phi" => marks.extend(self.merges.get(&block).into_iter().flatten()),
            "select" => {
                for operand in pointers(code) {
                    if operand.starts_with('%') && marks.insert(operand) {
                        self.collect(operand, true, marks);
                    }
                }
            }
            _ if !varies && makes_memory(code) => {}
            _ => {
                marks.insert(address);
            }
        }
    }

    /// Whether the value is an offset from a merge of pointers.
    fn is_merged(&self, value: &str) -> bool {
        match self.definitions.get(value) {
            Some((code, _)) if code.starts_with("getelementptr ") => {
                offset_from(code).is_some_and(|(base, _)| self.is_merged(base))
            }
            Some((code, _)) => code.starts_with("phi ptr ") || !pointers(code).is_empty(),
            None => false,
        }
    }
}

/// Where a line stores or copies to.
fn written(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = match line.split_once("call void @llvm.mem") {
        Some((_, call)) => call.split_once("(ptr ")?.1,
        None => line.strip_prefix("store ")?.split_once(", ptr ")?.1,
    };
    let at = rest.find(['%', '@'])?;
    Some(&rest[at..at + value_length(&rest[at..])?])
}

/// Base and offsets of `getelementptr inbounds T, ptr %base, i64 %offset`.
fn offset_from(code: &str) -> Option<(&str, &str)> {
    let (_, rest) = code.split_once(", ptr ")?;
    let (base, offsets) = rest.split_once(", ")?;
    Some((base, offsets))
}

/// The operands of a `select` of pointers.
fn pointers(code: &str) -> Vec<&str> {
    let Some(operands) = code.strip_prefix("select ") else {
        return Vec::new();
    };
    split_list(operands)
        .filter_map(|operand| operand.strip_prefix("ptr "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(ir: &str) -> Vec<String> {
        let name = format!("  call void @{OVERWRITES}(ptr ");
        mark(ir)
            .lines()
            .filter_map(|line| Some(line.strip_prefix(&name)?.trim_end_matches(')').to_owned()))
            .collect()
    }

    #[test]
    fn stores_at_addresses_that_vary_are_marked() {
        let ir = "define void @f(ptr %p, ptr %q) {
start:
  %a = alloca [24 x i8], align 8
  br label %next
next:
  %i = phi i64 [ 0, %start ], [ %j, %next ]
  %j = add i64 %i, 1
  %at = getelementptr inbounds double, ptr %a, i64 %i
  %within = getelementptr inbounds nuw i8, ptr %at, i64 8
  store double 0.0, ptr %within, align 8
  %fixed = getelementptr inbounds nuw i8, ptr %a, i64 8
  store double 0.0, ptr %fixed, align 8
  store double 0.0, ptr %p, align 8
  %row = load ptr, ptr %q, align 8
  store double 0.0, ptr %row, align 8
  call void @llvm.memset.p0.i64(ptr align 8 %at, i8 0, i64 8, i1 false)
  br i1 %c, label %next, label %end
end:
  ret void
}
";
        assert_eq!(marks(ir), ["%a", "%row", "%a"]);
        assert_eq!(
            marks(&ir.replace("label %next, label %end", "label %end, label %end")),
            [""; 0]
        );
    }

    #[test]
    fn pointers_that_swap_places_are_marked_together() {
        let ir = "define void @f(ptr %p, ptr %q) {
start:
  br label %next
next:
  %u = phi ptr [ %p, %start ], [ %w, %next ]
  %v = phi ptr [ %q, %start ], [ %x, %next ]
  store double 0.0, ptr %u, align 8
  %w = select i1 %c, ptr %u, ptr %v
  %x = select i1 %c, ptr %v, ptr %u
  call void @g(ptr %w)
  br i1 %c, label %next, label %end
end:
  ret void
}
";
        assert_eq!(marks(ir), ["%u", "%v", "%u", "%v"]);
    }
}
