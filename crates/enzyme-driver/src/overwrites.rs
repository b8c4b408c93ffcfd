//! Tells Enzyme what a loop overwrites in a later round.
//!
//! What the reverse pass needs of memory that is overwritten before the primal ends, Enzyme has to remember. It asks LLVM whether
//! a store writes what a load reads, and LLVM answers for one round of a loop: in `y += a[j]; a[j + 1] = y`, or where two pointers
//! swap places from round to round, the two addresses differ. But a later round may write what an earlier one has read
//! (`overwritesToMemoryReadBy` in Enzyme's Utils.cpp asks before it looks at loops). Values were then read too late, and
//! gradients seen to be wrong.
//!
//! So a call that may write anywhere in the same memory follows each store whose address depends on the round. It does nothing
//! and goes away after differentiation. Of what rustc promises about the store (`&mut` is nobody else's), the call keeps what
//! holds for as long as the function runs, not for one round.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use crate::aliases::{is_harmless, makes_memory, parameters};
use crate::ir::blocks::label;
use crate::ir::{
    declare_if_called, for_each_function, free_metadata_number, function_name, push_line,
    rewrite_functions, split_list, value_length, values,
};
use crate::loops;

/// Not one of the inactive names: Enzyme takes functions of `core::fmt` to write nothing.
const OVERWRITES: &str = "oxide_enzyme.overwrites";

/// Marks the stores of every function with a loop.
pub fn mark(ir: &str) -> String {
    let mut scopes = Scopes::of(ir);
    let mut out = rewrite_functions(ir, |lines, out| in_function(lines, &mut scopes, out));
    out.push_str(&scopes.made);
    declare_if_called(
        &mut out,
        &format!(
            "declare void @{OVERWRITES}(ptr captures(none)) nofree nounwind willreturn memory(argmem: write, inaccessiblemem: readwrite) \"enzyme_inactive\" \"enzyme_no_escaping_allocation\""
        ),
    );
    out
}

/// Whether a line of a differentiated module is a mark, or what declares it.
pub fn is_mark(line: &str) -> bool {
    line.contains("oxide_enzyme.overwrites(")
}

fn in_function(lines: &[&str], scopes: &mut Scopes, out: &mut String) {
    if !loops::has_loop(lines) {
        lines.iter().for_each(|line| push_line(out, line));
        return;
    }
    let function = Function::of(lines);
    // Within a caller's loop a promise would hold for one round of that.
    let is_outermost = function_name(lines[0]).is_some_and(|name| !scopes.called.contains(name));
    for line in lines {
        match is_outermost && function.reads_argument(line) {
            true => push_line(out, &format!("{line}, !alias.scope {}", scopes.arguments)),
            false => push_line(out, line),
        }
        for address in function.marks(line) {
            let promises = match is_outermost {
                true => scopes.lasting(line),
                false => String::new(),
            };
            let mark = format!("  call void @{OVERWRITES}(ptr {address}){promises}");
            push_line(out, &mark);
        }
    }
}

/// What is promised of loads and stores, and where it holds. rustc's promises hold from where a function is inlined, at a
/// declaration of their scope. And nothing is written to arguments that are only read.
struct Scopes<'a> {
    /// Functions that others call.
    called: HashSet<&'a str>,
    /// The module's lists of metadata, such as `!{!3, !4}` of `!5`.
    lists: HashMap<&'a str, Vec<&'a str>>,
    /// Scopes that are declared, and none of them in a loop.
    lasting: HashSet<&'a str>,
    /// The scope of loads from arguments, and the list of it.
    argument: String,
    arguments: String,
    /// The number of the next list, and those made so far.
    next: usize,
    made: String,
}

impl<'a> Scopes<'a> {
    fn of(ir: &'a str) -> Self {
        let lists: HashMap<&str, Vec<&str>> = ir.lines().filter_map(list).collect();
        let (mut outside, mut inside) = (HashSet::new(), HashSet::new());
        for_each_function(ir, |function| {
            for (line, is_inside) in function.map(loops::lines).into_iter().flatten() {
                let declared = declared_scopes(line).and_then(|name| lists.get(name));
                match is_inside {
                    true => inside.extend(declared.into_iter().flatten().copied()),
                    false => outside.extend(declared.into_iter().flatten().copied()),
                }
            }
        });
        let domain = free_metadata_number(ir);
        let [argument, arguments] = [domain + 1, domain + 2].map(|number| format!("!{number}"));
        Scopes {
            called: ir.lines().filter_map(callee).collect(),
            lasting: outside.difference(&inside).copied().collect(),
            lists,
            next: domain + 3,
            made: format!(
                "!{domain} = distinct !{{!{domain}}}\n{argument} = distinct !{{{argument}, !{domain}}}\n{arguments} = !{{{argument}}}\n"
            ),
            argument,
            arguments,
        }
    }

    /// What a line promises for as long as its function runs.
    fn lasting(&mut self, line: &str) -> String {
        let scopes = |key| metadata(line, key).and_then(|list| self.lists.get(list));
        let strangers = scopes(", !noalias ").into_iter().flatten().copied();
        let strangers: Vec<&str> = strangers
            .filter(|scope| self.lasting.contains(scope))
            .chain([self.argument.as_str()])
            .collect();
        let mut promises = format!(", !noalias !{}", self.next);
        // Where the access is in two scopes, what holds of both need not hold of one.
        let own = ", !alias.scope ";
        if let (Some(scopes), Some(list)) = (scopes(own), metadata(line, own))
            && scopes.iter().all(|scope| self.lasting.contains(scope))
        {
            let _ = write!(promises, "{own}{list}");
        }
        let _ = writeln!(self.made, "!{} = !{{{}}}", self.next, strangers.join(", "));
        self.next += 1;
        promises
    }
}

/// Name and elements of a list of metadata.
fn list(line: &str) -> Option<(&str, Vec<&str>)> {
    let (name, elements) = line.split_once(" = !{")?;
    let elements = elements.strip_suffix('}')?;
    name.starts_with('!')
        .then(|| (name, elements.split(", ").collect()))
}

/// The list of scopes that a line declares.
fn declared_scopes(line: &str) -> Option<&str> {
    let (_, list) = line.split_once("@llvm.experimental.noalias.scope.decl(metadata ")?;
    list.split(')').next()
}

/// The list that a line refers to after `key`.
fn metadata<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, list) = line.split_once(key)?;
    list.split([',', ' ']).next()
}

struct Function<'a> {
    /// Parameters through which the function does not write.
    read_only: HashSet<&'a str>,
    /// What defines a value, and in which block.
    definitions: HashMap<&'a str, (&'a str, usize)>,
    /// The merges of pointers that each block begins with.
    merges: HashMap<usize, Vec<&'a str>>,
}

impl<'a> Function<'a> {
    fn of(lines: &[&'a str]) -> Self {
        let mut function = Function {
            read_only: parameters(lines[0], "readonly").collect(),
            definitions: HashMap::new(),
            merges: HashMap::new(),
        };
        let mut block = 0;
        for line in &lines[1..] {
            block += usize::from(label(line).is_some());
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

    /// Whether a line loads from an argument that is only read, and nothing else is known of it.
    fn reads_argument(&self, line: &str) -> bool {
        let address = line
            .split_once(" = load ")
            .and_then(|(_, load)| load.split_once(", ptr "))
            .and_then(|(_, rest)| Some(&rest[..value_length(rest)?]));
        address.is_some_and(|address| {
            let base = match self.definitions.get(address) {
                Some((code, _)) if code.starts_with("getelementptr ") => {
                    offset_from(code).map(|(base, _)| base)
                }
                _ => Some(address),
            };
            base.is_some_and(|base| self.read_only.contains(base))
                && !line.contains(", !alias.scope ")
        })
    }

    /// The addresses of memory that a line may overwrite in another round than it seems.
    fn marks(&self, line: &'a str) -> BTreeSet<&'a str> {
        let mut marks = BTreeSet::new();
        if let Some(address) = written(line) {
            self.collect(address, false, &mut marks);
        } else if line.contains("call ") && !is_harmless(line) {
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

/// The function that a line calls.
fn callee(line: &str) -> Option<&str> {
    let (_, call) = line.split_once("call ")?;
    function_name(call)
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
            .filter_map(|line| {
                line.strip_prefix(&name)?
                    .split(')')
                    .next()
                    .map(str::to_owned)
            })
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
    fn promises_of_a_scope_in_a_loop_are_left_out() {
        let ir = "define void @f(ptr %p) {
start:
  call void @llvm.experimental.noalias.scope.decl(metadata !4)
  br label %next
next:
  %i = phi i64 [ 0, %start ], [ %j, %next ]
  call void @llvm.experimental.noalias.scope.decl(metadata !5)
  %at = getelementptr inbounds double, ptr %p, i64 %i
  store double 0.0, ptr %at, align 8, !alias.scope !4, !noalias !6
  store double 0.0, ptr %at, align 8, !alias.scope !5, !noalias !5
  br i1 %c, label %next, label %end
end:
  ret void
}
!4 = !{!1}
!5 = !{!2}
!6 = !{!1, !2}
";
        let out = mark(ir);
        let marks: Vec<&str> = out
            .lines()
            .filter(|line| line.starts_with("  ") && is_mark(line))
            .filter_map(|line| line.split_once("%p)"))
            .map(|(_, promises)| promises)
            .collect();
        assert_eq!(marks, [", !noalias !10, !alias.scope !4", ", !noalias !11"]);
        assert!(out.contains("!10 = !{!1, !8}\n!11 = !{!8}\n"), "{out}");
        let within = format!("define void @g() {{\n  call void @f(ptr %p)\n}}\n{ir}");
        assert!(!mark(&within).contains("%p), !noalias"), "{out}");
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
