//! Small debs, good and hostile, for tests.

use tar::{EntryType, Header};

/// An `ar` archive.
pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            0,
            0,
            0,
            100_644,
            content.len()
        );
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    }
    bytes
}

/// An entry of a data archive, as hostile as one likes.
#[derive(Clone)]
pub(crate) struct RawEntry {
    pub kind: EntryType,
    pub path: String,
    pub link: String,
    pub content: Vec<u8>,
    /// What the header says; the content's when not set.
    pub size: Option<u64>,
    pub mode: u32,
    pub owner: (u64, u64),
}

impl RawEntry {
    pub(crate) fn new(kind: EntryType, path: &str) -> RawEntry {
        RawEntry {
            kind,
            path: path.to_owned(),
            link: String::new(),
            content: Vec::new(),
            size: None,
            mode: match kind {
                EntryType::Directory => 0o755,
                _ => 0o644,
            },
            owner: (0, 0),
        }
    }

    pub(crate) fn file(path: &str, content: &str) -> RawEntry {
        RawEntry {
            content: content.as_bytes().to_vec(),
            ..RawEntry::new(EntryType::Regular, path)
        }
    }

    pub(crate) fn directory(path: &str) -> RawEntry {
        RawEntry::new(EntryType::Directory, path)
    }

    pub(crate) fn link(kind: EntryType, path: &str, target: &str) -> RawEntry {
        RawEntry {
            link: target.to_owned(),
            ..RawEntry::new(kind, path)
        }
    }

    pub(crate) fn mode(self, mode: u32) -> RawEntry {
        RawEntry { mode, ..self }
    }
}

/// A tar archive, past the library's own checks of names.
pub(crate) fn tar(entries: &[RawEntry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..entry.path.len()].copy_from_slice(entry.path.as_bytes());
        header.as_old_mut().linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_size(entry.size.unwrap_or(entry.content.len() as u64));
        header.set_mode(entry.mode);
        header.set_uid(entry.owner.0);
        header.set_gid(entry.owner.1);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&entry.content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A control paragraph.
pub(crate) fn control(name: &str) -> String {
    format!(
        "Package: {name}\nVersion: 1:1.0-1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: test\n"
    )
}

/// A deb of version `1:1.0-1` with these entries, compressed as `ending` says.
pub(crate) fn deb(name: &str, entries: &[RawEntry], ending: &str) -> Vec<u8> {
    let records = tar(&[
        RawEntry::directory("./"),
        RawEntry::file("./control", &control(name)),
    ]);
    ar(&[
        ("debian-binary", b"2.0\n"),
        (&format!("control.tar{ending}"), &compress(&records, ending)),
        (
            &format!("data.tar{ending}"),
            &compress(&tar(entries), ending),
        ),
    ])
}

pub(crate) fn compress(bytes: &[u8], ending: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut out = Vec::new();
    match ending {
        ".xz" => {
            liblzma::read::XzEncoder::new(bytes, 1)
                .read_to_end(&mut out)
                .unwrap();
        }
        ".gz" => {
            let mut gzip = crate::image::gzip::Gzip::new(&mut out);
            gzip.write_all(bytes).unwrap();
            gzip.finish().unwrap();
        }
        ".zst" => out = zstd::encode_all(bytes, 1).unwrap(),
        _ => out = bytes.to_vec(),
    }
    out
}
