//! An installed toolchain: its tools, and the check that nothing was changed since it was installed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::hash::{self, Fingerprint};
use crate::loader;
use crate::lock::Recipe;
use crate::progress::{Meter, Phase, Progress, Silent};
use crate::stamp::{self, Stamp, Stamps};

/// The lock's text, kept with the toolchain that it describes.
pub(crate) const LOCK_FILE: &str = "toolchain.lock";

/// A toolchain in a store, whole when it was installed. Its tools are handed out only after a check that they still are.
#[derive(Clone, Debug)]
pub struct Installed {
    root: PathBuf,
    recipe: Recipe,
    /// What this process found to be as the lock says.
    checked: Arc<Mutex<Stamps>>,
}

/// A program of the toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its absolute path.
    pub program: PathBuf,
    /// The arguments that always come first.
    pub arguments: Vec<String>,
}

impl Tool {
    /// A command that runs it; add arguments to it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

/// Something wrong in an installed toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl Installed {
    /// `None` when the directory or a file is missing: then it must be set up (again).
    pub(crate) fn find(root: PathBuf, recipe: &Recipe) -> Result<Option<Installed>> {
        let installed = Installed {
            root,
            recipe: recipe.clone(),
            checked: Arc::default(),
        };
        for (path, _) in installed.expected() {
            match path.symlink_metadata() {
                Ok(_) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(Error::io("look at", &path)(error)),
            }
        }
        Ok(Some(installed))
    }

    /// Its directory, which has `bin/` in it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was installed.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The digest of the lock that it was made from: a key for caches of what the tools make.
    pub fn digest(&self) -> &str {
        self.recipe.lock.digest()
    }

    /// The engine's executable, checked.
    pub fn engine(&self) -> Result<Tool> {
        let engine = self.tool(&self.recipe.facts().tools.engine)?;
        loader::apply(self.store(), engine)
    }

    /// clang, checked.
    pub fn clang(&self) -> Result<Tool> {
        self.tool(&self.recipe.facts().tools.clang)
    }

    /// lld as `ld.lld`, checked.
    pub fn lld(&self) -> Result<Tool> {
        self.tool(&self.recipe.facts().tools.lld)
    }

    /// The archiver, as `llvm-ar`, checked.
    pub fn ar(&self) -> Result<Tool> {
        self.tool(&self.recipe.facts().tools.ar)
    }

    /// Tells the processes that a command will start what this one has checked. It spares them reading everything again
    /// where no record of it can be kept: in a read-only store of a user without a home.
    pub fn hand_on(&self, command: &mut Command) {
        let (name, text) = stamp::to_hand_on(&self.root, &self.checked());
        command.env(name, text);
    }

    /// The store that holds it, as `store::Store` lays it out.
    fn store(&self) -> &Path {
        let folder = self.root.parent().and_then(Path::parent);
        folder.unwrap_or(&self.root)
    }

    fn tool(&self, words: &[String]) -> Result<Tool> {
        self.ensure_intact()?;
        let (program, arguments) = words.split_first().ok_or_else(|| Error::BadLock {
            origin: LOCK_FILE.to_owned(),
            reason: "a tool has no program".to_owned(),
        })?;
        // An absolute path, of a locked package, stays as it is.
        let program = self.root.join(program);
        if !program.is_file() {
            return Err(Error::MissingTool {
                program,
                profile: self.recipe.profile().to_owned(),
            });
        }
        Ok(Tool {
            program,
            arguments: arguments.to_vec(),
        })
    }

    /// Fails if any file was changed since it was installed. Costs one look at each file (no reading) while sizes, times
    /// and inodes are those of the last full check; a file for which they differ is hashed.
    ///
    /// Tools that belong to locked packages are not looked at: their bytes were checked when the packages were unpacked, and
    /// it is the image's digest that says that they still are the same.
    pub fn ensure_intact(&self) -> Result<()> {
        let mut known = stamp::load(&self.root);
        known.extend(&self.checked());
        known.extend(&stamp::handed_on(&self.root));
        let mut stamps = Stamps::default();
        for (path, expected) in self.expected() {
            let now = Stamp::of(&path)?;
            if known.contains(&path, &now) {
                stamps.insert(path, now);
                continue;
            }
            let mut meter = Meter::new(&Silent, Phase::Verify, "", expected.size);
            check(&path, &expected, &mut meter)?;
            // If it changed in the meantime (another setup linking to the same file will do), the next check hashes it.
            if Stamp::of(&path)? == now {
                stamps.insert(path, now);
            }
        }
        self.remember(stamps);
        Ok(())
    }

    /// Records that every file was just checked, so that the first use need not hash them.
    pub(crate) fn stamp(&self) -> Result<()> {
        let mut stamps = Stamps::default();
        for (path, _) in self.expected() {
            let now = Stamp::of(&path)?;
            stamps.insert(path, now);
        }
        self.remember(stamps);
        Ok(())
    }

    fn remember(&self, stamps: Stamps) {
        stamp::save(&self.root, &stamps);
        *self.checked() = stamps;
    }

    fn checked(&self) -> MutexGuard<'_, Stamps> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hashes everything, whatever the stamps say, and lists all that is wrong.
    pub fn verify(&self, progress: &dyn Progress) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for (path, expected) in self.expected() {
            let name = path
                .strip_prefix(&self.root)
                .unwrap_or(&path)
                .display()
                .to_string();
            let mut meter = Meter::new(progress, Phase::Verify, &name, expected.size);
            match check(&path, &expected, &mut meter) {
                Ok(()) => meter.finish(),
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Err(Error::Damaged { path, problem }) => problems.push(Problem { path, problem }),
                Err(error) => problems.push(Problem {
                    path,
                    problem: error.to_string(),
                }),
            }
        }
        let known: BTreeSet<_> = self.expected().into_iter().map(|(path, _)| path).collect();
        let strangers = files_below(&self.root)?
            .into_iter()
            .filter(|path| !known.contains(path) && !stamp::is_stamp(path));
        problems.extend(strangers.map(|path| Problem {
            path,
            problem: "is not in the toolchain lock".to_owned(),
        }));
        Ok(problems)
    }

    /// Every file that must be there, the lock's own text included.
    fn expected(&self) -> Vec<(PathBuf, Fingerprint)> {
        let lock = (
            self.root.join(LOCK_FILE),
            Fingerprint::of(self.recipe.lock.text().as_bytes()),
        );
        let files = self
            .recipe
            .files()
            .map(|file| (self.root.join(&file.to), file.fingerprint()));
        files.chain([lock]).collect()
    }
}

/// Puts the lock's text beside the files that it describes.
pub(crate) fn write_lock_file(root: &Path, recipe: &Recipe) -> Result<()> {
    let path = root.join(LOCK_FILE);
    fs::write(&path, recipe.lock.text()).map_err(Error::io("write", &path))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).map_err(Error::io("write", &path))
}

fn check(path: &Path, expected: &Fingerprint, meter: &mut Meter<'_>) -> Result<()> {
    let damaged = |problem: String| Error::Damaged {
        path: path.to_owned(),
        problem,
    };
    let metadata = path
        .symlink_metadata()
        .map_err(Error::io("look at", path))?;
    if !metadata.is_file() {
        return Err(damaged("is not a plain file".to_owned()));
    }
    if metadata.len() != expected.size {
        return Err(damaged(format!(
            "was changed: it has {} bytes instead of {}",
            metadata.len(),
            expected.size
        )));
    }
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    match hash::reader(&mut file, path, expected.size, meter)?.difference(expected) {
        Some(problem) => Err(damaged(format!("was changed: {problem}"))),
        None => Ok(()),
    }
}

/// Every file below a directory, sorted; links are not followed.
pub(crate) fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io("list", directory))? {
        let entry = entry.map_err(Error::io("list", directory))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(files_below(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debian::Debian;
    use crate::lock::Lock;
    use crate::testing::{self, Fixture, flip};
    use crate::{SetupOptions, setup};

    #[test]
    fn every_changed_byte_is_refused_and_repaired() {
        for name in ["bin/catalyst", "bin/zig", "licences/e/LICENSE", LOCK_FILE] {
            let fixture = Fixture::new();
            let installed = fixture.setup().unwrap();
            let path = installed.root().join(name);
            flip(&path, 2);
            for result in [installed.engine(), installed.clang(), installed.lld()] {
                let message = result.unwrap_err().to_string();
                assert!(
                    message.contains(&path.display().to_string()) && message.contains("--repair"),
                    "{message}"
                );
            }
            assert!(
                matches!(fixture.setup(), Err(Error::Damaged { .. })),
                "setup must not hide it"
            );
            assert_eq!(installed.verify(&Silent).unwrap().len(), 1);
            let repair = SetupOptions {
                repair: true,
                ..fixture.options()
            };
            setup(&fixture.store, &fixture.lock, &repair, &Silent)
                .unwrap()
                .engine()
                .unwrap();
            assert_eq!(installed.verify(&Silent).unwrap(), []);
        }
    }

    #[test]
    fn a_missing_file_means_not_installed() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        fs::remove_file(installed.root().join("bin/zig")).unwrap();
        assert!(fixture.find().is_none());
        fixture.setup().unwrap().clang().unwrap();
    }

    #[test]
    fn a_link_in_place_of_a_file_is_refused() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        let path = installed.root().join("bin/zig");
        fs::rename(&path, fixture.dir.path().join("zig")).unwrap();
        std::os::unix::fs::symlink(fixture.dir.path().join("zig"), &path).unwrap();
        assert!(
            installed
                .clang()
                .unwrap_err()
                .to_string()
                .contains("not a plain file")
        );
    }

    #[test]
    fn touched_files_and_spoilt_stamps_only_cost_a_hash() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        let stamp = installed.root().join(".stamp");
        let before = fs::read_to_string(&stamp).unwrap();
        for content in ["", "rubbish", "oxide-enzyme stamps 1\n1 2 3\n\u{fffd}"] {
            fs::write(&stamp, content).unwrap();
            installed.ensure_intact().unwrap();
            assert_eq!(
                fs::read_to_string(&stamp).unwrap(),
                before,
                "the stamps are written again"
            );
        }
        let zig = File::open(installed.root().join("bin/zig")).unwrap();
        zig.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        installed.ensure_intact().unwrap();
        assert_ne!(fs::read_to_string(&stamp).unwrap(), before);
    }

    /// As on a file system that was made in one go: the second file differs from the first in nothing but its bytes.
    #[test]
    fn a_file_whose_times_say_nothing_is_read_by_every_command() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        let path = installed.root().join("bin/zig");
        let mut stamp = Stamp::of(&path).unwrap();
        let line = |stamp: &Stamp| {
            let mut stamps = Stamps::default();
            stamps.insert(path.clone(), stamp.clone());
            stamps
        };
        stamp::save(installed.root(), &line(&stamp.clone()));
        assert!(stamp::load(installed.root()).contains(&path, &stamp));
        stamp.forget_changes();
        stamp::save(installed.root(), &line(&stamp));
        assert!(!stamp::load(installed.root()).contains(&path, &stamp));
    }

    #[test]
    fn what_a_command_checked_its_children_need_not_read() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        let mut command = Command::new("true");
        installed.hand_on(&mut command);
        let handed: Vec<_> = command.get_envs().collect();
        let (_, Some(text)) = handed[0] else {
            panic!("nothing was handed on")
        };
        let text = text.to_str().unwrap();
        let zig = installed.root().join("bin/zig");
        let stamp = Stamp::of(&zig).unwrap();
        assert!(stamp::parse_handed_on(text, installed.root()).contains(&zig, &stamp));
        let elsewhere = Path::new("/another/root");
        assert!(!stamp::parse_handed_on(text, elsewhere).contains(&zig, &stamp));
    }

    #[test]
    fn a_tool_of_a_package_must_be_there() {
        let mut fixture = Fixture::new();
        let mut data = testing::data(fixture.lock.artifacts().to_vec());
        let profile = data.profile.get_mut("portable").unwrap();
        profile.debian = Some(Debian {
            suite: "trixie".to_owned(),
            components: vec!["main".to_owned()],
            snapshot: "20261126T120000Z".to_owned(),
        });
        let tools = &mut profile.tools;
        tools.clang = vec!["/usr/bin/env".to_owned()];
        tools.ar = vec!["/usr/bin/not-there-22".to_owned()];
        let (mut package, _) = testing::package("clang-22", b"clang");
        package.profile = "portable".to_owned();
        data.package.push(package);
        fixture.lock = Lock::new(data, "the test's lock").unwrap();
        let installed = fixture.setup().unwrap();
        assert_eq!(
            installed.clang().unwrap().program,
            Path::new("/usr/bin/env")
        );
        let message = installed.ar().unwrap_err().to_string();
        assert!(
            message.contains("/usr/bin/not-there-22") && message.contains("OXIDE_ENZYME_PROFILE"),
            "{message}"
        );
    }

    #[test]
    fn strangers_are_reported() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        fs::write(installed.root().join("bin/libc.so.6"), "x").unwrap();
        let problems = installed.verify(&Silent).unwrap();
        assert!(problems[0].problem.contains("not in the toolchain lock"));
    }
}
