//! A toolchain of a few bytes, for tests.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::debian::{Archive, Package};
use crate::hash::Fingerprint;
use crate::lock::{DEFAULT_PROFILE, Data, Facts, Profile, ToolPaths, VERSION};
use crate::{Artifact, Lock, Platform, SetupOptions, Silent, Source, Store, TakenFile, setup};

/// A lock, its wheels in a directory, and an empty store, all on a path with a space and letters beyond ASCII.
pub(crate) struct Fixture {
    pub dir: TempDir,
    pub lock: Lock,
    pub store: Store,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        Fixture::with(vec![
            wheel(
                "engine",
                &[
                    ("data/bin/catalyst", "bin/catalyst", b"the engine"),
                    ("LICENSE", "licences/e/LICENSE", b"free"),
                ],
            ),
            wheel("llvm", &[("ziglang/zig", "bin/zig", b"clang and lld")]),
        ])
    }

    pub(crate) fn with(wheels: Vec<(Artifact, Vec<u8>)>) -> Fixture {
        let dir = tempfile::Builder::new()
            .prefix("toolchain tést ")
            .tempdir()
            .unwrap();
        let store = Store::at(&dir.path().join("store")).unwrap();
        let directory = dir.path().join("wheels");
        fs::create_dir(&directory).unwrap();
        for (artifact, bytes) in &wheels {
            fs::write(directory.join(&artifact.file), bytes).unwrap();
        }
        let lock = lock(wheels.into_iter().map(|(artifact, _)| artifact).collect());
        Fixture { dir, lock, store }
    }

    pub(crate) fn options(&self) -> SetupOptions {
        SetupOptions {
            from_dir: Some(self.dir.path().join("wheels")),
            profile: DEFAULT_PROFILE.to_owned(),
            ..SetupOptions::default()
        }
    }

    pub(crate) fn setup(&self) -> crate::Result<crate::Installed> {
        setup(&self.store, &self.lock, &self.options(), &Silent)
    }

    /// The toolchain, if it is installed.
    pub(crate) fn find(&self) -> Option<crate::Installed> {
        let recipe = self.lock.recipe(DEFAULT_PROFILE, Platform::host().unwrap());
        self.store.find(&recipe.unwrap()).unwrap()
    }

    pub(crate) fn wheel(&self, id: &str) -> PathBuf {
        self.dir
            .path()
            .join("wheels")
            .join(format!("{id}-1.0-py3-none-any.whl"))
    }

    /// What is in the store's temporary directory.
    pub(crate) fn leftovers(&self) -> usize {
        fs::read_dir(self.store.temporary()).map_or(0, Iterator::count)
    }
}

pub(crate) fn data(artifact: Vec<Artifact>) -> Data {
    let facts = |name: &str| Facts {
        name: name.to_owned(),
        version: "1".to_owned(),
        llvm_major: 22,
    };
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    let tools = ToolPaths {
        engine: words(&["bin/catalyst"]),
        clang: words(&["bin/zig", "clang"]),
        lld: words(&["bin/zig", "ld.lld"]),
        ar: words(&["bin/zig", "ar"]),
    };
    let profile = Profile {
        tools,
        engine: facts("Enzyme"),
        llvm: facts("clang"),
        debian: None,
    };
    Data {
        version: VERSION,
        profile: [("portable".to_owned(), profile)].into(),
        artifact,
        package: Vec::new(),
    }
}

pub(crate) fn lock(artifacts: Vec<Artifact>) -> Lock {
    Lock::new(data(artifacts), "the test's lock").unwrap()
}

/// A wheel with files (path inside, destination, content), and what a lock says of it.
pub(crate) fn wheel(id: &str, files: &[(&str, &str, &[u8])]) -> (Artifact, Vec<u8>) {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (from, _, content) in files {
        zip.start_file(*from, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.start_file("not/taken", SimpleFileOptions::default())
        .unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let taken = |(from, to, content): &(&str, &str, &[u8])| {
        let Fingerprint { size, sha256 } = Fingerprint::of(content);
        let executable = to.starts_with("bin/");
        TakenFile {
            from: from.to_string(),
            to: to.to_string(),
            size,
            sha256,
            executable,
        }
    };
    let mut artifact = Artifact {
        id: id.to_owned(),
        profiles: vec!["portable".to_owned()],
        platform: Platform::host().unwrap(),
        source: Source::Wheel {
            python: "3.12".to_owned(),
            pip_platform: "any".to_owned(),
        },
        name: id.to_owned(),
        version: "1.0".to_owned(),
        file: format!("{id}-1.0-py3-none-any.whl"),
        size: 0,
        sha256: String::new(),
        licence: "MIT".to_owned(),
        files: files.iter().map(taken).collect(),
    };
    relabel(&mut artifact, &bytes);
    (artifact, bytes)
}

/// Makes the lock say of an artifact what these bytes are.
pub(crate) fn relabel(artifact: &mut Artifact, bytes: &[u8]) {
    Fingerprint {
        size: artifact.size,
        sha256: artifact.sha256,
    } = Fingerprint::of(bytes);
}

/// Flips one bit of a file, whatever its mode.
pub(crate) fn flip(path: &std::path::Path, position: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[position] ^= 1;
    let permissions = fs::metadata(path).unwrap().permissions();
    // Written in place, as a damaged disk or a careless program would.
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, permissions).unwrap();
}

/// A package of some bytes, which are not really a package, and what a lock says of it.
pub(crate) fn package(name: &str, bytes: &[u8]) -> (Package, Vec<u8>) {
    let Fingerprint { size, sha256 } = Fingerprint::of(bytes);
    let package = Package {
        profile: "full".to_owned(),
        platform: Platform::host().unwrap(),
        name: name.to_owned(),
        version: "1:1.0+b1".to_owned(),
        architecture: "amd64".to_owned(),
        archive: Archive::Debian,
        file: format!("pool/main/{name}_1.0+b1_amd64.deb"),
        size,
        sha256,
        licences: vec!["MIT".to_owned()],
        member: None,
    };
    (package, bytes.to_owned())
}
