//! A content-addressed mirror: `DIR/sha256/HEX` for every artifact and package of a recipe. It is what `--mirror` reads, and
//! Nix as one of its `hashed-mirrors`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::artifact::write_object;
use crate::debian::{VerifiedDeb, place};
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
    let parent = directory.join("sha256");
    fs::create_dir_all(&parent).map_err(Error::io("create", &parent))?;
    // Next to their destination, so that a file is whole or not there.
    let temp = tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(directory)
        .map_err(Error::io("create a directory in", directory))?;
    let packages = debs.iter().map(VerifiedDeb::package);
    let sizes = packages.map(|package| package.size);
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
    }
    let Laying {
        meter, mut paths, ..
    } = laying;
    meter.finish();
    paths.sort();
    Ok(paths)
}

const LABEL: &str = "the mirror";

struct Laying<'a> {
    directory: &'a Path,
    temp: &'a Path,
    meter: Meter<'a>,
    paths: Vec<PathBuf>,
}

impl Laying<'_> {
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
