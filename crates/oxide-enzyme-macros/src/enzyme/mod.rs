//! `#[primal]` and `enzyme!`: mark a primal once, and ask for its derivatives where they are used.

pub mod call;
pub mod primal;
