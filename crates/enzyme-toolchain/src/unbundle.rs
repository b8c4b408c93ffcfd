//! Installing from a bundle, which may come from anyone: only what the lock names, byte for byte, gets in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tar::{Archive, EntryType, Header};

use crate::artifact::write_object;
use crate::bundle::{TRAILER, TRAILER_LENGTH, name_in_bundle};
use crate::error::{Error, Result};
use crate::hash;
use crate::installed::{Installed, LOCK_FILE};
use crate::lock::{Lock, Recipe, TakenFile};
use crate::progress::{Meter, Phase, Progress};
use crate::store::Store;

/// A tar entry's header and what fills its last block.
const TAR_BLOCKS: u64 = 2 * 512;
/// The zeros at the end of a tar archive, and room to spare.
const TAR_TAIL: u64 = 64 << 10;
/// 16 MiB (our bundles need 2): a bound for the memory that a frame may ask for.
const MAX_WINDOW_LOG: u32 = 24;

/// Installs the toolchain in a bundle that was made from the same lock.
pub fn unbundle(
    store: &Store,
    lock: &Lock,
    bundle: &Path,
    progress: &dyn Progress,
) -> Result<Installed> {
    let mut file = File::open(bundle).map_err(Error::io("open", bundle))?;
    let length = check_trailer(&mut file, bundle, progress)?;
    file.rewind().map_err(Error::io("read", bundle))?;
    let writing = store.begin_writing(progress)?;
    writing.sweep();
    let temp = writing.temp_dir()?;
    let recipe = Unpacking {
        bundle,
        lock,
        directory: temp.path(),
        progress,
    }
    .run(file.take(length))?;
    writing.publish(temp.path(), recipe.artifacts())?;
    writing.assemble(&recipe)
}

/// Checks the digest at the end of the file, which finds every accident (a download cut short, a flipped bit) before
/// anything is unpacked. It is no protection against malice: that is the lock's part. Returns the length before it.
fn check_trailer(file: &mut File, bundle: &Path, progress: &dyn Progress) -> Result<u64> {
    let broken = |reason: &str| Error::BadArchive {
        archive: bundle.to_owned(),
        reason: reason.to_owned(),
    };
    let size = file.metadata().map_err(Error::io("read", bundle))?.len();
    let length = size
        .checked_sub(TRAILER_LENGTH)
        .ok_or_else(|| broken("it is too short for a bundle"))?;
    let mut trailer = Vec::new();
    let read = file
        .seek(SeekFrom::Start(length))
        .and_then(|_| file.read_to_end(&mut trailer));
    read.and_then(|_| file.rewind())
        .map_err(Error::io("read", bundle))?;
    let digest = trailer
        .strip_prefix(&TRAILER)
        .ok_or_else(|| broken("it does not end as a bundle does"))?;
    let name = bundle.file_name().unwrap_or_default().to_string_lossy();
    let mut meter = Meter::new(progress, Phase::Verify, &name, length);
    let found = hash::reader(&mut file.take(length), bundle, length, &mut meter)?;
    meter.finish();
    if hash::hex(digest) != found.sha256 {
        return Err(broken("its contents do not match the sha256 at its end"));
    }
    Ok(length)
}

/// One pass over a bundle's archive.
struct Unpacking<'a> {
    bundle: &'a Path,
    lock: &'a Lock,
    directory: &'a Path,
    progress: &'a dyn Progress,
}

/// What may still come, by name in the bundle: a file and the recipe that it belongs to.
type Expected = BTreeMap<String, (usize, TakenFile)>;

impl Unpacking<'_> {
    fn run(&self, compressed: impl Read) -> Result<Recipe> {
        let mut recipes = self.lock.recipes();
        let mut expected = expected(&recipes);
        let mut archive = Archive::new(self.decompress(compressed, &recipes)?);
        // Raw: long names, sparse files and the like are refused as unknown kinds rather than acted upon.
        let mut entries = archive.entries().map_err(self.unreadable())?.raw(true);
        let first = entries.next().ok_or_else(|| self.broken("it is empty"))?;
        self.check_lock(first.map_err(self.unreadable())?)?;
        let mut chosen = None;
        for entry in entries {
            let mut entry = entry.map_err(self.unreadable())?;
            let name = self.plain_name(entry.header())?;
            let found = expected.remove(&name);
            let (index, file) = found.ok_or_else(|| {
                self.hostile(&name, "is there twice or not in the toolchain lock")
            })?;
            if *chosen.get_or_insert(index) != index {
                return Err(self.hostile(
                    &name,
                    "belongs to another toolchain than the entries before it",
                ));
            }
            self.unpack(&mut entry, &name, &file)?;
        }
        self.check_tail(archive.into_inner())?;
        let chosen = chosen.ok_or_else(|| self.broken("it has no files"))?;
        match expected.iter().find(|(_, (index, _))| *index == chosen) {
            Some((name, _)) => Err(self.broken(&format!("it lacks {name}"))),
            None => Ok(recipes.swap_remove(chosen)),
        }
    }

    /// Bounded in memory by the window, and in length by the largest toolchain in the lock: more is a bomb.
    fn decompress<R: Read>(&self, compressed: R, recipes: &[Recipe]) -> Result<impl Read + use<R>> {
        let files = |recipe: &Recipe| {
            recipe
                .files()
                .map(|file| file.size + TAR_BLOCKS)
                .sum::<u64>()
        };
        let largest = recipes.iter().map(files).max().unwrap_or(0);
        let lock = self.lock.text().len() as u64 + TAR_BLOCKS;
        let mut decoder = zstd::Decoder::new(compressed).map_err(self.unreadable())?;
        decoder
            .window_log_max(MAX_WINDOW_LOG)
            .map_err(self.unreadable())?;
        Ok(decoder.take(largest + lock + TAR_TAIL))
    }

    /// The first entry must be the lock that this program goes by.
    fn check_lock(&self, entry: tar::Entry<'_, impl Read>) -> Result<()> {
        if self.plain_name(entry.header())? != LOCK_FILE {
            return Err(self.broken(&format!("it does not begin with {LOCK_FILE}")));
        }
        let mut text = String::new();
        // A lock is some kilobytes; one that is cut off at this bound is another lock anyway.
        entry
            .take(1 << 20)
            .read_to_string(&mut text)
            .map_err(self.unreadable())?;
        if text == self.lock.text() {
            return Ok(());
        }
        let found = Lock::parse(&text, LOCK_FILE)
            .map_or("unknown".to_owned(), |lock| lock.digest().to_owned());
        let wanted = self.lock.digest().to_owned();
        Err(Error::OtherBundle {
            bundle: self.bundle.to_owned(),
            found,
            wanted,
        })
    }

    fn unpack(
        &self,
        entry: &mut tar::Entry<'_, impl Read>,
        name: &str,
        wanted: &TakenFile,
    ) -> Result<()> {
        let size = entry.header().size().map_err(self.unreadable())?;
        if size != wanted.size {
            return Err(self.hostile(
                name,
                &format!("claims {size} bytes instead of {}", wanted.size),
            ));
        }
        let mut meter = Meter::new(self.progress, Phase::Unpack, name, size);
        let found = write_object(entry, wanted, self.directory, &mut meter, self.unreadable())?;
        meter.finish();
        match found.difference(&wanted.fingerprint()) {
            Some(problem) => {
                Err(self.hostile(name, &format!("does not match the lock: {problem}")))
            }
            None => Ok(()),
        }
    }

    /// Nothing but zeros may follow. Reading to the end also makes zstd check its own sum.
    fn check_tail(&self, mut rest: impl Read) -> Result<()> {
        let mut tail = Vec::new();
        rest.read_to_end(&mut tail).map_err(self.unreadable())?;
        if tail.iter().any(|byte| *byte != 0) {
            return Err(self.broken("something follows the end of its archive"));
        }
        Ok(())
    }

    /// The name of an entry that is a plain file with a plain relative path.
    fn plain_name(&self, header: &Header) -> Result<String> {
        let bytes = header.path_bytes();
        let name = String::from_utf8_lossy(&bytes).into_owned();
        let kind = match header.entry_type() {
            EntryType::Regular => None,
            EntryType::Link => Some("is a hard link"),
            EntryType::Symlink => Some("is a symbolic link"),
            EntryType::Char | EntryType::Block => Some("is a device"),
            EntryType::Fifo => Some("is a pipe"),
            EntryType::Directory => Some("is a directory"),
            _ => Some("is of a kind that bundles do not have"),
        };
        let path = || match &name {
            name if name.starts_with('/') => Some("has an absolute path"),
            name if name.split('/').any(|part| part == "..") => Some("leaves its directory"),
            _ => None,
        };
        match kind.or_else(path) {
            Some(reason) => Err(self.hostile(&name, reason)),
            None => Ok(name),
        }
    }

    fn hostile(&self, entry: &str, reason: &str) -> Error {
        // Escaped: the name may hold anything, terminal commands included.
        let entry = entry.escape_debug().to_string();
        Error::HostileArchive {
            archive: self.bundle.to_owned(),
            entry,
            reason: reason.to_owned(),
        }
    }

    fn broken(&self, reason: &str) -> Error {
        Error::BadArchive {
            archive: self.bundle.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn unreadable(&self) -> impl Fn(io::Error) -> Error {
        |error| self.broken(&error.to_string())
    }
}

fn expected(recipes: &[Recipe]) -> Expected {
    let of_recipe = |(index, recipe): (usize, &Recipe)| {
        let named = |file: &TakenFile| (name_in_bundle(recipe, file), (index, file.clone()));
        recipe.files().map(named).collect::<Vec<_>>()
    };
    recipes.iter().enumerate().flat_map(of_recipe).collect()
}
