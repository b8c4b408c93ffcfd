//! SHA-256 of files and streams, counted and bounded.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::progress::Meter;

const CHUNK: usize = 1 << 20;

/// Size and SHA-256 (lower-case hex) of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub size: u64,
    pub sha256: String,
}

impl Fingerprint {
    pub(crate) fn of(bytes: &[u8]) -> Fingerprint {
        Fingerprint {
            size: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
        }
    }

    /// Says how this differs from what was expected, or nothing when it does not.
    pub(crate) fn difference(&self, expected: &Fingerprint) -> Option<String> {
        if self.size != expected.size {
            return Some(format!(
                "it has {} bytes instead of {}",
                self.size, expected.size
            ));
        }
        (self.sha256 != expected.sha256).then(|| {
            format!(
                "its sha256 is {} instead of {}",
                self.sha256, expected.sha256
            )
        })
    }
}

/// Why [`copy`] stopped: the two ends fail in different ways, and the caller knows their names.
pub(crate) enum CopyError {
    Read(io::Error),
    Write(io::Error),
    Other(Error),
}

/// Copies until the end of `from` or until more than `limit` bytes came, hashing what passes.
pub(crate) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    limit: u64,
    meter: &mut Meter<'_>,
) -> std::result::Result<Fingerprint, CopyError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut size = 0;
    while size <= limit {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(CopyError::Write)?;
        size += count as u64;
        meter.add(count as u64).map_err(CopyError::Other)?;
    }
    Ok(Fingerprint {
        size,
        sha256: hex(&hasher.finalize()),
    })
}

/// Hashes what `from` gives; `limit` bounds the reading, `path` is for messages.
pub(crate) fn reader(
    from: &mut dyn Read,
    path: &Path,
    limit: u64,
    meter: &mut Meter<'_>,
) -> Result<Fingerprint> {
    copy(from, &mut io::sink(), limit, meter).map_err(|error| match error {
        CopyError::Read(error) | CopyError::Write(error) => Error::io("read", path)(error),
        CopyError::Other(error) => error,
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
