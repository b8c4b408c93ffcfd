//! A content-addressed mirror: `DIR/sha256/HEX` for every artifact and package of a recipe. It is what `--mirror` reads, and
//! Nix as one of its `hashed-mirrors`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::artifact::write_object;
use crate::debian::{VerifiedDeb, place};
use crate::error::{Error, Result};
use crate::hash::{self, Fingerprint};
use crate::lock::{Recipe, TakenFile};
use crate::progress::{Meter, Phase, Progress};
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
    let parent = directory.join("sha256");
    fs::create_dir_all(&parent).map_err(Error::io("create", &parent))?;
    // Next to their destination, so that a file is whole or not there.
    let temp = tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(directory)
        .map_err(Error::io("create a directory in", directory))?;
    let laying = Laying {
        directory,
        temp,
        progress,
    };
    let mut paths = Vec::new();
    for artifact in recipe.artifacts() {
        let path = directory.join(place(&artifact.sha256));
        if !laying.is_there(&path, &artifact.file, &artifact.fingerprint())? {
            let scratch = tempfile::tempdir_in(laying.temp.path())
                .map_err(Error::io("create a directory in", directory))?;
            let verified =
                obtain(artifact, options, scratch.path(), progress)?.verify(artifact, progress)?;
            laying.lay(verified.path(), &artifact.file, &artifact.fingerprint())?;
        }
        paths.push(path);
    }
    for deb in debs {
        let package = deb.package();
        let path = directory.join(place(&package.sha256));
        if !laying.is_there(&path, &package.name, &package.fingerprint())? {
            laying.lay(deb.path(), &package.name, &package.fingerprint())?;
        }
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}

struct Laying<'a> {
    directory: &'a Path,
    temp: TempDir,
    progress: &'a dyn Progress,
}

impl Laying<'_> {
    fn is_there(&self, path: &Path, name: &str, wanted: &Fingerprint) -> Result<bool> {
        if !path.is_file() {
            return Ok(false);
        }
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        let mut meter = Meter::new(self.progress, Phase::Verify, name, wanted.size);
        let found = hash::reader(&mut file, path, wanted.size, &mut meter)?;
        meter.finish();
        Ok(found == *wanted)
    }

    /// Copies a file to its place. It is hashed once more on the way: it may have changed since it was verified.
    fn lay(&self, from: &Path, name: &str, wanted: &Fingerprint) -> Result<()> {
        let object = TakenFile {
            from: String::new(),
            to: String::new(),
            size: wanted.size,
            sha256: wanted.sha256.clone(),
            executable: false,
        };
        let mut file = File::open(from).map_err(Error::io("open", from))?;
        let mut meter = Meter::new(self.progress, Phase::Pack, name, wanted.size);
        let unreadable = |cause| Error::io("read", from)(cause);
        let temp = self.temp.path();
        let found = write_object(&mut file, &object, temp, &mut meter, unreadable)?;
        meter.finish();
        if let Some(problem) = found.difference(wanted) {
            return Err(Error::Damaged {
                path: from.to_owned(),
                problem: format!("was changed: {problem}"),
            });
        }
        let to = self.directory.join(place(&wanted.sha256));
        fs::rename(temp.join(object.object_name()), &to).map_err(Error::io("create", &to))
    }
}
