//! Keeps Enzyme from taking memory to be reached in one way only.
//!
//! What the reverse pass needs of memory that may be overwritten, Enzyme remembers; the rest it reads again. Beside LLVM's alias
//! analysis it asks its own (`notCapturedBefore` in its Utils.cpp) whether memory that begins as nobody else's (an allocation, a
//! variable on the stack, a `noalias` parameter) can be what a store writes to. That one overlooks two ways:
//! - a `phi` that merges the memory's address with another, as in `let r = if .. { &mut a } else { &mut b }`;
//! - any way at all, once it has come across a call that does not keep the address: it looks no further.
//!
//! The value that was overwritten was then read again, and gradients were seen to be wrong. But a call that may keep the address
//! decides that the memory is reached by others, if it is the first use. So the calls that tell Enzyme something keep addresses
//! ([`KEPT`]), though LLVM knows that they keep no access to memory, and such a call follows what begins memory.

use std::collections::HashMap;

use crate::ir::{
    declare_if_called, parameter_list, push_line, rewrite_functions, split_list, values,
};
use crate::policy;

/// How a call that tells Enzyme something takes an address: who is told may remember where memory lies, which Enzyme takes for
/// access to it and LLVM does not.
pub const KEPT: &str = "captures(address)";

const SHARED: &str = "oxide_enzyme.shared";

/// Calls of the driver, of LLVM and of the allocator that neither keep an address nor merge it with another.
const HARMLESS: [&str; 5] = [
    "@_ZN4core3fmt.inactive.oxide_enzyme.",
    "@oxide_enzyme.touch(",
    "@__enzyme_",
    "@llvm.",
    "@__rust_dealloc(",
];

const ALLOCATORS: [&str; 2] = ["@__rust_alloc(", "@__rust_alloc_zeroed("];

/// Marks memory whose address is merged with others or kept, in every function of a module.
///
/// Around a loop the text uses an allocation before it makes it, and the mark is not the first use. Such an allocation is not
/// said to be nobody else's: the calls of the allocator say so, and no longer the allocator.
pub fn mark(ir: &str) -> String {
    let name = policy::inactive_name(SHARED);
    let mut out = rewrite_functions(ir, |lines, out| in_function(lines, &name, out));
    for allocator in ALLOCATORS {
        let declaration = format!("declare noalias noundef ptr {allocator}");
        out = out.replace(&declaration, &declaration.replace(" noalias", ""));
    }
    declare_if_called(
        &mut out,
        &format!(
            "declare void @{name}(ptr {KEPT}) nofree nounwind willreturn memory(inaccessiblemem: readwrite) \"enzyme_inactive\""
        ),
    );
    out
}

/// Whether a line of a differentiated module is a mark, or what declares it.
pub fn is_mark(line: &str) -> bool {
    line.contains("oxide_enzyme.shared(")
}

fn in_function(lines: &[&str], mark: &str, out: &mut String) {
    let function = Function::of(lines);
    let mut marks: HashMap<usize, Vec<&str>> = HashMap::new();
    for (line, name) in function.begins() {
        if function.is_shared(name) {
            marks.entry(line).or_default().push(name);
        }
    }
    for (number, line) in lines.iter().enumerate() {
        match line.trim_start().split_once(" = ") {
            Some((name, code))
                if allocates(code)
                    && !code.contains(" noalias ")
                    && !function.is_used_before(name, number) =>
            {
                push_line(out, &line.replacen("call ", "call noalias ", 1));
            }
            _ => push_line(out, line),
        }
        for name in marks.get(&number).into_iter().flatten() {
            push_line(out, &format!("  call void @{mark}(ptr {name})"));
        }
    }
}

struct Function<'a> {
    lines: &'a [&'a str],
    /// The lines in which a value occurs.
    uses: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Function<'a> {
    fn of(lines: &'a [&'a str]) -> Self {
        let mut uses: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, line) in lines.iter().enumerate().skip(1) {
            for value in values(line) {
                uses.entry(value).or_default().push(number);
            }
        }
        Function { lines, uses }
    }

    /// The memory that is nobody else's where it begins: its address, and the line after which it has begun.
    fn begins(&self) -> Vec<(usize, &'a str)> {
        let entry = usize::from(self.lines.get(1).is_some_and(|line| line.ends_with(':')));
        let parameters = parameters(self.lines[0], "noalias").map(|name| (entry, name));
        let lines = self.lines.iter().enumerate();
        let made = lines.filter_map(|(number, line)| {
            let name = made(line)?;
            // Enzyme zeroes a shadow next, and looks for that.
            let zeroes = self.lines[number + 1].contains("call void @llvm.memset.")
                && values(self.lines[number + 1]).next() == Some(name);
            Some((number + usize::from(zeroes), name))
        });
        parameters.chain(made).collect()
    }

    fn is_used_before(&self, name: &str, line: usize) -> bool {
        self.uses[name].first().is_some_and(|first| *first < line)
    }

    /// Whether something else than a load or a store at an address takes it, or an address within.
    fn is_shared(&self, name: &'a str) -> bool {
        let mut open = vec![name];
        while let Some(address) = open.pop() {
            for number in self.uses.get(address).into_iter().flatten() {
                match use_of(self.lines[*number], address) {
                    Use::Access => {}
                    Use::Within(result) => open.push(result),
                    Use::Shares => return true,
                }
            }
        }
        false
    }
}

/// What a line does with an address.
#[derive(Debug, PartialEq)]
enum Use<'a> {
    /// Makes it, reads or writes there, or compares it.
    Access,
    /// Makes an address within.
    Within(&'a str),
    /// Merges it with another, or keeps it.
    Shares,
}

fn use_of<'a>(line: &'a str, address: &str) -> Use<'a> {
    let line = line.trim_start();
    let (result, code) = line.split_once(" = ").unwrap_or(("", line));
    let word = code.split(' ').next().unwrap_or_default();
    let accesses = result == address
        || match word {
            "load" | "icmp" => true,
            "store" => code
                .split_once(", ptr ")
                .is_some_and(|(value, _)| !values(value).any(|value| value == address)),
            "call" | "tail" => result.is_empty() && is_harmless(code),
            _ => false,
        };
    match word {
        _ if accesses => Use::Access,
        "getelementptr" => Use::Within(result),
        _ => Use::Shares,
    }
}

/// Whether a call neither keeps an address nor writes what a program can see, but for LLVM's own.
pub fn is_harmless(call: &str) -> bool {
    HARMLESS.iter().any(|callee| call.contains(callee))
}

/// The variable on the stack or the allocation that a line makes.
fn made(line: &str) -> Option<&str> {
    let (name, code) = line.trim_start().split_once(" = ")?;
    makes_memory(code).then_some(name)
}

/// Whether this makes a variable on the stack, or an allocation.
pub fn makes_memory(code: &str) -> bool {
    code.starts_with("alloca ") || allocates(code)
}

fn allocates(code: &str) -> bool {
    code.contains("call ") && ALLOCATORS.iter().any(|name| code.contains(name))
}

/// The pointers with this attribute among the parameters in a function's first line.
pub fn parameters<'a>(define: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
    let attribute = format!(" {attribute} ");
    let list = parameter_list(define).map_or("", |list| &define[list]);
    split_list(list)
        .filter(move |parameter| parameter.starts_with("ptr ") && parameter.contains(&attribute))
        .filter_map(|parameter| values(parameter).last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shared_by_what_merges_or_keeps_it() {
        let shared = [
            "  %r = phi ptr [ %a, %x ], [ %b, %y ]",
            "  %r = select i1 %c, ptr %b, ptr %a",
            "  store ptr %a, ptr %b, align 8",
            "  tail call void @f(ptr captures(none) %a)",
            "  %i = ptrtoint ptr %a to i64",
        ];
        for line in shared {
            assert_eq!(use_of(line, "%a"), Use::Shares, "{line}");
        }
        let accessed = [
            "  %a = alloca [24 x i8], align 8",
            "  %x = load double, ptr %a, align 8",
            "  store double %x, ptr %a, align 8",
            "  store ptr %b, ptr %a, align 8",
            "  %n = icmp eq ptr %a, null",
            "  call void @llvm.lifetime.start.p0(i64 24, ptr %a)",
            "  tail call void @__rust_dealloc(ptr %a, i64 8, i64 8)",
        ];
        for line in accessed {
            assert_eq!(use_of(line, "%a"), Use::Access, "{line}");
        }
        let within = "  %p = getelementptr inbounds i8, ptr %a, i64 8";
        assert_eq!(use_of(within, "%a"), Use::Within("%p"));
    }

    #[test]
    fn an_allocation_that_lives_on_in_a_loop_is_not_said_to_be_its_own() {
        let ir = "declare noalias noundef ptr @__rust_alloc(i64, i64)
define void @f() {
start:
  %a = call noundef ptr @__rust_alloc(i64 8, i64 8)
  br label %next
next:
  %p = phi ptr [ %a, %start ], [ %b, %next ]
  %b = call noundef ptr @__rust_alloc(i64 8, i64 8)
  br label %next
}
";
        let marked = mark(ir);
        assert!(marked.contains("declare noundef ptr"), "{marked}");
        assert!(marked.contains("%a = call noalias noundef"), "{marked}");
        assert!(marked.contains("%b = call noundef"), "{marked}");
    }

    #[test]
    fn what_is_shared_is_marked_where_it_begins() {
        let ir = "define internal void @f(ptr noalias captures(address, read_provenance) %p, ptr %q, ptr noalias %own) {
start:
  %a = alloca [8 x i8], align 8
  %b = call ptr @__rust_alloc(i64 8, i64 8)
  %at = getelementptr i8, ptr %b, i64 4
  %r = select i1 %c, ptr %at, ptr %p
  store double 0.0, ptr %a, align 8
  store double 0.0, ptr %own, align 8
  ret void
}
";
        let marked = mark(ir);
        let marks: Vec<(&str, &str)> = marked
            .lines()
            .zip(marked.lines().skip(1))
            .filter(|(_, line)| line.starts_with("  ") && is_mark(line))
            .collect();
        let name = "  call void @_ZN4core3fmt.inactive.oxide_enzyme.shared";
        assert_eq!(
            marks,
            [
                ("start:", format!("{name}(ptr %p)").as_str()),
                (
                    "  %b = call noalias ptr @__rust_alloc(i64 8, i64 8)",
                    &format!("{name}(ptr %b)")
                ),
            ]
        );
        let kept: Vec<&str> = marked.lines().filter(|line| !is_mark(line)).collect();
        assert_eq!(
            kept.join("\n") + "\n",
            ir.replace("call ptr", "call noalias ptr")
        );
    }
}
