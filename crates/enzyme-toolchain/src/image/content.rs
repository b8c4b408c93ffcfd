//! The bytes of files on their way from a package into a layer: on disk, without a file each.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

const CHUNK: usize = 1 << 18;

/// What a file holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Made here.
    Bytes(Arc<[u8]>),
    /// A part of an opened file.
    Part {
        file: Arc<File>,
        /// Its name, for messages.
        path: Arc<Path>,
        offset: u64,
        size: u64,
    },
}

impl Content {
    pub(crate) fn bytes(bytes: impl Into<Vec<u8>>) -> Content {
        Content::Bytes(bytes.into().into())
    }

    /// A whole file, which must not change while the value lives.
    pub(crate) fn file(path: &Path) -> Result<Content> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let size = file.metadata().map_err(Error::io("look at", path))?.len();
        Ok(Content::Part {
            file: Arc::new(file),
            path: path.into(),
            offset: 0,
            size,
        })
    }

    pub(crate) fn size(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Part { size, .. } => *size,
        }
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader {
            content: self,
            position: 0,
        }
    }

    /// The whole content in memory; for small files.
    pub(crate) fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader()
            .read_to_end(&mut bytes)
            .map_err(Error::io("read", &self.origin()))?;
        Ok(bytes)
    }

    pub(crate) fn same(&self, other: &Content) -> Result<bool> {
        if self.size() != other.size() {
            return Ok(false);
        }
        let (mut mine, mut theirs) = (self.reader(), other.reader());
        let (mut a, mut b) = (vec![0; CHUNK], vec![0; CHUNK]);
        loop {
            let count = mine
                .read(&mut a)
                .map_err(Error::io("read", &self.origin()))?;
            if count == 0 {
                return Ok(true);
            }
            theirs
                .read_exact(&mut b[..count])
                .map_err(Error::io("read", &other.origin()))?;
            if a[..count] != b[..count] {
                return Ok(false);
            }
        }
    }

    /// Where the bytes are, for messages.
    pub(crate) fn origin(&self) -> PathBuf {
        match self {
            Content::Bytes(_) => "a file of the image".into(),
            Content::Part { path, .. } => path.to_path_buf(),
        }
    }
}

/// Reads a content from its start.
pub(crate) struct Reader<'a> {
    content: &'a Content,
    position: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.content.size() - self.position;
        let wanted = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = match self.content {
            Content::Bytes(bytes) => {
                // It fits: `position` is at most the length.
                let start = self.position as usize;
                buffer[..wanted].copy_from_slice(&bytes[start..start + wanted]);
                wanted
            }
            Content::Part { file, offset, .. } => {
                let count = file.read_at(&mut buffer[..wanted], offset + self.position)?;
                if count == 0 && wanted > 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                count
            }
        };
        self.position += count as u64;
        Ok(count)
    }
}

/// A temporary file without a name that the files of one package are written to, one after the other.
pub(crate) struct Spool {
    file: Arc<File>,
    directory: PathBuf,
    end: u64,
}

impl Spool {
    /// The space goes away with the last content that is in it, or with the process.
    pub(crate) fn new_in(directory: &Path) -> Result<Spool> {
        let file =
            tempfile::tempfile_in(directory).map_err(Error::io("create a file in", directory))?;
        Ok(Spool {
            file: Arc::new(file),
            directory: directory.to_owned(),
            end: 0,
        })
    }

    /// Writes what `from` gives. The error says which end failed: reading is the caller's to explain.
    pub(crate) fn add(&mut self, from: &mut dyn Read) -> Result<io::Result<Content>> {
        let offset = self.end;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error)),
            };
            (&*self.file)
                .write_all(&buffer[..count])
                .map_err(Error::io("write to a file in", &self.directory))?;
            self.end += count as u64;
        }
        Ok(Ok(Content::Part {
            file: Arc::clone(&self.file),
            path: self.directory.as_path().into(),
            offset,
            size: self.end - offset,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_gives_back_what_was_put_in() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::new_in(directory.path()).unwrap();
        let long: Vec<u8> = (0..CHUNK * 2 + 5).map(|n| n as u8).collect();
        let contents: Vec<_> = [&b"one"[..], b"", &long]
            .into_iter()
            .map(|mut bytes| spool.add(&mut bytes).unwrap().unwrap())
            .collect();
        assert_eq!(contents[0].read().unwrap(), b"one");
        assert_eq!(contents[1].read().unwrap(), b"");
        assert_eq!(contents[2].read().unwrap(), long);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(contents[2].same(&Content::bytes(long.clone())).unwrap());
        let mut other = long;
        other[CHUNK] ^= 1;
        assert!(!contents[2].same(&Content::bytes(other)).unwrap());
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_and_not_a_short_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "four").unwrap();
        let content = Content::file(&path).unwrap();
        std::fs::write(&path, "4").unwrap();
        let message = content.read().unwrap_err().to_string();
        assert!(message.contains(path.to_str().unwrap()), "{message}");
    }
}
