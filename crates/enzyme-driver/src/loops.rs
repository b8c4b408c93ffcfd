//! Keeps loops in a shape of which Enzyme remembers everything.
//!
//! Where a loop's number of rounds is not known beforehand, Enzyme stores it at the loop's exits. It overlooks an exit from which every
//! path leads back into the loop: an inner loop in an outer one that ends nowhere but within the inner loop. The number is then
//! read without ever having been written, and gradients were seen to be wrong.
//!
//! Programs are seldom written that way, but LLVM takes a loop with `continue` apart into two such loops. It does so only where
//! several branches lead back to a loop's start, so [`with_single_latches`] has them meet before, and the shape is kept from
//! then on by `-keep-loops`. What is left is found by [`forgotten_exit`], and refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::ir::blocks::{Graph, Phi, label, quoted};
use crate::ir::{bare, find_function, push_line, rewrite_functions};

/// Keeps LLVM from merging the block in which branches meet into its neighbours.
pub const KEEP: &str = "-keep-loops=true";

/// Whether a function, from `define` to `}`, has a loop.
pub fn has_loop(lines: &[&str]) -> bool {
    !Graph::of(lines).latches().is_empty()
}

/// A function's lines, and whether they are in a loop.
pub fn lines<'a>(lines: &[&'a str]) -> Vec<(&'a str, bool)> {
    let graph = Graph::of(lines);
    let in_loops: BTreeSet<usize> = graph
        .latches()
        .iter()
        .flat_map(|(header, latches)| graph.body(*header, latches))
        .collect();
    let mut block = 0;
    let mut is_first = true;
    lines[1..]
        .iter()
        .map(|line| {
            block += usize::from(label(line).is_some() && !is_first);
            is_first = false;
            (*line, in_loops.contains(&block))
        })
        .collect()
}

/// Has all branches that lead back to a loop's start meet in one block, in every function of a module.
pub fn with_single_latches(ir: &str) -> String {
    rewrite_functions(ir, in_function)
}

fn in_function(lines: &[&str], out: &mut String) {
    let graph = Graph::of(lines);
    let several: BTreeMap<&str, BTreeSet<&str>> = graph
        .latches()
        .into_iter()
        .filter(|(_, latches)| latches.len() > 1)
        .map(|(header, latches)| {
            let names = latches.into_iter().map(|latch| graph.names[latch]);
            (graph.names[header], names.collect())
        })
        .filter(|(header, _)| !header.is_empty())
        .collect();
    let mut block = "";
    for line in lines {
        if let Some(name) = label(line) {
            block = name;
            if let Some(latches) = several.get(name) {
                write_latch(name, latches, lines, out);
            }
        }
        match several
            .get(block)
            .and_then(|latches| merged(line, block, latches))
        {
            Some(merged) => out.push_str(&merged),
            None => out.push_str(&redirected(line, block, &several)),
        }
        out.push('\n');
    }
}

/// The block in which branches to `header` meet, with what they bring.
fn write_latch(header: &str, latches: &BTreeSet<&str>, lines: &[&str], out: &mut String) {
    let start = lines.iter().position(|line| label(line) == Some(header));
    let _ = writeln!(out, "{}:", quoted(&latch_of(header)));
    for line in lines.iter().skip(start.unwrap_or(0) + 1) {
        let Some(phi) = Phi::parse(line) else { break };
        let brought = phi.incoming.iter().copied();
        let merged = Phi {
            name: &merged_name(&phi),
            tail: "",
            incoming: Vec::new(),
            ..phi
        };
        let brought = brought.filter(|(_, from)| latches.contains(from));
        push_line(out, &merged.with(brought));
    }
    let _ = writeln!(out, "  br label %{}\n", quoted(header));
}

/// A `phi` at a loop's start that takes what the branches bring from where they meet.
fn merged(line: &str, header: &str, latches: &BTreeSet<&str>) -> Option<String> {
    let phi = Phi::parse(line)?;
    let (name, latch) = (merged_name(&phi), latch_of(header));
    let others = phi.incoming.iter().copied();
    let others = others.filter(|(_, from)| !latches.contains(from));
    Some(phi.with(others.chain([(name.as_str(), latch.as_str())])))
}

/// What the branches bring for a `phi`, merged.
fn merged_name(phi: &Phi<'_>) -> String {
    format!("%{}", quoted(&latch_of(bare(phi.name))))
}

/// A line of `block` whose branches to the start of a loop go to where they meet.
fn redirected(line: &str, block: &str, several: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let mut line = line.to_owned();
    if !line.contains("label %") {
        return line;
    }
    for (header, latches) in several {
        if latches.contains(block) {
            for name in [quoted(header), format!("\"{header}\"")] {
                let from = format!("label %{name}");
                let to = format!("label %{}", quoted(&latch_of(header)));
                line = replaced_as_word(&line, &from, &to);
            }
        }
    }
    line
}

/// The function, by its symbol, in which Enzyme would forget how many rounds a loop had.
pub fn forgotten_exit(ir: &str) -> Option<String> {
    find_function(ir, has_forgotten_exit).map(str::to_owned)
}

fn has_forgotten_exit(lines: &[&str]) -> bool {
    let graph = Graph::of(lines);
    let latches = graph.latches();
    if latches.is_empty() {
        return false;
    }
    let ends = ends(lines, &graph);
    latches.iter().any(|(header, latches)| {
        let body = graph.body(*header, latches);
        let exits: BTreeSet<usize> = body
            .iter()
            .flat_map(|block| &graph.successors[*block])
            .filter(|successor| !body.contains(successor))
            .copied()
            .collect();
        let leads_on = |exit: usize| leads_to_end(&graph, exit, &ends);
        exits
            .into_iter()
            .any(|exit| leads_on(exit) && !is_seen_as_exit(&graph, exit, &body, &ends))
            || is_taken_apart(lines, &graph, *header, latches)
    })
}

/// Whether a path that leaves `body` at `exit` can end, or turn in a circle, without entering it again: as Enzyme looks
/// for it (`getExitBlocks` in its Utils.h).
fn is_seen_as_exit(
    graph: &Graph<'_>,
    exit: usize,
    body: &BTreeSet<usize>,
    ends: &BTreeSet<usize>,
) -> bool {
    let mut checked = BTreeSet::new();
    let mut open = vec![exit];
    while let Some(block) = open.pop() {
        if !checked.insert(block) || ends.contains(&block) {
            return true;
        }
        open.extend(
            graph.successors[block]
                .iter()
                .filter(|successor| !body.contains(successor)),
        );
    }
    false
}

/// Whether LLVM would take a loop apart (`separateNestedLoop`): a branch to its start leaves one of its values as it was.
fn is_taken_apart(
    lines: &[&str],
    graph: &Graph<'_>,
    header: usize,
    latches: &BTreeSet<usize>,
) -> bool {
    let start = lines
        .iter()
        .position(|line| label(line) == Some(graph.names[header]));
    latches.len() > 1
        && lines
            .iter()
            .skip(start.unwrap_or(0) + 1)
            .map_while(|line| Phi::parse(line))
            .any(|phi| phi.incoming.iter().any(|(value, _)| *value == phi.name))
}

/// The blocks that return.
fn ends(lines: &[&str], graph: &Graph<'_>) -> BTreeSet<usize> {
    let mut ends = BTreeSet::new();
    let mut block = 0;
    for line in &lines[1..] {
        if let Some(name) = label(line) {
            block = graph.names.iter().position(|n| *n == name).unwrap_or(0);
        }
        if line.starts_with("  ret ") || line.starts_with("  resume ") {
            ends.insert(block);
        }
    }
    ends
}

/// Whether the function can return from there at all.
fn leads_to_end(graph: &Graph<'_>, from: usize, ends: &BTreeSet<usize>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(block) = open.pop() {
        if ends.contains(&block) {
            return true;
        }
        if seen.insert(block) {
            open.extend(&graph.successors[block]);
        }
    }
    false
}

fn latch_of(name: &str) -> String {
    format!("{name}.latch")
}

/// Replaces `from` where it is not the start of a longer name.
fn replaced_as_word(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let end = at + from.len();
        let goes_on = !from.ends_with('"')
            && rest[end..].starts_with(|c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '-' | '$' | '.' | '_')
            });
        out.push_str(&rest[..at]);
        out.push_str(if goes_on { from } else { to });
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loop with two branches to its start: one of them leaves `%s` as it was.
    const CONTINUE: &str = "\
define void @f(i1 %a, i1 %b) {
start:
  br label %bb1
bb1:
  %s = phi float [ 0.0, %start ], [ %s, %bb2 ], [ %t, %bb10 ], !dbg !3
  br i1 %a, label %bb2, label %end
bb2:
  br i1 %b, label %bb1, label %bb10, !dbg !4
bb10:
  %t = fadd float %s, 1.0
  br label %bb1
end:
  ret void
}
";

    #[test]
    fn branches_to_a_loops_start_meet_first() {
        let expected = "\
define void @f(i1 %a, i1 %b) {
start:
  br label %bb1
bb1.latch:
  %s.latch = phi float [ %s, %bb2 ], [ %t, %bb10 ]
  br label %bb1

bb1:
  %s = phi float [ 0.0, %start ], [ %s.latch, %bb1.latch ], !dbg !3
  br i1 %a, label %bb2, label %end
bb2:
  br i1 %b, label %bb1.latch, label %bb10, !dbg !4
bb10:
  %t = fadd float %s, 1.0
  br label %bb1.latch
end:
  ret void
}
";
        assert_eq!(with_single_latches(CONTINUE), expected);
        assert_eq!(with_single_latches(expected), expected);
        assert_eq!(forgotten_exit(CONTINUE).as_deref(), Some("f"));
        assert_eq!(forgotten_exit(expected), None);
    }

    #[test]
    fn a_loop_that_ends_only_within_an_inner_one_is_found() {
        let nested = "\
define internal void @\"g h\"(i1 %a, i1 %b) {
start:
  br label %outer
outer:
  br label %inner
inner:
  br i1 %a, label %end, label %more
more:
  br i1 %b, label %inner, label %again
again:
  br label %outer
end:
  ret void
}
";
        assert_eq!(forgotten_exit(nested).as_deref(), Some("g h"));
        let with_own_end = nested.replace(
            "outer:\n  br label %inner",
            "outer:\n  br i1 %b, label %inner, label %end",
        );
        assert_eq!(forgotten_exit(&with_own_end), None);
    }
}
