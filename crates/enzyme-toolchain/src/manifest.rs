//! The manifest: what we want, written by hand.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::debian::{self, Debian};
use crate::error::{Error, Result};
use crate::lock::{Facts, Profile, ToolPaths};
use crate::platform::Platform;

/// What we want and why; [`crate::relock`] turns it into a lock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub(crate) profile: BTreeMap<String, WantedProfile>,
    pub(crate) artifact: Vec<Wanted>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedProfile {
    tools: ToolPaths,
    engine: Facts,
    llvm: Facts,
    /// The packages that it needs of Debian.
    pub debian: Option<debian::Wanted>,
}

impl WantedProfile {
    /// The profile as a lock has it.
    pub(crate) fn profile(&self, debian: Option<Debian>) -> Profile {
        Profile {
            tools: self.tools.clone(),
            engine: self.engine.clone(),
            llvm: self.llvm.clone(),
            debian,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Wanted {
    pub id: String,
    pub profiles: Vec<String>,
    #[serde(flatten)]
    pub source: WantedSource,
    pub name: String,
    pub version: String,
    pub licence: String,
    /// The source's own name of each platform.
    pub platforms: BTreeMap<Platform, String>,
    pub take: Vec<Take>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum WantedSource {
    Wheel { python: String },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Take {
    pub from: String,
    pub to: String,
    #[serde(default)]
    pub executable: bool,
}

impl Manifest {
    /// Reads a manifest; `origin` names it in messages.
    pub fn parse(text: &str, origin: &str) -> Result<Manifest> {
        toml::from_str(text).map_err(|error| Error::BadLock {
            origin: origin.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })
    }
}
