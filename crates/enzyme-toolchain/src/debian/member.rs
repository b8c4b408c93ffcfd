//! A member of a package's archive. A deb is an `ar` archive; Nix's sandbox begins with nothing that could open one, so the
//! lock names the one member that everything else begins with.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::fetch::VerifiedDeb;
use crate::error::{Error, Result};
use crate::hash::{self, Fingerprint};
use crate::progress::{Meter, Phase, Silent};

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// A file inside of a package's archive, to the byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name there, such as `data.tar.xz`.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: String,
}

impl Member {
    /// Of that name in a package.
    pub(crate) fn pin(deb: &VerifiedDeb, name: &str) -> Result<Member> {
        let (mut content, size) = open(deb.path(), name)?;
        let mut meter = Meter::new(&Silent, Phase::Verify, name, size);
        let found = hash::reader(&mut content, deb.path(), size, &mut meter)?;
        Ok(Member {
            name: name.to_owned(),
            size: found.size,
            sha256: found.sha256,
        })
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            size: self.size,
            sha256: self.sha256.clone(),
        }
    }
}

/// Writes a member into a directory, for whoever compares it with the lock.
pub(crate) fn extract(deb: &Path, name: &str, directory: &Path) -> Result<PathBuf> {
    let (mut content, _) = open(deb, name)?;
    let path = directory.join("member");
    let mut to = File::create(&path).map_err(Error::io("create", &path))?;
    std::io::copy(&mut content, &mut to).map_err(Error::io("write", &path))?;
    Ok(path)
}

/// The content of a member, and its size.
fn open(deb: &Path, name: &str) -> Result<(Take<BufReader<File>>, u64)> {
    let broken = |reason: String| Error::BadArchive {
        archive: deb.to_owned(),
        reason,
    };
    let read = |error| Error::io("read", deb)(error);
    let mut file = BufReader::new(File::open(deb).map_err(read)?);
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic).map_err(read)?;
    if magic != MAGIC {
        return Err(broken("it is not an `ar` archive".to_owned()));
    }
    loop {
        let mut header = [0; HEADER];
        match file.read(&mut header[..1]).map_err(read)? {
            0 => return Err(broken(format!("it has no member `{name}`"))),
            _ => file.read_exact(&mut header[1..]).map_err(read)?,
        }
        let field = |range: std::ops::Range<usize>| {
            String::from_utf8_lossy(&header[range]).trim().to_owned()
        };
        let size = field(48..58).parse::<u64>();
        let size = size.map_err(|_| broken("a member has no size".to_owned()))?;
        if field(0..16).trim_end_matches('/') == name {
            return Ok((file.take(size), size));
        }
        // Members begin at even places.
        let next = i64::try_from(size + size % 2);
        let next = next.map_err(|_| broken("a member is too large".to_owned()))?;
        file.seek(SeekFrom::Current(next)).map_err(read)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (name, content) in members {
            let header = format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                0,
                0,
                0,
                100644,
                content.len()
            );
            bytes.extend(header.as_bytes());
            bytes.extend(*content);
            bytes.extend(vec![b'\n'; content.len() % 2]);
        }
        bytes
    }

    fn in_file(bytes: &[u8], name: &str) -> Result<Vec<u8>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut content = Vec::new();
        open(file.path(), name)?
            .0
            .read_to_end(&mut content)
            .unwrap();
        Ok(content)
    }

    #[test]
    fn a_member_is_found_by_its_name() {
        let bytes = archive(&[("debian-binary", b"2.0"), ("data.tar.xz", b"content")]);
        assert_eq!(in_file(&bytes, "data.tar.xz").unwrap(), b"content");
        assert_eq!(in_file(&bytes, "debian-binary").unwrap(), b"2.0");
    }

    #[test]
    fn what_is_not_there_or_no_archive_is_refused() {
        let bytes = archive(&[("debian-binary", b"2.0")]);
        let message = in_file(&bytes, "data.tar.xz").unwrap_err().to_string();
        assert!(message.contains("no member `data.tar.xz`"), "{message}");
        let mut spoilt = bytes.clone();
        spoilt[MAGIC.len() + 48] = b'x';
        assert!(in_file(&spoilt, "data.tar.xz").is_err());
        assert!(in_file(b"a zip, maybe", "data.tar.xz").is_err());
        assert!(in_file(&bytes[..20], "data.tar.xz").is_err());
    }
}
