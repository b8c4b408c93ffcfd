//! The project's own source: the tracked files of a checkout, or the files of an unpacked release.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::content::Content;
use super::tree::{Node, NodeKind, Origin, Tree};
use crate::error::{Error, Result};
use crate::hash;

/// Where the source is in the image.
pub(crate) const PLACE: &str = "usr/src/oxide-enzyme";
/// Left out: in the image `cargo enzyme` is the installed program, not one to be compiled.
const LEFT_OUT: &str = ".cargo/config.toml";

/// The source, in memory.
#[derive(Debug)]
pub(crate) struct Source {
    /// Paths below the source's root.
    pub tree: Tree,
    /// The commit, with `-dirty` when tracked files differ from it; `unknown` outside git.
    pub revision: String,
    /// SHA-256 over every path, kind and content.
    pub digest: String,
}

/// Finds the checkout that a directory is in.
pub(crate) fn find(start: &Path) -> Result<PathBuf> {
    let start = std::path::absolute(start).map_err(Error::io("find", start))?;
    let is_root = |directory: &&Path| {
        directory.join("crates/cargo-enzyme/Cargo.toml").is_file()
            && directory.join("Cargo.lock").is_file()
    };
    let found = start.ancestors().find(is_root).ok_or_else(|| {
        Error::Image(format!(
            "`{}` is in no checkout of oxide-enzyme, whose source the image holds; name one with --source",
            start.display()
        ))
    })?;
    Ok(found.to_owned())
}

/// Reads the source at `root`.
pub(crate) fn read(root: &Path) -> Result<Source> {
    let origin = Origin::Part("project");
    let in_git = root.join(".git").exists();
    let files = match in_git {
        true => tracked(root)?,
        false => walk(root)?,
    };
    let mut tree = Tree::default();
    for (path, executable) in files {
        if path == LEFT_OUT {
            continue;
        }
        let file = root.join(&path);
        // A tracked file that was deleted is no part of what is here.
        let Ok(metadata) = file.symlink_metadata() else {
            continue;
        };
        let node = if metadata.is_symlink() {
            let target = fs::read_link(&file).map_err(Error::io("read", &file))?;
            Node::symlink(&utf8(target.as_os_str(), root)?, &origin)
        } else if metadata.is_file() {
            let bytes = fs::read(&file).map_err(Error::io("read", &file))?;
            let executable = executable.unwrap_or(metadata.permissions().mode() & 0o100 != 0);
            let mode = if executable { 0o755 } else { 0o644 };
            Node::file(Content::bytes(bytes), mode, &origin)
        } else {
            continue;
        };
        if let Some((parent, _)) = path.rsplit_once('/') {
            tree.add_directories(parent, &origin);
        }
        tree.add(&path, node)?;
    }
    tree.check()?;
    Ok(Source {
        digest: digest(&tree)?,
        revision: match in_git {
            true => revision(root)?,
            false => "unknown".to_owned(),
        },
        tree,
    })
}

/// Names a source by all that is in it.
pub(crate) fn digest(tree: &Tree) -> Result<String> {
    let mut hasher = Sha256::new();
    for (path, node) in tree.iter() {
        let bytes = match &node.kind {
            NodeKind::Directory => continue,
            NodeKind::File(content) => content.read()?,
            NodeKind::Symlink(target) => target.clone().into_bytes(),
        };
        let kind = node.kind.name();
        hasher.update(format!(
            "{path}\0{kind}\0{:o}\0{}\0",
            node.mode,
            bytes.len()
        ));
        hasher.update(bytes);
    }
    Ok(hash::hex(&hasher.finalize()))
}

type Listed = Vec<(String, Option<bool>)>;

/// Tracked files, and whether they may be run, which git knows whatever the umask was.
fn tracked(root: &Path) -> Result<Listed> {
    let output = git(root, &["ls-files", "--stage", "-z"])?;
    let mut files = Listed::new();
    for line in output.split(|byte| *byte == 0).filter(|l| !l.is_empty()) {
        let tab = line.iter().position(|byte| *byte == b'\t');
        let (facts, path) = line.split_at(tab.unwrap_or(line.len()));
        let path = utf8(OsStr::from_bytes(path.get(1..).unwrap_or_default()), root)?;
        files.push((path, Some(facts.starts_with(b"100755"))));
    }
    Ok(files)
}

fn revision(root: &Path) -> Result<String> {
    let head = git(root, &["rev-parse", "HEAD"])?;
    let head = String::from_utf8_lossy(&head).trim().to_owned();
    let changes = git(root, &["status", "--porcelain", "--untracked-files=no"])?;
    Ok(match changes.is_empty() {
        true => head,
        false => format!("{head}-dirty"),
    })
}

fn git(root: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let failed = |reason: String| {
        Error::Image(format!(
            "git cannot list the source in `{}`: {reason}; install git, or name an unpacked release with --source",
            root.display()
        ))
    };
    let output = Command::new("git")
        // The checkout may belong to somebody else; nothing of its configuration is run.
        .args(["-c", "safe.directory=*", "-c", "core.fsmonitor=false"])
        .arg("-C")
        .arg(root)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

/// Every file of an unpacked release, but for what building leaves.
fn walk(root: &Path) -> Result<Listed> {
    let mut files = Listed::new();
    for path in crate::installed::files_below(root)? {
        let name = path.strip_prefix(root).unwrap_or(&path);
        if !name.starts_with("target") {
            files.push((utf8(name.as_os_str(), root)?, None));
        }
    }
    Ok(files)
}

fn utf8(name: &OsStr, root: &Path) -> Result<String> {
    let text = name.to_str().ok_or_else(|| {
        Error::Image(format!(
            "`{}` in `{}` has a name that is not UTF-8",
            name.display(),
            root.display()
        ))
    })?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with three files, one of which may be run.
    fn checkout() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["crates/cargo-enzyme", ".cargo", "target"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in [
            "Cargo.lock",
            "crates/cargo-enzyme/Cargo.toml",
            ".cargo/config.toml",
            "target/program",
            "run.sh",
        ] {
            fs::write(root.join(name), name).unwrap();
        }
        fs::set_permissions(root.join("run.sh"), fs::Permissions::from_mode(0o775)).unwrap();
        std::os::unix::fs::symlink("run.sh", root.join("link")).unwrap();
        directory
    }

    fn run_git(root: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(root)
            .args(identity)
            .args(arguments)
            .stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    }

    fn paths(source: &Source) -> Vec<&str> {
        source.tree.iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn a_checkout_and_a_release_of_it_are_one_source() {
        let directory = checkout();
        let root = directory.path();
        let release = read(root).unwrap();
        assert_eq!(release.revision, "unknown");
        run_git(root, &["init", "--quiet"]);
        run_git(
            root,
            &["add", "Cargo.lock", "crates", "run.sh", "link", ".cargo"],
        );
        run_git(root, &["commit", "--quiet", "--message", "x"]);
        // The index knows better than a file system that says that all may be run, or a strict umask.
        fs::set_permissions(root.join("Cargo.lock"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(root.join("untracked"), "x").unwrap();
        let tracked = read(&find(&root.join("crates")).unwrap()).unwrap();
        assert_eq!(tracked.digest, release.digest);
        assert_eq!(tracked.revision.len(), 40);
        assert_eq!(
            paths(&tracked),
            [
                "Cargo.lock",
                "crates",
                "crates/cargo-enzyme",
                "crates/cargo-enzyme/Cargo.toml",
                "link",
                "run.sh"
            ]
        );
        assert_eq!(tracked.tree.get("run.sh").unwrap().mode, 0o755);
        fs::write(root.join("run.sh"), "changed").unwrap();
        let changed = read(root).unwrap();
        assert_ne!(changed.digest, release.digest);
        assert!(changed.revision.ends_with("-dirty"), "{}", changed.revision);
    }

    #[test]
    fn elsewhere_there_is_no_source() {
        let directory = tempfile::tempdir().unwrap();
        let message = find(directory.path()).unwrap_err().to_string();
        assert!(message.contains("--source"), "{message}");
    }
}
