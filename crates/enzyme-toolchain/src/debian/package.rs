//! A Debian package as the lock names it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::check::{Check, check_fingerprint, check_word};
use crate::hash::Fingerprint;
use crate::lock::TakenFile;
use crate::platform::Platform;

/// Where the packages of a profile come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debian {
    /// The release by its code name, such as `trixie`.
    pub suite: String,
    /// Such as `main`.
    pub components: Vec<String>,
    /// A moment, as in `20261126T120000Z`, at which the snapshot archive has every package of the profile.
    pub snapshot: String,
}

/// A Debian package, to the byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The profile it belongs to.
    pub profile: String,
    /// The platform it is for.
    pub platform: Platform,
    /// Its name.
    pub name: String,
    /// Its version, which may hold `:`, `~` and `+`.
    pub version: String,
    /// Debian's name of the architecture, or `all`.
    pub architecture: String,
    /// The archive that it is in.
    pub archive: Archive,
    /// Its file below the archive's root: `pool/...`.
    pub file: String,
    /// The file's size in bytes.
    pub size: u64,
    /// The file's SHA-256.
    pub sha256: String,
    /// The short names of the licences in its copyright file, as they stand there; `see copyright` where that file is not
    /// machine-readable.
    pub licences: Vec<String>,
}

/// One of Debian's archives. Each has mirrors and snapshots of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Archive {
    /// Releases and their updates.
    Debian,
    /// Security updates.
    DebianSecurity,
}

impl Archive {
    /// Both.
    pub const ALL: [Archive; 2] = [Archive::Debian, Archive::DebianSecurity];

    /// Its name in the lock, on mirrors and in the snapshot archive.
    pub fn name(self) -> &'static str {
        match self {
            Archive::Debian => "debian",
            Archive::DebianSecurity => "debian-security",
        }
    }

    /// The suites of a release that it holds.
    pub(crate) fn suites(self, release: &str) -> Vec<String> {
        match self {
            Archive::Debian => vec![release.to_owned(), format!("{release}-updates")],
            Archive::DebianSecurity => vec![format!("{release}-security")],
        }
    }
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.name, self.version, self.architecture)
    }
}

impl Package {
    /// The profile and platform it is for.
    pub(crate) fn place(&self) -> (&str, Platform) {
        (&self.profile, self.platform)
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            size: self.size,
            sha256: self.sha256.clone(),
        }
    }

    /// The package as one of the store's objects, and as a file of a bundle.
    pub(crate) fn object(&self) -> TakenFile {
        TakenFile {
            from: self.file.clone(),
            to: format!("packages/{}", self.sha256),
            size: self.size,
            sha256: self.sha256.clone(),
            executable: false,
        }
    }

    pub(crate) fn check(&self) -> Check {
        check_word(&self.name)?;
        check_word(&self.architecture)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".+-~:".contains(c);
        let version = self
            .version
            .starts_with(|c: char| c.is_ascii_alphanumeric())
            && self.version.chars().all(allowed);
        if !version {
            return Err(format!("{:?} is not a Debian version", self.version));
        }
        let plain = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(allowed_in_file)
        };
        if self.file.len() > 400 || !self.file.split('/').all(plain) {
            return Err(format!("{:?} is not a file of an archive", self.file));
        }
        check_fingerprint(&self.name, &self.fingerprint())
    }
}

fn allowed_in_file(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._+-~".contains(c)
}

impl Debian {
    pub(crate) fn check(&self) -> Check {
        check_word(&self.suite)?;
        self.components
            .iter()
            .try_for_each(|name| check_word(name))?;
        let shape: String = self
            .snapshot
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        if shape == "00000000T000000Z" {
            Ok(())
        } else {
            Err(format!("{:?} is not a snapshot's moment", self.snapshot))
        }
    }
}
