//! Runs the pipeline's programs: with a time limit where one may hang, and never with their output on the user's screen.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// To be called when the user presses Ctrl-C: the programs that run are stopped, and what is half made goes away.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its status; `None` if it was stopped for running too long.
    pub status: Option<ExitStatus>,
    /// Standard error and standard output, together.
    pub output: String,
}

impl Ended {
    /// The status in words.
    pub fn describe(&self) -> String {
        self.status
            .map_or_else(|| "stopped".to_owned(), |status| status.to_string())
    }
}

/// Runs `command` to its end, or until `limit`.
pub fn run(command: &mut Command, limit: Duration) -> Result<Ended, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |source| Error::Spawn {
        program: program.clone(),
        source,
    };
    let mut log: File = tempfile::tempfile().map_err(failed)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log.try_clone().map_err(failed)?)
        .spawn()
        .map_err(failed)?;
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break Some(status);
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            // It had the signal too, if it came from the terminal.
            let _ = child.kill();
            let _ = child.wait();
            return Err(Error::Interrupted);
        }
        if Instant::now() >= deadline {
            child.kill().map_err(failed)?;
            child.wait().map_err(failed)?;
            break None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let mut output = Vec::new();
    log.rewind()
        .and_then(|()| log.read_to_end(&mut output))
        .map_err(failed)?;
    Ok(Ended {
        status,
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

/// Runs a program that must succeed.
pub fn succeed(what: &str, command: &mut Command, limit: Duration) -> Result<String, Error> {
    let ended = run(command, limit)?;
    match ended.status {
        Some(status) if status.success() => Ok(ended.output),
        _ => Err(Error::Tool {
            what: what.to_owned(),
            status: ended.describe(),
            stderr: ended.output,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hanging_program_is_stopped() {
        let ended = run(Command::new("sleep").arg("60"), Duration::from_millis(50)).unwrap();
        assert!(ended.status.is_none());
    }

    #[test]
    fn output_is_kept() {
        let ended = run(
            Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]),
            Duration::from_secs(10),
        )
        .unwrap();
        assert_eq!(ended.status.and_then(|s| s.code()), Some(3));
        assert_eq!(ended.output, "out\nerr\n");
    }
}
