//! Static libraries: the derivatives' objects go into the archive that rustc made.

use std::path::PathBuf;

use object::read::archive::ArchiveFile;

use crate::error::Error;
use crate::invocation::Invocation;
use crate::link;
use crate::process;
use crate::program::Inputs;

/// Adds what the archive asks for, and returns notes for the user.
pub fn add_derivatives(invocation: &Invocation) -> Result<Vec<String>, Error> {
    let (Some(directory), Some(stem)) = (invocation.out_dir(), invocation.file_stem()) else {
        return Ok(Vec::new());
    };
    let archive = directory.join(format!("lib{stem}.a"));
    let bytes = std::fs::read(&archive).map_err(Error::io("read", &archive))?;
    if memchr::memmem::find(&bytes, crate::derivative::PREFIX.as_bytes()).is_none() {
        return Ok(Vec::new());
    }
    let session = link::session_for(invocation)?;
    let work = session.cache.work_dir()?;
    let inputs = Inputs {
        objects: unpack_own_objects(&bytes, &stem, work.path())?,
        rlibs: rlibs(invocation)?,
    };
    let made = link::derivatives(&session, invocation, &inputs, work.path())?;
    if !made.errors.is_empty() {
        return Err(Error::Tool {
            what: "differentiation".into(),
            status: "failed".into(),
            stderr: made.errors.join("\n"),
        });
    }
    // A replacement takes the name of the member that it stands for.
    let replacements = work.path().join("replacements");
    std::fs::create_dir(&replacements).map_err(Error::io("make", &replacements))?;
    let mut objects = made.added;
    for (original, replacement) in made.replaced {
        let target = replacements.join(original.file_name().unwrap_or_default());
        std::fs::rename(&replacement, &target).map_err(Error::io("write", &target))?;
        objects.push(target);
    }
    let mut command = session.toolchain.ar()?.command();
    command.arg("rs").arg(&archive).args(objects);
    process::succeed(
        "adding derivatives to a static library",
        &mut command,
        session.patience,
    )?;
    Ok(session.notes())
}

/// The objects of the crate itself: the archive also holds those of all its dependencies.
fn unpack_own_objects(
    bytes: &[u8],
    stem: &str,
    directory: &std::path::Path,
) -> Result<Vec<PathBuf>, Error> {
    let bad = |e: object::Error| Error::Internal(format!("static library: {e}"));
    let archive = ArchiveFile::parse(bytes).map_err(bad)?;
    let mut objects = Vec::new();
    for member in archive.members().flatten() {
        if member.name().starts_with(stem.as_bytes()) {
            let path = directory.join(String::from_utf8_lossy(member.name()).as_ref());
            std::fs::write(&path, member.data(bytes).map_err(bad)?)
                .map_err(Error::io("write", &path))?;
            objects.push(path);
        }
    }
    Ok(objects)
}

/// The rlibs that the crate was compiled against, and the standard library's.
fn rlibs(invocation: &Invocation) -> Result<Vec<PathBuf>, Error> {
    let sysroot = process::succeed(
        "asking rustc for the standard library",
        std::process::Command::new(&invocation.program)
            .args(["--print", "target-libdir"])
            .args(invocation.target().map(|t| format!("--target={t}"))),
        std::time::Duration::from_secs(60),
    )?;
    let dependencies = invocation
        .arguments
        .windows(2)
        .filter(|pair| pair[0] == "-L")
        .filter_map(|pair| pair[1].strip_prefix("dependency="))
        .map(|directory| invocation.directory.join(directory));
    let mut found = Vec::new();
    for directory in dependencies.chain([PathBuf::from(sysroot.trim())]) {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        found.extend(
            entries
                .flatten()
                .map(|e| e.path())
                .filter(|p| p.extension().is_some_and(|e| e == "rlib")),
        );
    }
    found.sort();
    Ok(found)
}
