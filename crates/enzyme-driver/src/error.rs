//! What can go wrong, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// An error of the driver.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("cannot run `{program}`: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A program of the pipeline failed.
    #[error("{what} failed ({status}){}", indented(stderr))]
    Tool {
        /// What it was doing.
        what: String,
        /// How it ended.
        status: String,
        /// What it said.
        stderr: String,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The engine could not differentiate.
    #[error("{0}")]
    Engine(Box<crate::diagnosis::Diagnosis>),
    /// rustc writes bitcode of an LLVM that the engine cannot read.
    #[error(
        "rustc {rustc} uses LLVM {rustc_llvm}, but the engine ({engine}) reads bitcode up to LLVM {engine_llvm}\n  \
         help: build with a Rust release whose LLVM is {engine_llvm} or older (`rustup override set 1.95.0`), or update oxide-enzyme"
    )]
    LlvmTooNew {
        /// Version of rustc.
        rustc: String,
        /// LLVM of rustc.
        rustc_llvm: String,
        /// The engine.
        engine: String,
        /// Newest LLVM that the engine reads.
        engine_llvm: u32,
    },
    /// There is no toolchain in the store.
    #[error("the Enzyme toolchain is not installed in `{}`\n  help: run `cargo enzyme setup`", store.display())]
    NotInstalled {
        /// The store.
        store: PathBuf,
    },
    /// The toolchain cannot be used.
    #[error(transparent)]
    Toolchain(#[from] enzyme_toolchain::Error),
    /// The shim of a derivative is in no bitcode.
    #[error(
        "no bitcode found for {derivative}\n  help: it must be compiled by this `cargo enzyme`; run `cargo clean` for the \
         `enzyme` target folder if it was made by another version"
    )]
    NoBitcode {
        /// The derivative.
        derivative: String,
    },
    /// A source file changed between the compilation of a crate and the making of its bitcode.
    #[error(
        "the source of crate `{crate_name}` changed while it was being built\n  help: build again"
    )]
    SourceChanged {
        /// The crate.
        crate_name: String,
    },
    /// A mutable static that the linker cannot see.
    #[error(
        "a differentiated function uses the static variable `{variable}`, which cannot be shared with the rest of the program\n  \
         help: mark it `#[unsafe(no_mangle)]`, or keep it out of the differentiated function"
    )]
    HiddenVariable {
        /// Its path.
        variable: String,
    },
    /// A primal that calls the derivative that is to be made of it.
    #[error(
        "`{function}` calls its own derivative, so that each derivative would need another one, without end\n  \
         help: write the inner function and the outer function as two"
    )]
    OwnDerivative {
        /// Its shim's path.
        function: String,
    },
    /// A split derivative in code that is itself differentiated.
    #[error(
        "a differentiated function takes a split derivative, `{function}`, which cannot be differentiated in turn\n  \
         help: use `#[autodiff_reverse]` there"
    )]
    SplitInside {
        /// Its shim's path.
        function: String,
    },
    /// A function with a rule by hand in a derivative of several lanes.
    #[error(
        "{derivative} meets a function with a rule by hand (`#[custom_reverse]` or `#[custom_forward]`), which Enzyme calls for \
         one lane only\n  help: take the derivative at vector width 1, once for each lane"
    )]
    RuleAtWidth {
        /// The derivative.
        derivative: String,
    },
    /// The driver is confused.
    #[error("internal error of the oxide-enzyme driver: {0}\n  help: please report this")]
    Internal(String),
}

impl Error {
    /// For `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io {
            action,
            path,
            source,
        }
    }
}

fn indented(text: &str) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        text.trim_end()
            .lines()
            .try_for_each(|line| write!(f, "\n  {line}"))
    })
}
