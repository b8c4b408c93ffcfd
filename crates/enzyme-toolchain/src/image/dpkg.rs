//! The records of dpkg: what is installed. Scanners read them, and so do `dpkg -l` and `dpkg -L`.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::content::Content;
use super::deb::Deb;
use super::tree::{Node, Origin, Tree};
use crate::error::Result;

const DATABASE: &str = "var/lib/dpkg";

/// A package's own records, which lie in its layer: the list of its files that the image has, and their checksums.
pub(crate) fn add_records(
    tree: &mut Tree,
    deb: &Deb,
    installed: &[String],
    origin: &Origin,
) -> Result<()> {
    let control = &deb.control;
    let stem = match control.co_installable {
        true => format!("{}:{}", control.name, control.architecture),
        false => control.name.clone(),
    };
    let mut list = "/.\n".to_owned();
    for path in installed {
        // Writing to a string does not fail.
        let _ = writeln!(list, "/{path}");
    }
    let known: BTreeSet<&str> = installed.iter().map(String::as_str).collect();
    let sums: String = deb
        .md5sums
        .lines()
        .filter(|line| {
            line.split_once("  ")
                .is_some_and(|(_, path)| known.contains(path))
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    tree.add_directories(&format!("{DATABASE}/info"), origin);
    for (ending, text) in [
        ("list", list),
        ("md5sums", sums),
        ("conffiles", deb.conffiles.clone()),
    ] {
        if !text.is_empty() {
            add_file(
                tree,
                &format!("{DATABASE}/info/{stem}.{ending}"),
                text,
                origin,
            )?;
        }
    }
    Ok(())
}

/// The paragraph of `/var/lib/dpkg/status`.
pub(crate) fn paragraph(deb: &Deb) -> String {
    let text = &deb.control.text;
    // dpkg wants the status near the top; the order of fields is otherwise free.
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    format!("{first}\nStatus: install ok installed\n{rest}")
}

/// The status file and the empty ones that dpkg looks for.
pub(crate) fn add_status(tree: &mut Tree, paragraphs: &[String], origin: &Origin) -> Result<()> {
    tree.add_directories(&format!("{DATABASE}/info"), origin);
    tree.add_directories(&format!("{DATABASE}/updates"), origin);
    add_file(
        tree,
        &format!("{DATABASE}/status"),
        paragraphs.join("\n"),
        origin,
    )?;
    add_file(
        tree,
        &format!("{DATABASE}/available"),
        String::new(),
        origin,
    )?;
    add_file(
        tree,
        &format!("{DATABASE}/info/format"),
        "1\n".to_owned(),
        origin,
    )
}

fn add_file(tree: &mut Tree, path: &str, text: String, origin: &Origin) -> Result<()> {
    tree.add(path, Node::file(Content::bytes(text), 0o644, origin))
}
