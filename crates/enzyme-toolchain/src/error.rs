//! What can go wrong, each with the file it is about and the way out.

use std::io;
use std::path::{Path, PathBuf};

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Any failure of this crate. The text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {cause}{}", .path.display(), io_advice(.cause))]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },

    /// No home or cache directory is known.
    #[error(
        "no place for the toolchain: neither HOME nor OXIDE_ENZYME_HOME is set; set OXIDE_ENZYME_HOME to a directory"
    )]
    NoHome,

    /// There is no toolchain for this machine.
    #[error(
        "{platform} is not a platform that the toolchain supports (supported: {supported}); \
         build on one of those, or use the container image there"
    )]
    UnsupportedPlatform {
        /// The platform asked for.
        platform: String,
        /// Those in the lock or known at all.
        supported: String,
    },

    /// The lock has no such profile.
    #[error("the toolchain lock has no profile `{profile}`; it has: {known}")]
    UnknownProfile {
        /// The profile asked for.
        profile: String,
        /// Those in the lock.
        known: String,
    },

    /// A lock or manifest is malformed.
    #[error(
        "{origin}: {reason}; restore the file, or make it again with `cargo enzyme toolchain lock`"
    )]
    BadLock {
        /// File name, or "the embedded lock".
        origin: String,
        /// What is wrong in it.
        reason: String,
    },

    /// pip is missing.
    #[error(
        "cannot download {file}: none of `pip`, `python3 -m pip`, `python -m pip` works here; install pip, or bring the \
         toolchain as a file: `cargo enzyme toolchain unbundle FILE`, or `cargo enzyme setup --from DIR` with the wheels in DIR"
    )]
    NoPip {
        /// The artifact wanted.
        file: String,
    },

    /// pip ran and failed.
    #[error(
        "pip could not download {file} (it ended with {status}):\n{log}\n\
         check the network and pip's configuration (index, proxy, certificates), or bring the toolchain as a file: \
         `cargo enzyme toolchain unbundle FILE`, or `cargo enzyme setup --from DIR` with the wheels in DIR"
    )]
    PipFailed {
        /// The artifact wanted.
        file: String,
        /// pip's exit status.
        status: String,
        /// The end of pip's output.
        log: String,
    },

    /// Something is missing and downloading was forbidden.
    #[error(
        "the toolchain is not installed and --offline forbids downloading {file}; run `cargo enzyme setup` with a network, \
         or bring it as a file: `cargo enzyme toolchain unbundle FILE`, or `cargo enzyme setup --from DIR` with the wheels in DIR"
    )]
    Offline {
        /// The first missing artifact.
        file: String,
    },

    /// The directory given with `--from` lacks an artifact.
    #[error("{} is not there; put the file `{file}` into that directory, or leave out --from to download it", .path.display())]
    MissingSource {
        /// The artifact wanted.
        file: String,
        /// Where it was looked for.
        path: PathBuf,
    },

    /// A file that came from outside is not the one that the lock names.
    #[error("{} is not the file that the toolchain lock names: {problem}; it was not used; {advice}", .path.display())]
    Mismatch {
        /// The file refused.
        path: PathBuf,
        /// Expected and found.
        problem: String,
        /// The way out.
        advice: &'static str,
    },

    /// An archive holds something that the lock does not allow.
    #[error("{}: entry `{entry}` {reason}; nothing was installed from it; get the file again from its source", .archive.display())]
    HostileArchive {
        /// The archive.
        archive: PathBuf,
        /// The entry, as text.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },

    /// An archive cannot be read at all.
    #[error("{} is damaged or incomplete: {reason}; nothing was installed from it; get the file again from its source", .archive.display())]
    BadArchive {
        /// The archive.
        archive: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A bundle made from another lock.
    #[error(
        "{} was made for toolchain {found}, but this program needs toolchain {wanted}; \
         make a bundle with the same version of cargo-enzyme", .bundle.display()
    )]
    OtherBundle {
        /// The bundle.
        bundle: PathBuf,
        /// Its lock's digest.
        found: String,
        /// The digest wanted.
        wanted: String,
    },

    /// An installed file was changed after it was installed.
    #[error("{} {problem}; refusing to use the toolchain; run `cargo enzyme setup --repair` to put it right", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// The toolchain is not there.
    #[error("the toolchain is not installed in {}; run `cargo enzyme setup`", .store.display())]
    NotInstalled {
        /// The store looked in.
        store: PathBuf,
    },

    /// The user asked to stop.
    #[error("interrupted; nothing half-made was left behind")]
    Interrupted,
}

impl Error {
    /// For `map_err` on file operations: `.map_err(Error::io("read", path))`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
        let path = path.to_owned();
        move |cause| Error::Io {
            action,
            path,
            cause,
        }
    }
}

fn io_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space, or set OXIDE_ENZYME_HOME to a directory on a larger disk (about 800 MB are needed)"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; give yourself access, or set OXIDE_ENZYME_HOME to a directory of your own"
        }
        _ => "",
    }
}
