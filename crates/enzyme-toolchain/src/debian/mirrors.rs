//! Where Debian is to be had: what apt on this machine is told.

use std::process::Stdio;

use super::apt;
use super::package::Archive;
use crate::error::{Error, Result};

/// The mirror of each archive, without a slash at the end.
pub(crate) struct Mirrors {
    debian: String,
    security: String,
}

/// What is asked of each of apt's sources.
const FORMAT: &str = "$(REPO_URI)\t$(ORIGIN)\t$(LABEL)";

impl Mirrors {
    /// The mirrors in the sources of this machine.
    pub(crate) fn of_host() -> Result<Mirrors> {
        // apt says who a source is only when its index is there, and then leaves out those whose index is not.
        let known = targets(&[])?;
        let all = targets(&["--no-release-info"])?;
        Mirrors::among(&format!("{known}{all}"))
    }

    fn among(targets: &str) -> Result<Mirrors> {
        let find = |archive: Archive| {
            let mut lines = targets.lines();
            let found = lines.find_map(|line| {
                let (uri, rest) = line.split_once('\t')?;
                let uri = uri.trim_end_matches('/');
                (archive_of(uri, rest) == Some(archive)).then(|| uri.to_owned())
            });
            found.ok_or(Error::NoDebianMirror {
                archive: archive.name(),
            })
        };
        Ok(Mirrors {
            debian: find(Archive::Debian)?,
            security: find(Archive::DebianSecurity)?,
        })
    }

    pub(crate) fn base(&self, archive: Archive) -> &str {
        match archive {
            Archive::Debian => &self.debian,
            Archive::DebianSecurity => &self.security,
        }
    }

    /// The archive and the file in it that a URI names.
    pub(crate) fn split<'a>(&self, uri: &'a str) -> Option<(Archive, &'a str)> {
        // The longer one first: one may be the beginning of the other.
        let mut archives = Archive::ALL;
        archives.sort_by_key(|archive| std::cmp::Reverse(self.base(*archive).len()));
        archives.into_iter().find_map(|archive| {
            let file = uri.strip_prefix(self.base(archive))?.strip_prefix('/')?;
            Some((archive, file))
        })
    }
}

fn targets(options: &[&str]) -> Result<String> {
    let mut command = apt::host("apt-get")?;
    command
        .args(["indextargets", "--format", FORMAT])
        .args(options)
        .stdin(Stdio::null());
    let output = command
        .output()
        .map_err(Error::io("run", command.get_program().as_ref()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::AptFailed {
        command: "apt-get indextargets".to_owned(),
        status: output.status.to_string(),
        log: String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned(),
    })
}

/// Debian's archives say who they are in their indices; without those, mirrors are known by the name of their folder.
fn archive_of(uri: &str, origin_and_label: &str) -> Option<Archive> {
    match origin_and_label {
        "Debian\tDebian" => return Some(Archive::Debian),
        "Debian\tDebian-Security" => return Some(Archive::DebianSecurity),
        _ => {}
    }
    let folder = uri.rsplit('/').next();
    Archive::ALL
        .into_iter()
        .find(|archive| folder == Some(archive.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_found_by_index_and_by_folder() {
        let with_indices = "file:/a/\tDebian Backports\tx\nfile:/b/\tDebian\tDebian\nfile:/c/\tDebian\tDebian-Security\n";
        let mirrors = Mirrors::among(with_indices).unwrap();
        assert_eq!(mirrors.base(Archive::Debian), "file:/b");
        assert_eq!(mirrors.base(Archive::DebianSecurity), "file:/c");
        let without = "http://x/debian-security/\t$(ORIGIN)\t$(LABEL)\nhttp://x/debian/\t$(ORIGIN)\t$(LABEL)\n";
        let mirrors = Mirrors::among(without).unwrap();
        assert_eq!(mirrors.base(Archive::Debian), "http://x/debian");
        let split = |uri| mirrors.split(uri);
        assert_eq!(
            split("http://x/debian-security/pool/a.deb"),
            Some((Archive::DebianSecurity, "pool/a.deb"))
        );
        assert_eq!(
            split("http://x/debian/pool/a.deb"),
            Some((Archive::Debian, "pool/a.deb"))
        );
        assert_eq!(split("http://y/debian/pool/a.deb"), None);
    }

    #[test]
    fn a_machine_that_knows_no_mirror_is_told_what_to_do() {
        let other = "http://x/ubuntu/\tUbuntu\tUbuntu\n";
        let message = Mirrors::among(other).err().unwrap().to_string();
        assert!(
            message.contains("--mirror") && message.contains("--snapshot"),
            "{message}"
        );
    }
}
