//! Getting the packages of a recipe into the store, each checked before anything reads it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::origin::Origin;
use super::package::{Debian, Package};
use super::supply::Supply;
use crate::artifact::write_object;
use crate::error::{Error, Result};
use crate::hash;
use crate::installed::Problem;
use crate::lock::Recipe;
use crate::progress::{Meter, Phase, Progress, Unseen};
use crate::store::{Store, Writing};

/// So many packages are fetched at a time. What is complete stays when others fail.
const BATCH: usize = 24;
pub(crate) const ADVICE: &str = "try again; if it happens again, that mirror is broken or serves something else: name another one with --mirror, or use --snapshot";

/// How to get Debian packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchOptions {
    /// Never download.
    pub offline: bool,
    /// Where from.
    pub origin: Origin,
}

/// A package in the store whose size and SHA-256 were those of the lock a moment ago. Nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDeb {
    package: Package,
    path: PathBuf,
}

impl VerifiedDeb {
    /// What the lock says of it.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes sure that every package of a recipe is in the store, and checks it there. Downloads only what is missing or
/// damaged, and writes nothing when nothing is. Any number of processes may call this at once.
pub fn fetch_packages(
    store: &Store,
    recipe: &Recipe,
    options: &FetchOptions,
    progress: &dyn Progress,
) -> Result<Vec<VerifiedDeb>> {
    match &recipe.facts().debian {
        Some(debian) => obtain(store, recipe.packages(), debian, options, progress),
        None => Ok(Vec::new()),
    }
}

pub(crate) fn obtain(
    store: &Store,
    packages: &[Package],
    debian: &Debian,
    options: &FetchOptions,
    progress: &dyn Progress,
) -> Result<Vec<VerifiedDeb>> {
    let all: Vec<_> = packages.iter().collect();
    let missing = missing(store, &all, progress)?;
    if let Some(first) = missing.first() {
        if options.offline {
            return Err(Error::OfflinePackage {
                package: first.to_string(),
                others: missing.len() - 1,
            });
        }
        let writing = store.begin_writing(progress)?;
        writing.sweep();
        // Another process may have fetched them while this one waited.
        let missing = self::missing(store, &missing, progress)?;
        let fetch = Fetch {
            writing: &writing,
            supply: Supply::open(&options.origin, debian)?,
            progress,
        };
        fetch.run(&missing)?;
    }
    let verified = |package: &Package| VerifiedDeb {
        path: store.object(&package.object()),
        package: package.clone(),
    };
    Ok(packages.iter().map(verified).collect())
}

/// Those that are not in the store, or not whole.
fn missing<'a>(
    store: &Store,
    packages: &[&'a Package],
    progress: &dyn Progress,
) -> Result<Vec<&'a Package>> {
    let is_here = |package: &&&Package| store.object(&package.object()).is_file();
    let (here, mut missing): (Vec<&Package>, Vec<_>) = packages.iter().partition(is_here);
    if here.is_empty() {
        return Ok(missing);
    }
    let total = here.iter().map(|package| package.size).sum();
    let mut meter = Meter::new(progress, Phase::Verify, LABEL, total);
    for package in here {
        if !is_whole(store, package, &mut meter)? {
            missing.push(package);
        }
    }
    meter.finish();
    Ok(missing)
}

/// How many packages of a recipe the store holds, and what is wrong with those.
pub fn held_packages(
    store: &Store,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<(usize, Vec<Problem>)> {
    let is_here = |package: &&Package| store.object(&package.object()).is_file();
    let here: Vec<_> = recipe.packages().iter().filter(is_here).collect();
    let damaged = missing(store, &here, progress)?.into_iter();
    let problem = |package: &Package| Problem {
        path: store.object(&package.object()),
        problem: format!("is no longer the package {package}"),
    };
    Ok((here.len(), damaged.map(problem).collect()))
}

const LABEL: &str = "Debian packages";

fn is_whole(store: &Store, package: &Package, meter: &mut Meter<'_>) -> Result<bool> {
    let path = store.object(&package.object());
    let mut file = File::open(&path).map_err(Error::io("open", &path))?;
    Ok(hash::reader(&mut file, &path, package.size, meter)? == package.fingerprint())
}

/// The work on what is missing.
struct Fetch<'a> {
    writing: &'a Writing<'a>,
    supply: Supply<'a>,
    progress: &'a dyn Progress,
}

impl Fetch<'_> {
    fn run(&self, packages: &[&Package]) -> Result<()> {
        let total = packages.iter().map(|package| package.size).sum();
        let mut meter = Meter::new(self.progress, Phase::Download, LABEL, total);
        let mut done = 0;
        for batch in packages.chunks(BATCH) {
            let temp = self.writing.temp_dir()?;
            let found = self
                .supply
                .find(batch, temp.path(), |bytes| meter.set(done + bytes))?;
            let (mut lacking, mut failure) = (Vec::new(), None);
            for (package, found) in batch.iter().zip(found) {
                match found {
                    Ok(Some(path)) => self.take(package, &path, temp.path())?,
                    Ok(None) => lacking.push(*package),
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            if let Some(first) = lacking.first() {
                return Err(self.supply.lacks(first, lacking.len() - 1));
            }
            failure.map_or(Ok(()), Err)?;
            done += batch.iter().map(|package| package.size).sum::<u64>();
            meter.set(done)?;
        }
        meter.finish();
        Ok(())
    }

    /// Copies a package to the store, checking what passes: only the right bytes become visible there.
    fn take(&self, package: &Package, from: &Path, temp: &Path) -> Result<()> {
        let object = package.object();
        let mut file = File::open(from).map_err(Error::io("open", from))?;
        let unseen = Unseen(self.progress);
        let mut meter = Meter::new(&unseen, Phase::Verify, &package.name, package.size);
        let unreadable = |cause| Error::io("read", from)(cause);
        let found = write_object(&mut file, &object, temp, &mut meter, unreadable)?;
        if let Some(problem) = found.difference(&package.fingerprint()) {
            return Err(Error::Mismatch {
                path: PathBuf::from(self.supply.address(package)),
                problem,
                advice: ADVICE,
            });
        }
        self.writing.publish(temp, [object.object_name()])?;
        // Makes room at once where it was downloaded.
        if from.starts_with(temp) {
            fs::remove_file(from).map_err(Error::io("remove", from))?;
        }
        Ok(())
    }
}
