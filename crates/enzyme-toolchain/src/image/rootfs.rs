//! Packages and the definition become one root file system. What maintainer scripts would have made is written here, or
//! stands in the definition; no script is run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::content::{Content, Spool};
use super::deb::{self, Deb, Kind, LIMITS};
use super::definition::Definition;
use super::filter::Filter;
use super::tree::{Node, NodeKind, Origin, Tree};
use super::{certificates, dpkg, parallel};
use crate::error::{Error, Result};
use crate::progress::{Meter, Phase, Progress};

/// Directories of the root that are links into `/usr`: files that a package still ships below them go where the links lead.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// The variables for those who start containers without reading the image's configuration.
const ENVIRONMENT: &str = "ch/environment";

/// A deb whose bytes are those of the lock, and what the lock says that it is.
#[derive(Clone, Debug)]
pub(crate) struct PackageFile {
    pub name: String,
    pub version: String,
    pub architecture: String,
    pub path: PathBuf,
}

/// What the packages and the definition make.
pub(crate) struct RootFs {
    pub tree: Tree,
    /// For the status file, sorted by package.
    pub paragraphs: Vec<String>,
}

/// Builds the tree. Contents lie in nameless files in `scratch` for as long as the tree lives.
pub(crate) fn build(
    packages: &[PackageFile],
    definition: &Definition,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<RootFs> {
    let filter = Filter::new(&definition.data.drop);
    let debs = read_all(packages, definition, &filter, scratch, progress)?;
    let mut tree = Tree::default();
    let mut thinned = BTreeSet::new();
    for deb in &debs {
        add_package(&mut tree, deb, &filter, &mut thinned)?;
    }
    prune(&mut tree, &thinned);
    let origin = Origin::Part("definition");
    merge_usr(&mut tree, &origin)?;
    tree.check()?;
    for deb in &debs {
        let installed: Vec<String> = deb
            .entries
            .iter()
            .map(|entry| entry.path.clone())
            .filter(|path| tree.get(&merged(path)).is_some())
            .collect();
        dpkg::add_records(&mut tree, deb, &installed, &package(deb))?;
    }
    add_definition(&mut tree, definition, &origin)?;
    certificates::add(&mut tree, &origin)?;
    let variables = definition.data.config.variables().join("\n") + "\n";
    add_with_parents(
        &mut tree,
        ENVIRONMENT,
        Node::file(Content::bytes(variables), 0o644, &origin),
        &origin,
    )?;
    tree.check()?;
    Ok(RootFs {
        tree,
        paragraphs: debs.iter().map(dpkg::paragraph).collect(),
    })
}

fn package(deb: &Deb) -> Origin {
    Origin::Package(deb.control.name.as_str().into())
}

/// Every package that the image has, sorted by name.
fn read_all(
    packages: &[PackageFile],
    definition: &Definition,
    filter: &Filter,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Vec<Deb>> {
    let mut wanted: Vec<_> = packages
        .iter()
        .filter(|package| !definition.leaves_out(&package.name))
        .collect();
    wanted.sort_by(|a, b| a.name.cmp(&b.name));
    let sizes = wanted
        .iter()
        .map(|package| Ok(Content::file(&package.path)?.size()))
        .collect::<Result<Vec<u64>>>()?;
    let jobs: Vec<_> = wanted.into_iter().zip(&sizes).collect();
    let meter = Mutex::new(Meter::new(
        progress,
        Phase::Unpack,
        "Debian packages",
        sizes.iter().sum(),
    ));
    let debs = parallel::map(&jobs, |(package, size)| {
        let deb = read(package, filter, scratch)?;
        meter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(**size)?;
        Ok(deb)
    })?;
    meter
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .finish();
    Ok(debs)
}

fn read(package: &PackageFile, filter: &Filter, scratch: &Path) -> Result<Deb> {
    let mut spool = Spool::new_in(scratch)?;
    let deb = deb::read(&package.path, &LIMITS, &mut spool, &|path| {
        filter.keeps(&merged(path))
    })?;
    let found = &deb.control;
    let is = (&found.name, &found.version, &found.architecture);
    if is != (&package.name, &package.version, &package.architecture) {
        return Err(Error::BadArchive {
            archive: package.path.clone(),
            reason: format!(
                "it holds {} {} ({}) instead of {} {} ({})",
                is.0, is.1, is.2, package.name, package.version, package.architecture
            ),
        });
    }
    Ok(deb)
}

/// Where a path is once `/bin` and the like are links into `/usr`.
fn merged(path: &str) -> String {
    match path.split_once('/') {
        Some((first, _)) if MERGED.contains(&first) => format!("usr/{path}"),
        _ => path.to_owned(),
    }
}

fn add_package(
    tree: &mut Tree,
    deb: &Deb,
    filter: &Filter,
    thinned: &mut BTreeSet<String>,
) -> Result<()> {
    let origin = package(deb);
    for entry in &deb.entries {
        let path = merged(&entry.path);
        let node = match &entry.kind {
            // `/bin` itself, of a package that does not know yet that it is a link.
            Kind::Directory if MERGED.contains(&path.as_str()) => continue,
            Kind::Directory => Node::directory(entry.mode, &origin),
            _ if !filter.keeps(&path) => {
                thinned.extend(path.rsplit_once('/').map(|(parent, _)| parent.to_owned()));
                continue;
            }
            Kind::File(Some(content)) => Node::file(content.clone(), entry.mode, &origin),
            Kind::Symlink(target) => Node::symlink(target, &origin),
            Kind::File(None) | Kind::HardLink(_) => continue,
        };
        tree.add(&path, node)?;
    }
    Ok(())
}

/// Removes directories that are empty only because of what was left out.
fn prune(tree: &mut Tree, thinned: &BTreeSet<String>) {
    let mut candidates: Vec<String> = thinned.iter().rev().cloned().collect();
    while let Some(path) = candidates.pop() {
        let is_empty = tree.below(&path).count() == 1;
        if is_empty
            && matches!(tree.get(&path), Some(node) if matches!(node.kind, NodeKind::Directory))
        {
            tree.remove(&path);
            candidates.extend(path.rsplit_once('/').map(|(parent, _)| parent.to_owned()));
        }
    }
}

fn merge_usr(tree: &mut Tree, origin: &Origin) -> Result<()> {
    for name in MERGED {
        let target = format!("usr/{name}");
        if tree.get(&target).is_some() {
            tree.add(name, Node::symlink(&target, origin))?;
        }
    }
    Ok(())
}

fn add_definition(tree: &mut Tree, definition: &Definition, origin: &Origin) -> Result<()> {
    let data = &definition.data;
    for directory in &data.directory {
        // Checked when the definition was read.
        let mode = directory.permissions().unwrap_or(0o755);
        for path in &directory.paths {
            if let Some((parent, _)) = path.rsplit_once('/') {
                tree.add_directories(parent, origin);
            }
            // A package may ship it with other permissions.
            tree.remove_directory(path);
            tree.add(path, Node::directory(mode, origin))?;
        }
    }
    for file in &data.file {
        add_with_parents(
            tree,
            &file.path,
            Node::file(Content::bytes(file.text.as_str()), 0o644, origin),
            origin,
        )?;
    }
    for copy in &data.copy {
        let Some(Node {
            kind: NodeKind::File(content),
            mode,
            ..
        }) = tree.get(&copy.from)
        else {
            return Err(Error::Image(format!(
                "the definition copies `/{}`, which is no file of any package",
                copy.from
            )));
        };
        let node = Node::file(content.clone(), *mode, origin);
        add_with_parents(tree, &copy.to, node, origin)?;
    }
    for link in &data.link {
        // Some packages ship an empty directory that their script then replaces.
        if tree.below(&link.path).count() == 1 {
            tree.remove_directory(&link.path);
        }
        add_with_parents(tree, &link.path, Node::symlink(&link.to, origin), origin)?;
    }
    for link in &data.link {
        if tree.resolve(&link.path).is_none() {
            return Err(Error::Image(format!(
                "the definition's link `/{}` leads to `{}`, which no package has",
                link.path, link.to
            )));
        }
    }
    Ok(())
}

fn add_with_parents(tree: &mut Tree, path: &str, node: Node, origin: &Origin) -> Result<()> {
    if let Some((parent, _)) = path.rsplit_once('/') {
        tree.add_directories(parent, origin);
    }
    tree.add(path, node)
}

#[cfg(test)]
#[path = "rootfs_tests.rs"]
mod tests;
