//! The crates of Cargo.lock, out of cargo's own cache, each checked against the lock's checksum.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::deb::relative;
use super::tree::{Node, Origin, Tree};
use super::{oci, parallel};
use crate::error::{Error, Result};
use crate::hash::Fingerprint;

/// Bounds for one crate, unpacked.
const MAX_BYTES: u64 = 256 << 20;
const MAX_FILES: usize = 20_000;

/// A crate that the project's lock names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crate {
    pub name: String,
    pub version: String,
    pub sha256: String,
    /// As its manifest has it.
    pub licence: Option<String>,
}

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// What cargo checks a vendored crate by.
#[derive(Serialize)]
struct Checksums {
    files: BTreeMap<String, String>,
    package: String,
}

/// Unpacks every crate that `Cargo.lock` names. Missing ones are fetched by the installed cargo, unless `offline`.
pub(crate) fn vendor(root: &Path, offline: bool) -> Result<(Tree, Vec<Crate>)> {
    let path = root.join("Cargo.lock");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let wanted = locked(&text, &path)?;
    let mut archives = find_all(&wanted);
    if archives.iter().any(Option::is_none) && !offline {
        fetch(root)?;
        archives = find_all(&wanted);
    }
    let jobs = wanted
        .into_iter()
        .zip(archives)
        .map(|(krate, archive)| {
            let lacking = || {
                Error::Image(format!(
                    "cargo's cache lacks the crate {} {}; run `cargo fetch --locked` in `{}` with a network",
                    krate.name,
                    krate.version,
                    root.display()
                ))
            };
            Ok((krate.clone(), archive.ok_or_else(lacking)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let unpacked = parallel::map(&jobs, |(krate, archive)| unpack(krate, archive))?;
    let (mut tree, mut crates) = (Tree::default(), Vec::new());
    for (files, krate) in unpacked {
        for (path, node) in files.iter() {
            tree.add(path, node.clone())?;
        }
        crates.push(krate);
    }
    tree.check()?;
    Ok((tree, crates))
}

fn locked(text: &str, path: &Path) -> Result<Vec<Crate>> {
    let bad = |reason: String| Error::Image(format!("`{}`: {reason}", path.display()));
    let lock: CargoLock = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
    let mut crates = Vec::new();
    for package in lock.package {
        let Some(source) = &package.source else {
            continue;
        };
        let name = format!("{} {}", package.name, package.version);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if !name.chars().all(|c| plain(c) || c == ' ') || package.version.starts_with('.') {
            return Err(bad(format!("{name:?} is no name and version of a crate")));
        }
        match (source.starts_with("registry+"), package.checksum) {
            (true, Some(sha256)) => crates.push(Crate {
                name: package.name,
                version: package.version,
                sha256,
                licence: None,
            }),
            _ => return Err(bad(format!("{name} comes from no registry: {source}"))),
        }
    }
    crates.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(crates)
}

/// The archive of each crate in cargo's cache.
fn find_all(crates: &[Crate]) -> Vec<Option<PathBuf>> {
    let caches: Vec<PathBuf> = cargo_home()
        .and_then(|home| fs::read_dir(home.join("registry/cache")).ok())
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    let find = |krate: &Crate| {
        caches
            .iter()
            .map(|cache| cache.join(format!("{}-{}.crate", krate.name, krate.version)))
            .find(|path| path.is_file())
    };
    crates.iter().map(find).collect()
}

fn cargo_home() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    set("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(set("HOME")?).join(".cargo")))
}

fn fetch(root: &Path) -> Result<()> {
    let failed = |reason: String| {
        Error::Image(format!(
            "cargo could not fetch the crates of `{}`: {reason}",
            root.join("Cargo.lock").display()
        ))
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["fetch", "--locked", "--quiet"])
        .current_dir(root)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

/// Checks an archive and unpacks it into `NAME-VERSION/`.
fn unpack(krate: &Crate, archive: &Path) -> Result<(Tree, Crate)> {
    let bytes = fs::read(archive).map_err(Error::io("read", archive))?;
    let found = Fingerprint::of(&bytes).sha256;
    if found != krate.sha256 {
        return Err(Error::Mismatch {
            path: archive.to_owned(),
            problem: format!(
                "its sha256 is {found} instead of {}, which Cargo.lock names",
                krate.sha256
            ),
            advice: "remove it and run `cargo fetch --locked`",
        });
    }
    let origin = Origin::Part("project");
    let directory = format!("{}-{}", krate.name, krate.version);
    let broken = |error: std::io::Error| Error::BadArchive {
        archive: archive.to_owned(),
        reason: error.to_string(),
    };
    let mut tree = Tree::default();
    let mut sums = BTreeMap::new();
    let mut licence = None;
    let mut left = MAX_BYTES;
    let stream = flate2::read::GzDecoder::new(&bytes[..]);
    for entry in tar::Archive::new(stream).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let raw = entry.path_bytes().into_owned();
        let hostile = |reason: &str| Error::HostileArchive {
            archive: archive.to_owned(),
            entry: String::from_utf8_lossy(&raw).into_owned(),
            reason: reason.to_owned(),
        };
        let path = relative(&raw).map_err(|reason| hostile(&reason))?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        let Some(name) = path.strip_prefix(&format!("{directory}/")) else {
            return Err(hostile("lies outside its crate's directory"));
        };
        if !kind.is_file() {
            return Err(hostile("is not a plain file"));
        }
        left = left
            .checked_sub(entry.size())
            .ok_or_else(|| hostile("makes the crate larger than any may be"))?;
        if sums.len() >= MAX_FILES {
            return Err(hostile("is one file too many"));
        }
        let mode = match entry.header().mode().map_err(broken)? & 0o100 {
            0 => 0o644,
            _ => 0o755,
        };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        if name == "Cargo.toml" {
            licence = licence_of(&content);
        }
        let sum = Fingerprint::of(&content).sha256;
        if sums.insert(name.to_owned(), sum).is_some() {
            return Err(hostile("is there twice"));
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            tree.add_directories(parent, &origin);
        }
        tree.add(&path, Node::file(Content::bytes(content), mode, &origin))?;
    }
    let checksums = Checksums {
        files: sums,
        package: krate.sha256.clone(),
    };
    tree.add_directories(&directory, &origin);
    tree.add(
        &format!("{directory}/.cargo-checksum.json"),
        Node::file(Content::bytes(oci::text(&checksums)), 0o644, &origin),
    )?;
    let krate = Crate {
        licence,
        ..krate.clone()
    };
    Ok((tree, krate))
}

fn licence_of(manifest: &[u8]) -> Option<String> {
    let manifest: toml::Table = toml::from_str(std::str::from_utf8(manifest).ok()?).ok()?;
    Some(
        manifest
            .get("package")?
            .get("license")?
            .as_str()?
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::deb::testing::{RawEntry, compress, tar};
    use crate::image::tree::NodeKind;
    use tar::EntryType;

    fn unpacked(entries: &[RawEntry]) -> Result<(Tree, Crate)> {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("some-1.0.0.crate");
        let bytes = compress(&tar(entries), ".gz");
        fs::write(&archive, &bytes).unwrap();
        let krate = Crate {
            name: "some".to_owned(),
            version: "1.0.0".to_owned(),
            sha256: Fingerprint::of(&bytes).sha256,
            licence: None,
        };
        unpack(&krate, &archive)
    }

    #[test]
    fn a_crate_is_unpacked_with_the_checksums_that_cargo_wants() {
        let manifest = "[package]\nname = \"some\"\nlicense = \"MIT/Apache-2.0\"\n";
        let (tree, krate) = unpacked(&[
            RawEntry::file("some-1.0.0/Cargo.toml", manifest),
            RawEntry::file("some-1.0.0/src/lib.rs", "x").mode(0o664),
        ])
        .unwrap();
        assert_eq!(krate.licence.as_deref(), Some("MIT/Apache-2.0"));
        assert_eq!(tree.get("some-1.0.0/src/lib.rs").unwrap().mode, 0o644);
        let NodeKind::File(sums) = &tree.get("some-1.0.0/.cargo-checksum.json").unwrap().kind
        else {
            panic!("no file");
        };
        let sums: serde_json::Value = serde_json::from_slice(&sums.read().unwrap()).unwrap();
        assert_eq!(sums["package"], krate.sha256);
        assert_eq!(sums["files"]["src/lib.rs"], Fingerprint::of(b"x").sha256);
    }

    #[test]
    fn hostile_crates_are_refused_by_name() {
        let cases: [(&str, RawEntry); 4] = [
            (
                "leaves the root",
                RawEntry::file("some-1.0.0/../../evil", "x"),
            ),
            ("outside its crate", RawEntry::file("other/evil", "x")),
            ("absolute", RawEntry::file("/etc/evil", "x")),
            (
                "not a plain file",
                RawEntry::link(EntryType::Symlink, "some-1.0.0/evil", "/etc/passwd"),
            ),
        ];
        for (reason, entry) in cases {
            let message = unpacked(std::slice::from_ref(&entry))
                .unwrap_err()
                .to_string();
            assert!(
                message.contains(reason) && message.contains(&entry.path),
                "{message}"
            );
        }
    }

    #[test]
    fn a_crate_that_is_not_what_the_lock_names_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("some-1.0.0.crate");
        fs::write(&archive, "x").unwrap();
        let lock = format!(
            "[[package]]\nname = \"some\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"{}\"\n\
             [[package]]\nname = \"own\"\nversion = \"1.0.0\"\n",
            "0".repeat(64)
        );
        let crates = locked(&lock, Path::new("Cargo.lock")).unwrap();
        assert_eq!(crates.len(), 1);
        let message = unpack(&crates[0], &archive).unwrap_err().to_string();
        assert!(message.contains("Cargo.lock names"), "{message}");
        let git = lock.replace("registry+x", "git+https://example.org/x");
        assert!(locked(&git, Path::new("Cargo.lock")).is_err());
        let path = lock.replace("name = \"some\"", "name = \"../some\"");
        assert!(locked(&path, Path::new("Cargo.lock")).is_err());
    }
}
