//! Keeps Enzyme from taking what a round of a loop hands to the next for used after the loop only.
//!
//! Where all that a round does with a number of the last one is to choose between that and another (`if x > m { m = x }`), or to
//! divide it (`q /= x`), Enzyme goes without the adjoints of the rounds: it finds the round that chose last, or multiplies the
//! divisors (`createInvertedTerminator` in its EnzymeLogic.cpp). It overlooks that the round may use the outcome itself, and
//! gradients of running maxima and quotients were wrong. And the product of divisors may be infinite where no quotient is.
//!
//! So a round adds `-0.0` to what it hands on: nothing, for every number. That it is `-0.0`, only we know until Enzyme is done.

use std::collections::{BTreeSet, HashMap};

use crate::ir::blocks::{Graph, Phi, label};
use crate::ir::{bare, declare_if_called, define_if_declared, push_line, rewrite_functions};
use crate::policy;

const NOTHING: &str = "oxide_enzyme.nothing.";

const TYPES: [&str; 2] = ["float", "double"];

/// Adds nothing to what rounds hand on, in every function of a module.
pub fn add_nothing(ir: &str) -> String {
    let mut out = rewrite_functions(ir, in_function);
    for ty in TYPES {
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
    for ty in TYPES {
        let name = format!("{NOTHING}{ty}");
        let definition =
            format!("define internal {ty} @{name}() alwaysinline {{\n  ret {ty} -0.0\n}}");
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
    fn sum(&self) -> String {
        format!("%\"{}.carried.{}\"", bare(self.value), self.from)
    }

    fn addition(&self) -> String {
        let (sum, ty) = (self.sum(), self.ty);
        format!("  {sum} = fadd {ty} {}, %{NOTHING}{ty}", self.value)
    }
}

fn in_function(lines: &[&str], out: &mut String) {
    let carried = carried(lines);
    let types: BTreeSet<&str> = carried.iter().map(|number| number.ty).collect();
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
                push_line(out, &number.addition());
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
        let Some(ty) = float(&phi) else { continue };
        let handed_on = phi.incoming.iter().filter(|(value, from)| {
            let is_chosen = |code: &&str| may_be_chosen(code);
            definitions.get(value).is_some_and(is_chosen) && ends_round(block, from)
        });
        carried.extend(handed_on.map(|&(value, from)| Carried { value, ty, from }));
    }
    carried
}

/// A `phi` that takes sums.
fn handed_on(phi: &Phi<'_>, carried: &BTreeSet<Carried<'_>>) -> String {
    phi.with(phi.incoming.iter().map(|&(value, from)| {
        let ty = float(phi).unwrap_or_default();
        let number = Carried { value, ty, from };
        match carried.contains(&number) {
            true => (number.sum(), from),
            false => (value.to_owned(), from),
        }
    }))
}

/// The type of a `phi` of numbers, without flags.
fn float<'a>(phi: &Phi<'a>) -> Option<&'a str> {
    let ty = phi.ty.rsplit(' ').next()?;
    TYPES.contains(&ty).then_some(ty)
}

/// Whether a value may be a choice or a quotient, now or after Enzyme's own optimisations.
fn may_be_chosen(code: &str) -> bool {
    let (operation, operands) = code.split_once(' ').unwrap_or((code, ""));
    // With other flags, a product may become a quotient.
    let is_plain = TYPES.iter().any(|ty| operands.starts_with(ty));
    !(operation == "load" || is_plain && matches!(operation, "fadd" | "fsub" | "fmul"))
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
    fn sums_stay() {
        let sum = MAXIMUM.replace("[ %n, %next ]", "[ %t, %next ]");
        assert_eq!(add_nothing(&sum), sum);
    }
}
