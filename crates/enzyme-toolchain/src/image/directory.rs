//! A tree as files in a directory, by any user: everything belongs to whoever writes it.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use super::tree::{NodeKind, Tree};
use crate::error::{Error, Result};
use crate::progress::{Meter, Phase, Progress};

/// Writes a tree, which must be whole ([`Tree::check`]), into a directory that must be new. Nothing is written through a
/// link: the tree has none above a node.
pub(crate) fn write(tree: &Tree, directory: &Path, progress: &dyn Progress) -> Result<()> {
    tree.check()?;
    let name = directory.display().to_string();
    let mut meter = Meter::new(progress, Phase::Unpack, &name, size(tree));
    make_directory(directory)?;
    for (path, node) in tree.iter() {
        let to = directory.join(path);
        match &node.kind {
            NodeKind::Directory => make_directory(&to)?,
            NodeKind::Symlink(target) => {
                symlink(target, &to).map_err(Error::io("create", &to))?;
            }
            NodeKind::File(content) => {
                let mut file = File::options()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&to)
                    .map_err(Error::io("create", &to))?;
                io::copy(&mut content.reader(), &mut file).map_err(Error::io("write", &to))?;
                // Past the umask.
                file.set_permissions(Permissions::from_mode(node.mode))
                    .map_err(Error::io("write", &to))?;
                meter.add(content.size())?;
            }
        }
    }
    // Last, as some forbid their owner to write.
    for (path, node) in tree.iter().rev() {
        if let NodeKind::Directory = node.kind {
            let to = directory.join(path);
            fs::set_permissions(&to, Permissions::from_mode(node.mode))
                .map_err(Error::io("set permissions of", &to))?;
        }
    }
    fs::set_permissions(directory, Permissions::from_mode(0o755))
        .map_err(Error::io("set permissions of", directory))?;
    meter.finish();
    Ok(())
}

fn make_directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(Error::io("create", path))
}

fn size(tree: &Tree) -> u64 {
    tree.iter()
        .map(|(_, node)| match &node.kind {
            NodeKind::File(content) => content.size(),
            _ => 0,
        })
        .sum()
}
