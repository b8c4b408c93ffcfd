//! The toolchain of oxide-enzyme: what it is (a lock of every file by SHA-256), and how it gets here and stays whole.
//!
//! The driver needs three things of this crate: [`setup()`], [`Store::toolchain`], and the tools of an [`Installed`]
//! toolchain, each handed out only after a check that nothing was changed since it was installed.
//!
//! ```no_run
//! use enzyme_toolchain::{Lock, SetupOptions, Silent, Store, setup};
//!
//! # fn main() -> enzyme_toolchain::Result<()> {
//! let store = Store::from_env()?;
//! let installed = setup(&store, &Lock::embedded()?, &SetupOptions::default(), &Silent)?;
//! let status = installed.clang()?.command().args(["-c", "-x", "ir", "module.ll"]).status();
//! # let _ = status;
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]
// Bad input is an error, never a panic.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

#[cfg(not(unix))]
compile_error!("enzyme-toolchain supports Linux and macOS");

mod artifact;
mod bundle;
mod check;
mod child;
mod crates;
mod debian;
mod error;
mod hash;
pub mod image;
mod installed;
mod loader;
mod lock;
mod manifest;
mod mirror;
mod pip;
mod platform;
mod profile;
mod progress;
mod relock;
mod setup;
mod stamp;
mod store;
#[cfg(test)]
mod testing;
mod unbundle;
mod upkeep;

pub use bundle::bundle;
pub use debian::{
    Archive, Debian, FetchOptions, Member, Mirror, Origin, Package, VerifiedDeb, fetch_packages,
    held_packages,
};
pub use error::{Error, Result};
pub use installed::{Installed, Problem, Tool};
pub use lock::{
    Artifact, DEFAULT_PROFILE, Facts, Lock, Profile, Recipe, Source, TakenFile, ToolPaths,
};
pub use manifest::Manifest;
pub use mirror::{mirror, mirror_crates};
pub use platform::Platform;
pub use profile::chosen_profile;
pub use progress::{Phase, Progress, Silent};
pub use relock::{relock, write_lock};
pub use setup::{SetupOptions, setup};
pub use store::Store;
pub use unbundle::unbundle;
pub use upkeep::{Cleared, Listed, gc, list};
