//! Debian packages as whole programs: the real binary, the real apt, dpkg-deb, gpg and curl, and a small signed archive made
//! for each test. Where apt or gpg is missing (macOS, say), the tests say so and stop.

mod archive;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use archive::{Archive, Server, flip};
use enzyme_toolchain::{Lock, Package, Platform};

const BINARY: &str = env!("CARGO_BIN_EXE_cargo-enzyme");

/// An archive, a manifest that wants something of it, and a store.
struct Place {
    archive: Archive,
}

impl Place {
    /// `None`, and a word about it, where the programs for it are missing.
    fn new() -> Option<Place> {
        let archive = Archive::new()?;
        let place = Place { archive };
        place.write_manifest(&place.archive.keyring());
        Some(place)
    }

    fn write_manifest(&self, keyring: &Path) {
        let tool = "[\"/usr/bin/tool\"]";
        let facts = "name = \"x\"\nversion = \"1\"\nllvm-major = 22\n";
        let text = format!(
            "artifact = []\n[profile.full]\ntools.engine = {tool}\ntools.clang = {tool}\ntools.lld = {tool}\ntools.ar = {tool}\n\
             [profile.full.engine]\n{facts}[profile.full.llvm]\n{facts}[profile.full.debian]\nsuite = \"trixie\"\n\
             components = [\"main\"]\nkeyring = \"{}\"\nplatforms = {{ {} = \"{}\" }}\npackages = [\"wanted\"]\n",
            keyring.display(),
            Platform::host().unwrap(),
            archive::architecture(),
        );
        fs::write(self.path("manifest.toml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.archive.root().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// `cargo enzyme toolchain` with a store of that name.
    fn command(&self, store: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(["enzyme", "toolchain"])
            .args(arguments)
            .env("OXIDE_ENZYME_HOME", self.path(store))
            .env_remove("OXIDE_ENZYME_PROFILE")
            .env("APT_CONFIG", self.archive.host_configuration())
            .env("TMPDIR", self.path("tmp"))
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    fn ok(&self, store: &str, arguments: &[&str]) -> String {
        succeeded(self.command(store, arguments).output().unwrap(), arguments)
    }

    fn refused(&self, store: &str, arguments: &[&str]) -> String {
        let output = self.command(store, arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    fn lock(&self) -> Lock {
        let (manifest, lock) = (self.text("manifest.toml"), self.text("the.lock"));
        self.ok(
            "store",
            &["lock", "--manifest", &manifest, "--output", &lock],
        );
        Lock::read(Path::new(&lock)).unwrap()
    }

    fn mirror(&self) -> Vec<String> {
        let words = [
            "mirror",
            "MIRROR",
            "--profile",
            "full",
            "--lock",
            "LOCK",
            "--quiet",
        ];
        let (mirror, lock) = (self.text("mirror"), self.text("the.lock"));
        let words = words.map(|word| match word {
            "MIRROR" => mirror.clone(),
            "LOCK" => lock.clone(),
            word => word.to_owned(),
        });
        words.into()
    }

    fn make_mirror(&self, store: &str, more: &[&str]) -> String {
        let words = self.mirror();
        let words = words.iter().map(String::as_str).chain(more.iter().copied());
        self.ok(store, &words.collect::<Vec<_>>())
    }

    fn cannot_mirror(&self, store: &str, more: &[&str]) -> String {
        let words = self.mirror();
        let words = words.iter().map(String::as_str).chain(more.iter().copied());
        self.refused(store, &words.collect::<Vec<_>>())
    }
}

fn succeeded(output: Output, what: &[&str]) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what:?} failed: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn package<'a>(lock: &'a Lock, name: &str) -> &'a Package {
    let mut packages = lock.packages().iter();
    packages.find(|package| package.name == name).unwrap()
}

#[test]
fn the_closure_is_locked_with_licences_and_comes_out_the_same_again() {
    let Some(place) = Place::new() else { return };
    let lock = place.lock();
    let names_in_lock: Vec<_> = lock.packages().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names_in_lock,
        ["base", "needed", "secure", "wanted"],
        "not `recommended`"
    );
    let wanted = package(&lock, "wanted");
    assert_eq!(wanted.version, "1:1.0+b1~deb13u1");
    assert_eq!(
        wanted.file,
        format!(
            "pool/main/w/wanted_1.0+b1~deb13u1_{}.deb",
            archive::architecture()
        )
    );
    assert_eq!(wanted.licences, ["GPL-2+ or Artistic", "MIT"]);
    // Its documents are a link to those of `wanted`.
    assert_eq!(
        package(&lock, "needed").licences,
        ["GPL-2+ or Artistic", "MIT"]
    );
    assert_eq!(package(&lock, "base").licences, ["see copyright"]);
    assert_eq!(package(&lock, "secure").archive.name(), "debian-security");
    assert_eq!(
        package(&lock, "secure").version,
        "2.0",
        "the security update, not 1.0"
    );
    let debian = lock.recipe("full", Platform::host().unwrap()).unwrap();
    let debian = debian.facts().debian.clone().unwrap();
    assert_eq!(debian.snapshot, "20260101T080000Z");

    let (manifest, path) = (place.text("manifest.toml"), place.text("the.lock"));
    let again = place.text("again.lock");
    let from_nothing = ["lock", "--manifest", &manifest, "--output", &again];
    place.ok("another store", &from_nothing);
    assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());

    // A later index with the same packages changes nothing; one with another package does.
    place.archive.publish("Fri, 02 Jan 2026 20:00:00 UTC");
    let check = [
        "lock",
        "--manifest",
        &manifest,
        "--output",
        &path,
        "--check",
    ];
    place.ok("store", &check);
    place.archive.replace("base", "9.0");
    place.archive.publish("Fri, 02 Jan 2026 20:00:00 UTC");
    place.refused("store", &check);
    assert_eq!(package(&place.lock(), "base").version, "9.0");
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains("20260103T080000Z")
    );
    // apt's root went with the program.
    assert_eq!(names(&place.path("tmp")), [""; 0]);
}

#[test]
fn an_index_that_is_not_signed_with_the_right_key_is_refused() {
    let Some(place) = Place::new() else { return };
    let (manifest, path) = (place.text("manifest.toml"), place.text("the.lock"));
    let lock = ["lock", "--manifest", &manifest, "--output", &path];
    let index = place.archive.file("debian/dists/trixie/InRelease");
    let good = fs::read_to_string(&index).unwrap();
    fs::write(&index, good.replace("Codename: trixie", "Codename: trixiE")).unwrap();
    let message = place.refused("store", &lock);
    assert!(message.contains("`apt-get update` failed"), "{message}");
    // Bare, without any signature.
    let (_, bare) = good.split_once("\n\n").unwrap();
    let (bare, _) = bare.split_once("-----BEGIN PGP SIGNATURE").unwrap();
    fs::write(&index, bare).unwrap();
    place.refused("store", &lock);
    fs::write(&index, &good).unwrap();
    // Packages that the signed index does not name.
    let packages = format!(
        "debian/dists/trixie/main/binary-{}/Packages",
        archive::architecture()
    );
    let packages = place.archive.file(&packages);
    let listed = fs::read_to_string(&packages).unwrap();
    fs::write(&packages, listed.replace("Version: 1.0", "Version: 6.6")).unwrap();
    place.refused("store", &lock);
    fs::write(&packages, listed).unwrap();
    // Another key than the archive's.
    place.write_manifest(&place.archive.other_keyring());
    let message = place.refused("store", &lock);
    assert!(message.contains("`apt-get update` failed"), "{message}");
    place.write_manifest(&place.path("no such keyring.gpg"));
    let message = place.refused("store", &lock);
    assert!(
        message.contains("no such keyring.gpg") && message.contains("debian-archive-keyring"),
        "{message}"
    );
    assert!(!Path::new(&path).exists());
}

#[test]
fn packages_go_through_mirrors_and_bundles_and_stay_until_they_are_not_needed() {
    let Some(place) = Place::new() else { return };
    let lock = place.lock();
    place.make_mirror("fresh", &[]);
    let mut hashes: Vec<_> = lock.packages().iter().map(|p| p.sha256.clone()).collect();
    hashes.sort();
    assert_eq!(names(&place.path("mirror/sha256")), hashes);
    assert_eq!(names(&place.path("mirror")), ["sha256"]);
    // From here on there is no archive.
    fs::rename(place.path("www"), place.path("away")).unwrap();
    let lock = place.text("the.lock");
    let bundle = |name: &str, more: &[&str], store: &str| {
        let path = place.text(name);
        let mut words = vec![
            "bundle",
            "--profile",
            "full",
            "--lock",
            &lock,
            "--output",
            &path,
        ];
        words.extend(more);
        place.ok(store, &words);
        fs::read(path).unwrap()
    };
    let server = Server::start(&place.path("mirror"));
    let from_server = bundle("a.tar.zst", &["--mirror", &server.url()], "by http");
    let directory = place.text("mirror");
    let from_directory = bundle("b.tar.zst", &["--mirror", &directory], "by directory");
    assert_eq!(from_server, from_directory);
    place.ok(
        "unbundled",
        &["unbundle", "--lock", &lock, &place.text("a.tar.zst")],
    );
    assert_eq!(
        bundle("c.tar.zst", &["--offline"], "unbundled"),
        from_server
    );

    let json = place.ok("unbundled", &["list", "--lock", &lock, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json[0]["packages"],
        serde_json::json!({ "locked": 4, "held": 4 })
    );
    place.ok("unbundled", &["gc", "--lock", &lock]);
    let objects = place.path("unbundled/objects");
    assert_eq!(names(&objects), hashes);
    let verify = ["verify", "--profile", "full", "--lock", &lock];
    place.ok("unbundled", &verify);
    let damaged = objects.join(&hashes[1]);
    flip(&damaged);
    let message = place.refused("unbundled", &verify);
    assert!(message.contains(&hashes[1]), "{message}");
    // The embedded lock's toolchains need none of these.
    place.ok("unbundled", &["gc"]);
    assert_eq!(names(&objects), [""; 0]);
}

#[test]
fn a_flipped_byte_is_refused_wherever_it_comes_from() {
    let Some(place) = Place::new() else { return };
    let lock = place.lock();
    let wanted = package(&lock, "wanted");
    place.make_mirror("fresh", &[]);
    let in_mirror = place.path("mirror/sha256").join(&wanted.sha256);
    let in_archive = place.archive.file("debian").join(&wanted.file);
    flip(&in_mirror);
    flip(&in_archive);
    let server = Server::start(&place.path("mirror"));
    // Into another directory, which must not be touched.
    fs::rename(place.path("mirror"), place.path("source")).unwrap();
    server.serve(&place.path("source"));
    let source = place.text("source");
    let url = server.url();
    for more in [&[][..], &["--mirror", &source], &["--mirror", &url]] {
        let message = place.cannot_mirror("empty", more);
        assert!(
            message.contains("sha256") && message.contains("was not used"),
            "{more:?}: {message}"
        );
        assert!(!place.path("empty/objects").join(&wanted.sha256).exists());
        assert_eq!(names(&place.path("empty/tmp")), [""; 0]);
    }
    // Longer than the lock says, by far: it is not even taken to the end.
    let mut bytes = fs::read(&in_archive).unwrap();
    bytes.resize(64 << 20, 0);
    fs::write(place.path("source/sha256").join(&wanted.sha256), bytes).unwrap();
    for more in [["--mirror", &source], ["--mirror", &url]] {
        let message = place.cannot_mirror("empty", &more);
        assert!(message.contains(&wanted.sha256), "{message}");
    }
    // In the store: not used, and fetched again where that is allowed.
    let held = place.path("fresh/objects").join(&wanted.sha256);
    flip(&held);
    let message = place.cannot_mirror("fresh", &["--offline"]);
    assert!(
        message.contains("wanted 1:1.0+b1~deb13u1") && message.contains("--offline"),
        "{message}"
    );
    flip(&in_archive);
    place.make_mirror("fresh", &[]);
    assert_eq!(fs::read(&held).unwrap(), fs::read(&in_archive).unwrap());
}

#[test]
fn a_version_that_is_gone_is_named_with_the_mirror_and_the_way_to_refresh_the_lock() {
    let Some(place) = Place::new() else { return };
    let lock = place.lock();
    place.make_mirror("fresh", &[]);
    fs::rename(place.path("mirror"), place.path("source")).unwrap();
    let base = package(&lock, "base");
    place.archive.replace("base", "9.0");
    fs::remove_file(place.path("source/sha256").join(&base.sha256)).unwrap();
    let server = Server::start(&place.path("source"));
    let (source, url) = (place.text("source"), server.url());
    let by_apt = format!("{}/{}", place.archive.uri("debian"), base.file);
    let cases = [
        (&[][..], by_apt),
        (
            &["--mirror", &source],
            format!("{source}/sha256/{}", base.sha256),
        ),
        (&["--mirror", &url], format!("{url}/sha256/{}", base.sha256)),
    ];
    for (more, address) in cases {
        let message = place.cannot_mirror("empty", more);
        for part in [
            &address,
            "base 1.0",
            "cargo enzyme toolchain lock",
            "--mirror",
        ] {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    }
    // What came before is kept: only the missing one is asked for again.
    place.archive.replace("base", "1.0");
    let needed = package(&lock, "needed");
    fs::remove_file(place.archive.file("debian").join(&needed.file)).unwrap();
    place.make_mirror("empty", &[]);
}

#[test]
fn a_machine_without_apts_mirrors_is_told_of_the_other_ways() {
    let Some(place) = Place::new() else { return };
    place.lock();
    fs::write(place.archive.host_sources(), "").unwrap();
    let message = place.cannot_mirror("empty", &[]);
    assert!(
        message.contains("--mirror") && message.contains("--snapshot"),
        "{message}"
    );
}

#[test]
fn many_at_once_share_one_download() {
    let Some(place) = Place::new() else { return };
    let lock = place.lock();
    let children: Vec<_> = (0..6)
        .map(|number| {
            let directory = place.text(&format!("mirror {number}"));
            let path = place.text("the.lock");
            let words = ["mirror", &directory, "--profile", "full", "--lock", &path];
            let mut command = place.command("shared", &words);
            command.stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        succeeded(child.wait_with_output().unwrap(), &["mirror"]);
    }
    let mut hashes: Vec<_> = lock.packages().iter().map(|p| p.sha256.clone()).collect();
    hashes.sort();
    assert_eq!(names(&place.path("shared/objects")), hashes);
    assert_eq!(names(&place.path("shared/tmp")), [""; 0]);
}

#[test]
fn an_interrupted_download_leaves_nothing_half_made_and_no_process() {
    let Some(place) = Place::new() else { return };
    place.lock();
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let words = place.mirror();
    let mut words: Vec<_> = words.iter().map(String::as_str).collect();
    words.extend(["--mirror", &url]);
    let mut command = place.command("store 2", &words);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let (mut connection, _) = silent.accept().unwrap();
    let interrupt = ["-INT".to_owned(), child.id().to_string()];
    assert!(
        Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    assert!(!child.wait().unwrap().success());
    assert_eq!(names(&place.path("store 2/tmp")), [""; 0]);
    assert_eq!(names(&place.path("store 2/objects")), [""; 0]);
    // curl is gone: after its question the connection has an end.
    std::io::copy(&mut connection, &mut std::io::sink()).unwrap();
    place.make_mirror("store 2", &[]);
}

/// As root, this runs as `nobody`; as anyone else every test here shows the same.
#[test]
fn an_ordinary_user_can_make_a_lock_and_fetch() {
    let Some(place) = Place::new() else { return };
    let uid = Command::new("id").arg("-u").output().unwrap();
    if uid.stdout != b"0\n" {
        return;
    }
    let (manifest, lock) = (place.text("manifest.toml"), place.text("the.lock"));
    for name in ["tmp", "user"] {
        fs::create_dir_all(place.path(name)).unwrap();
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    // A copy: the build's own may lie where nobody else can read.
    let binary = place.path("cargo-enzyme");
    fs::copy(BINARY, &binary).unwrap();
    let output = place.text("user/the.lock");
    let mirror = place.text("user/mirror");
    for words in [
        vec!["lock", "--manifest", &manifest, "--output", &output],
        vec!["mirror", &mirror, "--profile", "full", "--lock", &output],
    ] {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&binary)
            .args(["enzyme", "toolchain"])
            .args(&words)
            .env("OXIDE_ENZYME_HOME", place.path("user/store"))
            .env("APT_CONFIG", place.archive.host_configuration())
            .env("TMPDIR", place.path("tmp"))
            .env_remove("HOME");
        succeeded(command.output().unwrap(), &words);
    }
    place.lock();
    assert_eq!(fs::read(output).unwrap(), fs::read(lock).unwrap());
}
