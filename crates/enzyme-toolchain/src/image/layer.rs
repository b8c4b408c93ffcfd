//! The tree, cut into layers, and each layer as a tar stream that depends on its nodes and one date alone.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use tar::{EntryType, Header};

use super::definition::Definition;
use super::tree::{Node, NodeKind, Origin, Tree};
use crate::error::{Error, Result};

/// What a ustar header's size field can say.
const LONGEST_LINK: usize = 100;

/// One tree a layer, lowest first. A directory is in the lowest layer that has something in it, so that every layer finds
/// its directories there or below.
pub(crate) fn split(tree: &Tree, definition: &Definition) -> Result<Vec<Tree>> {
    let count = definition.data.layer.len();
    let own = |node: &Node| match &node.origin {
        Origin::Package(name) => definition.layer_of_package(name),
        Origin::Part(name) => definition.layer_of_part(name),
    };
    let mut lowest: BTreeMap<&str, usize> = BTreeMap::new();
    // A directory comes before its content, so this meets the content first.
    for (path, node) in tree.iter().rev() {
        let layer = own(node).min(lowest.get(path).copied().unwrap_or(count));
        lowest.insert(path, layer);
        if let Some((parent, _)) = path.rsplit_once('/') {
            let above = lowest.entry(parent).or_insert(layer);
            *above = layer.min(*above);
        }
    }
    let mut layers = vec![Tree::default(); count];
    for (path, node) in tree.iter() {
        layers[lowest[path]].add(path, node.clone())?;
    }
    Ok(layers)
}

/// Writes a layer: sorted, everything root's, one date.
pub(crate) fn write(layer: &Tree, seconds: u64, to: &mut dyn Write, origin: &Path) -> Result<()> {
    let mut archive = tar::Builder::new(to);
    for (path, node) in layer.iter() {
        append(&mut archive, path, node, seconds).map_err(Error::io("write", origin))?;
    }
    archive.into_inner().map_err(Error::io("write", origin))?;
    Ok(())
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    path: &str,
    node: &Node,
    seconds: u64,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_mode(node.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(seconds);
    header.set_size(0);
    let mut extensions: Vec<(&str, &[u8])> = Vec::new();
    let shown = match node.kind {
        NodeKind::Directory => format!("{path}/"),
        _ => path.to_owned(),
    };
    // A name that ustar has no room for goes into an extension; the header then holds a stand-in that nobody uses.
    if header.set_path(&shown).is_err() {
        extensions.push(("path", shown.as_bytes()));
        header.set_path("long-name")?;
    }
    match &node.kind {
        NodeKind::Directory => header.set_entry_type(EntryType::Directory),
        NodeKind::File(content) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(content.size());
        }
        NodeKind::Symlink(target) => {
            header.set_entry_type(EntryType::Symlink);
            if target.len() <= LONGEST_LINK {
                header.set_link_name_literal(target)?;
            } else {
                extensions.push(("linkpath", target.as_bytes()));
            }
        }
    }
    header.set_cksum();
    archive.append_pax_extensions(extensions)?;
    match &node.kind {
        NodeKind::File(content) => archive.append(&header, content.reader()),
        _ => archive.append(&header, io::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::content::Content;

    #[test]
    fn a_directory_is_in_the_lowest_layer_that_needs_it() {
        let definition = Definition::embedded().unwrap();
        let (rust, libc) = (
            Origin::Package("rustc-web".into()),
            Origin::Package("libc6".into()),
        );
        let mut tree = Tree::default();
        tree.add_directories("usr/lib/rust", &rust);
        let file = |origin| Node::file(Content::bytes("x"), 0o644, origin);
        tree.add("usr/lib/rust/a", file(&rust)).unwrap();
        tree.add("usr/lib/libc.so.6", file(&libc)).unwrap();
        let layers = split(&tree, &definition).unwrap();
        let paths = |n: usize| layers[n].iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(paths(0), ["usr", "usr/lib", "usr/lib/libc.so.6"]);
        assert_eq!(paths(2), ["usr/lib/rust", "usr/lib/rust/a"]);
    }

    #[test]
    fn long_names_and_targets_come_back_whole() {
        let origin = Origin::Part("test");
        let long = |end: &str| format!("{}/{end}", ["directory-with-a-name"; 12].join("/"));
        let mut tree = Tree::default();
        tree.add_directories(long("a").rsplit_once('/').unwrap().0, &origin);
        tree.add(&long("é"), Node::file(Content::bytes("x"), 0o755, &origin))
            .unwrap();
        tree.add("link", Node::symlink(&long("é"), &origin))
            .unwrap();
        let mut bytes = Vec::new();
        write(&tree, 7, &mut bytes, Path::new("x")).unwrap();
        let mut found = tar::Archive::new(&bytes[..]);
        let found: Vec<_> = found
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                assert_eq!(entry.header().mtime().unwrap(), 7);
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                (
                    text(&entry.path_bytes()),
                    entry.link_name_bytes().map(|name| text(&name)),
                )
            })
            .collect();
        assert_eq!(found.len(), tree.len());
        assert!(found.contains(&(long("é"), None)));
        assert!(found.contains(&("link".to_owned(), Some(long("é")))));
    }
}
