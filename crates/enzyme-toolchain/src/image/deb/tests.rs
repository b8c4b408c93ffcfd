use std::io::Write;

use tar::EntryType;

use super::testing::{RawEntry, ar, compress, control, deb, tar};
use super::*;

/// Small bounds, so that what is too large is quick to make.
const SMALL: Limits = Limits {
    deb: 1 << 20,
    control: 1 << 14,
    data: 1 << 18,
    file: 1 << 16,
    entries: 50,
};

fn read_bytes(bytes: &[u8]) -> Result<Deb> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some.deb");
    fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    let mut spool = Spool::new_in(directory.path()).unwrap();
    super::read(&path, &SMALL, &mut spool, &|path| !path.ends_with(".a"))
}

fn read_entries(entries: &[RawEntry]) -> Result<Deb> {
    read_bytes(&deb("some", entries, ".xz"))
}

#[test]
fn every_compression_gives_the_same_package() {
    let entries = [
        RawEntry::directory("./"),
        RawEntry::directory("./usr/"),
        RawEntry::file("./usr/a", "content").mode(0o755),
        RawEntry::link(EntryType::Symlink, "./usr/b", "a"),
        RawEntry::link(EntryType::Link, "./usr/c", "./usr/a"),
        RawEntry::file("./usr/x.a", "not wanted"),
    ];
    for ending in ["", ".gz", ".xz", ".zst"] {
        let deb = read_bytes(&deb("some", &entries, ending)).unwrap();
        assert_eq!(deb.control.text, control("some"), "{ending}");
        let paths: Vec<_> = deb.entries.iter().map(|entry| &*entry.path).collect();
        assert_eq!(paths, ["usr", "usr/a", "usr/b", "usr/c", "usr/x.a"]);
        for index in [1, 3] {
            let entry = &deb.entries[index];
            let Kind::File(Some(content)) = &entry.kind else {
                panic!("{entry:?}");
            };
            assert_eq!(content.read().unwrap(), b"content");
            assert_eq!(entry.mode, 0o755);
        }
        assert!(matches!(&deb.entries[2].kind, Kind::Symlink(target) if target == "a"));
        assert!(matches!(deb.entries[4].kind, Kind::File(None)));
    }
}

/// Each by someone who knows the format.
#[test]
fn hostile_entries_are_refused_by_name() {
    let file = RawEntry::file;
    let of_kind = RawEntry::new;
    let sized = |size| RawEntry {
        size: Some(size),
        ..file("./usr/huge", "")
    };
    let owned = RawEntry {
        owner: (0, 42),
        ..file("./etc/shadow", "x")
    };
    let strange = of_kind(EntryType::Continuous, "./usr/strange");
    let two = |a: RawEntry, b: RawEntry| vec![a, b];
    let hard = |target: &str| RawEntry::link(EntryType::Link, "./usr/hard", target);
    let cases: Vec<(&str, Vec<RawEntry>)> = vec![
        ("leaves the root", vec![file("../evil", "x")]),
        ("leaves the root", vec![file("./usr/../../evil", "x")]),
        ("absolute path", vec![file("/etc/cron.d/evil", "x")]),
        ("empty part", vec![file("./usr//evil", "x")]),
        ("empty part", vec![file("./usr/./evil", "x")]),
        ("control character", vec![file("./usr/a\nb", "x")]),
        ("is a device", vec![of_kind(EntryType::Char, "./dev/null")]),
        ("is a device", vec![of_kind(EntryType::Block, "./dev/sda")]),
        ("is a pipe", vec![of_kind(EntryType::Fifo, "./run/pipe")]),
        ("kind that packages do not have", vec![strange]),
        (
            "set-user-ID",
            vec![file("./usr/bin/evil", "x").mode(0o4755)],
        ),
        (
            "set-group-ID",
            vec![file("./usr/bin/evil", "x").mode(0o2755)],
        ),
        ("belongs to user 0, group 42", vec![owned]),
        ("claims 99999999999 bytes", vec![sized(99_999_999_999)]),
        ("claims 65537 bytes", vec![sized((1 << 16) + 1)]),
        ("is there twice", two(file("./a", "x"), file("a", "y"))),
        (
            "is there twice",
            two(RawEntry::directory("./a"), RawEntry::directory("./a/")),
        ),
        ("leaves the root", vec![hard("../../etc/shadow")]),
        ("absolute path", vec![hard("/etc/shadow")]),
        ("is no file before it", vec![hard("./etc/shadow")]),
        (
            "is no file before it",
            two(
                RawEntry::link(EntryType::Symlink, "./usr/link", "/etc/shadow"),
                hard("./usr/link"),
            ),
        ),
        (
            "is left out of the image",
            two(file("./usr/x.a", "x"), hard("./usr/x.a")),
        ),
        (
            "is a link to",
            vec![RawEntry::link(EntryType::Symlink, "./usr/link", "")],
        ),
        (
            "limit of 50 entries",
            (0..60).map(|n| file(&format!("./{n}"), "x")).collect(),
        ),
    ];
    for (reason, entries) in cases {
        let error = read_entries(&entries).unwrap_err();
        assert!(matches!(error, Error::HostileArchive { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(reason) && message.contains("some.deb"),
            "expected {reason:?}: {message}"
        );
    }
}

#[test]
fn known_programs_lose_the_set_user_id_bit_and_directories_the_set_group_id_bit() {
    let deb = read_entries(&[
        RawEntry::directory("./var/mail").mode(0o2775),
        RawEntry::directory("./tmp").mode(0o1777),
        RawEntry::file("./usr/bin/su", "x").mode(0o4755),
    ])
    .unwrap();
    let modes: Vec<_> = deb.entries.iter().map(|entry| entry.mode).collect();
    assert_eq!(modes, [0o775, 0o1777, 0o755]);
}

#[test]
fn bombs_and_rubbish_are_refused() {
    let records = tar(&[RawEntry::file("./control", &control("some"))]);
    let members = |control: (&str, &[u8]), data: (&str, &[u8])| {
        ar(&[("debian-binary", b"2.0\n"), control, data])
    };
    let good = compress(&records, ".xz");
    let control_member = ("control.tar.xz", &good[..]);
    let nothing = compress(&tar(&[]), ".xz");
    // A megabyte of files that each are within bounds.
    let many: Vec<_> = (0..40)
        .map(|n| RawEntry::file(&format!("./{n}"), &"x".repeat(30_000)))
        .collect();
    let long_control = tar(&[RawEntry::file("./control", &control(&"x".repeat(1 << 15)))]);
    let linked_control = tar(&[RawEntry::link(
        EntryType::Symlink,
        "./control",
        "/etc/passwd",
    )]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("does not begin as an ar", b"rubbish".to_vec()),
        ("members []", ar(&[])),
        ("members", ar(&[("debian-binary", b"2.0\n")])),
        (
            "no deb of version 2",
            ar(&[
                ("debian-binary", b"3.0\n"),
                control_member,
                ("data.tar.xz", &nothing),
            ]),
        ),
        (
            "not data.tar in a form",
            members(control_member, ("data.tar.lzma", &nothing)),
        ),
        (
            "data archive",
            members(control_member, ("data.tar.xz", b"rubbish")),
        ),
        (
            "data archive",
            members(control_member, ("data.tar.zst", b"rubbish")),
        ),
        (
            "data archive",
            members(
                control_member,
                ("data.tar.xz", &nothing[..nothing.len() / 2]),
            ),
        ),
        (
            "unpacks to more than",
            members(
                control_member,
                ("data.tar.xz", &compress(&tar(&many), ".xz")),
            ),
        ),
        (
            "unpacks to more than",
            members(
                ("control.tar.gz", &compress(&long_control, ".gz")),
                ("data.tar.xz", &nothing),
            ),
        ),
        (
            "is not a plain file",
            members(("control.tar", &linked_control), ("data.tar.xz", &nothing)),
        ),
        (
            "no field `Package`",
            members(("control.tar.xz", &nothing), ("data.tar.xz", &nothing)),
        ),
    ];
    for (reason, bytes) in cases {
        let message = read_bytes(&bytes).unwrap_err().to_string();
        assert!(message.contains(reason), "expected {reason:?}: {message}");
    }
    let large = vec![0; (1 << 20) + 1];
    let message = read_bytes(&large).unwrap_err().to_string();
    assert!(
        message.contains("more than the limit of 1048576"),
        "{message}"
    );
    assert!(read_bytes(&members(control_member, ("data.tar.xz", &nothing))).is_ok());
}
