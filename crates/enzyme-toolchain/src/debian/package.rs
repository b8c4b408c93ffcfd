//! A Debian package as the lock names it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::member::Member;
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
    /// One member of its archive, for those who cannot open it: the beginning of everything in Nix's sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
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
        if let Some(member) = &self.member {
            check_word(&member.name)?;
            check_fingerprint(&member.name, &member.fingerprint())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Data, Lock};
    use crate::testing::{data, package};

    /// A lock with one package, for a profile without artifacts.
    fn with_package() -> Data {
        let mut data = data(Vec::new());
        let mut profile = data.profile["portable"].clone();
        profile.debian = Some(Debian {
            suite: "trixie".to_owned(),
            components: vec!["main".to_owned()],
            snapshot: "20261126T120000Z".to_owned(),
        });
        let tools = &mut profile.tools;
        for tool in [
            &mut tools.engine,
            &mut tools.clang,
            &mut tools.lld,
            &mut tools.ar,
        ] {
            *tool = vec!["/usr/bin/tool".to_owned()];
        }
        data.profile.insert("full".to_owned(), profile);
        data.package.push(package("bash", b"a shell").0);
        data
    }

    #[test]
    fn a_recipe_has_the_packages_of_its_profile_and_platform() {
        let mut data = with_package();
        let mut other = data.package[0].clone();
        other.platform = Platform::MacosAarch64;
        data.package.insert(0, other);
        let lock = Lock::new(data, "some.lock").unwrap();
        let recipe = lock.recipe("full", Platform::host().unwrap()).unwrap();
        assert_eq!(recipe.packages().len(), 1);
        assert_eq!(recipe.packages()[0].to_string(), "bash 1:1.0+b1 (amd64)");
        assert_eq!(Lock::parse(lock.text(), "x").unwrap(), lock);
    }

    #[test]
    fn bad_packages_are_refused_with_the_reason() {
        type Edit = fn(&mut Data);
        let cases: [(&str, Edit); 11] = [
            ("not a file of an archive", |data| {
                data.package[0].file = "pool/../../etc/passwd".to_owned()
            }),
            ("not a file of an archive", |data| {
                data.package[0].file = "/etc/passwd".to_owned()
            }),
            ("not a file of an archive", |data| {
                data.package[0].file = "pool/a b.deb".to_owned()
            }),
            ("plain name", |data| data.package[0].name = "-o".to_owned()),
            ("not a Debian version", |data| {
                data.package[0].version = "1\n".to_owned()
            }),
            ("64 hexadecimal", |data| {
                data.package[0].sha256 = "../x".to_owned()
            }),
            ("more than", |data| data.package[0].size = u64::MAX / 2),
            ("twice", |data| data.package.push(data.package[0].clone())),
            ("no profile with Debian packages", |data| {
                data.package[0].profile = "portable".to_owned()
            }),
            ("not a snapshot's moment", |data| {
                let profile = data.profile.get_mut("full").unwrap();
                profile.debian.as_mut().unwrap().snapshot = "../latest".to_owned();
            }),
            ("does not begin with a file", |data| {
                // Only a profile with packages may have tools outside of the toolchain.
                data.profile.get_mut("full").unwrap().debian = None;
                data.package.clear();
                let (mut wheel, _) = crate::testing::wheel("engine", &[("e", "bin/e", b"e")]);
                wheel.profiles = vec!["full".to_owned()];
                data.artifact.push(wheel);
            }),
        ];
        for (reason, edit) in cases {
            let mut data = with_package();
            edit(&mut data);
            let message = Lock::new(data, "some.lock").unwrap_err().to_string();
            assert!(message.contains(reason), "{reason}: {message}");
        }
    }
}
