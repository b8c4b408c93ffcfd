//! Holding a layout against what the lock and the source make of it, and saying where they part.

use std::path::Path;

use serde_json::Value;

use super::layout;
use super::oci;
use super::open::{Layout, sibling};
use super::plan::Plan;
use super::tree::{Node, NodeKind, Tree};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// The first thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Such as `layer base: /etc/passwd`.
    pub place: String,
    /// What is there instead of what.
    pub what: String,
}

impl Difference {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Difference {
        Difference {
            place: place.into(),
            what: what.into(),
        }
    }
}

/// Compares the layout in a directory with the plan: documents, layers, and everything in them. A blob that is not what its
/// digest says is a difference as well.
pub fn verify(
    plan: &Plan,
    path: &Path,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Option<Difference>> {
    let found = match open(path, scratch, progress) {
        Err(Error::Layout { problem, .. }) => {
            return Ok(Some(Difference::new("the layout itself", problem)));
        }
        result => result?,
    };
    if let Some(difference) = compare_layers(plan, &found)? {
        return Ok(Some(difference));
    }
    let expected = layout::documents(plan, progress)?;
    let documents = [
        (
            "configuration",
            oci::text(&expected.image),
            oci::text(&found.layout.image),
        ),
        (
            "manifest",
            oci::text(&expected.manifest),
            oci::text(&found.layout.manifest),
        ),
    ];
    for (name, wanted, there) in documents {
        let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        if let Some(difference) = compare_values(&value(&wanted), &value(&there), name) {
            return Ok(Some(difference));
        }
    }
    if expected.named.digest != found.layout.digest() {
        return Ok(Some(Difference::new(
            "manifest",
            format!(
                "its digest is {} instead of {}: fields that this program does not write, or another order",
                found.layout.digest(),
                expected.named.digest
            ),
        )));
    }
    compare_records(plan, &found.layout, path)
}

struct Found {
    layout: Layout,
    layers: Vec<Tree>,
}

fn open(path: &Path, scratch: &Path, progress: &dyn Progress) -> Result<Found> {
    let layout = Layout::open(path)?;
    let layers = layout.layers(scratch, progress)?;
    Ok(Found { layout, layers })
}

fn compare_layers(plan: &Plan, found: &Found) -> Result<Option<Difference>> {
    for (layer, there) in plan.layers.iter().zip(&found.layers) {
        if let Some((path, what)) = compare_trees(&layer.tree, there)? {
            let place = format!("layer {}: /{path}", layer.name);
            return Ok(Some(Difference::new(place, what)));
        }
    }
    let (wanted, there) = (plan.layers.len(), found.layers.len());
    Ok((wanted != there).then(|| {
        Difference::new(
            "the layers",
            format!("there are {there} instead of {wanted}"),
        )
    }))
}

/// The first path, in order, at which two trees part.
fn compare_trees(wanted: &Tree, there: &Tree) -> Result<Option<(String, String)>> {
    let (mut left, mut right) = (wanted.iter().peekable(), there.iter().peekable());
    loop {
        let (path, what) = match (left.peek(), right.peek()) {
            (None, None) => return Ok(None),
            (Some((path, node)), None) => (*path, format!("the {} is missing", node.kind.name())),
            (None, Some((path, node))) => (*path, unexpected(node)),
            (Some((a, node)), Some((b, _))) if a < b => {
                (*a, format!("the {} is missing", node.kind.name()))
            }
            (Some((a, _)), Some((b, node))) if a > b => (*b, unexpected(node)),
            (Some((path, a)), Some((_, b))) => match compare_nodes(a, b)? {
                Some(what) => (*path, what),
                None => {
                    left.next();
                    right.next();
                    continue;
                }
            },
        };
        return Ok(Some((path.to_owned(), what)));
    }
}

fn unexpected(node: &Node) -> String {
    format!("there is a {} that should not be there", node.kind.name())
}

fn compare_nodes(wanted: &Node, there: &Node) -> Result<Option<String>> {
    if wanted.kind.name() != there.kind.name() {
        return Ok(Some(format!(
            "it is a {} instead of a {}",
            there.kind.name(),
            wanted.kind.name()
        )));
    }
    if wanted.mode != there.mode {
        return Ok(Some(format!(
            "its mode is {:o} instead of {:o}",
            there.mode, wanted.mode
        )));
    }
    Ok(match (&wanted.kind, &there.kind) {
        (NodeKind::Symlink(a), NodeKind::Symlink(b)) if a != b => {
            Some(format!("it leads to `{b}` instead of `{a}`"))
        }
        (NodeKind::File(a), NodeKind::File(b)) if a.size() != b.size() => {
            Some(format!("it has {} bytes instead of {}", b.size(), a.size()))
        }
        (NodeKind::File(a), NodeKind::File(b)) if !a.same(b)? => {
            Some("its content differs".to_owned())
        }
        _ => None,
    })
}

fn compare_values(wanted: &Value, there: &Value, place: &str) -> Option<Difference> {
    match (wanted, there) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            keys.filter(|key| a.get(*key) != b.get(*key))
                .find_map(|key| {
                    let (a, b) = (a.get(key), b.get(key));
                    compare_values(
                        a.unwrap_or(&Value::Null),
                        b.unwrap_or(&Value::Null),
                        &format!("{place}: {key}"),
                    )
                })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(n, (a, b))| compare_values(a, b, &format!("{place}, {n}")))
        }
        (a, b) if a == b => None,
        (a, b) => Some(Difference::new(place, format!("it is {b} instead of {a}"))),
    }
}

/// The documents beside the layout, where they are.
fn compare_records(plan: &Plan, layout: &Layout, path: &Path) -> Result<Option<Difference>> {
    for (ending, wanted) in layout::records(plan, &layout.reference(), layout.digest()) {
        let file = sibling(path, ending);
        if !file.exists() {
            continue;
        }
        let there = std::fs::read(&file).map_err(Error::io("read", &file))?;
        if there != wanted {
            return Ok(Some(Difference::new(
                file.display().to_string(),
                "its content differs",
            )));
        }
    }
    Ok(None)
}
