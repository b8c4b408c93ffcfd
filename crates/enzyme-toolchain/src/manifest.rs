//! The manifest: what we want, written by hand.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::lock::Profile;
use crate::platform::Platform;

/// What we want and why; [`crate::relock`] turns it into a lock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub(crate) profile: BTreeMap<String, Profile>,
    pub(crate) artifact: Vec<Wanted>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Wanted {
    pub id: String,
    pub profile: String,
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
