//! `cargo enzyme setup` and `cargo enzyme toolchain` as whole programs: the real binary, mostly with the real wheels, which
//! are downloaded once for all tests, into cargo's directory for test files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use enzyme_toolchain::{Artifact, DEFAULT_PROFILE, Lock, Platform, Recipe, Source};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_cargo-enzyme");

/// A store of its own, and commands that use it.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            dir: tempfile::Builder::new()
                .prefix("a plåce with späces ")
                .tempdir()
                .unwrap(),
        }
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .arg("enzyme")
            .args(arguments)
            .env("OXIDE_ENZYME_HOME", self.store())
            .stdin(Stdio::null());
        command.env("XDG_CACHE_HOME", self.dir.path().join("cache"));
        command.env_remove("OXIDE_ENZYME_PROFILE");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    fn ok(&self, arguments: &[&str]) -> String {
        succeeded(&self.run(arguments), arguments)
    }

    /// Standard error of a command that must fail.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?} should have failed: {text}"
        );
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    fn toolchain(&self) -> PathBuf {
        PathBuf::from(self.ok(&["toolchain", "path"]).trim_end())
    }

    fn setup_real(&self) {
        self.ok(&[
            "setup",
            "--quiet",
            "--from",
            real_wheels().to_str().unwrap(),
        ]);
    }

    fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.store().join("tmp"));
        entries.map_or(Vec::new(), |entries| {
            entries.map(|entry| entry.unwrap().path()).collect()
        })
    }
}

fn succeeded(output: &Output, what: &[&str]) -> String {
    assert!(
        output.status.success(),
        "{what:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn recipe() -> Recipe {
    Lock::embedded()
        .unwrap()
        .recipe(DEFAULT_PROFILE, Platform::host().unwrap())
        .unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The real wheels: downloaded once, checked before each use.
fn real_wheels() -> &'static Path {
    static WHEELS: OnceLock<PathBuf> = OnceLock::new();
    WHEELS.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
        fs::create_dir_all(&directory).unwrap();
        for artifact in recipe().artifacts() {
            let path = directory.join(&artifact.file);
            if !fs::read(&path).is_ok_and(|bytes| sha256(&bytes) == artifact.sha256) {
                download(artifact, &directory);
            }
            assert_eq!(
                sha256(&fs::read(&path).unwrap()),
                artifact.sha256,
                "{}",
                path.display()
            );
        }
        directory
    })
}

fn download(artifact: &Artifact, directory: &Path) {
    let Source::Wheel {
        python,
        pip_platform,
    } = &artifact.source
    else {
        panic!("not a wheel")
    };
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--platform",
        pip_platform,
    ]);
    pip.args([
        "--python-version",
        python,
        "--implementation",
        "cp",
        "--dest",
    ])
    .arg(directory);
    pip.arg(format!("{}=={}", artifact.name, artifact.version));
    assert!(pip.status().unwrap().success());
}

/// Flips one bit in place, whatever the file's mode.
fn flip(path: &Path, position: u64) {
    let mode = fs::metadata(path).unwrap().permissions();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, position).unwrap();
    file.write_all_at(&[byte[0] ^ 1], position).unwrap();
    fs::set_permissions(path, mode).unwrap();
}

/// A directory with a small lock and its wheels, big enough that setup takes some time.
struct Small {
    dir: TempDir,
    wheels: Vec<PathBuf>,
}

impl Small {
    fn new(bytes: usize) -> Small {
        let dir = tempfile::tempdir().unwrap();
        let mut text = "version = 2\n[profile.portable]\ntools.engine = [\"bin/catalyst\"]\ntools.clang = [\"bin/zig\"]\n\
            tools.lld = [\"bin/zig\"]\ntools.ar = [\"bin/zig\"]\n[profile.portable.engine]\nname = \"Enzyme\"\nversion = \"1\"\nllvm-major = 22\n\
            [profile.portable.llvm]\nname = \"clang\"\nversion = \"1\"\nllvm-major = 22\n"
            .to_owned();
        let wheels = ["catalyst", "zig"].map(|name| {
            let content = noise(bytes, name.len() as u64);
            let wheel = dir.path().join(format!("{name}-1.0-py3-none-any.whl"));
            let mut zip = zip::ZipWriter::new(fs::File::create(&wheel).unwrap());
            zip.start_file("tool", zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&content).unwrap();
            zip.finish().unwrap();
            let packed = fs::read(&wheel).unwrap();
            text += &format!(
                "[[artifact]]\nid = \"{name}\"\nprofiles = [\"portable\"]\nplatform = \"{}\"\nkind = \"wheel\"\n\
                 python = \"3.12\"\npip-platform = \"any\"\nname = \"{name}\"\nversion = \"1.0\"\n\
                 file = \"{name}-1.0-py3-none-any.whl\"\nsize = {}\nsha256 = \"{}\"\nlicence = \"MIT\"\n\
                 [[artifact.files]]\nfrom = \"tool\"\nto = \"bin/{name}\"\nsize = {}\nsha256 = \"{}\"\nexecutable = true\n",
                Platform::host().unwrap(),
                packed.len(),
                sha256(&packed),
                content.len(),
                sha256(&content),
            );
            wheel
        });
        fs::write(dir.path().join("small.lock"), text).unwrap();
        let small = Small {
            dir,
            wheels: wheels.into(),
        };
        small.write_pip();
        small
    }

    fn lock(&self) -> String {
        self.dir
            .path()
            .join("small.lock")
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn wheels(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    /// A `pip` in `programs` that counts its calls and brings the wheels from here, whatever they are by now.
    fn write_pip(&self) {
        let script = format!(
            "#!/bin/sh\nfrom='{}'\n[ \"$1\" = --version ] && exit 0\necho call >> \"$from/calls\"\n\
             while [ $# -gt 0 ]; do case $1 in --dest) dest=$2;; --requirement) list=$2;; esac; shift; done\n\
             name=$(sed 's/==.*//' \"$list\")\ncp \"$from/$name\"-1.0-* \"$dest\"\nsleep 0.3\n",
            self.dir.path().display()
        );
        let draft = self.dir.path().join("pip.sh");
        fs::write(&draft, script).unwrap();
        // By another process: a child that another test starts meanwhile would inherit our file, which cannot be run then.
        let mut install = Command::new("install");
        install
            .args(["-D", "-m", "755"])
            .arg(draft)
            .arg(self.dir.path().join("programs/pip"));
        assert!(install.status().unwrap().success());
    }

    /// Makes a command find that pip first, and no index should it find another one.
    fn with_pip<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let old = std::env::var_os("PATH").unwrap();
        let directories = [self.dir.path().join("programs")]
            .into_iter()
            .chain(std::env::split_paths(&old));
        let command = command.env("PATH", std::env::join_paths(directories).unwrap());
        command
            .env("PIP_NO_INDEX", "1")
            .env_remove("PIP_FIND_LINKS")
    }
}

/// The same bytes for the same seed, half of them hard to compress.
fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..count)
        .map(|i| if i % 2 == 0 { random.next() as u8 } else { 0 })
        .collect()
}

/// xorshift64*: random moments that a printed seed repeats.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 24
    }
}

#[test]
fn the_real_toolchain_installs_and_runs() {
    let place = Place::new();
    let start = Instant::now();
    place.ok(&["setup"]);
    let seconds = start.elapsed().as_secs_f64();
    println!("from nothing to ready, with downloads: {seconds:.1} s");
    assert!(seconds < 45.0, "setup took {seconds} s");
    let bin = place.toolchain().join("bin");
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(bin.join(program))
            .args(arguments)
            .current_dir(place.dir.path())
            .output()
            .unwrap();
        succeeded(&output, &[program])
    };
    assert!(run("catalyst", &["--version"]).contains("LLVM version 22"));
    assert!(run("zig", &["clang", "--version"]).contains("clang version 22"));
    assert!(run("zig", &["ld.lld", "--version"]).contains("LLD 22"));
    // clang works alone, without the thousands of files that come with it in the wheel.
    fs::write(
        place.dir.path().join("f.ll"),
        "define double @f(double %x) { ret double %x }",
    )
    .unwrap();
    run(
        "zig",
        &[
            "clang", "-O3", "-c", "-fPIC", "-x", "ir", "f.ll", "-o", "f.o",
        ],
    );
    run("zig", &["ld.lld", "-r", "f.o", "-o", "g.o"]);
    place.ok(&["toolchain", "verify", "--quiet"]);
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}

#[test]
fn the_wheels_of_a_mirror_will_do_and_a_flipped_bit_in_them_is_refused() {
    let (small, place) = (Small::new(1 << 16), Place::new());
    let (lock, mirror) = (small.lock(), place.dir.path().join("mirror"));
    let mirror_text = mirror.to_str().unwrap();
    let make = [
        "toolchain",
        "mirror",
        mirror_text,
        "--lock",
        &lock,
        "--quiet",
    ];
    let mut command = place.command(&make);
    succeeded(&small.with_pip(&mut command).output().unwrap(), &make);
    let setup = ["setup", "--quiet", "--mirror", mirror_text, "--lock", &lock];
    let run = |place: &Place| {
        let mut command = place.command(&setup);
        command.env("PIP_NO_INDEX", "1").output().unwrap()
    };
    succeeded(&run(&Place::new()), &setup);
    let wheel = sha256(&fs::read(&small.wheels[0]).unwrap());
    flip(&mirror.join("sha256").join(&wheel), 100);
    let other = Place::new();
    let refusal = String::from_utf8(run(&other).stderr).unwrap();
    assert!(
        refusal.contains(&wheel) && refusal.contains("was not used"),
        "{refusal}"
    );
    assert!(other.leftovers().is_empty());
    // What is wrong in a mirror is put right by making it again.
    let mut command = place.command(&make);
    succeeded(&small.with_pip(&mut command).output().unwrap(), &make);
    succeeded(&run(&other), &setup);
}

#[test]
fn a_flipped_bit_in_a_real_wheel_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for damaged in recipe().artifacts() {
        for artifact in recipe().artifacts() {
            fs::copy(
                real_wheels().join(&artifact.file),
                directory.path().join(&artifact.file),
            )
            .unwrap();
        }
        flip(&directory.path().join(&damaged.file), damaged.size / 2);
        let place = Place::new();
        let message = place.refused(&["setup", "--from", directory.path().to_str().unwrap()]);
        assert!(
            message.contains(&damaged.file) && message.contains("was not used"),
            "{message}"
        );
        place.refused(&["toolchain", "path"]);
        assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
    }
}

#[test]
fn a_flipped_bit_in_the_real_store_is_refused() {
    let place = Place::new();
    place.setup_real();
    let root = place.toolchain();
    let mut random = Random(7);
    for file in recipe().files() {
        let path = root.join(&file.to);
        let position = random.next() % file.size;
        flip(&path, position);
        let message = place.refused(&["setup", "--offline"]);
        assert!(
            message.contains(path.to_str().unwrap()) && message.contains("--repair"),
            "{message}"
        );
        assert!(
            place
                .refused(&["toolchain", "verify"])
                .contains(path.to_str().unwrap())
        );
        flip(&path, position);
        place.ok(&["setup", "--offline"]);
    }
    flip(&root.join("bin/zig"), 0);
    place.ok(&[
        "setup",
        "--repair",
        "--from",
        real_wheels().to_str().unwrap(),
    ]);
    place.ok(&["toolchain", "verify"]);
}

#[test]
fn a_real_bundle_is_deterministic_and_a_flipped_bit_in_it_is_refused() {
    let place = Place::new();
    place.setup_real();
    let bundle = |name: &str| {
        let path = place.dir.path().join(name);
        place.ok(&[
            "toolchain",
            "bundle",
            "--offline",
            "--output",
            path.to_str().unwrap(),
        ]);
        path
    };
    let (one, two) = (bundle("one.tar.zst"), bundle("two.tar.zst"));
    let digest = sha256(&fs::read(&one).unwrap());
    assert_eq!(
        digest,
        sha256(&fs::read(&two).unwrap()),
        "two bundles of one toolchain differ"
    );
    let other = Place::new();
    let size = fs::metadata(&one).unwrap().len();
    for position in [0, 5, size / 3, size - 41, size - 1] {
        flip(&one, position);
        let message = other.refused(&["toolchain", "unbundle", one.to_str().unwrap()]);
        assert!(message.contains("one.tar.zst"), "{message}");
        flip(&one, position);
    }
    other.refused(&["toolchain", "path"]);
    other.ok(&["toolchain", "unbundle", one.to_str().unwrap()]);
    other.ok(&["setup", "--offline"]);
    other.ok(&["toolchain", "verify"]);
}

#[test]
fn kill_at_random_moments_of_a_small_setup_then_setup_works() {
    let small = Small::new(4 << 20);
    kill_rounds(50, &["--lock", &small.lock()], small.wheels());
}

#[test]
fn kill_at_random_moments_of_the_real_setup_then_setup_works() {
    let rounds =
        std::env::var("OXIDE_ENZYME_TEST_KILLS").map_or(6, |rounds| rounds.parse().unwrap());
    kill_rounds(rounds, &[], real_wheels().to_str().unwrap());
}

/// In an empty store each time, so that every moment of a setup has its turn; until `rounds` were killed at work.
fn kill_rounds(rounds: u64, lock: &[&str], from: &str) {
    let setup = [&["setup", "--quiet", "--from", from], lock].concat();
    let place = Place::new();
    let start = Instant::now();
    place.ok(&setup);
    let mut whole = start.elapsed();
    let mut killed = 0;
    for seed in 1..=4 * rounds {
        fs::remove_dir_all(place.store()).unwrap();
        let moment = whole.mul_f64(Random(seed).next() as f64 % 1e6 / 1e6);
        println!("seed {seed}: kill after {moment:?} of {whole:?}");
        let mut child = place.command(&setup).spawn().unwrap();
        std::thread::sleep(moment);
        child.kill().unwrap();
        match child.wait().unwrap().success() {
            // It was quicker than the first: other tests run beside this one.
            true => whole = whole.min(moment),
            false => killed += 1,
        }
        check_after_kill(&place, &setup, lock, seed);
        if killed == rounds {
            return;
        }
    }
    panic!("only {killed} setups were killed at work");
}

fn check_after_kill(place: &Place, setup: &[&str], lock: &[&str], seed: u64) {
    // What is there is whole, or not there.
    let found = place.run(&[&["toolchain", "verify"], lock].concat());
    let message = String::from_utf8_lossy(&found.stderr);
    assert!(
        found.status.success() || message.contains("is not installed"),
        "seed {seed}: {message}"
    );
    place.ok(setup);
    place.ok(&[&["toolchain", "verify", "--quiet"], lock].concat());
    assert!(
        place.leftovers().is_empty(),
        "seed {seed}: {:?}",
        place.leftovers()
    );
    assert_modes(&place.store(), seed);
}

/// Installed files are not for writing, stamps aside.
fn assert_modes(directory: &Path, seed: u64) {
    for entry in fs::read_dir(directory.join("toolchains"))
        .unwrap()
        .chain(fs::read_dir(directory.join("objects")).unwrap())
    {
        let path = entry.unwrap().path();
        let file = if path.is_dir() {
            path.join("toolchain.lock")
        } else {
            path
        };
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(
            mode & 0o222,
            0,
            "seed {seed}: {} has mode {mode:o}",
            file.display()
        );
    }
}

#[test]
fn eight_setups_at_once_download_once() {
    let small = Small::new(1 << 20);
    let place = Place::new();
    let start = || {
        let mut command = place.command(&["setup", "--lock", &small.lock()]);
        small
            .with_pip(&mut command)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<Child> = (0..8).map(|_| start()).collect();
    for child in children {
        succeeded(&child.wait_with_output().unwrap(), &["setup"]);
    }
    let calls = fs::read_to_string(small.dir.path().join("calls")).unwrap();
    assert_eq!(
        calls.lines().count(),
        small.wheels.len(),
        "each artifact is downloaded once"
    );
    place.ok(&["toolchain", "verify", "--lock", &small.lock()]);
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}

/// By a mirror that serves something else and a pip that does not mind.
#[test]
fn a_download_that_is_not_what_the_lock_says_is_refused() {
    for damaged in 0..2 {
        let small = Small::new(1000);
        flip(&small.wheels[damaged], 100);
        let place = Place::new();
        let mut command = place.command(&["setup", "--lock", &small.lock()]);
        let output = small.with_pip(&mut command).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(
            message.contains("sha256") && message.contains("was not used"),
            "{message}"
        );
        assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
    }
}

#[test]
fn without_pip_or_network_the_way_out_is_named() {
    let place = Place::new();
    let output = place
        .command(&["setup"])
        .env("PATH", place.dir.path())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("install pip") && message.contains("unbundle"),
        "{message}"
    );
    let mut command = place.command(&["setup"]);
    let output = command
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/")
        .env("PIP_RETRIES", "0")
        .env("PIP_NO_INDEX", "1")
        .output();
    let message = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(
        message.contains("pip could not download") && message.contains("--from DIR"),
        "{message}"
    );
    let message = place.refused(&["setup", "--offline"]);
    assert!(
        message.contains("--offline") && message.contains("unbundle"),
        "{message}"
    );
    let message = place.refused(&["setup", "--profile", "huge"]);
    assert!(message.contains("no profile `huge`"), "{message}");
}

#[test]
fn an_interrupt_cleans_up() {
    let small = Small::new(1000);
    let place = Place::new();
    let mut command = place.command(&["setup", "--lock", &small.lock()]);
    // The pip of this test takes 0.3 s at least, so that the interrupt finds it at work.
    let mut child = small
        .with_pip(&mut command)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !small.dir.path().join("calls").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
    assert_eq!(
        fs::read_dir(place.store().join("toolchains"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn quiet_is_silent_and_json_is_json() {
    let small = Small::new(1000);
    let place = Place::new();
    let lock = small.lock();
    let output = place.run(&[
        "setup",
        "--quiet",
        "--json",
        "--from",
        small.wheels(),
        "--lock",
        &lock,
    ]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        value["root"],
        place.ok(&["toolchain", "path", "--lock", &lock]).trim_end()
    );
    assert_eq!(
        value["key"],
        place.ok(&["toolchain", "key", "--lock", &lock]).trim_end()
    );
    for arguments in [
        &["toolchain", "list", "--json"][..],
        &["toolchain", "verify", "--json"],
        &["toolchain", "gc", "--json"],
    ] {
        let arguments = [arguments, &["--lock", &lock]].concat();
        serde_json::from_str::<serde_json::Value>(&place.ok(&arguments)).unwrap();
    }
    assert!(
        place
            .ok(&["toolchain", "path", "--lock", &lock])
            .contains("späces")
    );
}

/// As another user, who may read everything and write nothing: permissions do not bind root.
#[test]
fn a_read_only_store_with_everything_in_place_works() {
    let small = Small::new(1000);
    let place = Place::new();
    let lock = small.lock();
    place.ok(&["setup", "--from", small.wheels(), "--lock", &lock]);
    for directory in [place.dir.path(), small.dir.path()] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let nobody = |arguments: &[&str], store: &Path| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", BINARY])
            .args(arguments);
        command
            .env("OXIDE_ENZYME_HOME", store)
            .env("HOME", "/nonexistent")
            .env_remove("XDG_CACHE_HOME");
        command.output()
    };
    match nobody(&["--version"], &place.store()) {
        Ok(output) if output.status.success() => {}
        other => return eprintln!("skipped: cannot run as another user here: {other:?}"),
    }
    let setup = ["setup", "--offline", "--lock", &lock];
    succeeded(&nobody(&setup, &place.store()).unwrap(), &setup);
    // Stamps that do not fit, as after a copy of the store: a hash each time, nothing worse.
    let toolchain = fs::read_dir(place.store().join("toolchains"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::remove_file(toolchain.join(".stamp")).unwrap();
    succeeded(&nobody(&setup, &place.store()).unwrap(), &setup);
    flip(&toolchain.join("bin/zig"), 9);
    let message = nobody(&setup, &place.store()).unwrap();
    assert!(String::from_utf8_lossy(&message.stderr).contains("--repair"));
    // And a store that may not be made at all.
    let message = nobody(&setup, &place.dir.path().join("new")).unwrap();
    assert!(String::from_utf8_lossy(&message.stderr).contains("set OXIDE_ENZYME_HOME"));
    // A user who is not root installs in a directory of their own.
    let own = place.dir.path().join("own");
    fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65534), Some(65534)).unwrap();
    let setup = ["setup", "--from", small.wheels(), "--lock", &lock];
    succeeded(&nobody(&setup, &own.join("store")).unwrap(), &setup);
}

#[test]
fn a_hostile_bundle_is_refused() {
    let place = Place::new();
    let bundle = place.dir.path().join("evil.tar.zst");
    for content in [
        &b""[..],
        b"not a bundle at all, but long enough to be taken for one",
        &[0; 4096],
    ] {
        fs::write(&bundle, content).unwrap();
        let message = place.refused(&["toolchain", "unbundle", bundle.to_str().unwrap()]);
        assert!(
            message.contains("evil.tar.zst") && message.contains("nothing was installed"),
            "{message}"
        );
    }
    let message = place.refused(&["toolchain", "unbundle", "/nonexistent.tar.zst"]);
    assert!(
        message.contains("cannot open /nonexistent.tar.zst"),
        "{message}"
    );
}
