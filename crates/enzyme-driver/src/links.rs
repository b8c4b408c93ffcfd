//! Links to this program, under the names by which cargo and rustc call it.

use std::path::Path;

use crate::error::Error;

/// The name under which this program is cargo's rustc wrapper.
pub const WRAPPER: &str = "oxide-enzyme-rustc";
/// The directory of names under which it is rustc's linker.
pub const LINKER_DIRECTORY: &str = "link";

/// Makes `link` point to this program, if it does not yet.
pub fn to_this_program(link: &Path) -> Result<(), Error> {
    let this = std::env::current_exe().map_err(Error::io("find", Path::new("this program")))?;
    if std::fs::read_link(link).is_ok_and(|target| target == this) {
        return Ok(());
    }
    let directory = link.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(Error::io("make", directory))?;
    // Parallel builds may do this at once: make the link elsewhere, then rename it over the old one.
    let scratch = tempfile::tempdir_in(directory).map_err(Error::io("write in", directory))?;
    let new = scratch.path().join("link");
    std::os::unix::fs::symlink(&this, &new).map_err(Error::io("make", &new))?;
    std::fs::rename(&new, link).map_err(Error::io("make", link))
}
