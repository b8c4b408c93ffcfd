//! A Debian package, read without trust: its paragraph, its records, and its files.
//!
//! A deb is an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`. Its scripts are not even looked at. What
//! could do harm when it is unpacked, or run, is an error that names the deb and the entry.

mod ar;
mod control;
mod entry;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

use crate::error::{Error, Result};
use crate::image::content::{Content, Spool};

pub(crate) use control::Control;
pub(crate) use entry::{Entry, Kind, relative};

/// Bounds on what a package may claim. The largest packages of the image use a quarter of each.
pub(crate) const LIMITS: Limits = Limits {
    deb: 512 << 20,
    control: 16 << 20,
    data: 4 << 30,
    file: 1 << 30,
    entries: 200_000,
};
/// `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;
/// `zstd --ultra -22` needs 128 MiB: 2^27.
const ZSTD_WINDOW: u32 = 27;

/// Bounds, in bytes where not said otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The deb itself.
    pub deb: u64,
    /// Its control archive, unpacked.
    pub control: u64,
    /// Its data archive, unpacked.
    pub data: u64,
    /// One file.
    pub file: u64,
    /// How many entries.
    pub entries: usize,
}

/// A package that was read.
#[derive(Debug)]
pub(crate) struct Deb {
    pub control: Control,
    /// `md5sums`, as it came.
    pub md5sums: String,
    /// `conffiles`, as it came.
    pub conffiles: String,
    pub entries: Vec<Entry>,
}

/// Reads the deb at `path`. Files that `wanted` does not name are checked like all others, but their bytes are not kept.
pub(crate) fn read(
    path: &Path,
    limits: &Limits,
    spool: &mut Spool,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Deb> {
    let reader = DebReader { path, limits };
    let size = fs::metadata(path)
        .map_err(Error::io("look at", path))?
        .len();
    if size > limits.deb {
        return Err(reader.broken(format!(
            "it has {size} bytes, more than the limit of {}",
            limits.deb
        )));
    }
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let members = ar::members(&bytes).map_err(|reason| reader.broken(reason))?;
    let names: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    let [(_, version), (control_name, control), (data_name, data)] = members[..] else {
        return Err(reader.broken(format!("it has the members {names:?}")));
    };
    if names[0] != "debian-binary" || !version.starts_with(b"2.") {
        return Err(reader.broken(format!("it is no deb of version 2: {names:?}")));
    }
    let records =
        reader.control(reader.unpack("control.tar", control_name, control, limits.control)?)?;
    let record = |name: &str| records.get(name).cloned().unwrap_or_default();
    Ok(Deb {
        control: Control::parse(&record("control")).map_err(|reason| reader.broken(reason))?,
        md5sums: record("md5sums"),
        conffiles: record("conffiles"),
        entries: reader.data(
            reader.unpack("data.tar", data_name, data, limits.data)?,
            spool,
            wanted,
        )?,
    })
}

struct DebReader<'a> {
    path: &'a Path,
    limits: &'a Limits,
}

/// A member's tar stream.
type Unpacked<'a> = Box<dyn Read + 'a>;

impl DebReader<'_> {
    fn broken(&self, reason: String) -> Error {
        Error::BadArchive {
            archive: self.path.to_owned(),
            reason,
        }
    }

    fn hostile(&self, entry: &str, reason: String) -> Error {
        Error::HostileArchive {
            archive: self.path.to_owned(),
            entry: entry.to_owned(),
            reason,
        }
    }

    /// The tar stream of a member, by the ending of its name, bounded.
    fn unpack<'m>(
        &self,
        wanted: &str,
        name: &str,
        bytes: &'m [u8],
        limit: u64,
    ) -> Result<Unpacked<'m>> {
        let failed =
            |error: &dyn std::fmt::Display| self.broken(format!("member `{name}`: {error}"));
        let stream: Unpacked<'m> = match name.strip_prefix(wanted) {
            Some("") => Box::new(bytes),
            Some(".xz") => {
                let stream = Stream::new_stream_decoder(XZ_MEMORY, 0).map_err(|e| failed(&e))?;
                Box::new(XzDecoder::new_stream(bytes, stream))
            }
            Some(".gz") => Box::new(flate2::bufread::GzDecoder::new(bytes)),
            Some(".zst") => {
                let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(|e| failed(&e))?;
                decoder
                    .window_log_max(ZSTD_WINDOW)
                    .map_err(|e| failed(&e))?;
                Box::new(decoder)
            }
            _ => {
                return Err(self.broken(format!(
                    "member `{name}` is not {wanted} in a form that is known (plain, gz, xz, zst)"
                )));
            }
        };
        Ok(Box::new(Bounded {
            from: stream,
            left: limit,
            limit,
        }))
    }

    /// The control archive's plain files that matter here.
    fn control(&self, stream: Unpacked<'_>) -> Result<BTreeMap<String, String>> {
        let unreadable = |error: io::Error| self.broken(format!("its control archive: {error}"));
        let mut archive = tar::Archive::new(stream);
        let mut records = BTreeMap::new();
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let name = name.trim_start_matches("./");
            if !["control", "md5sums", "conffiles"].contains(&name) {
                continue;
            }
            if !entry.header().entry_type().is_file() {
                return Err(self.hostile(name, "is not a plain file".to_owned()));
            }
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(unreadable)?;
            if records.insert(name.to_owned(), text).is_some() {
                return Err(self.hostile(name, "is there twice".to_owned()));
            }
        }
        Ok(records)
    }

    fn data(
        &self,
        stream: Unpacked<'_>,
        spool: &mut Spool,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Entry>> {
        let unreadable = |error: io::Error| self.broken(format!("its data archive: {error}"));
        let mut archive = tar::Archive::new(stream);
        let mut seen = BTreeSet::new();
        let mut files: BTreeMap<String, (Option<Content>, u32)> = BTreeMap::new();
        let mut entries = Vec::new();
        for found in archive.entries().map_err(unreadable)? {
            let mut found = found.map_err(unreadable)?;
            let raw = entry::Raw::of(&found);
            let hostile = |reason: String| self.hostile(&raw.name(), reason);
            if seen.len() >= self.limits.entries {
                return Err(hostile(format!(
                    "is one more than the limit of {} entries",
                    self.limits.entries
                )));
            }
            let path = raw.path().map_err(&hostile)?;
            if !seen.insert(path.clone()) {
                return Err(hostile("is there twice".to_owned()));
            }
            let (mut shape, mut mode) = raw.shape(&path, self.limits).map_err(&hostile)?;
            match &mut shape {
                Kind::File(content) => {
                    if wanted(&path) {
                        *content = Some(spool.add(&mut found)?.map_err(unreadable)?);
                    }
                    files.insert(path.clone(), (content.clone(), mode));
                }
                // A second name for a file that came before: here it becomes a file of its own with the same bytes.
                Kind::HardLink(target) => {
                    let Some((content, target_mode)) = files.get(target) else {
                        return Err(hostile(format!(
                            "is a hard link to `{target}`, which is no file before it in this deb"
                        )));
                    };
                    if content.is_none() && wanted(&path) {
                        return Err(hostile(format!(
                            "is a hard link to `{target}`, which is left out of the image"
                        )));
                    }
                    mode = *target_mode;
                    shape = Kind::File(content.clone());
                }
                Kind::Directory | Kind::Symlink(_) => {}
            }
            // The root itself is nobody's.
            if !path.is_empty() {
                entries.push(Entry {
                    path,
                    kind: shape,
                    mode,
                });
            }
        }
        Ok(entries)
    }
}

/// Fails as soon as there is one byte too many.
struct Bounded<R> {
    from: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("it unpacks to more than {} bytes", self.limit))
        })?;
        Ok(count)
    }
}
