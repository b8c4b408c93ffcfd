//! What all stages of one link share: the toolchain, the cache, the target and the user's settings.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use enzyme_toolchain::{Installed, Lock, Platform, Store};

use crate::cache::Cache;
use crate::error::Error;
use crate::invocation::Invocation;

/// Directory of the cache; set by `cargo enzyme` for the processes that it starts.
pub const CACHE: &str = "OXIDE_ENZYME_CACHE";
/// How long the engine may take, in seconds.
pub const TIMEOUT: &str = "OXIDE_ENZYME_TIMEOUT";
/// `1`: let Enzyme assume that derivatives meet neither NaN nor infinity.
pub const FAST_MATH: &str = "OXIDE_ENZYME_FAST_MATH";
/// Another executable in the place of the engine, for people who debug engines.
pub const ENGINE: &str = "OXIDE_ENZYME_ENGINE";
/// `1`: the driver says what it does.
pub const VERBOSE: &str = "OXIDE_ENZYME_VERBOSE";

/// What the engine may take unless [`TIMEOUT`] says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// The shared state of one link.
#[derive(Debug)]
pub struct Session {
    /// The tools.
    pub toolchain: Installed,
    /// What was made before.
    pub cache: Cache,
    /// The program's target triple, as LLVM has it.
    pub target: String,
    /// The engine's time limit.
    pub timeout: Duration,
    /// The limit for everything else that is not expected to hang.
    pub patience: Duration,
    /// Whether derivatives may assume finite numbers.
    pub fast_math: bool,
    /// The engine, if the user names another.
    pub engine: Option<PathBuf>,
    notes: Mutex<Vec<String>>,
}

impl Session {
    /// From the environment that `cargo enzyme` sets up.
    pub fn from_env(target: &str) -> Result<Session, Error> {
        let store = Store::from_env()?;
        let toolchain = store
            .toolchain(&Lock::embedded()?, Platform::host()?)?
            .ok_or_else(|| Error::NotInstalled {
                store: store.root().to_owned(),
            })?;
        let cache =
            std::env::var_os(CACHE).map_or_else(|| store.root().join("cache"), PathBuf::from);
        Ok(Session::new(toolchain, &cache, target))
    }

    /// With a given toolchain and cache.
    pub fn new(toolchain: Installed, cache: &Path, target: &str) -> Session {
        let seconds = std::env::var(TIMEOUT)
            .ok()
            .and_then(|s| s.parse().ok())
            .map(Duration::from_secs);
        Session {
            toolchain,
            cache: Cache::at(cache),
            target: target.to_owned(),
            timeout: seconds.unwrap_or(DEFAULT_TIMEOUT),
            patience: Duration::from_secs(1800),
            fast_math: is_on(FAST_MATH),
            engine: std::env::var_os(ENGINE).map(PathBuf::from),
            notes: Mutex::default(),
        }
    }

    /// Something that the user should know once, after the build.
    pub fn note(&self, text: String) {
        let mut notes = self
            .notes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !notes.contains(&text) {
            notes.push(text);
        }
    }

    /// The notes so far.
    pub fn notes(&self) -> Vec<String> {
        self.notes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// Progress, for those who asked.
    pub fn say(&self, text: &str) {
        if is_on(VERBOSE) {
            self.note(format!("oxide-enzyme: {text}"));
        }
    }

    /// Fails if rustc's LLVM is newer than the engine's, before anything is given to the engine.
    pub fn check_llvm(&self, invocation: &Invocation) -> Result<(), Error> {
        let rustc = RustcVersion::of(&invocation.program)?;
        let facts = &self.toolchain.recipe().facts().engine;
        if rustc.llvm_major > facts.llvm_major {
            return Err(Error::LlvmTooNew {
                rustc: rustc.release,
                rustc_llvm: rustc.llvm,
                engine: format!("{} {}", facts.name, facts.version),
                engine_llvm: facts.llvm_major,
            });
        }
        Ok(())
    }
}

/// Whether a switch in the environment is on: `1`, and nothing else.
pub fn is_on(switch: &str) -> bool {
    std::env::var_os(switch).is_some_and(|value| value == "1")
}

/// What `rustc -vV` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustcVersion {
    /// Such as `1.95.0`.
    pub release: String,
    /// The host triple.
    pub host: String,
    /// Such as `22.1.2`.
    pub llvm: String,
    /// The first number of it.
    pub llvm_major: u32,
}

impl RustcVersion {
    /// Asks a compiler.
    pub fn of(rustc: &Path) -> Result<RustcVersion, Error> {
        let text = crate::process::succeed(
            "asking rustc for its version",
            Command::new(rustc).arg("-vV"),
            Duration::from_secs(60),
        )?;
        RustcVersion::parse(&text)
            .ok_or_else(|| Error::Internal(format!("`{} -vV` says:\n{text}", rustc.display())))
    }

    /// Reads the answer.
    pub fn parse(text: &str) -> Option<RustcVersion> {
        let field = |name: &str| {
            text.lines()
                .find_map(|l| l.strip_prefix(name))
                .map(|v| v.trim().to_owned())
        };
        let llvm = field("LLVM version:")?;
        Some(RustcVersion {
            release: field("release:")?,
            host: field("host:")?,
            llvm_major: llvm.split('.').next()?.parse().ok()?,
            llvm,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_of_rustc_are_read() {
        let version = RustcVersion::parse(
            "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2\n",
        );
        assert_eq!(
            version.map(|v| (v.release, v.llvm_major)),
            Some(("1.95.0".to_owned(), 22))
        );
    }
}
