//! The subcommands, a module each.

pub mod setup;
pub mod toolchain;
