//! `cargo-enzyme` for the image, compiled by the image's own rustc from the image's own source, so that it depends on the
//! lock and the source and on nothing of this machine.
//!
//! The compiler runs out of the unpacked root file system through that file system's own loader: no chroot, no namespaces.
//! Paths are remapped in wrappers, where cargo does not see them, as its own names of things would depend on them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{NamedTempFile, TempDir};

use super::content::Content;
use super::directory;
use super::plan::Date;
use super::source::PLACE;
use super::tree::{NodeKind, Tree};
use crate::child;
use crate::error::{Error, Result};
use crate::hash::Fingerprint;
use crate::lock::Recipe;
use crate::platform::Platform;
use crate::progress::{Progress, Unseen};
use crate::store::Store;

/// Changes whenever the way of compiling does, so that what an older version compiled is not taken for ours.
const RECIPE: &str = "1";

/// What is compiled, by what.
pub(crate) struct Job<'a> {
    pub store: &'a Store,
    pub recipe: &'a Recipe,
    /// The packages' files.
    pub root: &'a Tree,
    /// The source, with `vendor/`: what the image has below [`PLACE`].
    pub project: &'a Tree,
    pub definition: &'a str,
    pub date: &'a Date,
}

impl Job<'_> {
    /// The program: compiled now, or earlier from the same inputs.
    pub(crate) fn program(&self, scratch: &Path, progress: &dyn Progress) -> Result<Content> {
        let target = Target::of(self.recipe.platform())?;
        let source = self.compiled();
        let inputs = [
            RECIPE,
            self.recipe.lock().digest(),
            self.recipe.platform().name(),
            self.definition,
            &super::source::digest(&source)?,
        ];
        let key = Fingerprint::of(inputs.join("\n").as_bytes()).sha256;
        let cache = Cache::new(self.store, &key);
        if let Some(bytes) = cache.get() {
            return Ok(Content::bytes(bytes));
        }
        progress.note("compiling cargo-enzyme with the image's own rustc: some minutes, and kept for the next time");
        let temp = TempDir::new_in(scratch).map_err(Error::io("create a directory in", scratch))?;
        let bytes = self.compile(&source, &target, temp.path(), progress)?;
        cache.put(&bytes)?;
        Ok(Content::bytes(bytes))
    }

    fn compile(
        &self,
        source: &Tree,
        target: &Target,
        temp: &Path,
        progress: &dyn Progress,
    ) -> Result<Vec<u8>> {
        let temp = temp.canonicalize().map_err(Error::io("find", temp))?;
        let place = Place {
            temp: &temp,
            target,
        };
        let unseen = Unseen(progress);
        directory::write(&self.needed(), &place.root(), &unseen)?;
        directory::write(source, &place.source(), &unseen)?;
        place.write_wrappers()?;
        let log = temp.join("log");
        let status = child::run(&mut place.cargo(self.date), &log, || {
            match progress.cancelled() {
                true => Err(Error::Interrupted),
                false => Ok(()),
            }
        })?;
        if !status.success() {
            return Err(Error::Image(format!(
                "the image's own compiler could not build cargo-enzyme ({status}):\n{}",
                child::tail(&child::said(&log))
            )));
        }
        let program = place
            .built()
            .join(target.triple)
            .join("release/cargo-enzyme");
        let bytes = fs::read(&program).map_err(Error::io("read", &program))?;
        let trace = temp.as_os_str().as_encoded_bytes();
        if bytes.windows(trace.len()).any(|window| window == trace) {
            return Err(Error::Image(format!(
                "the compiled cargo-enzyme has `{}` in it, so it would differ elsewhere; this is a defect of this program",
                temp.display()
            )));
        }
        Ok(bytes)
    }

    /// What compiling needs of the source. All else may change without the program being compiled anew.
    fn compiled(&self) -> Tree {
        const UNUSED: [&str; 6] = [".ci/", "ci/", "docs/", "nix/", ".github/", "docker/"];
        let unused = |path: &str| {
            let of_tests = path.starts_with("crates/") && path.contains("/tests/");
            let prose = path.ends_with(".md") && !path.contains('/');
            of_tests || prose || UNUSED.iter().any(|prefix| path.starts_with(prefix))
        };
        let mut tree = self.project.clone();
        for (path, node) in self.project.iter() {
            let linked = path == "docker/image.toml";
            if !linked && unused(path) && !matches!(node.kind, NodeKind::Directory) {
                tree.remove(path);
            }
        }
        tree
    }

    /// What compiling needs of the packages: neither documentation nor headers of LLVM nor sources.
    fn needed(&self) -> Tree {
        const UNNEEDED: [&str; 5] = [
            "usr/share/",
            "usr/src/",
            "usr/include/llvm",
            "usr/lib/python3",
            "var/",
        ];
        let mut tree = self.root.clone();
        for (path, _) in self.root.iter() {
            if UNNEEDED.iter().any(|prefix| path.starts_with(prefix)) {
                tree.remove(path);
            }
        }
        tree
    }
}

/// Names of a platform that the wrappers need.
struct Target {
    triple: &'static str,
    /// Debian's name of the directories of libraries.
    libraries: &'static str,
    loader: &'static str,
}

impl Target {
    fn of(platform: Platform) -> Result<Target> {
        let host = Platform::host()?;
        if host != platform {
            return Err(Error::Image(format!(
                "the image for {platform} has a program that its own compiler must build, which does not run on {host}; \
                 build the image on {platform}"
            )));
        }
        Ok(match platform {
            Platform::LinuxAarch64 => Target {
                triple: "aarch64-unknown-linux-gnu",
                libraries: "aarch64-linux-gnu",
                loader: "usr/lib/ld-linux-aarch64.so.1",
            },
            _ => Target {
                triple: "x86_64-unknown-linux-gnu",
                libraries: "x86_64-linux-gnu",
                loader: "usr/lib64/ld-linux-x86-64.so.2",
            },
        })
    }
}

/// The folders of one compilation.
struct Place<'a> {
    temp: &'a Path,
    target: &'a Target,
}

impl Place<'_> {
    fn root(&self) -> PathBuf {
        self.temp.join("root")
    }

    fn source(&self) -> PathBuf {
        self.temp.join("source")
    }

    fn built(&self) -> PathBuf {
        self.temp.join("target")
    }

    fn tool(&self, name: &str) -> PathBuf {
        self.temp.join("bin").join(name)
    }

    /// cargo with an environment of its own.
    fn cargo(&self, date: &Date) -> Command {
        let underscored = self.target.triple.replace('-', "_");
        let mut command = Command::new(self.tool("cargo"));
        command
            .args(["build", "--release", "--locked", "--offline", "--quiet"])
            .args(["--package", "cargo-enzyme", "--bin", "cargo-enzyme"])
            .args(["--config", "profile.release.strip=true"])
            // Its work is that of LLVM and the engine, which it only waits for: quick to build matters more than quick to run.
            .args(["--config", "profile.release.opt-level=1"])
            // With a target named, build scripts and procedural macros are compiled apart from the program.
            .args(["--target", self.target.triple])
            .current_dir(self.source())
            .env_clear()
            // The wrappers call everything by path; build scripts find nothing of this machine.
            .env("PATH", self.temp.join("bin"))
            .env("HOME", self.temp.join("home"))
            .env("TMPDIR", self.temp.join("tmp"))
            .env("LC_ALL", "C")
            .env("CARGO", self.tool("cargo"))
            .env("CARGO_HOME", self.temp.join("home"))
            .env("CARGO_TARGET_DIR", self.built())
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTC", self.tool("rustc"))
            .env(
                format!("CARGO_TARGET_{}_LINKER", underscored.to_uppercase()),
                self.tool("cc"),
            )
            .env("CC", self.tool("cc"))
            .env("AR", self.tool("ar"))
            .env("SOURCE_DATE_EPOCH", date.seconds.to_string());
        command
    }

    fn write_wrappers(&self) -> Result<()> {
        for name in ["bin", "home", "tmp"] {
            let path = self.temp.join(name);
            fs::create_dir(&path).map_err(Error::io("create", &path))?;
        }
        let root = quoted(&self.root());
        let Target {
            libraries, loader, ..
        } = self.target;
        // `--inhibit-cache`: this machine's list of libraries is not the image's.
        let libraries_path = format!("{root}/usr/lib/{libraries}:{root}/usr/lib/llvm-22/lib");
        let run = |options: &str, program: &str| {
            format!(
                "exec {root}/{loader} --inhibit-cache --library-path {libraries_path} {options}{root}/usr/{program}"
            )
        };
        let remap = |option: &str| {
            let pairs = [
                (self.root(), String::new()),
                (self.source(), format!("/{PLACE}")),
                (self.built(), format!("/{PLACE}/target")),
            ];
            pairs
                .map(|(from, to)| format!("{option}={}={to}", quoted(&from)))
                .join(" ")
        };
        self.wrapper("cargo", &format!("{} \"$@\"", run("", "bin/cargo")))?;
        // No `--target`: a build script or a procedural macro, which must run here. The program itself asks for its source's
        // place (`cargo enzyme new` makes use of it), which is to be the one in the image.
        let source = quoted(&self.source());
        self.wrapper(
            "rustc",
            &format!(
                "host=1\nfor word; do case $word in --target|--target=*) host=;; esac; done\n\
                 export OXIDE_ENZYME_HOST=$host\n\
                 if [ -n \"$CARGO_PRIMARY_PACKAGE\" ]; then export CARGO_MANIFEST_DIR=/{PLACE}${{CARGO_MANIFEST_DIR#{source}}}; fi\n\
                 {} --sysroot {root}/usr -Clinker={} {} \"$@\"",
                run("", "bin/rustc"),
                quoted(&self.tool("cc")),
                remap("--remap-path-prefix")
            ),
        )?;
        // clang starts itself again by its own name, which is this script's.
        let clang = run(
            &format!("--argv0 {} ", quoted(&self.tool("cc"))),
            "lib/llvm-22/bin/clang",
        );
        self.wrapper(
            "cc",
            &format!(
                "case $1 in -cc1*) {clang} \"$@\";; esac\n\
                 if [ -n \"$OXIDE_ENZYME_HOST\" ]; then set -- \"$@\" -Wl,--dynamic-linker={root}/{loader} \
                 -Wl,-rpath,{root}/usr/lib/{libraries}; fi\n\
                 {clang} -no-canonical-prefixes --sysroot={root} -resource-dir {root}/usr/lib/llvm-22/lib/clang/22 \
                 --gcc-install-dir={root}/usr/lib/gcc/{libraries}/14 --ld-path={} \
                 -Wno-unused-command-line-argument {} \"$@\"",
                quoted(&self.tool("ld.lld")),
                remap("-ffile-prefix-map")
            ),
        )?;
        self.wrapper(
            "ld.lld",
            &format!("{} -flavor gnu \"$@\"", run("", "lib/llvm-22/bin/lld")),
        )?;
        self.wrapper(
            "ar",
            &format!("{} \"$@\"", run("", "lib/llvm-22/bin/llvm-ar")),
        )?;
        let config = format!(
            "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = {:?}\n",
            self.source().join("vendor")
        );
        let path = self.temp.join("home/config.toml");
        fs::write(&path, config).map_err(Error::io("write", &path))
    }

    fn wrapper(&self, name: &str, script: &str) -> Result<()> {
        let path = self.tool(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).map_err(Error::io("write", &path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(Error::io("write", &path))
    }
}

/// A path as a word of a shell script.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// Programs that were compiled before, in the store, by what they were compiled from.
struct Cache {
    directory: PathBuf,
    program: PathBuf,
    sum: PathBuf,
}

impl Cache {
    fn new(store: &Store, key: &str) -> Cache {
        let directory = store.builds();
        Cache {
            program: directory.join(key),
            sum: directory.join(format!("{key}.sha256")),
            directory,
        }
    }

    /// Nothing when it is not there, or not whole.
    fn get(&self) -> Option<Vec<u8>> {
        let bytes = fs::read(&self.program).ok()?;
        let expected = fs::read_to_string(&self.sum).ok()?;
        (Fingerprint::of(&bytes).sha256 == expected).then_some(bytes)
    }

    fn put(&self, bytes: &[u8]) -> Result<()> {
        fs::create_dir_all(&self.directory).map_err(Error::io("create", &self.directory))?;
        let sum = Fingerprint::of(bytes).sha256;
        for (path, content) in [(&self.program, bytes), (&self.sum, sum.as_bytes())] {
            let mut file = NamedTempFile::new_in(&self.directory)
                .map_err(Error::io("create a file in", &self.directory))?;
            file.write_all(content).map_err(Error::io("write", path))?;
            file.persist(path)
                .map_err(|error| Error::io("create", path)(error.error))?;
        }
        Ok(())
    }
}
