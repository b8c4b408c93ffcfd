//! Looking over a store: what is in it, and clearing what this program does not need.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::debian::Package;
use crate::error::{Error, Result};
use crate::installed::LOCK_FILE;
use crate::lock::{Lock, Recipe};
use crate::progress::Progress;
use crate::store::{Store, Writing};

/// A toolchain found in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its directory.
    pub path: PathBuf,
    /// Whether it belongs to the given lock. If not, it is another version's.
    pub current: bool,
    /// `NAME VERSION` of each artifact; empty when its own lock cannot be read.
    pub contents: Vec<String>,
    /// How many Debian packages belong to it. They need not be here: an image has them unpacked.
    pub packages: usize,
    /// How many of those the store holds.
    pub held: usize,
    /// Bytes of its files.
    pub bytes: u64,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Files and directories.
    pub paths: Vec<PathBuf>,
    /// Bytes that this frees.
    pub bytes: u64,
}

/// Every toolchain in a store, by name of its directory.
pub fn list(store: &Store, lock: &Lock) -> Result<Vec<Listed>> {
    let current = keys(lock);
    let mut listed = Vec::new();
    for path in entries(&store.toolchains())? {
        let name = name_of(&path);
        let recipe = own_recipe(&path, &name);
        let artifacts = recipe.iter().flat_map(Recipe::artifacts);
        let packages = recipe.as_ref().map_or(&[][..], Recipe::packages);
        let is_held = |package: &&Package| store.object(&package.object()).is_file();
        listed.push(Listed {
            current: current.contains(&name),
            contents: artifacts
                .map(|artifact| format!("{} {}", artifact.name, artifact.version))
                .collect(),
            packages: packages.len(),
            held: packages.iter().filter(is_held).count(),
            bytes: size_of(&path)?,
            path,
        });
    }
    Ok(listed)
}

/// Removes toolchains of other locks, objects that none of this lock's toolchains has, and what dead processes left.
pub fn gc(store: &Store, lock: &Lock, dry_run: bool, progress: &dyn Progress) -> Result<Cleared> {
    if !store.root().exists() {
        return Ok(Cleared::default());
    }
    // Even to look: what is in the temporary directory is left over only when nobody else is writing.
    let writing = store.begin_writing(progress)?;
    let unneeded = unneeded(&writing, lock)?;
    if dry_run {
        return Ok(unneeded);
    }
    writing.sweep();
    // Moved away first, so that a toolchain is whole or gone at any moment.
    let temp = writing.temp_dir()?;
    for (number, path) in unneeded
        .paths
        .iter()
        .enumerate()
        .filter(|(_, path)| path.exists())
    {
        let away = temp.path().join(number.to_string());
        fs::rename(path, &away).map_err(Error::io("remove", path))?;
    }
    let place = temp.path().to_owned();
    temp.close().map_err(Error::io("remove", &place))?;
    Ok(unneeded)
}

fn unneeded(writing: &Writing<'_>, lock: &Lock) -> Result<Cleared> {
    let store = writing.store;
    let keys = keys(lock);
    let recipes = lock.recipes();
    // An object is needed by a toolchain of this lock that is installed, or by one whose setup was cut short.
    let objects: BTreeSet<_> = recipes
        .iter()
        .flat_map(Recipe::objects)
        .map(|object| object.object_name())
        .collect();
    let others = entries(&store.toolchains())?
        .into_iter()
        .filter(|path| !keys.contains(&name_of(path)));
    let orphans = entries(&store.objects())?
        .into_iter()
        .filter(|path| !objects.contains(&name_of(path)));
    // Programs compiled for images: nothing says which of them will be wanted again, and each can be compiled again.
    let builds = entries(&store.builds())?;
    let paths: Vec<_> = others
        .chain(orphans)
        .chain(builds)
        .chain(writing.leftovers())
        .collect();
    let bytes = paths
        .iter()
        .map(|path| size_of(path))
        .sum::<Result<u64>>()?;
    Ok(Cleared { paths, bytes })
}

fn keys(lock: &Lock) -> BTreeSet<String> {
    lock.recipes().iter().map(Recipe::key).collect()
}

/// The recipe that a toolchain was made from, by its own copy of the lock.
fn own_recipe(path: &Path, name: &str) -> Option<Recipe> {
    let lock = Lock::read(&path.join(LOCK_FILE)).ok()?;
    let mut recipes = lock.recipes().into_iter();
    recipes.find(|recipe| recipe.key() == name)
}

/// The entries of a directory, sorted; none when it is not there.
fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let listing = fs::read_dir(directory).map_err(Error::io("list", directory))?;
    let mut paths: Vec<_> = listing.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn size_of(path: &Path) -> Result<u64> {
    let metadata = path
        .symlink_metadata()
        .map_err(Error::io("look at", path))?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    entries(path)?.iter().map(|entry| size_of(entry)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::testing::{Fixture, wheel};
    use crate::{SetupOptions, setup};

    #[test]
    fn gc_keeps_what_this_lock_needs_and_removes_the_rest() {
        let new = Fixture::new();
        // An older version's toolchain in the same store, which shares one file with the new one.
        let old = Fixture::with(vec![
            wheel(
                "engine",
                &[("data/bin/catalyst", "bin/catalyst", b"the old engine")],
            ),
            wheel("llvm", &[("ziglang/zig", "bin/zig", b"clang and lld")]),
        ]);
        setup(&new.store, &old.lock, &old.options(), &Silent).unwrap();
        let installed = new.setup().unwrap();
        fs::create_dir(new.store.builds()).unwrap();
        fs::write(new.store.builds().join("program"), "for an image").unwrap();
        assert_eq!(list(&new.store, &new.lock).unwrap().len(), 2);
        let dry = gc(&new.store, &new.lock, true, &Silent).unwrap();
        assert_eq!(list(&new.store, &new.lock).unwrap().len(), 2);
        let done = gc(&new.store, &new.lock, false, &Silent).unwrap();
        assert_eq!(dry, done);
        assert_eq!(
            done.paths.len(),
            3,
            "the old toolchain, its engine and a compiled program: {:?}",
            done.paths
        );
        let left = list(&new.store, &new.lock).unwrap();
        assert!(
            left.len() == 1 && left[0].current && left[0].contents == ["engine 1.0", "llvm 1.0"]
        );
        assert_eq!(installed.verify(&Silent).unwrap(), []);
        assert_eq!(new.leftovers(), 0);
    }

    #[test]
    fn an_absent_store_is_empty() {
        let fixture = Fixture::new();
        assert_eq!(list(&fixture.store, &fixture.lock).unwrap(), []);
        assert_eq!(
            gc(&fixture.store, &fixture.lock, false, &Silent).unwrap(),
            Cleared::default()
        );
        assert!(!fixture.store.root().exists());
    }

    #[test]
    fn objects_alone_are_enough_to_set_up_again() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        fs::remove_dir_all(installed.root()).unwrap();
        let offline = SetupOptions {
            offline: true,
            from_dir: None,
            ..fixture.options()
        };
        setup(&fixture.store, &fixture.lock, &offline, &Silent)
            .unwrap()
            .engine()
            .unwrap();
    }
}
