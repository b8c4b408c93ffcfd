//! What a layout says of itself.

use std::collections::BTreeMap;

use serde::Serialize;

use super::open::Layout;

/// An image, described.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Description {
    /// `NAME:TAG`.
    pub reference: String,
    /// The manifest's digest.
    pub digest: String,
    /// The date of everything in it.
    pub created: String,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// Who runs in it.
    pub user: String,
    /// Where.
    pub working_directory: String,
    /// What, if nothing else is said.
    pub command: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    /// Labels and annotations.
    pub annotations: BTreeMap<String, String>,
    /// Lowest first.
    pub layers: Vec<Layer>,
    /// Bytes of all layers, compressed.
    pub size: u64,
}

/// A layer, described.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Layer {
    /// As in the image's history.
    pub name: String,
    /// Of the compressed archive.
    pub digest: String,
    /// Of the archive.
    pub diff_id: String,
    /// Compressed.
    pub size: u64,
}

/// Describes an opened layout.
pub fn inspect(layout: &Layout) -> Description {
    let (image, manifest) = (&layout.image, &layout.manifest);
    let layers = manifest.layers.iter().enumerate();
    Description {
        reference: layout.reference(),
        digest: layout.digest().to_owned(),
        created: image.created.clone(),
        platform: format!("{}/{}", image.os, image.architecture),
        user: image.config.user.clone(),
        working_directory: image.config.working_dir.clone(),
        command: image.config.cmd.clone(),
        environment: image.config.env.clone(),
        annotations: manifest.annotations.clone(),
        layers: layers
            .map(|(index, layer)| Layer {
                name: layout.layer_name(index),
                digest: layer.digest.clone(),
                diff_id: image
                    .rootfs
                    .diff_ids
                    .get(index)
                    .cloned()
                    .unwrap_or_default(),
                size: layer.size,
            })
            .collect(),
        size: manifest.layers.iter().map(|layer| layer.size).sum(),
    }
}
