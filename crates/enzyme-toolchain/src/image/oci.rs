//! The documents of an OCI image. Own types and not those of a crate: their order of fields and keys is the digest's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hash::Fingerprint;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The name of an image within a layout.
pub(crate) const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// The name that containerd, and so Docker, gives an image that it loads.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Names a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlatformName {
    pub architecture: String,
    pub os: String,
}

/// `index.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub schema_version: u32,
    pub media_type: String,
    pub manifests: Vec<Descriptor>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub schema_version: u32,
    pub media_type: String,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// How containers start, and what the layers are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Image {
    pub created: String,
    pub architecture: String,
    pub os: String,
    pub config: Execution,
    pub rootfs: Layers,
    #[serde(default)]
    pub history: Vec<History>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Execution {
    pub user: String,
    pub env: Vec<String>,
    pub cmd: Vec<String>,
    pub working_dir: String,
    pub labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Layers {
    #[serde(rename = "type")]
    pub kind: String,
    pub diff_ids: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct History {
    pub created: String,
    pub created_by: String,
    pub comment: String,
}

/// Docker's own list of images in an archive, which its older versions want.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DockerImage {
    pub config: String,
    pub repo_tags: Vec<String>,
    pub layers: Vec<String>,
}

impl Descriptor {
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Descriptor {
        let Fingerprint { size, sha256 } = Fingerprint::of(bytes);
        Descriptor::new(media_type, &sha256, size)
    }

    pub(crate) fn new(media_type: &str, sha256: &str, size: u64) -> Descriptor {
        Descriptor {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{sha256}"),
            size,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// One text for one document.
pub(crate) fn text(document: &impl Serialize) -> Vec<u8> {
    // These types have nothing that JSON cannot say: no maps with other keys than strings.
    serde_json::to_vec(document).unwrap_or_default()
}
