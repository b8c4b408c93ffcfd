//! Fetching wheels with the pip that is installed, so that the user's own index, proxy and certificates apply.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::progress::Meter;

/// How often the growing file is looked at.
const POLL: Duration = Duration::from_millis(100);

/// What to ask pip for.
pub(crate) struct Request<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub python: &'a str,
    pub pip_platform: &'a str,
    /// pip checks it too; `None` only when a lock is being made.
    pub sha256: Option<&'a str>,
    /// For messages.
    pub label: &'a str,
}

/// Downloads into `dest`, an empty directory of ours, and returns the one file that came.
pub(crate) fn download(
    request: &Request<'_>,
    dest: &Path,
    mut meter: Meter<'_>,
) -> Result<PathBuf> {
    let mut command = find(request.label)?;
    let wheels = dest.join("wheels");
    let scratch = dest.join("scratch");
    for directory in [&wheels, &scratch] {
        fs::create_dir(directory).map_err(Error::io("create", directory))?;
    }
    let requirements = dest.join("requirements.txt");
    fs::write(&requirements, requirement(request)).map_err(Error::io("write", &requirements))?;
    command.args([
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--no-cache-dir",
        "--progress-bar=off",
    ]);
    command.args([
        "--disable-pip-version-check",
        "--platform",
        request.pip_platform,
    ]);
    command.args(["--python-version", request.python, "--implementation", "cp"]);
    if request.sha256.is_some() {
        command.arg("--require-hashes");
    }
    command
        .arg("--requirement")
        .arg(&requirements)
        .arg("--dest")
        .arg(&wheels);
    run(command, request, dest, &mut meter)?;
    let file = only_file(&wheels, request)?;
    meter.finish();
    Ok(file)
}

fn requirement(request: &Request<'_>) -> String {
    let hash = request
        .sha256
        .map(|sha256| format!(" --hash=sha256:{sha256}"))
        .unwrap_or_default();
    format!("{}=={}{hash}\n", request.name, request.version)
}

/// The first pip that answers. `pip` itself may be missing where Python has the module, and the other way round.
fn find(label: &str) -> Result<Command> {
    let candidates: [(&str, &[&str]); 4] = [
        ("pip", &[]),
        ("pip3", &[]),
        ("python3", &["-m", "pip"]),
        ("python", &["-m", "pip"]),
    ];
    for (program, arguments) in candidates {
        let Ok(path) = which::which(program) else {
            continue;
        };
        let answers = |command: &mut Command| {
            let quiet = command
                .arg("--version")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            quiet.status().is_ok_and(|status| status.success())
        };
        if answers(Command::new(&path).args(arguments)) {
            let mut command = Command::new(path);
            command.args(arguments);
            return Ok(command);
        }
    }
    Err(Error::NoPip {
        file: label.to_owned(),
    })
}

/// Runs pip with its temporary files in `dest/scratch`, where they can be watched and are removed with the rest.
fn run(
    mut command: Command,
    request: &Request<'_>,
    dest: &Path,
    meter: &mut Meter<'_>,
) -> Result<()> {
    let log_path = dest.join("pip.log");
    let log = fs::File::create(&log_path).map_err(Error::io("create", &log_path))?;
    let log_too = log.try_clone().map_err(Error::io("write", &log_path))?;
    command
        .env("TMPDIR", dest.join("scratch"))
        // A guard against installing into the system; nothing is installed here.
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too);
    let program = PathBuf::from(command.get_program());
    let mut child = command.spawn().map_err(Error::io("run", &program))?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Error::io("wait for", &program))? {
            break status;
        }
        if let Err(error) = meter.set(largest_file(dest)) {
            // It may have ended by itself in the meantime; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        std::thread::sleep(POLL);
    };
    if status.success() {
        return Ok(());
    }
    Err(Error::PipFailed {
        file: request.label.to_owned(),
        status: status.to_string(),
        log: tail(&log_path),
    })
}

/// The size of the largest file below `directory`: what pip has written of the wheel so far.
fn largest_file(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => largest_file(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.max().unwrap_or(0)
}

/// The last lines of pip's output, which hold the reason.
fn tail(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        // What cannot be read is left out of the message; the message itself still says that pip failed.
        let _ = file.take(1 << 20).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text
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

fn only_file(directory: &Path, request: &Request<'_>) -> Result<PathBuf> {
    let entries = fs::read_dir(directory).map_err(Error::io("list", directory))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    match files.pop() {
        Some(file) if files.is_empty() => Ok(file),
        _ => Err(Error::PipFailed {
            file: request.label.to_owned(),
            status: "success".to_owned(),
            log: "  it did not leave exactly one file".to_owned(),
        }),
    }
}
