//! Getting files over a network with the programs that are there for it, so that the user's own proxy, certificates and
//! passwords apply. What comes is checked elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::apt::Apt;
use crate::child;
use crate::error::{Error, Result};

/// How curl is told to begin the line about a file that has the server's code for it.
const CODE: &str = "code ";

/// A file to get.
pub(crate) struct Transfer {
    pub url: String,
    pub to: PathBuf,
    /// It is stopped when more than this comes.
    pub size: u64,
}

/// The program that gets it.
pub(crate) enum Client<'a> {
    Apt(&'a Apt),
    Curl,
}

/// What became of a transfer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Came,
    /// The server does not have it.
    Missing,
    /// Anything else, with the end of what the program said.
    Failed(String),
}

/// Runs some transfers; `scratch` is a directory of ours. `watch` learns how many bytes came and may stop it all.
pub(crate) fn transfer(
    client: &Client<'_>,
    transfers: &[Transfer],
    scratch: &Path,
    mut watch: impl FnMut(u64) -> Result<()>,
) -> Result<Vec<Outcome>> {
    let log = scratch.join("transfer.log");
    let mut command = match client {
        Client::Apt(apt) => with_apt(apt, transfers)?,
        Client::Curl => with_curl(transfers, scratch)?,
    };
    let status = child::run(&mut command, &log, || watch(arrived(transfers)?))?;
    let said = child::said(&log);
    let lines = said.lines().filter(|line| !line.starts_with(CODE));
    let reasons = lines.collect::<Vec<_>>().join("\n");
    let outcome = |transfer: &Transfer| {
        if is_missing(&said, transfer) {
            Outcome::Missing
        } else if size_of(transfer).is_some_and(|size| status.success() || size == transfer.size) {
            Outcome::Came
        } else {
            Outcome::Failed(format!("{}\n  ({status})", child::tail(&reasons)))
        }
    };
    Ok(transfers.iter().map(outcome).collect())
}

fn with_apt(apt: &Apt, transfers: &[Transfer]) -> Result<Command> {
    let mut command = apt.command("apt-helper")?;
    command.arg("download-file");
    for Transfer { url, to, .. } in transfers {
        // The third is a hash to check; the check is ours, and its messages too.
        command.arg(url).arg(to).arg("");
    }
    Ok(command)
}

fn with_curl(transfers: &[Transfer], scratch: &Path) -> Result<Command> {
    let first = transfers.first().map_or("", |transfer| &transfer.url);
    let program = which::which("curl").map_err(|_| Error::NoCurl {
        url: first.to_owned(),
    })?;
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let one = |transfer: &Transfer| {
        let to = transfer.to.to_string_lossy();
        format!(
            "url = {}\noutput = {}\n",
            quoted(&transfer.url),
            quoted(&to)
        )
    };
    let list = scratch.join("transfers");
    fs::write(&list, transfers.iter().map(one).collect::<String>())
        .map_err(Error::io("write", &list))?;
    let mut command = Command::new(program);
    command
        .args([
            "--fail",
            "--location",
            "--silent",
            "--show-error",
            "--no-progress-meter",
            "--globoff",
        ])
        .args([
            "--proto",
            "=http,https",
            "--retry",
            "2",
            "--connect-timeout",
            "30",
        ])
        .args(["--parallel", "--parallel-max", "4"])
        .arg("--write-out")
        .arg(format!("{CODE}%{{http_code}} %{{filename_effective}}\\n"))
        .arg("--config")
        .arg(list);
    Ok(command)
}

fn size_of(transfer: &Transfer) -> Option<u64> {
    Some(fs::metadata(&transfer.to).ok()?.len())
}

/// The bytes that came until now.
fn arrived(transfers: &[Transfer]) -> Result<u64> {
    let mut bytes = 0;
    for transfer in transfers {
        let now = size_of(transfer).unwrap_or(0);
        if now > transfer.size {
            return Err(Error::Mismatch {
                path: PathBuf::from(&transfer.url),
                problem: "it is longer than the lock says".to_owned(),
                advice: super::fetch::ADVICE,
            });
        }
        bytes += now;
    }
    Ok(bytes)
}

/// Whether curl or apt said that the server does not have it. They tell this in lines of their own.
fn is_missing(said: &str, transfer: &Transfer) -> bool {
    let to = transfer.to.to_string_lossy();
    let curl = ["404", "410"].map(|code| format!("{CODE}{code} {to}"));
    let apt = format!("E: Failed to fetch {} ", transfer.url);
    said.lines().any(|line| {
        let reason = line.strip_prefix(&apt).unwrap_or_default().trim_start();
        let gone = ["404", "410", "File not found"];
        curl.iter().any(|code| code == line) || gone.iter().any(|gone| reason.starts_with(gone))
    })
}
