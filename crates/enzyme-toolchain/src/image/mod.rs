//! The image: a root file system and its OCI layout, as a pure function of the lock and the source.
//!
//! ```text
//! deb         a package's files, refused where they could do harm
//! definition  docker/image.toml: layers, what is left out, links, users, mount points
//! rootfs      packages and definition -> one tree, with what maintainer scripts would have made
//! layer       the tree, cut into layers, each a tar stream that is the same everywhere
//! oci         layers -> blobs, configuration, manifest, index
//! convert     a layout -> a directory, an archive, a SquashFS file
//! ```
//!
//! No maintainer script runs, nothing needs root, a chroot, a network or a container engine.

mod assemble;
mod certificates;
mod compile;
mod content;
mod convert;
mod deb;
mod definition;
mod directory;
mod dpkg;
mod filter;
mod gzip;
mod inspect;
mod layer;
mod layout;
mod oci;
mod open;
mod parallel;
mod plan;
mod provenance;
mod rootfs;
mod sbom;
mod source;
mod tree;
mod vendor;
mod verify;

pub use assemble::{ImageOptions, PROFILE, plan};
pub use convert::{Form, convert};
pub use definition::Definition;
pub use inspect::{Description, inspect};
pub use layout::{LayerSize, Written, write};
pub use open::Layout;
pub use plan::Plan;
pub use verify::{Difference, verify};
