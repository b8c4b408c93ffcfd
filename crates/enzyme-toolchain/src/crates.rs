//! The crates of a `Cargo.lock` in a mirror. They are cargo's own downloads, each used only when it is what the lock names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::hash::{self, Fingerprint};
use crate::progress::{Meter, Phase, Silent};

/// No crate that registries take is larger.
const LIMIT: u64 = 512 << 20;

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// A crate in cargo's cache, as `Cargo.lock` has it.
pub(crate) struct VerifiedCrate {
    pub path: PathBuf,
    pub fingerprint: Fingerprint,
}

/// Every crate of a registry that the lock names, out of `registry/cache` in cargo's home.
pub(crate) fn cached(lock: &Path, cargo_home: &Path) -> Result<Vec<VerifiedCrate>> {
    let text = fs::read_to_string(lock).map_err(Error::io("read", lock))?;
    let parsed: CargoLock = toml::from_str(&text).map_err(|error| Error::BadLock {
        origin: lock.display().to_string(),
        reason: error.to_string(),
    })?;
    let cache = cargo_home.join("registry/cache");
    let registries = fs::read_dir(&cache).map_err(Error::io("list", &cache))?;
    let registries: Vec<PathBuf> = registries.flatten().map(|entry| entry.path()).collect();
    let mut crates = Vec::new();
    for Package {
        name,
        version,
        checksum,
    } in parsed.package
    {
        let Some(checksum) = checksum else { continue };
        let file = format!("{name}-{version}.crate");
        let found = in_one_of(&registries, &file, &checksum)?;
        crates.push(found.ok_or_else(|| Error::MissingCrate {
            file,
            sha256: checksum,
            cache: cache.clone(),
        })?);
    }
    Ok(crates)
}

fn in_one_of(registries: &[PathBuf], file: &str, checksum: &str) -> Result<Option<VerifiedCrate>> {
    for registry in registries {
        let path = registry.join(file);
        if !path.is_file() {
            continue;
        }
        let mut opened = File::open(&path).map_err(Error::io("open", &path))?;
        let mut meter = Meter::new(&Silent, Phase::Verify, file, 0);
        let fingerprint = hash::reader(&mut opened, &path, LIMIT, &mut meter)?;
        if fingerprint.sha256 == checksum {
            return Ok(Some(VerifiedCrate { path, fingerprint }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_taken_only_if_it_is_what_the_lock_names() {
        let home = tempfile::tempdir().unwrap();
        let (good, bad) = (
            home.path().join("registry/cache/a"),
            home.path().join("registry/cache/b"),
        );
        fs::create_dir_all(&good).unwrap();
        fs::create_dir_all(&bad).unwrap();
        let checksum = Fingerprint::of(b"content").sha256;
        let lock = home.path().join("Cargo.lock");
        let text = format!(
            "[[package]]\nname = \"ours\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"x\"\nversion = \"0.1.0\"\nchecksum = \"{checksum}\"\n"
        );
        fs::write(&lock, text).unwrap();
        fs::write(bad.join("x-0.1.0.crate"), "changed").unwrap();
        let message = cached(&lock, home.path()).err().unwrap().to_string();
        assert!(
            message.contains("x-0.1.0.crate") && message.contains("cargo fetch"),
            "{message}"
        );
        fs::write(good.join("x-0.1.0.crate"), "content").unwrap();
        let found = cached(&lock, home.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, good.join("x-0.1.0.crate"));
    }
}
