//! A root file system as one sorted map, and the rules for what may be put into it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::content::Content;
use crate::error::{Error, Result};

/// A file, directory or symbolic link of the image. Everything belongs to root.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub mode: u32,
    /// Who put it there.
    pub origin: Origin,
}

/// A package, or another part of the image: `engine`, `project`, `records`, or the definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Package(Arc<str>),
    Part(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Package(name) => write!(f, "package {name}"),
            Origin::Part(name) => write!(f, "the {name}"),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Directory,
    File(Content),
    Symlink(String),
}

impl Node {
    pub(crate) fn directory(mode: u32, origin: &Origin) -> Node {
        Node {
            kind: NodeKind::Directory,
            mode,
            origin: origin.clone(),
        }
    }

    pub(crate) fn file(content: Content, mode: u32, origin: &Origin) -> Node {
        Node {
            kind: NodeKind::File(content),
            mode,
            origin: origin.clone(),
        }
    }

    /// Permissions of symbolic links mean nothing; they are the same everywhere.
    pub(crate) fn symlink(target: &str, origin: &Origin) -> Node {
        Node {
            kind: NodeKind::Symlink(target.to_owned()),
            mode: 0o777,
            origin: origin.clone(),
        }
    }
}

impl NodeKind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            NodeKind::Directory => "directory",
            NodeKind::File(_) => "file",
            NodeKind::Symlink(_) => "symbolic link",
        }
    }
}

/// Every node by its path, which is relative and has neither `.` nor `..`. A directory comes before what is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.nodes.remove(path);
    }

    /// Takes a directory away, so that it can be put again with other permissions. What is in it stays.
    pub(crate) fn remove_directory(&mut self, path: &str) {
        if matches!(self.get(path), Some(node) if matches!(node.kind, NodeKind::Directory)) {
            self.nodes.remove(path);
        }
    }

    /// Everything below a directory, and the directory itself.
    pub(crate) fn below<'a>(
        &'a self,
        directory: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Node)> {
        self.nodes
            .range(directory.to_owned()..)
            .map(|(path, node)| (path.as_str(), node))
            .take_while(move |(path, _)| path.starts_with(directory))
            .filter(move |(path, _)| {
                let rest = &path[directory.len()..];
                rest.is_empty() || rest.starts_with('/')
            })
    }

    /// Puts a node where nothing is, or where the same is already.
    pub(crate) fn add(&mut self, path: &str, node: Node) -> Result<()> {
        let Some(there) = self.nodes.get(path) else {
            self.nodes.insert(path.to_owned(), node);
            return Ok(());
        };
        let same = match (&there.kind, &node.kind) {
            (NodeKind::Directory, NodeKind::Directory) => true,
            (NodeKind::Symlink(a), NodeKind::Symlink(b)) => a == b,
            (NodeKind::File(a), NodeKind::File(b)) => a.same(b)?,
            _ => false,
        };
        if same && there.mode == node.mode {
            return Ok(());
        }
        let describe = |node: &Node| {
            format!(
                "{} (mode {:o}) of {}",
                node.kind.name(),
                node.mode,
                node.origin
            )
        };
        Err(Error::Image(format!(
            "`/{path}` would be a {} and a {} that differs from it",
            describe(there),
            describe(&node)
        )))
    }

    /// Puts a directory and those above it where they are not yet.
    pub(crate) fn add_directories(&mut self, path: &str, origin: &Origin) {
        let ends = path
            .match_indices('/')
            .map(|(end, _)| end)
            .chain([path.len()]);
        for end in ends {
            self.nodes
                .entry(path[..end].to_owned())
                .or_insert_with(|| Node {
                    kind: NodeKind::Directory,
                    mode: 0o755,
                    origin: origin.clone(),
                });
        }
    }

    /// Fails if anything lies in something that is no directory: a later entry of an archive must not be written through a
    /// link of an earlier one.
    pub(crate) fn check(&self) -> Result<()> {
        for (path, node) in &self.nodes {
            let Some((parent, _)) = path.rsplit_once('/') else {
                continue;
            };
            match self.nodes.get(parent) {
                Some(Node {
                    kind: NodeKind::Directory,
                    ..
                }) => {}
                Some(above) => {
                    return Err(Error::Image(format!(
                        "`/{path}` of {} goes through `/{parent}`, which is a {} of {}",
                        node.origin,
                        above.kind.name(),
                        above.origin
                    )));
                }
                None => {
                    return Err(Error::Image(format!(
                        "`/{path}` of {} lies in `/{parent}`, which is not there",
                        node.origin
                    )));
                }
            }
        }
        Ok(())
    }

    /// Where a path leads inside the tree, links followed; nothing if it leads nowhere.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        // As many as Linux follows.
        let mut links_left = 40;
        let mut done: Vec<String> = Vec::new();
        let mut todo: Vec<String> = parts(path);
        while let Some(part) = todo.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            match &self.nodes.get(&done.join("/"))?.kind {
                NodeKind::Symlink(target) => {
                    links_left -= 1;
                    if links_left == 0 {
                        return None;
                    }
                    match target.starts_with('/') {
                        true => done.clear(),
                        false => drop(done.pop()),
                    }
                    todo.extend(parts(target));
                }
                NodeKind::Directory => {}
                NodeKind::File(_) if todo.is_empty() => {}
                NodeKind::File(_) => return None,
            }
        }
        Some(done.join("/"))
    }
}

/// The parts of a path, last first.
fn parts(path: &str) -> Vec<String> {
    path.rsplit('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(kind: NodeKind) -> Node {
        Node {
            kind,
            mode: 0o755,
            origin: Origin::Part("test"),
        }
    }

    fn file(text: &str) -> Node {
        node(NodeKind::File(Content::bytes(text)))
    }

    fn link(target: &str) -> Node {
        node(NodeKind::Symlink(target.to_owned()))
    }

    fn tree(nodes: &[(&str, Node)]) -> Tree {
        let mut tree = Tree::default();
        for (path, node) in nodes {
            tree.add(path, node.clone()).unwrap();
        }
        tree
    }

    #[test]
    fn the_same_twice_is_once_and_anything_else_is_refused() {
        let mut tree = tree(&[("a", node(NodeKind::Directory)), ("a/b", file("x"))]);
        tree.add("a/b", file("x")).unwrap();
        tree.add("a", node(NodeKind::Directory)).unwrap();
        for other in [file("y"), link("x"), node(NodeKind::Directory)] {
            let message = tree.add("a/b", other).unwrap_err().to_string();
            assert!(message.contains("/a/b"), "{message}");
        }
        let mut executable = file("x");
        executable.mode = 0o700;
        assert!(tree.add("a/b", executable).is_err());
    }

    #[test]
    fn nothing_lies_in_a_link_or_in_nothing() {
        let through = tree(&[("etc", link("/tmp")), ("etc/passwd", file("x"))]);
        let message = through.check().unwrap_err().to_string();
        assert!(
            message.contains("/etc/passwd") && message.contains("symbolic link"),
            "{message}"
        );
        assert!(tree(&[("a/b", file("x"))]).check().is_err());
        let mut whole = tree(&[("a/b", file("x"))]);
        whole.add_directories("a", &Origin::Part("test"));
        whole.check().unwrap();
    }

    #[test]
    fn links_are_followed_inside_the_tree() {
        let tree = tree(&[
            ("bin", link("usr/bin")),
            ("usr", node(NodeKind::Directory)),
            ("usr/bin", node(NodeKind::Directory)),
            ("usr/bin/cc", link("/bin/../bin/./gcc")),
            ("usr/bin/gcc", file("x")),
            ("usr/bin/loop", link("loop")),
            ("usr/bin/out", link("../../../../usr/bin/gcc")),
            ("usr/bin/none", link("nothing")),
        ]);
        assert_eq!(tree.resolve("bin/cc").as_deref(), Some("usr/bin/gcc"));
        assert_eq!(tree.resolve("usr/bin/out").as_deref(), Some("usr/bin/gcc"));
        for broken in ["usr/bin/loop", "usr/bin/none", "usr/bin/gcc/x"] {
            assert_eq!(tree.resolve(broken), None, "{broken}");
        }
    }
}
