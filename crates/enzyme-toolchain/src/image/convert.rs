//! A layout in other forms. Each is written beside its destination and put there when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use super::directory;
use super::layout::{beside, write_archive};
use super::open::Layout;
use crate::child;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// What a layout can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// The root file system as files, owned by whoever writes them: for Charliecloud, bubblewrap, runc, and to look at.
    Directory,
    /// One file that Charliecloud and Apptainer mount.
    SquashFs,
    /// One file for `docker load` and `podman load`.
    DockerArchive,
    /// One file for Apptainer, skopeo and registries.
    OciArchive,
}

/// Writes an image to a file or directory that must not be there yet.
pub fn convert(layout: &Layout, form: Form, to: &Path, progress: &dyn Progress) -> Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(Error::Image(format!(
            "`{}` is there already; remove it, or name another place",
            to.display()
        )));
    }
    let temp = beside(to)?;
    let new = temp.path().join("new");
    match form {
        Form::Directory => {
            directory::write(&layout.tree(temp.path(), progress)?, &new, progress)?;
        }
        Form::SquashFs => squash(layout, temp.path(), &new, progress)?,
        Form::DockerArchive | Form::OciArchive => {
            // Every blob is checked before it is handed on.
            layout.tree(temp.path(), progress)?;
            let mut file = File::create(&new).map_err(Error::io("create", &new))?;
            write_archive(layout.path(), form == Form::DockerArchive, &mut file, &new)?;
        }
    }
    fs::rename(&new, to).map_err(Error::io("create", to))
}

/// Through mksquashfs, whose format has no other well-kept writer; bit for bit the same for one version of it.
fn squash(layout: &Layout, temp: &Path, new: &Path, progress: &dyn Progress) -> Result<()> {
    let missing = |error: io::Error| {
        Error::Image(format!(
            "mksquashfs does not run here ({error}); install squashfs-tools, or convert to a directory or an oci-archive"
        ))
    };
    // Before the long work.
    Command::new("mksquashfs")
        .arg("-version")
        .output()
        .map_err(missing)?;
    let root = temp.join("root");
    directory::write(&layout.tree(temp, progress)?, &root, progress)?;
    let seconds = layout.date()?.seconds.to_string();
    let mut command = Command::new("mksquashfs");
    command
        .arg(&root)
        .arg(new)
        .args(["-all-root", "-noappend", "-no-xattrs", "-no-progress"])
        .args(["-comp", "zstd", "-Xcompression-level", "9"])
        .args(["-mkfs-time", &seconds, "-all-time", &seconds])
        .env_remove("SOURCE_DATE_EPOCH");
    let log = temp.join("log");
    let status = child::run(&mut command, &log, || match progress.cancelled() {
        true => Err(Error::Interrupted),
        false => Ok(()),
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::Image(format!(
            "mksquashfs failed ({status}):\n{}",
            child::tail(&child::said(&log))
        ))),
    }
}
