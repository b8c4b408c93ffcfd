//! Where bytes may come from. Wherever that is, only those that the lock names are used.

use std::path::PathBuf;
use std::str::FromStr;

use super::package::{Debian, Package};
use crate::error::Error;

const SNAPSHOTS: &str = "https://snapshot.debian.org/archive";

/// Where Debian packages come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The mirrors that apt on this machine is told, through apt.
    #[default]
    Apt,
    /// A content-addressed mirror.
    Mirror(Mirror),
    /// Debian's snapshot archive, which has every version that ever was.
    Snapshot,
}

/// A place where a file is known by its content: `BASE/sha256/HEX`. `cargo enzyme toolchain mirror` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// A directory.
    Directory(PathBuf),
    /// An http or https server.
    Url(String),
}

impl FromStr for Mirror {
    type Err = Error;

    fn from_str(text: &str) -> Result<Mirror, Error> {
        match text.split_once("://") {
            Some(("http" | "https", _)) => Ok(Mirror::Url(text.trim_end_matches('/').to_owned())),
            Some(_) => Err(Error::BadMirror {
                mirror: text.to_owned(),
            }),
            None => Ok(Mirror::Directory(PathBuf::from(text))),
        }
    }
}

/// Where the snapshot archive has a package.
pub(crate) fn snapshot_url(package: &Package, debian: &Debian) -> String {
    let base = format!("{SNAPSHOTS}/{}/{}", package.archive, debian.snapshot);
    url(&base, &package.file)
}

/// A file below a base. The `+` of Debian's versions is a space to some servers.
pub(crate) fn url(base: &str, file: &str) -> String {
    format!("{base}/{}", file.replace('+', "%2b"))
}

/// Where a content-addressed mirror has a file, below its base.
pub(crate) fn place(sha256: &str) -> String {
    format!("sha256/{sha256}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::package;

    #[test]
    fn a_mirror_is_a_directory_or_a_server() {
        let parse = |text: &str| text.parse::<Mirror>();
        assert_eq!(parse("a/b").unwrap(), Mirror::Directory("a/b".into()));
        assert_eq!(
            parse("https://x/y/").unwrap(),
            Mirror::Url("https://x/y".to_owned())
        );
        assert!(
            parse("ftp://x")
                .unwrap_err()
                .to_string()
                .contains("ftp://x")
        );
    }

    #[test]
    fn snapshots_are_addressed_by_archive_and_moment() {
        let (mut package, _) = package("libstdc++6", b"x");
        package.file = "pool/main/g/gcc-14/libstdc++6_14.2.0-19_amd64.deb".to_owned();
        let debian = Debian {
            suite: "trixie".to_owned(),
            components: vec!["main".to_owned()],
            snapshot: "20261126T120000Z".to_owned(),
        };
        assert_eq!(
            snapshot_url(&package, &debian),
            "https://snapshot.debian.org/archive/debian/20261126T120000Z/pool/main/g/gcc-14/libstdc%2b%2b6_14.2.0-19_amd64.deb"
        );
    }
}
