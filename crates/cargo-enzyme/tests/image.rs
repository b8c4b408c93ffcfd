//! `cargo enzyme image` as a whole program, on a lock of two small debs: what is built, where, by whom, and what is refused.
//! The real image is built by `docker/image-test.sh`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use enzyme_toolchain::Platform;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_cargo-enzyme");
const CONTROL: &str =
    "Architecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a test\n";
const DEFINITION: &str = r#"
[config]
user = "1000:1000"
working-directory = "/tmp"
command = ["/usr/bin/tool"]
environment = { PATH = "/usr/bin", LANG = "C.UTF-8" }

[annotations]
"org.opencontainers.image.title" = "small"

[[layer]]
name = "base"
title = "the tool"

[[layer]]
name = "top"
title = "its data"
packages = ["data"]

[[layer]]
name = "records"
title = "records"
parts = ["records"]

[[directory]]
paths = ["tmp"]
mode = "1777"

[[link]]
path = "usr/bin/tool-1"
to = "tool"
"#;

/// An entry of a deb: kind, path, mode, content or target.
type Entry<'a> = (EntryType, &'a str, u32, &'a str);

const TOOL: [Entry<'static>; 3] = [
    (EntryType::Directory, "./usr/", 0o755, ""),
    (EntryType::Directory, "./usr/bin/", 0o755, ""),
    (
        EntryType::Regular,
        "./usr/bin/tool",
        0o755,
        "#!/bin/sh\necho a tool\n",
    ),
];
const DATA: [Entry<'static>; 3] = [
    (EntryType::Directory, "./usr/", 0o755, ""),
    (EntryType::Directory, "./usr/share/", 0o755, ""),
    (EntryType::Regular, "./usr/share/data", 0o644, "numbers"),
];

/// A lock, a definition and a mirror that has the lock's packages, for anyone to read.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Place {
        Place::with(&[("tool", &TOOL), ("data", &DATA)])
    }

    fn with(packages: &[(&str, &[Entry])]) -> Place {
        let dir = tempfile::Builder::new()
            .prefix("imåge with späces ")
            .tempdir()
            .unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let place = Place { dir };
        fs::create_dir_all(place.path("mirror/sha256")).unwrap();
        let mut lock = format!(
            "version = 2\n[profile.full]\ntools.engine = [\"bin/catalyst\"]\ntools.clang = [\"/usr/bin/clang\"]\n\
             tools.lld = [\"/usr/bin/lld\"]\ntools.ar = [\"/usr/bin/ar\"]\n\
             [profile.full.engine]\nname = \"Enzyme\"\nversion = \"1\"\nllvm-major = 22\n\
             [profile.full.llvm]\nname = \"clang\"\nversion = \"1\"\nllvm-major = 22\n\
             [profile.full.debian]\nsuite = \"trixie\"\ncomponents = [\"main\"]\nsnapshot = \"20261125T142231Z\"\n\
             [[artifact]]\nid = \"engine\"\nprofiles = [\"full\"]\nplatform = \"{platform}\"\nkind = \"wheel\"\n\
             python = \"3.12\"\npip-platform = \"any\"\nname = \"engine\"\nversion = \"1.0\"\nfile = \"engine-1.0.whl\"\n\
             size = 1\nsha256 = \"{zeros}\"\nlicence = \"MIT\"\n\
             [[artifact.files]]\nfrom = \"x\"\nto = \"bin/catalyst\"\nsize = 1\nsha256 = \"{zeros}\"\nexecutable = true\n",
            platform = Platform::host().unwrap(),
            zeros = "0".repeat(64),
        );
        for (name, entries) in packages {
            let deb = deb(name, entries);
            let sha256 = sha256(&deb);
            lock += &format!(
                "[[package]]\nprofile = \"full\"\nplatform = \"{}\"\nname = \"{name}\"\nversion = \"1:1.0-1\"\n\
                 architecture = \"all\"\narchive = \"debian\"\nfile = \"pool/main/{name}_1.0-1_all.deb\"\nsize = {}\n\
                 sha256 = \"{sha256}\"\nlicences = [\"MIT\"]\n",
                Platform::host().unwrap(),
                deb.len()
            );
            fs::write(place.path(&format!("mirror/sha256/{sha256}")), deb).unwrap();
        }
        fs::write(place.path("small.lock"), lock).unwrap();
        fs::write(place.path("image.toml"), DEFINITION).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn layout(&self) -> PathBuf {
        self.path("out.oci")
    }

    /// `image COMMAND`, with the inputs of this place.
    fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut program = Command::new(BINARY);
        program
            .args(["enzyme", "image", command])
            .args(arguments)
            .env("OXIDE_ENZYME_HOME", self.path("store"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        if command == "build" || command == "verify" {
            program
                .arg("--lock")
                .arg(self.path("small.lock"))
                .arg("--definition")
                .arg(self.path("image.toml"))
                .arg("--mirror")
                .arg(self.path("mirror"));
        }
        program
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        self.command(command, arguments).output().unwrap()
    }

    fn ok(&self, command: &str, arguments: &[&str]) -> String {
        succeeded(&self.run(command, arguments))
    }

    fn refused(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.run(command, arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    fn build(&self) -> Value {
        serde_json::from_str(&self.ok("build", &["--output", "out.oci", "--quiet", "--json"]))
            .unwrap()
    }

    /// No work in progress is left beside the layout.
    fn assert_tidy(&self) {
        let names = fs::read_dir(self.dir.path()).unwrap();
        let left: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, path, mode, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        let mut body = content.as_bytes();
        if *kind == EntryType::Symlink {
            header.set_link_name_literal(body).unwrap();
            body = b"";
        }
        header.set_size(body.len() as u64);
        header.set_mode(*mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000_000);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn deb(name: &str, entries: &[Entry]) -> Vec<u8> {
    let control = format!("Package: {name}\nVersion: 1:1.0-1\n{CONTROL}");
    let control = tar(&[(EntryType::Regular, "./control", 0o644, &control)]);
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in [
        ("debian-binary", &b"2.0\n"[..]),
        ("control.tar", &control),
        ("data.tar", &tar(entries)),
    ] {
        let size = content.len();
        bytes.extend(
            format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
                0, 0, 0, 100_644
            )
            .bytes(),
        );
        bytes.extend(content);
    }
    bytes
}

/// Every file of a directory, with its bytes.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn relative(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(directory)
        .into_iter()
        .map(|(path, bytes)| (path.strip_prefix(directory).unwrap().to_owned(), bytes))
        .collect()
}

#[test]
fn two_builds_by_others_elsewhere_give_the_same_bytes() {
    let place = Place::new();
    let first = place.build();
    assert!(first["digest"].as_str().unwrap().starts_with("sha256:"));
    let elsewhere = tempfile::Builder::new()
        .prefix("elsewhere")
        .tempdir()
        .unwrap();
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let build = place.command("build", &["--output", "deeper/down/image"]);
    // Another user where this one may become one; another umask, time zone and language everywhere.
    let is_root = fs::metadata("/proc/self")
        .map(|m| std::os::unix::fs::MetadataExt::uid(&m))
        .unwrap()
        == 0;
    // The program itself must be where that user can read it.
    let program = elsewhere.path().join("cargo-enzyme");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$@\"", "sh"]);
    if is_root && which::which("setpriv").is_ok() {
        let mut install = Command::new("install");
        install.args(["-m", "755", BINARY]).arg(&program);
        assert!(install.status().unwrap().success());
        shell.args([
            "setpriv",
            "--reuid",
            "12345",
            "--regid",
            "12345",
            "--clear-groups",
            "--",
        ]);
        shell.arg(&program);
    } else {
        eprintln!("not tried: another user (this needs root and setpriv)");
        shell.arg(BINARY);
    }
    shell
        .args(build.get_args())
        .current_dir(elsewhere.path())
        .env("OXIDE_ENZYME_HOME", elsewhere.path().join("store"))
        .env("HOME", elsewhere.path())
        .env("TZ", "Pacific/Kiritimati")
        .env("LC_ALL", "tr_TR.UTF-8");
    succeeded(&shell.output().unwrap());
    let there = elsewhere.path().join("deeper/down/image");
    assert_eq!(relative(&place.layout()), relative(&there));
    for ending in ["spdx.json", "provenance.json"] {
        let here = fs::read(place.path(&format!("out.oci.{ending}"))).unwrap();
        let there = fs::read(elsewhere.path().join(format!("deeper/down/image.{ending}"))).unwrap();
        assert_eq!(here, there);
        serde_json::from_slice::<Value>(&here).unwrap();
    }
    place.assert_tidy();
}

#[test]
fn a_layout_is_whole_and_verified() {
    let place = Place::new();
    let built = place.build();
    assert_eq!(built["layers"].as_array().unwrap().len(), 3);
    let description: Value =
        serde_json::from_str(&place.ok("inspect", &["out.oci", "--json"])).unwrap();
    assert_eq!(description["digest"], built["digest"]);
    assert_eq!(description["created"], "2026-11-25T14:22:31Z");
    assert_eq!(
        description["environment"],
        json!(["LANG=C.UTF-8", "PATH=/usr/bin"])
    );
    let names: Vec<_> = description["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| &l["name"])
        .collect();
    assert_eq!(names, ["base", "top", "records"]);
    assert!(
        place
            .ok("inspect", &["out.oci"])
            .contains("org.opencontainers.image.title: small")
    );
    place.ok("verify", &["out.oci"]);
    let found = place.ok("verify", &["out.oci", "--json", "--quiet"]);
    assert_eq!(
        serde_json::from_str::<Value>(&found).unwrap()["difference"],
        Value::Null
    );
    // Building again replaces it.
    assert_eq!(place.build()["digest"], built["digest"]);
    place.assert_tidy();
}

#[test]
fn a_flipped_byte_in_any_blob_is_found() {
    let place = Place::new();
    place.build();
    let blobs = files(&place.layout().join("blobs"));
    assert_eq!(blobs.len(), 5);
    for (path, bytes) in blobs {
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(&path, changed).unwrap();
        let message = place.refused("verify", &["out.oci", "--quiet"]);
        assert!(message.contains("was changed"), "{message}");
        let message = place.refused(
            "convert",
            &["--to", "oci-archive", "x.tar", "--layout", "out.oci"],
        );
        assert!(message.contains("was changed"), "{message}");
        fs::write(&path, bytes).unwrap();
    }
    place.ok("verify", &["out.oci", "--quiet"]);
    place.assert_tidy();
}

/// Differences by someone who puts every digest right again.
#[test]
fn a_planted_difference_is_named_by_layer_path_and_kind() {
    let tool = |mode, content| (EntryType::Regular, "usr/bin/tool", mode, content);
    let good = "#!/bin/sh\necho a tool\n";
    let evil = "#!/bin/sh\necho A tool\n";
    type Change = Box<dyn Fn(&mut Vec<Entry<'static>>)>;
    let replace = |new: Entry<'static>| -> Change {
        Box::new(move |entries| {
            let old = entries
                .iter_mut()
                .find(|entry| entry.1.trim_end_matches('/') == new.1)
                .unwrap();
            *old = new;
        })
    };
    let cases: Vec<(&str, &str, Change)> = vec![
        (
            "/usr/bin/tool",
            "its mode is 777 instead of 755",
            replace(tool(0o777, good)),
        ),
        (
            "/usr/bin/tool",
            "its content differs",
            replace(tool(0o755, evil)),
        ),
        (
            "/usr/bin/tool",
            "it has 1 bytes instead of 22",
            replace(tool(0o755, "x")),
        ),
        (
            "/usr/bin/tool-1",
            "it leads to `evil` instead of `tool`",
            replace((EntryType::Symlink, "usr/bin/tool-1", 0o777, "evil")),
        ),
        (
            "/usr/bin/tool-1",
            "it is a file instead of a symbolic link",
            replace((EntryType::Regular, "usr/bin/tool-1", 0o777, "")),
        ),
        (
            "/tmp",
            "its mode is 755 instead of 1777",
            replace((EntryType::Directory, "tmp", 0o755, "")),
        ),
        (
            "/usr/bin/tool-1",
            "the symbolic link is missing",
            Box::new(|entries| entries.retain(|entry| entry.1 != "usr/bin/tool-1")),
        ),
        (
            "/usr/bin/zzz",
            "there is a file that should not be there",
            Box::new(|entries| entries.push((EntryType::Regular, "usr/bin/zzz", 0o755, "x"))),
        ),
        (
            "usr/bin/su",
            "has mode 4755",
            Box::new(|entries| entries.push((EntryType::Regular, "usr/bin/su", 0o4755, "x"))),
        ),
        (
            "../evil",
            "leaves the root",
            Box::new(|entries| entries.push((EntryType::Regular, "../evil", 0o755, "x"))),
        ),
    ];
    for (path, what, change) in cases {
        let place = Place::new();
        place.build();
        rewrite_base(&place.layout(), &change);
        let message = place.refused("verify", &["out.oci", "--quiet"]);
        assert!(
            message.contains("layer base") && message.contains(path) && message.contains(what),
            "expected {path}: {what}: {message}"
        );
    }
}

/// Takes the lowest layer apart, changes it, and puts all digests right.
fn rewrite_base(layout: &Path, change: &dyn Fn(&mut Vec<Entry<'static>>)) {
    let blob = |digest: &Value| {
        layout
            .join("blobs")
            .join(digest.as_str().unwrap().replace(':', "/"))
    };
    let read = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let store = |bytes: &[u8]| {
        let digest = format!("sha256:{}", sha256(bytes));
        fs::write(blob(&json!(digest)), bytes).unwrap();
        (json!(digest), json!(bytes.len()))
    };
    let mut index = read(&layout.join("index.json"));
    let mut manifest = read(&blob(&index["manifests"][0]["digest"]));
    let mut config = read(&blob(&manifest["config"]["digest"]));
    let mut archive = Vec::new();
    flate2::read::MultiGzDecoder::new(
        fs::File::open(blob(&manifest["layers"][0]["digest"])).unwrap(),
    )
    .read_to_end(&mut archive)
    .unwrap();
    let mut entries: Vec<Entry<'static>> = Vec::new();
    for entry in tar::Archive::new(&archive[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned().leak();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        if let Some(target) = entry.link_name().unwrap() {
            content = target.to_str().unwrap().to_owned();
        }
        let header = entry.header();
        entries.push((
            header.entry_type(),
            path,
            header.mode().unwrap(),
            content.leak(),
        ));
    }
    change(&mut entries);
    let mut archive = tar(&entries);
    // The image's date.
    for header in archive.chunks_exact_mut(512) {
        if &header[257..262] == b"ustar" {
            let mut whole = Header::new_ustar();
            whole.as_mut_bytes().copy_from_slice(header);
            whole.set_mtime(1_795_616_551);
            whole.set_cksum();
            header.copy_from_slice(whole.as_bytes());
        }
    }
    config["rootfs"]["diff_ids"][0] = json!(format!("sha256:{}", sha256(&archive)));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive).unwrap();
    let (digest, size) = store(&gzip.finish().unwrap());
    manifest["layers"][0]["digest"] = digest;
    manifest["layers"][0]["size"] = size;
    let (digest, size) = store(config.to_string().as_bytes());
    manifest["config"]["digest"] = digest;
    manifest["config"]["size"] = size;
    let (digest, size) = store(manifest.to_string().as_bytes());
    index["manifests"][0]["digest"] = digest;
    index["manifests"][0]["size"] = size;
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
}

#[test]
fn a_planted_user_in_the_configuration_is_named() {
    let place = Place::new();
    place.build();
    let index: Value =
        serde_json::from_slice(&fs::read(place.layout().join("index.json")).unwrap()).unwrap();
    let blob = |digest: &Value| {
        place
            .layout()
            .join("blobs")
            .join(digest.as_str().unwrap().replace(':', "/"))
    };
    let store = |bytes: &str| {
        let digest = json!(format!("sha256:{}", sha256(bytes.as_bytes())));
        fs::write(blob(&digest), bytes).unwrap();
        (digest, json!(bytes.len()))
    };
    let read =
        |digest: &Value| serde_json::from_slice::<Value>(&fs::read(blob(digest)).unwrap()).unwrap();
    let mut manifest = read(&index["manifests"][0]["digest"]);
    let mut config = read(&manifest["config"]["digest"]);
    config["config"]["User"] = json!("0:0");
    (manifest["config"]["digest"], manifest["config"]["size"]) = store(&config.to_string());
    let mut index = index.clone();
    (
        index["manifests"][0]["digest"],
        index["manifests"][0]["size"],
    ) = store(&manifest.to_string());
    fs::write(place.layout().join("index.json"), index.to_string()).unwrap();
    let message = place.refused("verify", &["out.oci", "--quiet"]);
    assert!(
        message.contains("configuration: config: User") && message.contains("0:0"),
        "{message}"
    );
}

#[test]
fn a_layout_becomes_a_directory_and_archives() {
    let place = Place::new();
    let built = place.build();
    for (form, name) in [
        ("directory", "root"),
        ("oci-archive", "image.oci.tar"),
        ("docker-archive", "image.tar"),
    ] {
        place.ok(
            "convert",
            &["--to", form, name, "--layout", "out.oci", "--quiet"],
        );
        let message = place.refused("convert", &["--to", form, name, "--layout", "out.oci"]);
        assert!(message.contains("is there already"), "{message}");
    }
    let root = place.path("root");
    assert_eq!(
        fs::read_to_string(root.join("usr/share/data")).unwrap(),
        "numbers"
    );
    assert_eq!(
        fs::read_link(root.join("usr/bin/tool-1")).unwrap(),
        Path::new("tool")
    );
    let output = Command::new(root.join("usr/bin/tool-1")).output().unwrap();
    assert_eq!(output.stdout, b"a tool\n");
    let mode = fs::metadata(root.join("tmp")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1777);
    let status = fs::read_to_string(root.join("var/lib/dpkg/status")).unwrap();
    assert!(
        status.contains("Package: data\nStatus: install ok installed\n"),
        "{status}"
    );
    let sbom = fs::read(root.join("usr/share/oxide-enzyme/sbom.spdx.json")).unwrap();
    assert_eq!(sbom, fs::read(place.path("out.oci.spdx.json")).unwrap());
    let names = |archive: &str| -> Vec<String> {
        let file = fs::File::open(place.path(archive)).unwrap();
        let mut archive = tar::Archive::new(file);
        let entries = archive.entries().unwrap();
        entries
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect()
    };
    assert!(names("image.oci.tar").contains(&"index.json".to_owned()));
    assert!(!names("image.oci.tar").contains(&"manifest.json".to_owned()));
    assert!(names("image.tar").contains(&"manifest.json".to_owned()));
    let provenance: Value =
        serde_json::from_slice(&fs::read(place.path("out.oci.provenance.json")).unwrap()).unwrap();
    let subject = provenance["subject"][0]["digest"]["sha256"]
        .as_str()
        .unwrap();
    assert_eq!(
        format!("sha256:{subject}"),
        built["digest"].as_str().unwrap()
    );
    place.assert_tidy();
}

#[test]
fn a_hostile_package_is_refused_by_name_even_when_the_lock_names_it() {
    let cases: [(&str, Entry); 4] = [
        (
            "leaves the root",
            (EntryType::Regular, "../evil", 0o644, "x"),
        ),
        ("is a device", (EntryType::Char, "./dev/null", 0o666, "")),
        (
            "set-user-ID",
            (EntryType::Regular, "./usr/bin/evil", 0o4755, "x"),
        ),
        (
            "absolute path",
            (EntryType::Regular, "/etc/cron.d/evil", 0o644, "x"),
        ),
    ];
    for (reason, entry) in cases {
        let place = Place::with(&[("tool", &TOOL), ("evil", &[entry])]);
        let message = place.refused("build", &["--output", "out.oci", "--quiet"]);
        assert!(
            message.contains(reason) && message.contains(entry.1),
            "{message}"
        );
        assert!(!place.layout().exists());
        place.assert_tidy();
    }
}

#[test]
fn a_flipped_byte_in_a_package_is_refused() {
    let place = Place::new();
    let (path, mut bytes) = files(&place.path("mirror/sha256")).remove(0);
    bytes[100] ^= 1;
    fs::write(path, bytes).unwrap();
    let message = place.refused("build", &["--output", "out.oci", "--quiet"]);
    assert!(message.contains("sha256"), "{message}");
    assert!(!place.layout().exists());
}

#[test]
fn ctrl_c_leaves_nothing() {
    // What takes seconds to pack: noise, repeated far beyond what gzip looks back.
    let mut state = 1_u64;
    let noise: String = (0..1 << 18)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(32 + (state >> 33) as u8 % 64)
        })
        .collect();
    let noise = noise.repeat(256);
    let large = (EntryType::Regular, "./usr/share/noise", 0o644, &*noise);
    let place = Place::with(&[("tool", &TOOL), ("data", &[DATA[0], DATA[1], large])]);
    let mut build = place.command("build", &["--output", "out.oci"]);
    let mut child = build.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("packing layers")));
    let mut kill = Command::new("kill");
    kill.arg("-INT").arg(child.id().to_string());
    assert!(kill.status().unwrap().success());
    assert!(lines.any(|line| line.unwrap().contains("interrupted")));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!place.layout().exists());
    place.assert_tidy();
}

#[test]
fn what_is_no_layout_is_not_replaced() {
    let place = Place::new();
    fs::create_dir(place.layout()).unwrap();
    fs::write(place.layout().join("thesis.tex"), "years of work").unwrap();
    let message = place.refused("build", &["--output", "out.oci", "--quiet"]);
    assert!(message.contains("no OCI layout"), "{message}");
    assert!(place.layout().join("thesis.tex").exists());
    place.assert_tidy();
}
