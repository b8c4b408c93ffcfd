//! The subcommands, a module each.

pub mod cargo;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod image;
pub mod new;
pub mod options;
pub mod setup;
pub mod toolchain;
