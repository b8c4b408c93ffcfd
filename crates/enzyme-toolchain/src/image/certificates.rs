//! The bundle of certificate authorities, which a maintainer script would have made.

use std::collections::BTreeMap;

use super::content::Content;
use super::tree::{Node, NodeKind, Origin, Tree};
use crate::error::{Error, Result};

const SOURCE: &str = "usr/share/ca-certificates";
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

/// Writes all certificates of `ca-certificates` into one file, sorted by path, where programs look for it.
pub(crate) fn add(tree: &mut Tree, origin: &Origin) -> Result<()> {
    let mut certificates = BTreeMap::new();
    for (path, node) in tree.below(SOURCE) {
        if let (NodeKind::File(content), true) = (&node.kind, path.ends_with(".crt")) {
            certificates.insert(path.to_owned(), content.read()?);
        }
    }
    if certificates.is_empty() {
        return Ok(());
    }
    let mut bundle = Vec::new();
    for (path, bytes) in certificates {
        if !bytes.starts_with(b"-----BEGIN CERTIFICATE-----") {
            return Err(Error::Image(format!("`/{path}` is no certificate")));
        }
        bundle.extend(bytes.trim_ascii_end());
        bundle.push(b'\n');
    }
    tree.add_directories("etc/ssl/certs", origin);
    tree.add(BUNDLE, Node::file(Content::bytes(bundle), 0o644, origin))
}
