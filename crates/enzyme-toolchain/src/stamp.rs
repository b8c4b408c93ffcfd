//! Stamps: what a checked file looked like from outside, so that it need not be read again while it still does.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::hash::Fingerprint;
use crate::store;

const FILE: &str = ".stamp";
const HEADER: &str = "oxide-enzyme stamps 1";

/// Size, times and inode of a file. Any write changes the change time, which no ordinary program can set.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// The stamps of a toolchain, by file name within its directory.
#[derive(Debug, Default)]
pub(crate) struct Stamps(BTreeMap<PathBuf, Stamp>);

impl Stamps {
    pub(crate) fn insert(&mut self, path: PathBuf, stamp: Stamp) {
        self.0.insert(path, stamp);
    }

    pub(crate) fn contains(&self, path: &Path, stamp: &Stamp) -> bool {
        self.0.get(path) == Some(stamp)
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

/// The stamps of the toolchain in `root`; none when there is no readable record.
pub(crate) fn load(root: &Path) -> Stamps {
    let records = [Some(root.join(FILE)), beside_user(root)];
    let mut texts = records
        .into_iter()
        .flatten()
        .filter_map(|path| fs::read_to_string(path).ok());
    // The user's own record is newer where there is one: it is written only when the store's could not be.
    let last = texts.next_back();
    last.map(|text| Stamps::parse(&text, root))
        .unwrap_or_default()
}

/// Records stamps in the store or, where that is read-only, in the user's cache directory. Where neither can be written
/// every check costs a full hash, and nothing else changes.
pub(crate) fn save(root: &Path, stamps: &Stamps) {
    let text = stamps.text(root);
    if write(&root.join(FILE), &text).is_ok() {
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
