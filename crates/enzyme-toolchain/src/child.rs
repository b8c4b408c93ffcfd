//! Other people's programs, run without a terminal, watched while they work, and quoted when they fail.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};

/// How often the work is looked at.
const POLL: Duration = Duration::from_millis(100);
/// More of a log is not read.
const LOG_LIMIT: u64 = 16 << 20;

/// Runs a program to its end with everything that it says in `log`. `watch` is asked again and again; its error ends the
/// program.
pub(crate) fn run(
    command: &mut Command,
    log: &Path,
    mut watch: impl FnMut() -> Result<()>,
) -> Result<ExitStatus> {
    let out = File::create(log).map_err(Error::io("create", log))?;
    let err = out.try_clone().map_err(Error::io("write", log))?;
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    let program = PathBuf::from(command.get_program());
    let mut child = command.spawn().map_err(Error::io("run", &program))?;
    loop {
        if let Some(status) = child.try_wait().map_err(Error::io("wait for", &program))? {
            return Ok(status);
        }
        if let Err(error) = watch() {
            // It may have ended by itself in the meantime; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        std::thread::sleep(POLL);
    }
}

/// What a program said, or the end of it; nothing when it cannot be read, which only makes a message poorer.
pub(crate) fn said(log: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(log) {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let start = SeekFrom::Start(length.saturating_sub(LOG_LIMIT));
        let _ = file
            .seek(start)
            .and_then(|_| file.take(LOG_LIMIT).read_to_end(&mut bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last lines of what a program said, which hold the reason, indented for a message.
pub(crate) fn tail(said: &str) -> String {
    let lines: Vec<_> = said
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(8)..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The sizes of all files below a directory, largest last.
pub(crate) fn sizes(directory: &Path) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => sizes(&entry.path()),
        Ok(metadata) => vec![metadata.len()],
        Err(_) => Vec::new(),
    };
    let mut sizes: Vec<_> = entries.flatten().flat_map(of_entry).collect();
    sizes.sort_unstable();
    sizes
}
