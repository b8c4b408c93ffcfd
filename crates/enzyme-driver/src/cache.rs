//! What was made before: bitcode texts and derivative objects, by content.
//!
//! ```text
//! CACHE/text/KEY.ll     bitcode of a crate, as text
//! CACHE/objects/KEY.o   a finished derivative
//! CACHE/logs/KEY/       what the engine was given and said when it failed
//! CACHE/work            work in progress
//! ```

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempDir;

use crate::error::Error;
use crate::files;

/// The cache may grow to this before the oldest entries go.
pub const LIMIT: u64 = 2 << 30;

/// `1`: intermediate files stay in `CACHE/work`.
pub const KEEP_WORK: &str = "OXIDE_ENZYME_KEEP_WORK";

/// A cache directory; it belongs to one target folder.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// A cache in that directory, which need not exist.
    pub fn at(root: &Path) -> Cache {
        Cache {
            root: root.to_owned(),
        }
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A text by key, made if it is not there. With no key it is made anew and not kept.
    pub fn text(
        &self,
        key: Option<&str>,
        kind: &str,
        make: impl FnOnce() -> Result<String, Error>,
    ) -> Result<String, Error> {
        let Some(key) = key else { return make() };
        let path = self.root.join("text").join(format!("{kind}-{key}.ll"));
        if let Some(text) = recent(&path) {
            return Ok(text);
        }
        let _lock = self.lock(key)?;
        if let Some(text) = recent(&path) {
            return Ok(text);
        }
        let text = make()?;
        files::write(&path, text.as_bytes())?;
        Ok(text)
    }

    /// A derivative's object by key, made if it is not there.
    pub fn object(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<PathBuf, Error> {
        let path = self.root.join("objects").join(format!("{key}.o"));
        if touch(&path) {
            return Ok(path);
        }
        let _lock = self.lock(key)?;
        if !touch(&path) {
            files::write(&path, &make()?)?;
        }
        Ok(path)
    }

    /// A directory that goes away with the value.
    pub fn work_dir(&self) -> Result<TempDir, Error> {
        let work = self.root.join("work");
        fs::create_dir_all(&work).map_err(Error::io("make", &work))?;
        let mut directory = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(&work)
            .map_err(Error::io("write in", &work))?;
        directory.disable_cleanup(crate::session::is_on(KEEP_WORK));
        Ok(directory)
    }

    /// Where the log of a failed engine run is kept.
    pub fn log_dir(&self, key: &str) -> PathBuf {
        self.root.join("logs").join(&key[..16.min(key.len())])
    }

    /// Removes the least recently used entries until at most `limit` bytes are left, and returns how many bytes went.
    pub fn trim(&self, limit: u64) -> u64 {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = ["text", "objects"]
            .iter()
            .filter_map(|kind| fs::read_dir(self.root.join(kind)).ok())
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        let mut removed = 0;
        for (_, size, path) in entries {
            if total <= limit {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= size;
                removed += size;
            }
        }
        removed
    }

    /// Held while an entry is made, so that parallel links make it once.
    fn lock(&self, key: &str) -> Result<File, Error> {
        let directory = self.root.join("locks");
        fs::create_dir_all(&directory).map_err(Error::io("make", &directory))?;
        let path = directory.join(&key[..16.min(key.len())]);
        let file = File::create(&path).map_err(Error::io("write", &path))?;
        file.lock().map_err(Error::io("lock", &path))?;
        Ok(file)
    }
}

fn recent(path: &Path) -> Option<String> {
    touch(path).then(|| fs::read_to_string(path).ok()).flatten()
}

/// Marks an entry as used now; false if it is not there.
fn touch(path: &Path) -> bool {
    match File::options().append(true).open(path) {
        Ok(file) => {
            // A cache on a read-only file system still serves.
            let _ = file.set_modified(SystemTime::now());
            true
        }
        Err(_) => path.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_once_and_trimmed_when_there_is_no_room() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let key = files::digest(&[b"x"]);
        let object = cache.object(&key, || Ok(vec![1, 2, 3])).unwrap();
        assert_eq!(cache.object(&key, || panic!("made twice")).unwrap(), object);
        assert_eq!(cache.trim(3), 0);
        assert_eq!(cache.trim(2), 3);
        assert!(!object.exists());
    }
}
