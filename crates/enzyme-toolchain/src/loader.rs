//! How the engine is started where no program finds its usual interpreter: on NixOS and in Nix's sandbox there is no /lib64.
//!
//! The engine must stay as the lock has it, so nothing is patched. Instead, whoever made the store for such a place writes
//! down the loader that starts the engine, in the store, a word a line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::installed::Tool;

/// Beside `toolchains/`.
const FILE: &str = "engine-loader";

/// The engine, started by the loader that the store names. Without that file it starts as any program does.
pub(crate) fn apply(store: &Path, engine: Tool) -> Result<Tool> {
    let path = store.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(engine),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let mut words = text.lines().map(str::to_owned);
    let loader = words.next().map(PathBuf::from);
    let Some(loader) = loader.filter(|loader| loader.is_absolute()) else {
        let reason = "its first line is not the absolute path of a loader";
        return Err(Error::io("use", &path)(io::Error::new(
            io::ErrorKind::InvalidData,
            reason,
        )));
    };
    let program = engine.program.into_os_string().into_string();
    let program = program.map_err(|_| {
        let reason = "the store's path is not UTF-8, which a loader needs";
        Error::io("use", &path)(io::Error::new(io::ErrorKind::InvalidData, reason))
    })?;
    Ok(Tool {
        program: loader,
        arguments: words.chain([program]).chain(engine.arguments).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn a_store_may_name_the_loader_that_starts_the_engine() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        let plain = installed.engine().unwrap();
        let file = fixture.store.root().join(FILE);
        fs::write(&file, "/lib/ld.so\n--library-path\n/a path\n").unwrap();
        let loaded = installed.engine().unwrap();
        assert_eq!(loaded.program, Path::new("/lib/ld.so"));
        let words = ["--library-path", "/a path", plain.program.to_str().unwrap()];
        assert_eq!(loaded.arguments, words);
        assert_eq!(
            installed.clang().unwrap().program,
            installed.root().join("bin/zig")
        );
    }

    #[test]
    fn a_loader_that_is_no_path_is_refused() {
        let fixture = Fixture::new();
        let installed = fixture.setup().unwrap();
        let file = fixture.store.root().join(FILE);
        for text in ["", "ld.so\n"] {
            fs::write(&file, text).unwrap();
            let message = installed.engine().unwrap_err().to_string();
            assert!(message.contains(file.to_str().unwrap()), "{message}");
        }
    }
}
