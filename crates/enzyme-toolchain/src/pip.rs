//! Fetching wheels with the pip that is installed, so that the user's own index, proxy and certificates apply.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child;
use crate::error::{Error, Result};
use crate::progress::Meter;

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
    let log = dest.join("pip.log");
    command
        .env("TMPDIR", dest.join("scratch"))
        // A guard against installing into the system; nothing is installed here.
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    // The largest file is what pip has written of the wheel so far.
    let watch = || meter.set(child::sizes(dest).pop().unwrap_or(0));
    let status = child::run(&mut command, &log, watch)?;
    if status.success() {
        return Ok(());
    }
    Err(Error::PipFailed {
        file: request.label.to_owned(),
        status: status.to_string(),
        log: child::tail(&child::said(&log)),
    })
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
