//! The link-time pipeline of oxide-enzyme.
//!
//! ```text
//! cargo ──> wrapper ──> rustc ──> link ──> the real linker
//!           (record)              │  ▲
//!                                 ▼  │ objects
//!         bitcode ──> closure ──> differentiate (optimise, types, engine, codegen)
//! ```
//!
//! rustc compiles every crate as it always does. The macros leave undefined symbols behind ([`derivative`]); the linker
//! stage ([`link`]) makes an object for each from bitcode of just what the derivative needs.
#![deny(missing_docs)]

mod aliases;
mod allocator;
mod apart;
mod attributes;
mod barrier;
pub mod bitcode;
mod bits;
pub mod cache;
mod carried;
mod checks;
mod choices;
pub mod closure;
mod constants;
mod copies;
mod deferred;
pub mod derivative;
pub mod diagnosis;
pub mod differentiate;
mod elements;
pub mod engine;
mod error;
mod evidence;
pub mod explain;
pub mod files;
mod globalize;
mod hints;
mod indirect;
mod intrinsics;
pub mod invocation;
pub mod ir;
mod lanes;
mod layout;
pub mod link;
pub mod links;
mod loads;
mod lookups;
mod loops;
mod names;
mod nothing;
mod origins;
mod overwrites;
mod pairs;
mod parallel;
mod pointers;
pub mod policy;
pub mod process;
mod products;
pub mod program;
mod promises;
mod quotients;
mod reached;
mod rules;
pub mod session;
mod sources;
mod staticlib;
mod strides;
mod tables;
mod tapes;
mod types;
mod undefined;
mod untyped;
mod words;
pub mod wrapper;
mod writes;

pub use error::Error;

/// What decides which code is made of a derivative: this driver and the toolchain's lock.
///
/// # Errors
/// If the embedded lock cannot be read.
pub fn version() -> Result<String, Error> {
    let lock = enzyme_toolchain::Lock::embedded()?;
    let parts = [
        env!("CARGO_PKG_VERSION").as_bytes(),
        differentiate::PIPELINE.as_bytes(),
        lock.digest().as_bytes(),
    ];
    Ok(files::digest(&parts)[..16].to_owned())
}
