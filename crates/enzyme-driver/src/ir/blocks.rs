//! The blocks of a function, and what they hand to each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;

use super::text::{bare, split_list};

/// A function's blocks, in the order of the text. The first is its entry.
pub struct Graph<'a> {
    /// Their names.
    pub names: Vec<&'a str>,
    /// Where each may go to.
    pub successors: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    /// Reads a function, from `define` to `}`.
    pub fn of(lines: &[&'a str]) -> Graph<'a> {
        let mut names = Vec::new();
        let mut targets: Vec<Vec<&str>> = Vec::new();
        for line in &lines[1..] {
            if let Some(name) = label(line) {
                names.push(name);
                targets.push(Vec::new());
            } else if names.is_empty() {
                // An entry without a name.
                names.push("");
                targets.push(Vec::new());
            }
            if let Some(last) = targets.last_mut() {
                last.extend(targets_of(line));
            }
        }
        let numbers: HashMap<&str, usize> = names.iter().copied().zip(0..).collect();
        let successors = targets
            .iter()
            .map(|targets| {
                let found: BTreeSet<usize> = targets
                    .iter()
                    .filter_map(|name| numbers.get(name).copied())
                    .collect();
                found.into_iter().collect()
            })
            .collect();
        Graph { names, successors }
    }

    /// The sources of the branches that lead back to each loop's start: those that a depth-first walk has not left yet.
    pub fn latches(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Left,
        }
        let mut latches: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut states = vec![State::New; self.names.len()];
        let mut walk = Vec::new();
        if !states.is_empty() {
            states[0] = State::Open;
            walk.push((0, 0));
        }
        while let Some((block, next)) = walk.pop() {
            let Some(successor) = self.successors[block].get(next).copied() else {
                states[block] = State::Left;
                continue;
            };
            walk.push((block, next + 1));
            match states[successor] {
                State::New => {
                    states[successor] = State::Open;
                    walk.push((successor, 0));
                }
                State::Open => {
                    latches.entry(successor).or_default().insert(block);
                }
                State::Left => {}
            }
        }
        latches
    }

    /// The blocks of the loop from `header` back to it through `latches`.
    pub fn body(&self, header: usize, latches: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut predecessors = vec![Vec::new(); self.names.len()];
        for (block, successors) in self.successors.iter().enumerate() {
            for successor in successors {
                predecessors[*successor].push(block);
            }
        }
        let mut body = BTreeSet::from([header]);
        let mut open: Vec<usize> = latches.iter().copied().collect();
        while let Some(block) = open.pop() {
            if body.insert(block) {
                open.extend(&predecessors[block]);
            }
        }
        body
    }
}

/// A `phi`'s parts.
pub struct Phi<'a> {
    /// The name, with its sigil.
    pub name: &'a str,
    /// The type.
    pub ty: &'a str,
    /// Values, and the names of the blocks that they come from.
    pub incoming: Vec<(&'a str, &'a str)>,
    /// Metadata.
    pub tail: &'a str,
}

impl<'a> Phi<'a> {
    /// Reads a line.
    pub fn parse(line: &'a str) -> Option<Phi<'a>> {
        let (name, rest) = line.strip_prefix("  ")?.split_once(" = phi ")?;
        // A type may have brackets of its own, without blanks inside of them.
        let start = rest.find(" [ ")?;
        let end = rest.rfind(" ]")? + 2;
        let incoming = rest[start + 3..end - 2]
            .split(" ], [ ")
            .map(|pair| {
                let (value, from) = pair.rsplit_once(", %")?;
                Some((value, bare(from)))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Phi {
            name,
            ty: &rest[..start],
            incoming,
            tail: &rest[end..],
        })
    }

    /// The line of a `phi` that brings other values.
    pub fn with<V: Display>(&self, incoming: impl Iterator<Item = (V, &'a str)>) -> String {
        let incoming: Vec<String> = incoming
            .map(|(value, from)| format!("[ {value}, %{} ]", quoted(from)))
            .collect();
        let (name, ty, tail) = (self.name, self.ty, self.tail);
        format!("  {name} = phi {ty} {}{tail}", incoming.join(", "))
    }
}

/// A choice between two values.
pub struct Select<'a> {
    /// The name, with its sigil.
    pub name: &'a str,
    /// What decides.
    condition: &'a str,
    /// The type.
    pub ty: &'a str,
    /// The two.
    pub among: [&'a str; 2],
}

impl<'a> Select<'a> {
    /// Reads a line.
    pub fn parse(line: &'a str) -> Option<Select<'a>> {
        let (name, code) = line.trim_start().split_once(" = select i1 ")?;
        let mut operands = split_list(code);
        let condition = operands.next()?;
        let mut chosen = || operands.next()?.split_once(' ');
        let ((ty, a), (_, b)) = (chosen()?, chosen()?);
        Some(Select {
            name,
            condition,
            ty,
            among: [a, b],
        })
    }
}

/// The `phi` or the `select` that a line is, as a choice of another name and type among other values.
pub fn chosen_as(
    line: &str,
    name: &str,
    ty: &str,
    value: impl Fn(&str) -> String,
) -> Option<String> {
    if let Some(phi) = Phi::parse(line) {
        let other = Phi {
            name,
            ty,
            incoming: Vec::new(),
            tail: phi.tail,
        };
        return Some(other.with(phi.incoming.iter().map(|(v, from)| (value(v), *from))));
    }
    let select = Select::parse(line)?;
    let [a, b] = select.among.map(value);
    let condition = select.condition;
    Some(format!(
        "  {name} = select i1 {condition}, {ty} {a}, {ty} {b}"
    ))
}

/// The name of the block that a line begins.
pub fn label(line: &str) -> Option<&str> {
    if line.starts_with([' ', '}', ';']) || line.starts_with("define ") {
        return None;
    }
    if let Some(rest) = line.strip_prefix('"') {
        return rest.split_once("\":").map(|(name, _)| name);
    }
    line.split_once(':')
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && !name.contains(' '))
}

/// The blocks that a line may go to.
pub fn targets_of(line: &str) -> impl Iterator<Item = &str> {
    line.split("label %")
        .skip(1)
        .filter_map(|rest| match rest.strip_prefix('"') {
            Some(rest) => rest.split('"').next(),
            None => rest.split([',', ' ', ']', ')']).next(),
        })
}

/// A block's name as it stands in the text.
pub fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '$' | '.' | '_');
    let is_number_like =
        name.starts_with(|c: char| c.is_ascii_digit()) && !name.bytes().all(|b| b.is_ascii_digit());
    if name.chars().all(is_plain) && !is_number_like {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_and_invokes_lead_on() {
        let targets: Vec<&str> =
            targets_of("  switch i64 %x, label %bb1 [ i64 0, label %\"b b\" ]").collect();
        assert_eq!(targets, ["bb1", "b b"]);
        let targets: Vec<&str> =
            targets_of("          to label %ok unwind label %cleanup, !dbg !5").collect();
        assert_eq!(targets, ["ok", "cleanup"]);
    }
}
