//! What an image is to be, before anything of it is written: its layers as trees, and all else that its documents say.

use std::collections::BTreeMap;

use super::definition::{Config, Definition};
use super::tree::Tree;
use crate::error::{Error, Result};
use crate::platform::Platform;

/// An image to be written, or to compare with one that was. Contents may lie in nameless temporary files.
pub struct Plan {
    pub(crate) layers: Vec<LayerPlan>,
    pub(crate) config: Config,
    pub(crate) annotations: BTreeMap<String, String>,
    /// The date of everything.
    pub(crate) date: Date,
    pub(crate) architecture: &'static str,
    /// The SBOM, as it is in the image.
    pub(crate) sbom: Vec<u8>,
    /// What the image is made from.
    pub(crate) provenance: super::provenance::Build,
}

pub(crate) struct LayerPlan {
    pub name: String,
    pub title: String,
    pub tree: Tree,
}

/// A moment, as seconds since 1970 and as RFC 3339 has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub seconds: u64,
    pub text: String,
}

impl Date {
    /// Reads a moment of the snapshot archive, such as `20261125T142231Z`.
    pub(crate) fn of_snapshot(moment: &str) -> Result<Date> {
        let bad = || Error::Image(format!("the lock's snapshot {moment:?} is no moment"));
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", moment).map_err(|_| bad())?;
        let timestamp = jiff::tz::TimeZone::UTC
            .to_timestamp(time)
            .map_err(|_| bad())?;
        Date::of_text(&timestamp.to_string()).ok_or_else(bad)
    }

    /// Reads RFC 3339.
    pub(crate) fn of_text(text: &str) -> Option<Date> {
        let timestamp: jiff::Timestamp = text.parse().ok()?;
        Some(Date {
            seconds: u64::try_from(timestamp.as_second()).ok()?,
            text: text.to_owned(),
        })
    }
}

/// The name that OCI and Docker have for a platform's processor.
pub(crate) fn architecture(platform: Platform) -> Result<&'static str> {
    match platform {
        Platform::LinuxX86_64 => Ok("amd64"),
        Platform::LinuxAarch64 => Ok("arm64"),
        Platform::MacosAarch64 => Err(Error::Image(format!(
            "there are no images for {platform}; build one for a Linux platform with --platform"
        ))),
    }
}

/// The layers of a tree, by the definition.
pub(crate) fn layers(tree: &Tree, definition: &Definition) -> Result<Vec<LayerPlan>> {
    let trees = super::layer::split(tree, definition)?;
    let layers = definition.data.layer.iter().zip(trees);
    Ok(layers
        // A layer of nothing would be nothing but a blob more.
        .filter(|(_, tree)| tree.len() > 0)
        .map(|(layer, tree)| LayerPlan {
            name: layer.name.clone(),
            title: layer.title.clone(),
            tree,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_dates() {
        let date = Date::of_snapshot("20261125T142231Z").unwrap();
        assert_eq!(
            (date.seconds, &*date.text),
            (1_795_616_551, "2026-11-25T14:22:31Z")
        );
        for bad in ["", "20261325T142231Z", "19691125T142231Z"] {
            assert!(Date::of_snapshot(bad).is_err(), "{bad}");
        }
    }
}
