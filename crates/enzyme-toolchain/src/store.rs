//! The store: where toolchains are, and how they get there without ever being half there.
//!
//! ```text
//! ROOT/objects/SHA256[-x]       one file of a toolchain, written once
//! ROOT/toolchains/KEY/bin/...   a whole toolchain, hard-linked from the objects, visible through one rename
//! ROOT/builds/KEY               a program compiled for an image, by what it was compiled from
//! ROOT/tmp/...                  work in progress; what a dead process left is removed by the next one
//! ROOT/setup.lock               held by whoever writes
//! ```

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::hash;
use crate::installed::{self, Installed};
use crate::lock::{Artifact, Lock, Recipe, TakenFile};
use crate::platform::Platform;
use crate::profile::chosen_profile;
use crate::progress::{Meter, Phase, Progress};

const APPLICATION: &str = "oxide-enzyme";
const LOCK_POLL: Duration = Duration::from_millis(50);

/// A directory that holds toolchains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The user's store: `OXIDE_ENZYME_HOME`, or `oxide-enzyme` in the platform's cache directory.
    pub fn from_env() -> Result<Store> {
        match variable("OXIDE_ENZYME_HOME") {
            Some(root) => Store::at(&root),
            None => Store::at(&default_root().ok_or(Error::NoHome)?),
        }
    }

    /// A store in a directory, which need not exist yet.
    pub fn at(root: &Path) -> Result<Store> {
        let root = std::path::absolute(root).map_err(Error::io("find", root))?;
        Ok(Store { root })
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The [chosen](chosen_profile) profile's toolchain, if it is there. Quick: contents are checked when a tool is asked for.
    pub fn toolchain(&self, lock: &Lock, platform: Platform) -> Result<Option<Installed>> {
        self.find(&lock.recipe(&chosen_profile(), platform)?)
    }

    /// The recipe's toolchain, if all of its files are there. Quick: contents are checked when a tool is asked for.
    pub fn find(&self, recipe: &Recipe) -> Result<Option<Installed>> {
        Installed::find(self.toolchains().join(recipe.key()), recipe)
    }

    pub(crate) fn toolchains(&self) -> PathBuf {
        self.root.join("toolchains")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// Programs that were compiled for images.
    pub(crate) fn builds(&self) -> PathBuf {
        self.root.join("builds")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn object(&self, file: &TakenFile) -> PathBuf {
        self.objects().join(file.object_name())
    }

    /// Clears what a setup that died at its very end left, if that needs no waiting; a store that is only for reading
    /// stays as it is.
    pub(crate) fn tidy(&self) {
        let empty =
            fs::read_dir(self.temporary()).map_or(true, |mut entries| entries.next().is_none());
        if empty {
            return;
        }
        let Ok(file) = File::options().write(true).open(self.lock_file()) else {
            return;
        };
        if file.try_lock().is_ok() {
            Writing {
                store: self,
                exclusive: true,
                _file: file,
            }
            .sweep();
        }
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("setup.lock")
    }

    /// Waits until no other process writes to this store.
    pub(crate) fn begin_writing(&self, progress: &dyn Progress) -> Result<Writing<'_>> {
        for directory in [
            self.root.clone(),
            self.toolchains(),
            self.objects(),
            self.temporary(),
        ] {
            fs::create_dir_all(&directory).map_err(Error::io("create", &directory))?;
        }
        let path = self.lock_file();
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.map_err(Error::io("open", &path))?;
        let exclusive = wait_for(&file, progress)?;
        Ok(Writing {
            store: self,
            exclusive,
            _file: file,
        })
    }
}

/// The store in the platform's cache directory.
pub(crate) fn default_root() -> Option<PathBuf> {
    let cache = match variable("XDG_CACHE_HOME") {
        // The specification says that a relative path there is to be ignored.
        Some(cache) if cache.is_absolute() && !cfg!(target_os = "macos") => cache,
        _ => {
            let caches = if cfg!(target_os = "macos") {
                "Library/Caches"
            } else {
                ".cache"
            };
            variable("HOME")?.join(caches)
        }
    };
    Some(cache.join(APPLICATION))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// True when the lock is held; false where the file system has no locks. Renames keep the store whole even then.
fn wait_for(file: &File, progress: &dyn Progress) -> Result<bool> {
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(_)) => return Ok(false),
        }
        if progress.cancelled() {
            return Err(Error::Interrupted);
        }
        if !told {
            progress.note("waiting for another setup to finish");
            told = true;
        }
        std::thread::sleep(LOCK_POLL);
    }
}

/// The right to write to a store. Ends with the value, or with the process.
pub(crate) struct Writing<'a> {
    pub store: &'a Store,
    /// Whether nobody else can be writing, so that temporary directories of others are of dead processes.
    exclusive: bool,
    _file: File,
}

impl Writing<'_> {
    /// A directory for work in progress, on the same file system as the rest.
    pub(crate) fn temp_dir(&self) -> Result<TempDir> {
        let parent = self.store.temporary();
        TempDir::new_in(&parent).map_err(Error::io("create a directory in", &parent))
    }

    /// Removes what dead processes left.
    pub(crate) fn sweep(&self) {
        for path in self.leftovers() {
            // A pip that outlived its setup may still be writing there: the next sweep gets the rest.
            let _ = fs::remove_dir_all(path);
        }
    }

    /// What dead processes left: whatever is there while this process alone may write and has made nothing yet.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        match fs::read_dir(self.store.temporary()) {
            Ok(entries) if self.exclusive => entries.flatten().map(|entry| entry.path()).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether every file of an artifact is there as an object, by full hash.
    pub(crate) fn has_objects(&self, artifact: &Artifact, progress: &dyn Progress) -> Result<bool> {
        if artifact
            .files
            .iter()
            .any(|file| !self.store.object(file).is_file())
        {
            return Ok(false);
        }
        let total = artifact.files.iter().map(|file| file.size).sum();
        let mut meter = Meter::new(progress, Phase::Verify, &artifact.id, total);
        for file in &artifact.files {
            let path = self.store.object(file);
            let mut opened = File::open(&path).map_err(Error::io("open", &path))?;
            if hash::reader(&mut opened, &path, file.size, &mut meter)? != file.fingerprint() {
                return Ok(false);
            }
        }
        meter.finish();
        Ok(true)
    }

    /// Makes checked files, named as objects, visible as such. An object that is already there is replaced.
    pub(crate) fn publish(
        &self,
        directory: &Path,
        names: impl IntoIterator<Item = String>,
    ) -> Result<()> {
        let names: BTreeSet<_> = names.into_iter().collect();
        for name in names {
            let to = self.store.objects().join(&name);
            fs::rename(directory.join(&name), &to).map_err(Error::io("create", &to))?;
        }
        Ok(())
    }

    /// Builds the toolchain out of checked objects and makes it visible with one rename.
    pub(crate) fn assemble(&self, recipe: &Recipe) -> Result<Installed> {
        let temp = self.temp_dir()?;
        let new = temp.path().join("new");
        fs::create_dir(&new).map_err(Error::io("create", &new))?;
        let mut linked = true;
        for file in recipe.files() {
            linked &= place(&self.store.object(file), &new.join(&file.to))?;
        }
        installed::write_lock_file(&new, recipe)?;
        let target = self.store.toolchains().join(recipe.key());
        self.swap(&new, &target, &temp.path().join("old"))?;
        sync_directory(&self.store.toolchains());
        // Before the stamps: removing the old hard links changes the times of the files.
        drop(temp);
        let installed = self.store.find(recipe)?;
        let installed = installed.ok_or_else(|| Error::NotInstalled {
            store: self.store.root.clone(),
        })?;
        if linked && self.exclusive {
            installed.stamp()?;
        }
        Ok(installed)
    }

    /// Puts a directory in the place of another. Without locks it may be there by now, by another process: then that one
    /// stays, and whoever uses it checks it.
    fn swap(&self, new: &Path, target: &Path, old: &Path) -> Result<()> {
        if self.exclusive && target.exists() {
            fs::rename(target, old).map_err(Error::io("replace", target))?;
        }
        match fs::rename(new, target) {
            Err(_) if !self.exclusive && target.exists() => Ok(()),
            result => result.map_err(Error::io("create", target)),
        }
    }
}

/// A hard link to a checked object where the file system has them (then true), else a copy, which nobody has checked.
fn place(object: &Path, to: &Path) -> Result<bool> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    }
    if fs::hard_link(object, to).is_ok() {
        return Ok(true);
    }
    fs::copy(object, to).map_err(Error::io("write", to))?;
    Ok(false)
}

/// Best effort: after a power cut the toolchain is then there rather than to be set up again.
fn sync_directory(path: &Path) {
    if let Ok(directory) = File::open(path) {
        let _ = directory.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::testing::Fixture;

    #[test]
    fn without_file_locks_renames_keep_the_store_whole() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        let recipe = installed.recipe();
        for _ in 0..20 {
            fs::remove_dir_all(installed.root()).unwrap();
            let assemble = || {
                let _file = File::open(fixture.store.lock_file()).unwrap();
                let writing = Writing {
                    store: &fixture.store,
                    exclusive: false,
                    _file,
                };
                writing.assemble(recipe).unwrap().engine().unwrap();
            };
            std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(assemble))));
            assert_eq!(installed.verify(&Silent).unwrap(), []);
            assert_eq!(fixture.leftovers(), 0);
        }
    }
}
