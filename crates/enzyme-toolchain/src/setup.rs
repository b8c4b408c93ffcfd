//! Setup: from nothing, or from anything half-done, to an installed toolchain.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::artifact::Downloaded;
use crate::error::{Error, Result};
use crate::installed::Installed;
use crate::lock::{Artifact, DEFAULT_PROFILE, Lock, Recipe, Source};
use crate::pip;
use crate::platform::Platform;
use crate::progress::{Meter, Phase, Progress};
use crate::store::{Store, Writing};

/// What to set up and from where.
#[derive(Clone, Debug)]
pub struct SetupOptions {
    /// The profile; `portable` by default.
    pub profile: String,
    /// The platform; this machine's by default. Another's is for bundles.
    pub platform: Option<Platform>,
    /// Never download.
    pub offline: bool,
    /// Take the artifacts from this directory and never download.
    pub from_dir: Option<PathBuf>,
    /// Check every file by hash and replace what is wrong.
    pub repair: bool,
}

impl Default for SetupOptions {
    fn default() -> Self {
        SetupOptions {
            profile: DEFAULT_PROFILE.to_owned(),
            platform: None,
            offline: false,
            from_dir: None,
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
    writing.publish(&objects, std::slice::from_ref(artifact))
}

fn obtain(
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
