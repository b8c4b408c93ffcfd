//! The offline bundle: one file with a whole toolchain, the same bytes every time.
//!
//! A zstd frame with a tar archive in it, then a zstd skippable frame (which `tar --zstd` ignores) with the SHA-256 of all
//! that comes before it. The archive holds `toolchain.lock`, then `PROFILE/PLATFORM/PATH` for every file, sorted; a Debian
//! package's path is `packages/SHA256`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};
use tempfile::NamedTempFile;

use crate::debian::VerifiedDeb;
use crate::error::{Error, Result};
use crate::hash::{self, Fingerprint};
use crate::installed::{Installed, LOCK_FILE};
use crate::lock::{Recipe, TakenFile};
use crate::progress::{Meter, Phase, Progress};

/// For the portable toolchain (506 MB): 126 MB in 5 s on one core; level 3 makes 138 MB in 2 s, level 9 121 MB in 8 s.
const LEVEL: i32 = 6;
/// A zstd skippable frame with 32 bytes in it.
pub(crate) const TRAILER: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
pub(crate) const TRAILER_LENGTH: u64 = 8 + 32;

/// Writes a toolchain to a bundle. Every file is hashed on its way in, so that what was tampered with is never packed.
/// `debs` are the packages of the same recipe.
pub fn bundle(
    installed: &Installed,
    debs: &[VerifiedDeb],
    path: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Next to its destination, so that a bundle is whole or not there.
    let mut temporary =
        NamedTempFile::new_in(directory).map_err(Error::io("create a file in", directory))?;
    let mut hashed = Hashed {
        to: temporary.as_file_mut(),
        hasher: Sha256::new(),
    };
    write_archive(installed, debs, &mut hashed, path, progress)?;
    let digest = hashed.hasher.finalize();
    let file = temporary.as_file_mut();
    let ended = file
        .write_all(&TRAILER)
        .and_then(|()| file.write_all(&digest))
        .and_then(|()| file.sync_all());
    ended.map_err(Error::io("write", path))?;
    readable_by_all(temporary.as_file()).map_err(Error::io("write", path))?;
    temporary
        .persist(path)
        .map_err(|error| Error::io("create", path)(error.error))?;
    Ok(())
}

/// The name that a file of a recipe has in a bundle.
pub(crate) fn name_in_bundle(recipe: &Recipe, file: &TakenFile) -> String {
    format!("{}/{}/{}", recipe.profile(), recipe.platform(), file.to)
}

fn write_archive(
    installed: &Installed,
    debs: &[VerifiedDeb],
    to: &mut dyn Write,
    path: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    let failed = || Error::io("write", path);
    let recipe = installed.recipe();
    let files = recipe
        .files()
        .map(|file| (file.clone(), installed.root().join(&file.to)));
    let packages = debs
        .iter()
        .map(|deb| (deb.package().object(), deb.path().to_owned()));
    let mut files: Vec<_> = files.chain(packages).collect();
    files.sort_by(|a, b| a.0.to.cmp(&b.0.to));
    let mut encoder = zstd::Encoder::new(to, LEVEL).map_err(failed())?;
    encoder.include_checksum(true).map_err(failed())?;
    let mut archive = tar::Builder::new(encoder);
    let lock = recipe.lock().text().as_bytes();
    archive
        .append(&header(LOCK_FILE, lock.len() as u64, false, path)?, lock)
        .map_err(failed())?;
    let key = recipe.key();
    let mut meter = Meter::new(
        progress,
        Phase::Pack,
        &key,
        files.iter().map(|(file, _)| file.size).sum(),
    );
    for (file, from) in &files {
        let header = header(
            &name_in_bundle(recipe, file),
            file.size,
            file.executable,
            path,
        )?;
        append(
            &mut archive,
            &header,
            from,
            &file.fingerprint(),
            &mut meter,
            path,
        )?;
    }
    archive
        .into_inner()
        .and_then(zstd::Encoder::finish)
        .map_err(failed())?;
    meter.finish();
    Ok(())
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    header: &Header,
    from: &Path,
    expected: &Fingerprint,
    meter: &mut Meter<'_>,
    bundle: &Path,
) -> Result<()> {
    let file = File::open(from).map_err(Error::io("open", from))?;
    let mut reader = Metered {
        from: file,
        hasher: Sha256::new(),
        size: 0,
        meter,
        stopped: None,
    };
    let appended = archive.append(header, &mut reader);
    if let Some(error) = reader.stopped {
        return Err(error);
    }
    let found = Fingerprint {
        size: reader.size,
        sha256: hash::hex(&reader.hasher.finalize()),
    };
    if let Some(problem) = found.difference(expected) {
        return Err(Error::Damaged {
            path: from.to_owned(),
            problem: format!("was changed: {problem}"),
        });
    }
    appended.map_err(Error::io("write", bundle))
}

/// The same for the same file: no times, no owners.
fn header(name: &str, size: u64, executable: bool, bundle: &Path) -> Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(Error::io("write", bundle))?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// Temporary files are the owner's alone; a bundle is for handing on.
fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Hashes what is written through it.
struct Hashed<'a> {
    to: &'a mut File,
    hasher: Sha256,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Hashes and counts what is read through it, and stops when the user wants to.
struct Metered<'a, 'b> {
    from: File,
    hasher: Sha256,
    size: u64,
    meter: &'a mut Meter<'b>,
    stopped: Option<Error>,
}

impl Read for Metered<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.size += count as u64;
        if let Err(error) = self.meter.add(count as u64) {
            self.stopped = Some(error);
            return Err(io::Error::other("stopped"));
        }
        Ok(count)
    }
}
