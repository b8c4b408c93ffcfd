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

    /// A tool that a package brings is not on this machine.
    #[error(
        "{} is not there: the profile `{profile}` is for machines that have its packages; use the container image, or \
         leave the variable OXIDE_ENZYME_PROFILE unset to use the portable toolchain", .program.display()
    )]
    MissingTool {
        /// The tool.
        program: PathBuf,
        /// The profile.
        profile: String,
    },

    /// A crate is not in cargo's cache, or not as the lock has it.
    #[error(
        "`{file}` with sha256 {sha256} is not in {}: run `cargo fetch --locked` in the folder of that Cargo.lock, which downloads it", .cache.display()
    )]
    MissingCrate {
        /// The crate's archive.
        file: String,
        /// What `Cargo.lock` says.
        sha256: String,
        /// Where cargo keeps its downloads.
        cache: PathBuf,
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

    /// apt is missing.
    #[error(
        "apt's `{program}` is not here, and it is what Debian packages are fetched and chosen with; bring the packages from a mirror \
         (`--mirror DIR` or `--mirror URL`), from Debian's snapshot archive (`--snapshot`), or as a file: \
         `cargo enzyme toolchain unbundle FILE`"
    )]
    NoApt {
        /// The program wanted.
        program: String,
    },

    /// apt ran and failed.
    #[error(
        "`{command}` failed (it ended with {status}):\n{log}\n\
         check the network and apt's configuration (sources, proxy, keys); the names of the packages are in toolchain/manifest.toml"
    )]
    AptFailed {
        /// What was run.
        command: String,
        /// Its exit status.
        status: String,
        /// The end of its output.
        log: String,
    },

    /// apt on this machine is told of no mirror of Debian.
    #[error(
        "apt on this machine knows no mirror of the archive `{archive}`; add one to its sources, or take the packages from a mirror \
         of your own (`--mirror DIR` or `--mirror URL`) or from Debian's snapshot archive (`--snapshot`)"
    )]
    NoDebianMirror {
        /// The archive's name.
        archive: &'static str,
    },

    /// The keys of Debian's archive are missing.
    #[error(
        "{} is not there, and without it nobody can tell whether Debian's indices are genuine; \
         install the package debian-archive-keyring, or name another keyring in toolchain/manifest.toml", .path.display()
    )]
    NoKeyring {
        /// The keyring that the manifest names.
        path: PathBuf,
    },

    /// A Debian mirror does not have a package any more.
    #[error(
        "{address} does not exist: that mirror does not have {package} of the toolchain lock{}; mirrors keep only the newest version. \
         Refresh the lock with `cargo enzyme toolchain lock`, or fetch this version from Debian's snapshot archive with --snapshot, \
         or from a mirror that still has it with --mirror", and_others(*.others)
    )]
    MissingPackage {
        /// The first package missing.
        package: String,
        /// How many more were missing with it.
        others: usize,
        /// Where it was looked for.
        address: String,
    },

    /// A content-addressed mirror or the snapshot archive does not have a file.
    #[error(
        "{address} does not exist: the place does not have {package} of the toolchain lock{}; fill it with \
         `cargo enzyme toolchain mirror DIR` where the file can be had, or take another --mirror; if nobody has it any more, \
         refresh the lock with `cargo enzyme toolchain lock`", and_others(*.others)
    )]
    MissingFromMirror {
        /// The first package missing.
        package: String,
        /// How many more were missing with it.
        others: usize,
        /// Where it was looked for.
        address: String,
    },

    /// A download failed for another reason than that the file is not there.
    #[error(
        "cannot download {url}:\n{log}\n\
         check the network, or take another place: --mirror DIR, --mirror URL, --snapshot, or `cargo enzyme toolchain unbundle FILE`"
    )]
    TransferFailed {
        /// What was to be downloaded.
        url: String,
        /// The end of the program's output.
        log: String,
    },

    /// curl is missing.
    #[error(
        "cannot download {url}: `curl` is not here; install it, or bring the files in a directory: --mirror DIR"
    )]
    NoCurl {
        /// What was to be downloaded.
        url: String,
    },

    /// A mirror is named in a way that nobody understands.
    #[error(
        "{mirror} is no mirror: name a directory, or an address that begins with http:// or https://"
    )]
    BadMirror {
        /// What was given.
        mirror: String,
    },

    /// A Debian package is missing and downloading was forbidden.
    #[error(
        "{package} of the toolchain lock{} is not in the store, and --offline forbids downloading; leave out --offline, or bring \
         it along: `cargo enzyme toolchain unbundle FILE`, or --mirror DIR", and_others(*.others)
    )]
    OfflinePackage {
        /// The first package missing.
        package: String,
        /// How many more are missing.
        others: usize,
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

    /// The image's definition is malformed.
    #[error(
        "{origin}: {reason}; put the file right (`docker/image.toml` says what its parts are for)"
    )]
    BadDefinition {
        /// File name, or "the embedded image.toml".
        origin: String,
        /// What is wrong in it.
        reason: String,
    },

    /// The parts of an image do not fit together.
    #[error("the image cannot be made: {0}; nothing was written")]
    Image(String),

    /// A layout is damaged, or holds something that images of this program do not.
    #[error("`{}`: {problem}; make the image again with `cargo enzyme image build`, or copy it again from its source", .layout.display())]
    Layout {
        /// The layout's directory.
        layout: PathBuf,
        /// What is wrong with it.
        problem: String,
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

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (nor one other package)".to_owned(),
        others => format!(" (nor {others} other packages)"),
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
