//! Files that appear whole or not at all.

use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Error;

/// Writes `bytes` to `path` through a temporary file and a rename, making the directory if need be.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(Error::io("make", directory))?;
    let mut file =
        tempfile::NamedTempFile::new_in(directory).map_err(Error::io("write in", directory))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.persist(path)
        .map_err(|e| Error::io("write", path)(e.error))?;
    Ok(())
}

/// Reads a text file.
pub fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(Error::io("read", path))
}

/// The sha256 of several pieces, each with its length, in hex.
pub fn digest(pieces: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update((piece.len() as u64).to_le_bytes());
        hash.update(piece);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Size and time of a file, as text: what a cache that must not read the file goes by.
pub fn stamp(path: &Path) -> Result<String, Error> {
    let metadata = std::fs::metadata(path).map_err(Error::io("look at", path))?;
    let time = metadata
        .modified()
        .ok()
        .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |t| t.as_nanos());
    Ok(format!("{} {} {time}", path.display(), metadata.len()))
}
