//! A rustc invocation as cargo made it, and its record on disk.
//!
//! The wrapper writes down how each crate was compiled; should a derivative need the crate's bitcode later, at the link of
//! some program, it is compiled again just for that ([`crate::bitcode`]). A build that uses no derivative pays for the
//! small file and nothing else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Environment variables that name those that `cargo enzyme` itself was started with, separated by `\n`. The others were
/// set by cargo for one crate and go into its record.
pub const OUTER_ENVIRONMENT: &str = "OXIDE_ENZYME_OUTER_ENVIRONMENT";

/// How a crate was compiled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invocation {
    /// rustc.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The directory it ran in.
    pub directory: PathBuf,
    /// What cargo set for this crate.
    pub environment: BTreeMap<String, String>,
}

impl Invocation {
    /// The invocation that this process is asked to make; `None` if an argument is not Unicode (then it is left alone).
    pub fn current(program: &OsString, arguments: &[OsString]) -> Option<Invocation> {
        let arguments: Option<Vec<String>> = arguments
            .iter()
            .map(|a| a.to_str().map(str::to_owned))
            .collect();
        Some(Invocation {
            program: program.into(),
            arguments: arguments?,
            directory: std::env::current_dir().ok()?,
            environment: cargo_environment(),
        })
    }

    /// Reads a record.
    pub fn read(path: &Path) -> Result<Invocation, Error> {
        let text = std::fs::read(path).map_err(Error::io("read", path))?;
        serde_json::from_slice(&text)
            .map_err(|e| Error::Internal(format!("record `{}`: {e}", path.display())))
    }

    /// Writes a record, atomically.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec(self).map_err(|e| Error::Internal(e.to_string()))?;
        crate::files::write(path, &text)
    }

    /// The crate's name, if it is a compilation at all (and not a question about the compiler).
    pub fn crate_name(&self) -> Option<&str> {
        let asks = self
            .arguments
            .iter()
            .any(|a| a == "--print" || a.starts_with("--print=") || a == "-vV");
        if asks {
            None
        } else {
            self.value_of("--crate-name")
        }
    }

    /// The kinds of crate it makes; a test is a program.
    pub fn crate_types(&self) -> Vec<&str> {
        if self.arguments.iter().any(|a| a == "--test") {
            return vec!["bin"];
        }
        self.values_of("--crate-type")
            .flat_map(|v| v.split(','))
            .collect()
    }

    /// Whether it makes code (as opposed to checking only).
    pub fn makes_code(&self) -> bool {
        self.values_of("--emit").any(|v| {
            v.split(',')
                .any(|kind| kind == "link" || kind.starts_with("link="))
        })
    }

    /// Whether this is code that runs while building: a procedural macro or a build script.
    pub fn is_build_time(&self) -> bool {
        let script = self
            .crate_name()
            .is_some_and(|name| name.starts_with("build_script_"));
        script || self.crate_types().contains(&"proc-macro")
    }

    /// The value of the last `-C key=value`.
    pub fn codegen(&self, key: &str) -> Option<&str> {
        let mut found = None;
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            let option = match argument.as_str() {
                "-C" | "--codegen" => arguments.next().map_or("", String::as_str),
                other => other
                    .strip_prefix("-C")
                    .or_else(|| other.strip_prefix("--codegen="))
                    .unwrap_or(""),
            };
            match option.split_once('=') {
                Some((name, value)) if name.replace('_', "-") == key => found = Some(value),
                None if !option.is_empty() && option.replace('_', "-") == key => found = Some(""),
                _ => {}
            }
        }
        found
    }

    /// The directory that outputs go to.
    pub fn out_dir(&self) -> Option<PathBuf> {
        self.value_of("--out-dir")
            .map(|dir| self.directory.join(dir))
    }

    /// `name-hash`, as in `libname-hash.rlib`.
    pub fn file_stem(&self) -> Option<String> {
        Some(format!(
            "{}{}",
            self.crate_name()?,
            self.codegen("extra-filename").unwrap_or("")
        ))
    }

    /// The target triple, if it is not the host's.
    pub fn target(&self) -> Option<&str> {
        self.value_of("--target")
    }

    /// Whether the user asked for whole-program optimisation by rustc.
    pub fn wants_lto(&self) -> bool {
        matches!(
            self.codegen("lto"),
            Some("" | "y" | "yes" | "on" | "true" | "fat" | "thin")
        )
    }

    /// The value of `--name value` or `--name=value`.
    fn value_of<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values_of(name).last()
    }

    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.arguments
            .iter()
            .enumerate()
            .filter_map(move |(n, argument)| {
                if argument == name {
                    return self.arguments.get(n + 1).map(String::as_str);
                }
                argument.strip_prefix(name)?.strip_prefix('=')
            })
    }
}

/// Where the record of a crate is, given its directory and file stem.
pub fn record_path(directory: &Path, stem: &str) -> PathBuf {
    directory.join(".enzyme").join(format!("{stem}.json"))
}

/// The record that belongs to an rlib.
pub fn record_of_rlib(rlib: &Path) -> Option<PathBuf> {
    let stem = rlib
        .file_name()?
        .to_str()?
        .strip_prefix("lib")?
        .strip_suffix(".rlib")?;
    Some(record_path(rlib.parent()?, stem))
}

fn cargo_environment() -> BTreeMap<String, String> {
    let outer = std::env::var(OUTER_ENVIRONMENT).unwrap_or_default();
    let outer: std::collections::HashSet<&str> = outer.split('\n').collect();
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| {
            let ours = name.starts_with("OXIDE_ENZYME_");
            // cargo's job server: its numbers are of one run of cargo.
            let jobs = name == "CARGO_MAKEFLAGS" || name == "MAKEFLAGS" || name == "MFLAGS";
            !ours
                && !jobs
                && (name.starts_with("CARGO_")
                    || name == "OUT_DIR"
                    || !outer.contains(name.as_str()))
        })
        .collect()
}

#[cfg(test)]
/// What tests of several modules share.
pub(crate) mod testing {
    use super::*;

    /// An invocation in `/w` with these arguments.
    pub(crate) fn invocation(arguments: &str) -> Invocation {
        Invocation {
            program: "rustc".into(),
            arguments: arguments.split(' ').map(str::to_owned).collect(),
            directory: "/w".into(),
            environment: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::invocation;

    #[test]
    fn options_are_read_in_all_their_forms() {
        let i = invocation(
            "--crate-name f --crate-type lib --emit=dep-info,link -C opt-level=3 -Clto -C extra_filename=-1 --out-dir o",
        );
        assert_eq!(i.crate_name(), Some("f"));
        assert_eq!(i.crate_types(), ["lib"]);
        assert!(i.makes_code() && i.wants_lto());
        assert_eq!(i.codegen("opt-level"), Some("3"));
        assert_eq!(i.file_stem().as_deref(), Some("f-1"));
        assert_eq!(i.out_dir(), Some("/w/o".into()));
    }

    #[test]
    fn questions_are_not_compilations() {
        assert_eq!(
            invocation("- --crate-name ___ --print=file-names").crate_name(),
            None
        );
        assert!(!invocation("--crate-name f --emit=metadata").makes_code());
        assert!(invocation("--crate-name build_script_build --crate-type bin").is_build_time());
    }
}
