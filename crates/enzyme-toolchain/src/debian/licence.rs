//! What a package says of its licences: the short names in its copyright file, where that file is machine-readable (DEP-5).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::fetch::VerifiedDeb;
use super::package::Package;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// What stands for a copyright file that only people can read.
const UNREADABLE: &str = "see copyright";
const DOCUMENTS: &str = "usr/share/doc";
/// No copyright file is longer.
const LIMIT: u64 = 16 << 20;

/// What the documents of many packages say; a package's may be those of another one, by a symbolic link.
#[derive(Default)]
pub(crate) struct Licences {
    texts: BTreeMap<PathBuf, String>,
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Licences {
    /// Takes in the copyright files of a package, and the links to those of others.
    pub(crate) fn read(&mut self, deb: &VerifiedDeb, progress: &dyn Progress) -> Result<()> {
        if progress.cancelled() {
            return Err(Error::Interrupted);
        }
        let mut child = Command::new("dpkg-deb")
            .arg("--fsys-tarfile")
            .arg(deb.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io("run", Path::new("dpkg-deb")))?;
        let read = child.stdout.take().map(|tar| self.read_tar(tar));
        let status = child
            .wait()
            .map_err(Error::io("wait for", Path::new("dpkg-deb")))?;
        let broken = |reason: String| Error::BadArchive {
            archive: deb.path().to_owned(),
            reason,
        };
        match read {
            Some(Err(error)) => Err(broken(error.to_string())),
            _ if !status.success() => Err(broken(format!("dpkg-deb ended with {status}"))),
            _ => Ok(()),
        }
    }

    fn read_tar(&mut self, tar: impl Read) -> std::io::Result<()> {
        let mut archive = tar::Archive::new(tar);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            let path = path.strip_prefix(".").unwrap_or(&path).to_owned();
            if !path.starts_with(DOCUMENTS) {
                continue;
            }
            if let Some(target) = entry.link_name()? {
                let parent = path.parent().unwrap_or(Path::new(""));
                let target = match entry.header().entry_type() {
                    tar::EntryType::Link => target.strip_prefix(".").unwrap_or(&target).to_owned(),
                    _ => tidy(&parent.join(&target)),
                };
                self.links.insert(path, target);
            } else if path.ends_with("copyright") {
                let mut bytes = Vec::new();
                entry.by_ref().take(LIMIT).read_to_end(&mut bytes)?;
                self.texts
                    .insert(path, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        Ok(())
    }

    /// The licences of a package that was taken in before, as were those that its documents link to.
    pub(crate) fn of(&self, package: &Package) -> Vec<String> {
        let mut path = Path::new(DOCUMENTS).join(&package.name).join("copyright");
        // A chain of links is short; one that goes round ends here too.
        for _ in 0..8 {
            if let Some(text) = self.texts.get(&path) {
                return names(text);
            }
            let linked = path.ancestors().find_map(|link| {
                let rest = path.strip_prefix(link).ok()?;
                let target = self.links.get(link)?;
                Some(if rest.as_os_str().is_empty() {
                    target.clone()
                } else {
                    target.join(rest)
                })
            });
            match linked {
                Some(target) => path = target,
                None => break,
            }
        }
        vec![UNREADABLE.to_owned()]
    }
}

/// The path without `..`, relative to the root. Links in Debian's documents lead from one package's to another's.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(part) => tidy.push(part),
            std::path::Component::ParentDir => drop(tidy.pop()),
            std::path::Component::RootDir => tidy.clear(),
            _ => {}
        }
    }
    tidy
}

/// The short names after `License:`, sorted.
fn names(copyright: &str) -> Vec<String> {
    let machine_readable = copyright
        .lines()
        .take(20)
        .any(|line| line.starts_with("Format:") && line.contains("copyright-format"));
    let short = |line: &'_ str| {
        let name = line.strip_prefix("License:")?;
        let words: Vec<_> = name.split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let names: BTreeSet<_> = copyright.lines().filter_map(short).collect();
    if machine_readable && !names.is_empty() {
        names.into_iter().collect()
    } else {
        vec![UNREADABLE.to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_read_only_from_a_machine_readable_file() {
        let format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";
        let body = "Files: *\nLicense: GPL-2+  or Artistic\n text\n\nFiles: x\nLicense: BSD\n\nLicense: BSD\n";
        assert_eq!(
            names(&format!("{format}{body}")),
            ["BSD", "GPL-2+ or Artistic"]
        );
        assert_eq!(names(body), [UNREADABLE]);
        assert_eq!(names(format), [UNREADABLE]);
    }

    #[test]
    fn links_lead_out_of_no_root() {
        assert_eq!(
            tidy(Path::new("usr/share/doc/a/../../../../../x")),
            Path::new("x")
        );
        assert_eq!(
            tidy(Path::new("usr/share/doc/../doc/b")),
            Path::new("usr/share/doc/b")
        );
    }
}
