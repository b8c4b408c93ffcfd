//! Setup: from nothing, or from anything half-done, to an installed toolchain.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::artifact::Downloaded;
use crate::debian::{Mirror, from_mirror};
use crate::error::{Error, Result};
use crate::installed::Installed;
use crate::lock::{Artifact, Lock, Recipe, Source, TakenFile};
use crate::pip;
use crate::platform::Platform;
use crate::profile::chosen_profile;
use crate::progress::{Meter, Phase, Progress};
use crate::store::{Store, Writing};

/// What to set up and from where.
#[derive(Clone, Debug)]
pub struct SetupOptions {
    /// The profile; the [chosen](chosen_profile) one by default.
    pub profile: String,
    /// The platform; this machine's by default. Another's is for bundles.
    pub platform: Option<Platform>,
    /// Never download.
    pub offline: bool,
    /// Take the artifacts from this directory and never download.
    pub from_dir: Option<PathBuf>,
    /// Take the artifacts from this mirror instead of the registry.
    pub mirror: Option<Mirror>,
    /// Check every file by hash and replace what is wrong.
    pub repair: bool,
}

impl Default for SetupOptions {
    fn default() -> Self {
        SetupOptions {
            profile: chosen_profile(),
            platform: None,
            offline: false,
            from_dir: None,
            mirror: None,
            repair: false,
        }
    }
}

/// Makes sure that the toolchain is installed. Writes nothing when it already is, so that a read-only store will do.
/// Any number of processes may call this at once: one does the work, the others wait for it.
pub fn setup(
    store: &Store,
    lock: &Lock,
    options: &SetupOptions,
    progress: &dyn Progress,
) -> Result<Installed> {
    let platform = options.platform.map_or_else(Platform::host, Ok)?;
    let recipe = lock.recipe(&options.profile, platform)?;
    let ready = || {
        if options.repair {
            Ok(None)
        } else {
            ready(store, &recipe)
        }
    };
    if let Some(installed) = ready()? {
        store.tidy();
        return Ok(installed);
    }
    let writing = store.begin_writing(progress)?;
    // Another process may have done it while this one waited.
    if let Some(installed) = ready()? {
        return Ok(installed);
    }
    writing.sweep();
    fetch_missing(&writing, &recipe, options, progress)?;
    writing.assemble(&recipe)
}

fn ready(store: &Store, recipe: &Recipe) -> Result<Option<Installed>> {
    let installed = store.find(recipe)?;
    installed.iter().try_for_each(Installed::ensure_intact)?;
    Ok(installed)
}

/// Fetches, checks and unpacks every artifact that is not there yet, all at the same time.
fn fetch_missing(
    writing: &Writing<'_>,
    recipe: &Recipe,
    options: &SetupOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let mut missing = Vec::new();
    for artifact in recipe.artifacts() {
        if !writing.has_objects(artifact, progress)? {
            missing.push(artifact);
        }
    }
    let together = Together {
        progress,
        failed: AtomicBool::new(false),
    };
    let fetch = |artifact| together.watch(fetch(writing, artifact, options, &together));
    let fetch = &fetch;
    let mut failures = std::thread::scope(|scope| {
        let start = |artifact| scope.spawn(move || fetch(artifact));
        let threads: Vec<_> = missing.into_iter().map(start).collect();
        let ended = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err(Error::Interrupted)));
        ended.filter_map(Result::err).collect::<Vec<_>>()
    });
    // The failure that stopped the others, rather than their being stopped.
    let cause = failures
        .iter()
        .position(|error| !matches!(error, Error::Interrupted))
        .unwrap_or(0);
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.swap_remove(cause))
    }
}

/// Progress for threads that stop as soon as one of them fails.
struct Together<'a> {
    progress: &'a dyn Progress,
    failed: AtomicBool,
}

impl Together<'_> {
    fn watch(&self, result: Result<()>) -> Result<()> {
        self.failed.fetch_or(result.is_err(), Ordering::Relaxed);
        result
    }
}

impl Progress for Together<'_> {
    fn update(&self, phase: Phase, item: &str, done: u64, total: u64) {
        self.progress.update(phase, item, done, total);
    }

    fn note(&self, message: &str) {
        self.progress.note(message);
    }

    fn cancelled(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.progress.cancelled()
    }
}

fn fetch(
    writing: &Writing<'_>,
    artifact: &Artifact,
    options: &SetupOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let temp = writing.temp_dir()?;
    let downloaded = obtain(artifact, options, temp.path(), progress)?;
    let objects = temp.path().join("objects");
    std::fs::create_dir(&objects).map_err(Error::io("create", &objects))?;
    downloaded
        .verify(artifact, progress)?
        .extract(artifact, &objects, progress)?;
    writing.publish(&objects, artifact.files.iter().map(TakenFile::object_name))
}

pub(crate) fn obtain(
    artifact: &Artifact,
    options: &SetupOptions,
    temp: &Path,
    progress: &dyn Progress,
) -> Result<Downloaded> {
    if let Some(directory) = &options.from_dir {
        let path = directory.join(&artifact.file);
        if !path.is_file() {
            return Err(Error::MissingSource {
                file: artifact.file.clone(),
                path,
            });
        }
        return Ok(Downloaded::new(
            path,
            "put the right file there, or leave out --from to download it",
        ));
    }
    if let Some(mirror) = &options.mirror {
        return from_mirror(mirror, artifact, temp, progress);
    }
    if options.offline {
        return Err(Error::Offline {
            file: artifact.file.clone(),
        });
    }
    let Source::Wheel {
        python,
        pip_platform,
    } = &artifact.source;
    let request = pip::Request {
        name: &artifact.name,
        version: &artifact.version,
        python,
        pip_platform,
        sha256: Some(&artifact.sha256),
        label: &artifact.file,
    };
    let meter = Meter::new(progress, Phase::Download, &artifact.file, artifact.size);
    let path = pip::download(&request, temp, meter)?;
    Ok(Downloaded::new(
        path,
        "run the setup again; if it happens again, check the index that pip is configured with",
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::progress::Silent;
    use crate::testing::{Fixture, flip, relabel, wheel};

    #[test]
    fn installs_and_hands_out_tools() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        assert_eq!(
            fs::read(installed.engine().unwrap().program).unwrap(),
            b"the engine"
        );
        assert_eq!(installed.clang().unwrap().arguments, ["clang"]);
        assert_eq!(installed.lld().unwrap().arguments, ["ld.lld"]);
        assert_eq!(installed.verify(&Silent).unwrap(), []);
        assert_eq!(fixture.leftovers(), 0);
    }

    #[test]
    fn a_second_setup_needs_no_source_and_writes_nothing() {
        let fixture = Fixture::new();
        fixture.setup().unwrap();
        fs::remove_dir_all(fixture.dir.path().join("wheels")).unwrap();
        fs::remove_file(fixture.store.root().join("setup.lock")).unwrap();
        let options = SetupOptions {
            offline: true,
            from_dir: None,
            ..fixture.options()
        };
        setup(&fixture.store, &fixture.lock, &options, &Silent).unwrap();
        assert!(!fixture.store.root().join("setup.lock").exists());
    }

    #[test]
    fn a_flipped_bit_in_an_artifact_is_refused() {
        for id in ["engine", "llvm"] {
            let fixture = Fixture::new();
            flip(&fixture.wheel(id), 40);
            let message = fixture.setup().unwrap_err().to_string();
            assert!(
                message.contains(&fixture.wheel(id).display().to_string()),
                "{message}"
            );
            assert!(message.contains("sha256"), "{message}");
            assert_eq!(fixture.leftovers(), 0);
            assert!(fixture.find().is_none());
        }
    }

    #[test]
    fn an_artifact_that_is_longer_or_shorter_is_refused() {
        for cut in [true, false] {
            let fixture = Fixture::new();
            let mut bytes = fs::read(fixture.wheel("llvm")).unwrap();
            if cut {
                bytes.truncate(50)
            } else {
                bytes.resize(5 << 20, 0)
            }
            fs::write(fixture.wheel("llvm"), bytes).unwrap();
            assert!(matches!(fixture.setup(), Err(Error::Mismatch { .. })));
        }
    }

    /// The wheel is the one that the lock names, but a file in it is not: a lock made by hand, or by an attacker.
    #[test]
    fn entries_that_are_not_what_the_lock_says_are_refused() {
        type Edit = fn(&mut Artifact);
        let edits: [(&str, Edit); 3] = [
            ("sha256", |artifact| {
                artifact.files[0].sha256 = "0".repeat(64)
            }),
            ("bytes instead of 3", |artifact| artifact.files[0].size = 3),
            ("cannot be read", |artifact| {
                artifact.files[0].from = "not/there".to_owned()
            }),
        ];
        for (reason, edit) in edits {
            let (mut engine, bytes) = wheel("engine", &[("e", "bin/catalyst", b"the engine")]);
            edit(&mut engine);
            let fixture = Fixture::with(vec![
                (engine, bytes),
                wheel("llvm", &[("z", "bin/zig", b"z")]),
            ]);
            let error = fixture.setup().unwrap_err();
            assert!(matches!(error, Error::HostileArchive { .. }), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
            assert_eq!(fixture.leftovers(), 0);
        }
    }

    #[test]
    fn links_and_rubbish_in_place_of_an_archive_are_refused() {
        let (engine, _) = wheel("engine", &[("e", "bin/catalyst", b"/etc/passwd")]);
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.add_symlink("e", "/etc/passwd", zip::write::SimpleFileOptions::default())
            .unwrap();
        let link = zip.finish().unwrap().into_inner();
        for (bytes, reason) in [
            (link, "not a plain file"),
            (b"rubbish".to_vec(), "damaged or incomplete"),
        ] {
            let mut engine = engine.clone();
            relabel(&mut engine, &bytes);
            let fixture = Fixture::with(vec![
                (engine, bytes),
                wheel("llvm", &[("z", "bin/zig", b"z")]),
            ]);
            let message = fixture.setup().unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_the_way_out() {
        let fixture = Fixture::new();
        let offline = SetupOptions {
            offline: true,
            from_dir: None,
            ..fixture.options()
        };
        let message = setup(&fixture.store, &fixture.lock, &offline, &Silent)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("--offline") && message.contains("unbundle"),
            "{message}"
        );
        fs::remove_file(fixture.wheel("llvm")).unwrap();
        let message = fixture.setup().unwrap_err().to_string();
        assert!(
            message.contains("llvm-1.0-py3-none-any.whl") && message.contains("--from"),
            "{message}"
        );
    }

    #[test]
    fn eight_at_once_all_succeed() {
        let fixture = Fixture::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| fixture.setup().unwrap().engine().unwrap()))
                .collect();
            threads
                .into_iter()
                .for_each(|thread| drop(thread.join().unwrap()));
        });
        assert_eq!(fixture.leftovers(), 0);
    }

    #[test]
    fn leftovers_of_a_dead_setup_are_cleared() {
        let fixture = Fixture::new();
        let stale = fixture.store.temporary().join(".tmpDEAD/new/bin");
        fs::create_dir_all(&stale).unwrap();
        fs::write(stale.join("catalyst"), "half").unwrap();
        fixture.setup().unwrap();
        assert_eq!(fixture.leftovers(), 0);
    }

    struct Stopped;

    impl Progress for Stopped {
        fn update(&self, _: Phase, _: &str, _: u64, _: u64) {}
        fn note(&self, _: &str) {}
        fn cancelled(&self) -> bool {
            true
        }
    }

    #[test]
    fn an_interrupt_leaves_nothing() {
        let fixture = Fixture::new();
        let result = setup(&fixture.store, &fixture.lock, &fixture.options(), &Stopped);
        assert!(matches!(result, Err(Error::Interrupted)));
        assert_eq!(fixture.leftovers(), 0);
        fixture.setup().unwrap();
    }
}
