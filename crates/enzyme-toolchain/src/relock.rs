//! Making the lock: downloads every artifact of the manifest, for every platform, and writes down what came.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use zip::ZipArchive;

use crate::debian::{self, Package};
use crate::error::{Error, Result};
use crate::hash::{self, CopyError};
use crate::lock::{Artifact, Data, Lock, Source, TakenFile, VERSION};
use crate::manifest::{Manifest, Take, Wanted, WantedSource};
use crate::pip;
use crate::platform::Platform;
use crate::progress::{Meter, Phase, Progress, Silent, Unseen};
use crate::store::Store;

/// No single artifact or file in a lock is larger.
const LIMIT: u64 = 4 << 30;

/// Makes the lock for a manifest. The store keeps the Debian packages, which must be read for their licences. `previous` is
/// the lock that this one takes the place of: where the packages of a profile are still the same, so is its snapshot.
pub fn relock(
    manifest: &Manifest,
    previous: Option<&Lock>,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Lock> {
    let mut profile = BTreeMap::new();
    let mut package = Vec::new();
    for (name, wanted) in &manifest.profile {
        let mut debian = None;
        if let Some(wanted) = &wanted.debian {
            let known = previous.map_or(&[][..], Lock::packages);
            let (mut found, packages) = debian::resolve(wanted, name, known, store, progress)?;
            if let Some(snapshot) = previous.and_then(|lock| still_good(lock, name, &packages)) {
                found.snapshot = snapshot;
            }
            package.extend(packages);
            debian = Some(found);
        }
        profile.insert(name.clone(), wanted.profile(debian));
    }
    let mut artifact = Vec::new();
    for wanted in &manifest.artifact {
        for (platform, name_there) in &wanted.platforms {
            artifact.push(pin(wanted, *platform, name_there, progress)?);
        }
    }
    Lock::new(
        Data {
            version: VERSION,
            profile,
            artifact,
            package,
        },
        "the new lock",
    )
}

/// The snapshot of a profile in another lock, if that has the very same packages.
fn still_good(previous: &Lock, profile: &str, packages: &[Package]) -> Option<String> {
    let before = previous.packages().iter();
    let before: Vec<_> = before
        .filter(|package| package.profile == profile)
        .collect();
    let same = before.len() == packages.len() && packages.iter().all(|new| before.contains(&new));
    let snapshot = || {
        Some(
            previous
                .profiles()
                .get(profile)?
                .debian
                .as_ref()?
                .snapshot
                .clone(),
        )
    };
    same.then(snapshot).flatten()
}

fn pin(
    wanted: &Wanted,
    platform: Platform,
    pip_platform: &str,
    progress: &dyn Progress,
) -> Result<Artifact> {
    let temp =
        tempfile::tempdir().map_err(Error::io("create a directory in", &std::env::temp_dir()))?;
    let WantedSource::Wheel { python } = &wanted.source;
    let label = format!("{} {} for {platform}", wanted.name, wanted.version);
    let request = pip::Request {
        name: &wanted.name,
        version: &wanted.version,
        python,
        pip_platform,
        sha256: None,
        label: &label,
    };
    // Nobody knows the size yet: the file's name is told when it is there.
    let path = pip::download(
        &request,
        temp.path(),
        Meter::new(&Unseen(progress), Phase::Download, &label, 0),
    )?;
    let (file, size, sha256) = describe(&path)?;
    progress.note(&format!("{file}: {size} bytes"));
    Ok(Artifact {
        id: wanted.id.clone(),
        profiles: wanted.profiles.clone(),
        platform,
        source: Source::Wheel {
            python: python.clone(),
            pip_platform: pip_platform.to_owned(),
        },
        name: wanted.name.clone(),
        version: wanted.version.clone(),
        file,
        size,
        sha256,
        licence: wanted.licence.clone(),
        files: wanted
            .take
            .iter()
            .map(|take| pin_file(&path, take))
            .collect::<Result<_>>()?,
    })
}

fn describe(path: &Path) -> Result<(String, u64, String)> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let found = hash::reader(
        &mut file,
        path,
        LIMIT,
        &mut Meter::new(&Silent, Phase::Verify, "", 0),
    )?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok((name, found.size, found.sha256))
}

fn pin_file(wheel: &Path, take: &Take) -> Result<TakenFile> {
    let broken = |reason: String| Error::BadArchive {
        archive: wheel.to_owned(),
        reason,
    };
    let file = File::open(wheel).map_err(Error::io("open", wheel))?;
    let mut archive = ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let mut entry = archive
        .by_name(&take.from)
        .map_err(|error| broken(format!("{}: {error}", take.from)))?;
    let mut meter = Meter::new(&Silent, Phase::Unpack, "", 0);
    let found =
        hash::copy(&mut entry, &mut io::sink(), LIMIT, &mut meter).map_err(
            |error| match error {
                CopyError::Read(error) | CopyError::Write(error) => {
                    broken(format!("{}: {error}", take.from))
                }
                CopyError::Other(error) => error,
            },
        )?;
    Ok(TakenFile {
        from: take.from.clone(),
        to: take.to.clone(),
        size: found.size,
        sha256: found.sha256,
        executable: take.executable,
    })
}

/// Writes a lock where it belongs, through a rename.
pub fn write_lock(lock: &Lock, path: &Path) -> Result<()> {
    let temporary = path.with_extension("lock.new");
    fs::write(&temporary, lock.text()).map_err(Error::io("write", &temporary))?;
    fs::rename(&temporary, path).map_err(Error::io("replace", path))
}
