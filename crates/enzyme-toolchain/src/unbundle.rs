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
    writing.publish(
        temp.path(),
        recipe.objects().map(|object| object.object_name()),
    )?;
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
                .objects()
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
        let named = |file: TakenFile| (name_in_bundle(recipe, &file), (index, file));
        recipe.objects().map(named).collect::<Vec<_>>()
    };
    recipes.iter().enumerate().flat_map(of_recipe).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;
    use crate::bundle::bundle;
    use crate::hash::Fingerprint;
    use crate::progress::Silent;
    use crate::testing::{Fixture, flip};

    /// An entry of a hostile archive: type, name, size claimed, content.
    type Entry<'a> = (EntryType, &'a str, u64, &'a [u8]);

    fn packed(fixture: &Fixture) -> PathBuf {
        let path = fixture.dir.path().join("bundle.tar.zst");
        bundle(&fixture.setup().unwrap(), &[], &path, &Silent).unwrap();
        fs::remove_dir_all(fixture.store.root()).unwrap();
        path
    }

    #[test]
    fn a_bundle_is_the_same_every_time_and_installs() {
        let fixture = Fixture::new();
        let bytes = fs::read(packed(&fixture)).unwrap();
        let path = packed(&fixture);
        assert_eq!(bytes, fs::read(&path).unwrap());
        let installed = unbundle(&fixture.store, &fixture.lock, &path, &Silent).unwrap();
        assert_eq!(installed.verify(&Silent).unwrap(), []);
        assert_eq!(installed.root(), fixture.setup().unwrap().root());
        assert_eq!(fixture.leftovers(), 0);
    }

    #[test]
    fn a_flip_of_any_byte_and_a_cut_anywhere_are_refused() {
        let fixture = Fixture::new();
        let path = packed(&fixture);
        let good = fs::read(&path).unwrap();
        for position in 0..good.len() {
            flip(&path, position);
            let error = unbundle(&fixture.store, &fixture.lock, &path, &Silent)
                .unwrap_err()
                .to_string();
            assert!(error.contains("bundle.tar.zst"), "{error}");
            fs::write(&path, &good[..position]).unwrap();
            unbundle(&fixture.store, &fixture.lock, &path, &Silent).unwrap_err();
            fs::write(&path, &good).unwrap();
        }
        unbundle(&fixture.store, &fixture.lock, &path, &Silent).unwrap();
    }

    #[test]
    fn a_bundle_of_another_lock_says_so() {
        let fixture = Fixture::new();
        let path = packed(&fixture);
        let error =
            unbundle(&fixture.store, &Lock::embedded().unwrap(), &path, &Silent).unwrap_err();
        assert!(matches!(error, Error::OtherBundle { .. }), "{error}");
        assert!(error.to_string().contains(fixture.lock.digest()), "{error}");
    }

    #[test]
    fn a_damaged_toolchain_is_not_bundled() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        flip(&installed.root().join("bin/zig"), 0);
        let path = fixture.dir.path().join("bundle.tar.zst");
        assert!(matches!(
            bundle(&installed, &[], &path, &Silent),
            Err(Error::Damaged { .. })
        ));
        assert!(!path.exists());
    }

    /// Archives by someone who knows the format, with a right digest at the end.
    #[test]
    fn hostile_archives_are_refused_by_name() {
        let fixture = Fixture::new();
        let platform = crate::Platform::host().unwrap();
        let inside = |name: &str| format!("portable/{platform}/{name}");
        let (engine, zig, licence) = (
            inside("bin/catalyst"),
            inside("bin/zig"),
            inside("licences/e/LICENSE"),
        );
        let up = inside("../../evil");
        let regular = EntryType::Regular;
        let good: [Entry; 3] = [
            (regular, &engine, 10, b"the engine"),
            (regular, &zig, 13, b"clang and lld"),
            (regular, &licence, 4, b"free"),
        ];
        let cases: Vec<(&str, Vec<Entry>)> = vec![
            (
                "absolute path",
                vec![(regular, "/etc/cron.d/evil", 1, b"x")],
            ),
            ("leaves its directory", vec![(regular, "../evil", 1, b"x")]),
            ("leaves its directory", vec![(regular, &up, 1, b"x")]),
            ("symbolic link", vec![(EntryType::Symlink, &engine, 0, b"")]),
            ("hard link", vec![(EntryType::Link, &engine, 0, b"")]),
            ("is a device", vec![(EntryType::Char, &engine, 0, b"")]),
            ("is a device", vec![(EntryType::Block, &engine, 0, b"")]),
            ("is a pipe", vec![(EntryType::Fifo, &engine, 0, b"")]),
            (
                "is a directory",
                vec![(EntryType::Directory, "portable", 0, b"")],
            ),
            (
                "kind that bundles do not have",
                vec![(EntryType::GNULongName, "name", 4, b"evil")],
            ),
            (
                "kind that bundles do not have",
                vec![(EntryType::XHeader, "name", 12, b"12 path=/ev\n")],
            ),
            (
                "kind that bundles do not have",
                vec![(EntryType::GNUSparse, &engine, 10, b"the engine")],
            ),
            (
                "not in the toolchain lock",
                vec![good[0], good[1], good[2], (regular, "extra", 1, b"x")],
            ),
            ("is there twice", vec![good[0], good[0]]),
            (
                "claims 99999999999 bytes",
                vec![(regular, &engine, 99_999_999_999, b"the engine")],
            ),
            (
                "claims 11 bytes",
                vec![(regular, &engine, 11, b"the engine!")],
            ),
            (
                "does not match the lock",
                vec![(regular, &engine, 10, b"the ENGINE")],
            ),
            ("it lacks", vec![good[0], good[1]]),
            ("it has no files", vec![]),
        ];
        for (reason, entries) in cases {
            let path = hostile(&fixture, &tar(&fixture, &entries));
            let error = unbundle(&fixture.store, &fixture.lock, &path, &Silent)
                .unwrap_err()
                .to_string();
            assert!(error.contains(reason), "expected {reason:?}: {error}");
            assert_eq!(fixture.leftovers(), 0, "{reason}");
            assert_eq!(
                fs::read_dir(fixture.store.objects()).unwrap().count(),
                0,
                "{reason}"
            );
        }
        let path = hostile(&fixture, &tar(&fixture, &good));
        unbundle(&fixture.store, &fixture.lock, &path, &Silent).unwrap();
    }

    #[test]
    fn bombs_and_rubbish_are_refused() {
        let fixture = Fixture::new();
        let mut tail = tar(&fixture, &[]);
        tail.extend([1; 512]);
        let cases = [
            b"rubbish, not zstd".to_vec(),
            // A gigabyte of zeros in some kilobytes.
            zstd_of(&mut io::repeat(0).take(1 << 30), 0),
            // A frame that asks for a window of 2 GiB.
            zstd_of(&mut &tar(&fixture, &[])[..], 31),
            zstd_of(&mut &tail[..], 0),
        ];
        for bytes in cases {
            let path = sealed(&fixture, bytes);
            let error = unbundle(&fixture.store, &fixture.lock, &path, &Silent).unwrap_err();
            assert!(matches!(error, Error::BadArchive { .. }), "{error}");
            assert_eq!(fixture.leftovers(), 0);
        }
        let empty = fixture.dir.path().join("empty");
        fs::write(&empty, "").unwrap();
        let error = unbundle(&fixture.store, &fixture.lock, &empty, &Silent)
            .unwrap_err()
            .to_string();
        assert!(error.contains("too short"), "{error}");
    }

    /// A tar archive that begins with the right lock.
    fn tar(fixture: &Fixture, entries: &[Entry]) -> Vec<u8> {
        let lock = fixture.lock.text().as_bytes();
        let first = (EntryType::Regular, LOCK_FILE, lock.len() as u64, lock);
        let mut bytes = Vec::new();
        for (kind, name, size, content) in [first].iter().chain(entries) {
            let mut header = Header::new_ustar();
            // Past the library's own checks of names.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.as_old_mut().linkname[..11].copy_from_slice(b"/etc/passwd");
            header.set_entry_type(*kind);
            header.set_size(*size);
            header.set_mode(0o4777);
            header.set_cksum();
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(content);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    fn hostile(fixture: &Fixture, mut tar: &[u8]) -> PathBuf {
        sealed(fixture, zstd_of(&mut tar, 0))
    }

    fn zstd_of(from: &mut dyn Read, window_log: u32) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        if window_log > 0 {
            encoder.long_distance_matching(true).unwrap();
            encoder.window_log(window_log).unwrap();
        }
        io::copy(from, &mut encoder).unwrap();
        encoder.finish().unwrap()
    }

    fn sealed(fixture: &Fixture, mut bytes: Vec<u8>) -> PathBuf {
        let digest = Fingerprint::of(&bytes).sha256;
        bytes.extend(TRAILER);
        bytes.extend(
            (0..64)
                .step_by(2)
                .map(|i| u8::from_str_radix(&digest[i..i + 2], 16).unwrap()),
        );
        let path = fixture.dir.path().join("hostile.tar.zst");
        fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
        path
    }
}
