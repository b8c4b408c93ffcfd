//! Keeps Enzyme from taking what a round of a loop hands to the next for used after the loop only.
//!
//! Where all that a round does with a number of the last one is to choose between that and another (`if x > m { m = x }`), or to
//! divide it (`q /= x`), Enzyme goes without the adjoints of the rounds: it finds the round that chose last, or multiplies the
//! divisors (`createInvertedTerminator` in its EnzymeLogic.cpp). It overlooks that the round may use the outcome itself, and
//! gradients of running maxima and quotients were wrong. And the product of divisors may be infinite where no quotient is.
//!
//! So a round adds `-0.0` to what it hands on: nothing, for every number. What may be a float as an integer, as LLVM moves structs, is
//! chosen instead of 0 where something is true. That it is `-0.0`, and true, only we know until Enzyme is done.

use std::collections::{BTreeSet, HashMap};

use crate::ir::blocks::{Graph, Phi, label};
use crate::ir::{bare, declare_if_called, define_if_declared, push_line, rewrite_functions};
use crate::policy;

const NOTHING: &str = "oxide_enzyme.nothing.";

/// What only we know, by its type.
const KNOWN: [(&str, &str); 3] = [("float", "-0.0"), ("double", "-0.0"), ("i1", "true")];

const FLOATS: [&str; 2] = ["float", "double"];
const INTEGERS: [&str; 3] = ["i32", "i64", "i128"];

/// Adds nothing to what rounds hand on, in every function of a module.
pub fn add_nothing(ir: &str) -> String {
    let mut out = rewrite_functions(ir, in_function);
    for (ty, _) in KNOWN {
        declare_if_called(
            &mut out,
            &format!(
                "declare {ty} @{}() nofree nosync nounwind willreturn memory(none) \"enzyme_inactive\"",
                function(ty)
            ),
        );
    }
    out
}

/// Says what is added, in a differentiated module; names have been put back.
pub fn define(mut text: String) -> String {
    for (ty, value) in KNOWN {
        let name = format!("{NOTHING}{ty}");
        let definition =
            format!("define internal {ty} @{name}() alwaysinline {{\n  ret {ty} {value}\n}}");
        text = define_if_declared(text, &name, &definition);
    }
    text
}

fn function(ty: &str) -> String {
    policy::inactive_name(&format!("{NOTHING}{ty}"))
}

/// A number that the last block of a round, `from`, hands on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Carried<'a> {
    value: &'a str,
    ty: &'a str,
    from: &'a str,
}

impl Carried<'_> {
    /// What it is afterwards: the same.
    fn after(&self) -> String {
        format!("%\"{}.carried.{}\"", bare(self.value), self.from)
    }

    /// The type of what that takes.
    fn known(&self) -> &str {
        if FLOATS.contains(&self.ty) {
            self.ty
        } else {
            "i1"
        }
    }

    fn line(&self) -> String {
        let (after, value, ty) = (self.after(), self.value, self.ty);
        match self.known() {
            "i1" => format!("  {after} = select i1 %{NOTHING}i1, {ty} {value}, {ty} 0"),
            _ => format!("  {after} = fadd {ty} {value}, %{NOTHING}{ty}"),
        }
    }
}

fn in_function(lines: &[&str], out: &mut String) {
    let carried = carried(lines);
    let types: BTreeSet<&str> = carried.iter().map(Carried::known).collect();
    let has_label = |line: &&str| label(line).is_some();
    let entry = 1 + usize::from(lines.get(1).is_some_and(has_label));
    let mut block = "";
    for (number, line) in lines.iter().enumerate() {
        if number == entry {
            for ty in &types {
                let call = format!("  %{NOTHING}{ty} = call {ty} @{}()", function(ty));
                push_line(out, &call);
            }
        }
        block = label(line).unwrap_or(block);
        if line.starts_with("  br ") || line.starts_with("  switch ") {
            for number in carried.iter().filter(|number| number.from == block) {
                push_line(out, &number.line());
            }
        }
        match Phi::parse(line) {
            Some(phi) => push_line(out, &handed_on(&phi, &carried)),
            None => push_line(out, line),
        }
    }
}

/// What the rounds of all loops hand on.
fn carried<'a>(lines: &[&'a str]) -> BTreeSet<Carried<'a>> {
    let graph = Graph::of(lines);
    let latches = graph.latches();
    let ends_round = |header: &str, block: &str| {
        latches.iter().any(|(start, latches)| {
            graph.names[*start] == header
                && latches.iter().any(|latch| graph.names[*latch] == block)
        })
    };
    let definitions: HashMap<&str, &str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(" = "))
        .collect();
    let mut carried = BTreeSet::new();
    let mut block = "";
    for line in lines {
        block = label(line).unwrap_or(block);
        let Some(phi) = Phi::parse(line) else {
            continue;
        };
        let ty = type_of(&phi);
        let handed_on = phi.incoming.iter().filter(|(value, from)| {
            let is_chosen = |code: &&str| may_be_chosen(code, ty);
            definitions.get(value).is_some_and(is_chosen) && ends_round(block, from)
        });
        carried.extend(handed_on.map(|&(value, from)| Carried { value, ty, from }));
    }
    carried
}

/// A `phi` that takes what is the same afterwards.
fn handed_on(phi: &Phi<'_>, carried: &BTreeSet<Carried<'_>>) -> String {
    phi.with(phi.incoming.iter().map(|&(value, from)| {
        let number = Carried {
            value,
            ty: type_of(phi),
            from,
        };
        match carried.contains(&number) {
            true => (number.after(), from),
            false => (value.to_owned(), from),
        }
    }))
}

/// The type of a `phi`, without flags.
fn type_of<'a>(phi: &Phi<'a>) -> &'a str {
    phi.ty.rsplit(' ').next().unwrap_or(phi.ty)
}

/// Whether a value may be a choice of floats or a quotient, now or after Enzyme's own optimisations.
fn may_be_chosen(code: &str, ty: &str) -> bool {
    let (operation, operands) = code.split_once(' ').unwrap_or((code, ""));
    // With other flags, a product may become a quotient.
    let is_plain = operands.starts_with(ty) && matches!(operation, "fadd" | "fsub" | "fmul");
    FLOATS.contains(&ty) && !is_plain && operation != "load"
        || INTEGERS.contains(&ty) && operation == "select"
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAXIMUM: &str = "\
define double @f(ptr %x) {
start:
  br label %next
next:
  %i = phi i64 [ 0, %start ], [ %j, %next ]
  %s = phi double [ 0.0, %start ], [ %t, %next ], !dbg !1
  %m = phi double [ 1.0, %start ], [ %n, %next ]
  %y = load double, ptr %x, align 8
  %c = fcmp ogt double %y, %m
  %n = select i1 %c, double %y, double %m
  %t = fadd double %s, %n
  %j = add i64 %i, 1
  %d = icmp eq i64 %j, 9
  br i1 %d, label %end, label %next
end:
  ret double %t
}
";

    #[test]
    fn nothing_is_added_to_what_may_be_a_choice() {
        let expected = MAXIMUM
            .replace(
                "start:\n",
                "start:\n  %oxide_enzyme.nothing.double = call double @_ZN4core3fmt.inactive.oxide_enzyme.nothing.double()\n",
            )
            .replace("[ %n, %next ]", "[ %\"n.carried.next\", %next ]")
            .replace(
                "  br i1 %d",
                "  %\"n.carried.next\" = fadd double %n, %oxide_enzyme.nothing.double\n  br i1 %d",
            );
        let out = add_nothing(MAXIMUM);
        assert!(out.starts_with(&expected), "{out}");
        let declared = "declare double @oxide_enzyme.nothing.double() #1\n".to_owned();
        assert!(define(declared).contains("ret double -0.0"));
    }

    #[test]
    fn a_choice_of_integers_is_made_again() {
        let ir = MAXIMUM.replace("double", "i64");
        let out = add_nothing(&ir);
        let again = "  %\"n.carried.next\" = select i1 %oxide_enzyme.nothing.i1, i64 %n, i64 0\n";
        assert!(out.contains(again), "{out}");
        assert!(out.contains("%m = phi i64 [ 1.0, %start ], [ %\"n.carried.next\", %next ]"));
    }

    #[test]
    fn sums_stay() {
        let sum = MAXIMUM.replace("[ %n, %next ]", "[ %t, %next ]");
        assert_eq!(add_nothing(&sum), sum);
    }
}
