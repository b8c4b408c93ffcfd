//! A content-addressed mirror: `DIR/sha256/HEX` for every artifact, package and crate. It is what `--mirror` reads, and Nix as
//! one of its `hashed-mirrors`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::artifact::write_object;
use crate::crates;
use crate::debian::{VerifiedDeb, extract_member, place};
use crate::error::{Error, Result};
use crate::hash::{self, Fingerprint};
use crate::lock::{Recipe, TakenFile};
use crate::progress::{Meter, Phase, Progress, Silent};
use crate::setup::{SetupOptions, obtain};

/// Lays out the artifacts of a recipe and its packages, `debs`, below `directory`. Files that are there and whole stay.
/// Returns the paths of all, sorted. `options` say where the artifacts come from.
pub fn mirror(
    recipe: &Recipe,
    debs: &[VerifiedDeb],
    directory: &Path,
    options: &SetupOptions,
    progress: &dyn Progress,
) -> Result<Vec<PathBuf>> {
    let temp = prepare(directory)?;
    let packages = debs.iter().map(VerifiedDeb::package);
    let sizes = packages.flat_map(|package| {
        let member = package.member.as_ref().map_or(0, |member| member.size);
        [package.size, member]
    });
    let total = sizes.chain(recipe.artifacts().iter().map(|artifact| artifact.size));
    let mut laying = Laying {
        directory,
        temp: temp.path(),
        meter: Meter::new(progress, Phase::Pack, LABEL, total.sum()),
        paths: Vec::new(),
    };
    for artifact in recipe.artifacts() {
        laying.lay(&artifact.fingerprint(), |scratch| {
            let verified =
                obtain(artifact, options, scratch, progress)?.verify(artifact, progress)?;
            Ok(verified.path().to_owned())
        })?;
    }
    for deb in debs {
        laying.lay(&deb.package().fingerprint(), |_| Ok(deb.path().to_owned()))?;
        if let Some(member) = &deb.package().member {
            laying.lay(&member.fingerprint(), |scratch| {
                extract_member(deb.path(), &member.name, scratch)
            })?;
        }
    }
    Ok(laying.finish())
}

/// Lays out the crates that a `Cargo.lock` names, out of cargo's cache, below `directory`, for Nix. Returns their paths, sorted.
pub fn mirror_crates(
    cargo_lock: &Path,
    cargo_home: &Path,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<Vec<PathBuf>> {
    let crates = crates::cached(cargo_lock, cargo_home)?;
    let temp = prepare(directory)?;
    let total = crates.iter().map(|found| found.fingerprint.size).sum();
    let mut laying = Laying {
        directory,
        temp: temp.path(),
        meter: Meter::new(progress, Phase::Pack, LABEL, total),
        paths: Vec::new(),
    };
    for found in &crates {
        laying.lay(&found.fingerprint, |_| Ok(found.path.clone()))?;
    }
    Ok(laying.finish())
}

/// The folders of a mirror. What is being written lies next to its destination, so that a file is whole or not there.
fn prepare(directory: &Path) -> Result<TempDir> {
    let parent = directory.join("sha256");
    fs::create_dir_all(&parent).map_err(Error::io("create", &parent))?;
    tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(directory)
        .map_err(Error::io("create a directory in", directory))
}

const LABEL: &str = "the mirror";

struct Laying<'a> {
    directory: &'a Path,
    temp: &'a Path,
    meter: Meter<'a>,
    paths: Vec<PathBuf>,
}

impl Laying<'_> {
    fn finish(self) -> Vec<PathBuf> {
        let Laying {
            meter, mut paths, ..
        } = self;
        meter.finish();
        paths.sort();
        paths
    }

    /// Puts a file in its place, unless it is there. It is hashed once more on the way: it may have changed since it was
    /// verified. `find` gets it, into a directory of ours if need be.
    fn lay(&mut self, wanted: &Fingerprint, find: impl Fn(&Path) -> Result<PathBuf>) -> Result<()> {
        let to = self.directory.join(place(&wanted.sha256));
        self.paths.push(to.clone());
        if is_there(&to, wanted)? {
            return self.meter.add(wanted.size);
        }
        let scratch = tempfile::tempdir_in(self.temp)
            .map_err(Error::io("create a directory in", self.temp))?;
        let from = find(scratch.path())?;
        let object = TakenFile {
            from: String::new(),
            to: String::new(),
            size: wanted.size,
            sha256: wanted.sha256.clone(),
            executable: false,
        };
        let mut file = File::open(&from).map_err(Error::io("open", &from))?;
        let unreadable = |cause| Error::io("read", &from)(cause);
        let found = write_object(&mut file, &object, self.temp, &mut self.meter, unreadable)?;
        if let Some(problem) = found.difference(wanted) {
            return Err(Error::Damaged {
                path: from,
                problem: format!("was changed: {problem}"),
            });
        }
        fs::rename(self.temp.join(object.object_name()), &to).map_err(Error::io("create", &to))
    }
}

fn is_there(path: &Path, wanted: &Fingerprint) -> Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut meter = Meter::new(&Silent, Phase::Verify, LABEL, wanted.size);
    Ok(hash::reader(&mut file, path, wanted.size, &mut meter)? == *wanted)
}
