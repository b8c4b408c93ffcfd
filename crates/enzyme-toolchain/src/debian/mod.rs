//! Debian packages: chosen and pinned through an isolated apt, fetched in any way, used only when they are the bytes that
//! the lock names.

mod apt;
mod closure;
mod fetch;
mod licence;
mod member;
mod mirrors;
mod origin;
mod package;
mod resolve;
mod supply;
mod transfer;

pub use fetch::{FetchOptions, VerifiedDeb, fetch_packages, held_packages};
pub use member::Member;
pub(crate) use member::extract as extract_member;
pub(crate) use origin::place;
pub use origin::{Mirror, Origin};
pub use package::{Archive, Debian, Package};
pub(crate) use resolve::{Wanted, resolve};
pub(crate) use supply::from_mirror;
