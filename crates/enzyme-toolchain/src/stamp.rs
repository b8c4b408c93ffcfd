//! Stamps: what a checked file looked like from outside, so that it need not be read again while it still does.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::hash::Fingerprint;
use crate::store;

const FILE: &str = ".stamp";
const HEADER: &str = "oxide-enzyme stamps 1";

/// The stamps of a toolchain that a parent process just checked, for its children.
const HANDED_ON: &str = "OXIDE_ENZYME_CHECKED";

/// Size, times and inode of a file. Any write changes the change time, which no ordinary program can set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    size: u64,
    modified: i128,
    changed: i128,
    inode: u64,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Result<Stamp> {
        let metadata = path
            .symlink_metadata()
            .map_err(Error::io("look at", path))?;
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Ok(Stamp {
            size: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        })
    }

    /// Whether it may be relied upon by a later command. A file system made in one go (SquashFS, say) has no change times of
    /// its own and gives the time of modification for both: there another file may look the same after another image took
    /// the place of this one.
    fn lasts(&self) -> bool {
        self.changed > self.modified
    }

    /// As a file system without change times would show it.
    #[cfg(test)]
    pub(crate) fn forget_changes(&mut self) {
        self.changed = self.modified;
    }
}

/// Stamps of the files of a toolchain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamps(BTreeSet<(PathBuf, Stamp)>);

impl Stamps {
    pub(crate) fn insert(&mut self, path: PathBuf, stamp: Stamp) {
        self.0.insert((path, stamp));
    }

    pub(crate) fn contains(&self, path: &Path, stamp: &Stamp) -> bool {
        self.0.contains(&(path.to_owned(), stamp.clone()))
    }

    pub(crate) fn extend(&mut self, other: &Stamps) {
        self.0.extend(other.0.iter().cloned());
    }

    fn lasting(&self) -> Stamps {
        let lasting = self.0.iter().filter(|(_, stamp)| stamp.lasts());
        Stamps(lasting.cloned().collect())
    }

    fn text(&self, root: &Path) -> String {
        let mut text = format!("{HEADER}\n");
        for (
            path,
            Stamp {
                size,
                modified,
                changed,
                inode,
            },
        ) in &self.0
        {
            let name = path.strip_prefix(root).unwrap_or(path).display();
            text += &format!("{size} {modified} {changed} {inode} {name}\n");
        }
        text
    }

    /// Lines that cannot be read are left out: their files are then hashed.
    fn parse(text: &str, root: &Path) -> Stamps {
        let Some(body) = text.strip_prefix(HEADER) else {
            return Stamps::default();
        };
        Stamps(
            body.lines()
                .filter_map(|line| parse_line(line, root))
                .collect(),
        )
    }
}

fn parse_line(line: &str, root: &Path) -> Option<(PathBuf, Stamp)> {
    let mut words = line.splitn(5, ' ');
    let stamp = Stamp {
        size: words.next()?.parse().ok()?,
        modified: words.next()?.parse().ok()?,
        changed: words.next()?.parse().ok()?,
        inode: words.next()?.parse().ok()?,
    };
    Some((root.join(words.next()?), stamp))
}

pub(crate) fn is_stamp(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(FILE))
}

/// The recorded stamps of the toolchain in `root`; none when there is no readable record.
pub(crate) fn load(root: &Path) -> Stamps {
    let records = [Some(root.join(FILE)), beside_user(root)];
    let mut stamps = Stamps::default();
    for path in records.into_iter().flatten() {
        if let Ok(text) = fs::read_to_string(path) {
            stamps.extend(&Stamps::parse(&text, root).lasting());
        }
    }
    stamps
}

/// The stamps that the process which started this one handed on, if they are about the toolchain in `root`.
pub(crate) fn handed_on(root: &Path) -> Stamps {
    parse_handed_on(&env::var(HANDED_ON).unwrap_or_default(), root)
}

pub(crate) fn parse_handed_on(text: &str, root: &Path) -> Stamps {
    match text.split_once('\n') {
        Some((name, text)) if Path::new(name) == root => Stamps::parse(text, root),
        _ => Stamps::default(),
    }
}

/// What [`handed_on`] reads, as a variable of the environment.
pub(crate) fn to_hand_on(root: &Path, stamps: &Stamps) -> (&'static str, String) {
    let text = format!("{}\n{}", root.display(), stamps.text(root));
    (HANDED_ON, text)
}

/// Whether anybody may write there. Root could write even where nobody may, and then a path of Nix's store would no longer be
/// what its hash says.
fn is_writable(directory: &Path) -> bool {
    directory
        .metadata()
        .is_ok_and(|metadata| !metadata.permissions().readonly())
}

/// Records stamps in the store or, where that is read-only, in the user's cache directory. Where neither can be written
/// every command costs a full hash, and nothing else changes.
pub(crate) fn save(root: &Path, stamps: &Stamps) {
    let stamps = stamps.lasting();
    if stamps.0.is_subset(&load(root).0) {
        return;
    }
    let text = stamps.text(root);
    if is_writable(root) && write(&root.join(FILE), &text).is_ok() {
        return;
    }
    if let Some(path) = beside_user(root) {
        let _ = path.parent().map(fs::create_dir_all);
        let _ = write(&path, &text);
    }
}

/// Through a rename, so that nobody reads half of it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(name);
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Where the user's own record for a store that is not theirs lies.
fn beside_user(root: &Path) -> Option<PathBuf> {
    let name = Fingerprint::of(root.as_os_str().as_encoded_bytes()).sha256;
    Some(store::default_root()?.join("stamps").join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_that_nobody_may_write_to_is_not_written_to_even_by_root() {
        let directory = tempfile::tempdir().unwrap();
        assert!(is_writable(directory.path()));
        let mode = |mode| fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode));
        mode(0o555).unwrap();
        assert!(!is_writable(directory.path()));
        mode(0o755).unwrap();
        assert!(!is_writable(&directory.path().join("missing")));
    }
}
