//! An artifact on its way in: `Downloaded` (anyone's bytes) -> `Verified` (the bytes that the lock names) -> files.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::error::{Error, Result};
use crate::hash::{self, CopyError, Fingerprint};
use crate::lock::{Artifact, TakenFile};
use crate::progress::{Meter, Phase, Progress};

/// A file that claims to be an artifact. Nothing may read it but [`Downloaded::verify`].
pub(crate) struct Downloaded {
    path: PathBuf,
    advice: &'static str,
}

/// An artifact whose size and SHA-256 are those of the lock.
pub(crate) struct Verified {
    path: PathBuf,
    file: File,
}

impl Downloaded {
    /// `advice` says what to do when it turns out to be something else.
    pub(crate) fn new(path: PathBuf, advice: &'static str) -> Self {
        Downloaded { path, advice }
    }

    pub(crate) fn verify(self, artifact: &Artifact, progress: &dyn Progress) -> Result<Verified> {
        let mut file = File::open(&self.path).map_err(Error::io("open", &self.path))?;
        let mut meter = Meter::new(progress, Phase::Verify, &artifact.file, artifact.size);
        let found = hash::reader(&mut file, &self.path, artifact.size, &mut meter)?;
        meter.finish();
        if let Some(problem) = found.difference(&artifact.fingerprint()) {
            let problem = if found.size > artifact.size {
                "it is longer than the lock says".to_owned()
            } else {
                problem
            };
            return Err(Error::Mismatch {
                path: self.path,
                problem,
                advice: self.advice,
            });
        }
        file.rewind().map_err(Error::io("read", &self.path))?;
        Ok(Verified {
            path: self.path,
            file,
        })
    }
}

impl Verified {
    /// Where it is. It may change there: whoever reads it again checks it again.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the files that the lock names into `directory`, each under its object name. Entries are found by exact name,
    /// and each is checked once more while it is written, so that nothing depends on the archive's own description.
    pub(crate) fn extract(
        self,
        artifact: &Artifact,
        directory: &Path,
        progress: &dyn Progress,
    ) -> Result<()> {
        let broken = |reason: String| Error::BadArchive {
            archive: self.path.clone(),
            reason,
        };
        let mut archive = ZipArchive::new(&self.file).map_err(|error| broken(error.to_string()))?;
        let total = artifact.files.iter().map(|file| file.size).sum();
        let mut meter = Meter::new(progress, Phase::Unpack, &artifact.file, total);
        for wanted in &artifact.files {
            let hostile = |reason: String| Error::HostileArchive {
                archive: self.path.clone(),
                entry: wanted.from.clone(),
                reason,
            };
            let mut entry = archive
                .by_name(&wanted.from)
                .map_err(|error| hostile(format!("cannot be read: {error}")))?;
            if !entry.is_file() {
                return Err(hostile("is not a plain file".to_owned()));
            }
            let found = write_object(&mut entry, wanted, directory, &mut meter, |error| {
                hostile(error.to_string())
            })?;
            if let Some(problem) = found.difference(&wanted.fingerprint()) {
                return Err(hostile(format!("does not match the lock: {problem}")));
            }
        }
        meter.finish();
        Ok(())
    }
}

/// Writes at most one byte more than wanted, which is enough to see that an entry is too long. The caller compares.
pub(crate) fn write_object(
    from: &mut dyn Read,
    wanted: &TakenFile,
    directory: &Path,
    meter: &mut Meter<'_>,
    unreadable: impl Fn(std::io::Error) -> Error,
) -> Result<Fingerprint> {
    let path = directory.join(wanted.object_name());
    let mode = if wanted.executable { 0o555 } else { 0o444 };
    // Two entries may have the same content: the second takes the place of the first.
    if path.exists() {
        fs::remove_file(&path).map_err(Error::io("replace", &path))?;
    }
    let mut options = File::options();
    let mut to = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&path)
        .map_err(Error::io("create", &path))?;
    let found = hash::copy(&mut from.take(wanted.size + 1), &mut to, wanted.size, meter).map_err(
        |error| match error {
            CopyError::Read(error) => unreadable(error),
            CopyError::Write(error) => Error::io("write", &path)(error),
            CopyError::Other(error) => error,
        },
    )?;
    // On the disk before anyone can see it, so that a power cut cannot leave the right name with other bytes.
    to.sync_all().map_err(Error::io("write", &path))?;
    Ok(found)
}
