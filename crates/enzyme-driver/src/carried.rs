//! Keeps Enzyme from taking what a round of a loop hands to the next for used after the loop only.
//!
//! Where all that a round does with a number of the last one is to choose between that and another (`if x > m { m = x }`), or to
//! divide it (`q /= x`), Enzyme goes without the adjoints of the rounds: it finds the round that chose last, or multiplies the
//! divisors (`createInvertedTerminator` in its EnzymeLogic.cpp). It overlooks that the round may use the outcome itself, and
//! gradients of running maxima and quotients were wrong. And the product of divisors may be infinite where no quotient is.
//!
//! So a round adds `-0.0` to what it hands on: nothing, for every number. That it is `-0.0`, only we know until Enzyme is done.
//!
//! What rounds only pass on (`before = now; now = vec![x]`: no value depends on itself), Enzyme need not remember: where it is used after the
//! loop, it looks up where it came from. In nested loops it looks in the first round of the outer one (`unwrapM` in its GradientUtils.cpp), and
//! gradients were wrong. So such a value is made to depend on itself: it stays what it was unless something is true, which it is.

use std::collections::{BTreeSet, HashMap};

use crate::ir::blocks::{Graph, Phi, label};
use crate::ir::{bare, push_line, rewrite_functions, values};
use crate::nothing::{self, NOTHING};

const FLOATS: [&str; 2] = ["float", "double"];
const INTEGERS: [&str; 3] = ["i32", "i64", "i128"];

/// Adds nothing to what rounds hand on, in every function of a module.
pub fn add_nothing(ir: &str) -> String {
    nothing::declare(rewrite_functions(ir, in_function))
}

/// What the last block of a round, `from`, hands on to a `phi`.
struct Carried<'a> {
    phi: &'a str,
    value: &'a str,
    ty: &'a str,
    from: &'a str,
    /// Whether it is made to depend on itself.
    is_kept: bool,
}

impl Carried<'_> {
    /// What it is afterwards: the same.
    fn after(&self) -> String {
        format!("%\"{}.carried.{}\"", bare(self.phi), self.from)
    }

    fn lines(&self) -> Vec<String> {
        let (ty, after) = (self.ty, self.after());
        let kept = format!("%\"{}.kept.{}\"", bare(self.phi), self.from);
        let choice = |name: &str| {
            let (value, phi) = (self.value, self.phi);
            format!("  {name} = select i1 %{NOTHING}i1, {ty} {value}, {ty} {phi}")
        };
        let sum = |value: &str| format!("  {after} = fadd {ty} {value}, %{NOTHING}{ty}");
        match (FLOATS.contains(&ty), self.is_kept) {
            (true, true) => vec![choice(&kept), sum(&kept)],
            (true, false) => vec![sum(self.value)],
            (false, _) => vec![choice(&after)],
        }
    }
}

fn in_function(lines: &[&str], out: &mut String) {
    let carried = carried(lines);
    // Each with the block that it ends.
    let added: Vec<(&str, String)> = carried
        .iter()
        .flat_map(|value| value.lines().into_iter().map(|line| (value.from, line)))
        .collect();
    let calls = nothing::calls(added.iter().map(|(_, line)| line.as_str()));
    let entry = nothing::entry(lines);
    let mut block = "";
    for (number, line) in lines.iter().enumerate() {
        if number == entry {
            out.push_str(&calls);
        }
        block = label(line).unwrap_or(block);
        if line.starts_with("  br ") || line.starts_with("  switch ") {
            for (_, line) in added.iter().filter(|(from, _)| *from == block) {
                push_line(out, line);
            }
        }
        match Phi::parse(line) {
            Some(phi) => push_line(out, &handed_on(&phi, &carried)),
            None => push_line(out, line),
        }
    }
}

/// What the rounds of all loops hand on, as far as Enzyme has to be kept from it.
fn carried<'a>(lines: &[&'a str]) -> Vec<Carried<'a>> {
    let rounds = Rounds::of(lines);
    let mut carried = Vec::new();
    let mut block = "";
    for line in lines {
        block = label(line).unwrap_or(block);
        let (Some(phi), Some(turn)) = (Phi::parse(line), rounds.turns.get(block)) else {
            continue;
        };
        let ty = type_of(&phi);
        for &(value, from) in &phi.incoming {
            if !turn.latches.contains(from) {
                continue;
            }
            let is_kept = rounds.may_be_looked_up(turn, phi.name, value);
            if is_kept || rounds.may_be_chosen(value, ty) {
                carried.push(Carried {
                    phi: phi.name,
                    value,
                    ty,
                    from,
                    is_kept,
                });
            }
        }
    }
    carried
}

/// A loop.
struct Turn<'a> {
    latches: BTreeSet<&'a str>,
    body: BTreeSet<&'a str>,
    /// The body of the outermost loop around it, if there is one.
    outermost: Option<BTreeSet<&'a str>>,
}

/// The loops of a function, and what is computed in them.
struct Rounds<'a> {
    /// By the name of the block in which a round begins.
    turns: HashMap<&'a str, Turn<'a>>,
    /// What defines a value, and in which block.
    definitions: HashMap<&'a str, (&'a str, &'a str)>,
}

impl<'a> Rounds<'a> {
    fn of(lines: &[&'a str]) -> Self {
        let graph = Graph::of(lines);
        let named = |blocks: &BTreeSet<usize>| -> BTreeSet<&str> {
            blocks.iter().map(|block| graph.names[*block]).collect()
        };
        let loops: Vec<(usize, BTreeSet<usize>, BTreeSet<usize>)> = graph
            .latches()
            .into_iter()
            .map(|(header, latches)| (header, graph.body(header, &latches), latches))
            .collect();
        let turns = loops.iter().map(|(header, body, latches)| {
            let around = loops
                .iter()
                .filter(|(other, outer, _)| other != header && outer.contains(header))
                .map(|(_, outer, _)| outer)
                .max_by_key(|outer| outer.len());
            let turn = Turn {
                latches: named(latches),
                body: named(body),
                outermost: around.map(named),
            };
            (graph.names[*header], turn)
        });
        let mut block = "";
        let mut definitions = HashMap::new();
        for line in lines {
            block = label(line).unwrap_or(block);
            if let Some((name, code)) = line.strip_prefix("  ").and_then(|l| l.split_once(" = ")) {
                definitions.insert(name, (code, block));
            }
        }
        Rounds {
            turns: turns.collect(),
            definitions,
        }
    }

    /// Whether Enzyme may look up what a round hands on where all loops are over: it changes in them, and does not depend on
    /// what the round began with (`legalRecompute` of its GradientUtils.cpp).
    fn may_be_looked_up(&self, turn: &Turn<'a>, phi: &str, value: &'a str) -> bool {
        let changes = |outermost: &BTreeSet<&str>| {
            self.definitions
                .get(value)
                .is_some_and(|(_, block)| outermost.contains(block))
        };
        turn.outermost.as_ref().is_some_and(changes) && !self.depends_on(turn, phi, value)
    }

    fn depends_on(&self, turn: &Turn<'a>, phi: &str, value: &'a str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            if value == phi {
                return true;
            }
            match self.definitions.get(value) {
                Some((code, block)) if turn.body.contains(block) && seen.insert(value) => {
                    open.extend(values(code));
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a value may be a choice of floats or a quotient, now or after Enzyme's own optimisations.
    fn may_be_chosen(&self, value: &str, ty: &str) -> bool {
        let Some((code, _)) = self.definitions.get(value) else {
            return false;
        };
        let (operation, operands) = code.split_once(' ').unwrap_or((code, ""));
        // With other flags, a product may become a quotient.
        let is_plain = operands.starts_with(ty) && matches!(operation, "fadd" | "fsub" | "fmul");
        FLOATS.contains(&ty) && !is_plain && operation != "load"
            || INTEGERS.contains(&ty) && operation == "select"
    }
}

/// A `phi` that takes what is the same afterwards.
fn handed_on<'a>(phi: &Phi<'a>, carried: &[Carried<'a>]) -> String {
    phi.with(phi.incoming.iter().map(|&(value, from)| {
        let carried = carried
            .iter()
            .find(|carried| carried.phi == phi.name && carried.from == from);
        match carried {
            Some(carried) => (carried.after(), from),
            None => (value.to_owned(), from),
        }
    }))
}

/// The type of a `phi`, without flags.
fn type_of<'a>(phi: &Phi<'a>) -> &'a str {
    match phi.ty.rsplit_once(' ') {
        Some((_, ty)) if FLOATS.contains(&ty) => ty,
        _ => phi.ty,
    }
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
            .replace("[ %n, %next ]", "[ %\"m.carried.next\", %next ]")
            .replace(
                "  br i1 %d",
                "  %\"m.carried.next\" = fadd double %n, %oxide_enzyme.nothing.double\n  br i1 %d",
            );
        let out = add_nothing(MAXIMUM);
        assert!(out.starts_with(&expected), "{out}");
        let declared = "declare double @oxide_enzyme.nothing.double() #1\n".to_owned();
        assert!(nothing::define(declared).contains("ret double -0.0"));
    }

    #[test]
    fn a_choice_of_integers_is_made_again() {
        let ir = MAXIMUM.replace("double", "i64");
        let out = add_nothing(&ir);
        let again = "  %\"m.carried.next\" = select i1 %oxide_enzyme.nothing.i1, i64 %n, i64 %m\n";
        assert!(out.contains(again), "{out}");
        assert!(out.contains("%m = phi i64 [ 1.0, %start ], [ %\"m.carried.next\", %next ]"));
    }

    const NESTED: &str = "\
define double @f(ptr %x) {
start:
  br label %outer
outer:
  %p = phi ptr [ %x, %start ], [ %b, %again ]
  br label %inner
inner:
  %a = phi ptr [ %p, %outer ], [ %b, %inner ]
  %b = phi ptr [ %x, %outer ], [ %new, %inner ]
  %n = phi ptr [ %x, %outer ], [ %on, %inner ]
  %on = getelementptr i8, ptr %n, i64 8
  %new = call ptr @g()
  br i1 %c, label %again, label %inner
again:
  br i1 %d, label %end, label %outer
end:
  %y = load double, ptr %a, align 8
  ret double %y
}
";

    #[test]
    fn what_does_not_depend_on_itself_in_nested_loops_does_then() {
        let out = add_nothing(NESTED);
        for (phi, value) in [("a", "b"), ("b", "new")] {
            let again = format!(
                "  %\"{phi}.carried.inner\" = select i1 %oxide_enzyme.nothing.i1, ptr %{value}, ptr %{phi}\n"
            );
            assert!(out.contains(&again), "{out}");
        }
        assert_eq!(out.matches(" = select ").count(), 2, "{out}");
        let single = NESTED.replace("label %end, label %outer", "label %end, label %end");
        assert!(!add_nothing(&single).contains(" = select "));
    }

    #[test]
    fn sums_stay() {
        let sum = MAXIMUM.replace("[ %n, %next ]", "[ %t, %next ]");
        assert_eq!(add_nothing(&sum), sum);
    }
}
