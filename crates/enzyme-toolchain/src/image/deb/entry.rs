//! One entry of a package's data archive, and what is refused about it.

use std::io::Read;

use tar::EntryType;

use super::Limits;
use crate::image::content::Content;

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
/// The permissions that an image keeps: no set-user-ID, no set-group-ID.
const KEPT: u32 = 0o1777;
const LONGEST_PATH: usize = 1024;

/// Programs that Debian ships with the set-user-ID or set-group-ID bit. In the image they lose it: nothing there needs to
/// become somebody else, and clusters start containers with `no_new_privs` anyway. The bit on any other file means that a
/// package is not what it was, so it is refused.
const KNOWN_SETID: &[&str] = &[
    "usr/bin/chage",
    "usr/bin/chfn",
    "usr/bin/chsh",
    "usr/bin/expiry",
    "usr/bin/gpasswd",
    "usr/bin/mount",
    "usr/bin/newgrp",
    "usr/bin/passwd",
    "usr/bin/su",
    "usr/bin/umount",
    "usr/sbin/unix_chkpwd",
];

/// A file, directory or link of a package. The path is relative, without `.` and `..`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub path: String,
    pub kind: Kind,
    pub mode: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Directory,
    /// The bytes, unless nobody wanted them.
    File(Option<Content>),
    /// The target, as it came.
    Symlink(String),
    /// The target's path. Only while a deb is being read: then it is a file.
    HardLink(String),
}

/// An entry as it is in the archive.
pub(super) struct Raw {
    path: Vec<u8>,
    link: Vec<u8>,
    kind: EntryType,
    size: u64,
    mode: Option<u32>,
    owner: Option<(u64, u64)>,
}

type Checked<T> = Result<T, String>;

impl Raw {
    pub(super) fn of<R: Read>(entry: &tar::Entry<'_, R>) -> Raw {
        let header = entry.header();
        Raw {
            path: entry.path_bytes().into_owned(),
            link: entry
                .link_name_bytes()
                .map(|name| name.into_owned())
                .unwrap_or_default(),
            kind: header.entry_type(),
            size: entry.size(),
            mode: header.mode().ok(),
            owner: header.uid().ok().zip(header.gid().ok()),
        }
    }

    /// For messages.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }

    pub(super) fn path(&self) -> Checked<String> {
        relative(&self.path)
    }

    /// What it is, with its permissions.
    pub(super) fn shape(&self, path: &str, limits: &Limits) -> Checked<(Kind, u32)> {
        let mode = self.mode.ok_or("has no readable permissions")?;
        if self.owner != Some((0, 0)) {
            return Err(match self.owner {
                Some((user, group)) => format!(
                    "belongs to user {user}, group {group}; in the image everything belongs to root"
                ),
                None => "has no readable owner".to_owned(),
            });
        }
        let kind = match self.kind {
            EntryType::Directory => Kind::Directory,
            EntryType::Regular => Kind::File(None),
            EntryType::Symlink => Kind::Symlink(link_text(&self.link)?),
            EntryType::Link => Kind::HardLink(
                relative(&self.link)
                    .map_err(|reason| format!("is a hard link whose target {reason}"))?,
            ),
            EntryType::Char | EntryType::Block => return Err("is a device".to_owned()),
            EntryType::Fifo => return Err("is a pipe".to_owned()),
            other => {
                return Err(format!(
                    "is of a kind that packages do not have ({other:?})"
                ));
            }
        };
        if self.size > limits.file {
            return Err(format!(
                "claims {} bytes, more than the limit of {}",
                self.size, limits.file
            ));
        }
        if !matches!(kind, Kind::File(_)) && self.size != 0 {
            return Err(format!("is no file and claims {} bytes", self.size));
        }
        let privileged = mode & (SETUID | SETGID) != 0 && matches!(kind, Kind::File(_));
        if privileged && !KNOWN_SETID.contains(&path) {
            return Err(format!(
                "has the set-user-ID or set-group-ID bit (mode {mode:o}), which is not expected there"
            ));
        }
        Ok((kind, mode & KEPT))
    }
}

/// A path below the root: `./usr/bin/x` and `usr/bin/x/` become `usr/bin/x`, `./` becomes nothing.
pub(crate) fn relative(bytes: &[u8]) -> Checked<String> {
    let path = std::str::from_utf8(bytes).map_err(|_| "has a name that is not UTF-8")?;
    if path.len() > LONGEST_PATH {
        return Err(format!("has a name of {} bytes", path.len()));
    }
    if path.chars().any(char::is_control) {
        return Err("has a control character in its name".to_owned());
    }
    if path.starts_with('/') {
        return Err("has an absolute path".to_owned());
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() || path == "." {
        return Ok(String::new());
    }
    for part in path.split('/') {
        match part {
            ".." => return Err("leaves the root file system".to_owned()),
            "" | "." => return Err("has an empty part in its path".to_owned()),
            _ => {}
        }
    }
    Ok(path.to_owned())
}

/// Symbolic links may point anywhere: inside the image the root is the image's. What goes *through* them is checked later.
fn link_text(bytes: &[u8]) -> Checked<String> {
    let target = std::str::from_utf8(bytes).map_err(|_| "is a link to a name that is not UTF-8")?;
    if target.is_empty() || target.len() > LONGEST_PATH || target.chars().any(char::is_control) {
        return Err(format!("is a link to {target:?}"));
    }
    Ok(target.to_owned())
}
