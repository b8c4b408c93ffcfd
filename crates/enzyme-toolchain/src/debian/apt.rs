//! An apt of our own: the host's programs and its ways to the network (proxy, certificates, passwords), but a root directory,
//! sources, keys and package status of our own. It needs no privileges and changes nothing outside its directory.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::child;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Where apt keeps the programs that are not for every day.
const HELPERS: &str = "/usr/lib/apt";

/// Read after the host's configuration: what it may not decide here.
const CONFIGURATION: &str = r#"
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
#clear APT::Architectures;
#clear DPkg;
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Check-Valid-Until "true";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::State "state";
Dir::State::lists "lists";
Dir::Cache "cache";
Dir::Cache::archives "archives";
Dir::Etc "etc";
Dir::Etc::sourcelist "our.sources";
Dir::Etc::sourceparts "-";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
"#;

/// The isolated apt; its directory goes with it.
pub(crate) struct Apt {
    root: TempDir,
}

impl Apt {
    /// An apt for one architecture, with these sources in the format of `sources.list(5)` (DEB822 style).
    pub(crate) fn new(architecture: &str, sources: &str) -> Result<Apt> {
        let place = std::env::temp_dir();
        let root = tempfile::tempdir().map_err(Error::io("create a directory in", &place))?;
        let apt = Apt { root };
        let path = |name: &str| apt.root.path().join(name);
        // For the user that apt downloads as when it is run by root.
        fs::set_permissions(apt.root.path(), fs::Permissions::from_mode(0o755))
            .map_err(Error::io("open up", apt.root.path()))?;
        for name in [
            "etc/preferences.d",
            "state/lists/partial",
            "cache/archives/partial",
        ] {
            fs::create_dir_all(path(name)).map_err(Error::io("create", &path(name)))?;
        }
        let configuration = format!(
            "{CONFIGURATION}APT::Architecture \"{architecture}\";\nAPT::Architectures {{ \"{architecture}\"; }};\n"
        );
        let files = [
            ("apt.conf", configuration.as_str()),
            ("etc/our.sources", sources),
            // Nothing is installed here, whatever the host has.
            ("status", ""),
        ];
        for (name, text) in files {
            fs::write(path(name), text).map_err(Error::io("write", &path(name)))?;
        }
        Ok(apt)
    }

    /// Where the indices lie.
    pub(crate) fn lists(&self) -> PathBuf {
        self.root.path().join("state/lists")
    }

    /// Runs one of apt's programs and returns what it printed.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        progress: &dyn Progress,
    ) -> Result<String> {
        let mut command = self.command(program)?;
        command.args(arguments);
        let log = self.root.path().join("log");
        let watch = || match progress.cancelled() {
            true => Err(Error::Interrupted),
            false => Ok(()),
        };
        let status = child::run(&mut command, &log, watch)?;
        if status.success() {
            return Ok(child::said(&log));
        }
        let what = arguments
            .first()
            .map(|first| first.as_ref().to_string_lossy());
        Err(Error::AptFailed {
            command: format!("{program} {}", what.unwrap_or_default()),
            status: status.to_string(),
            log: child::tail(&child::said(&log)),
        })
    }

    /// One of apt's programs, isolated.
    pub(crate) fn command(&self, program: &str) -> Result<Command> {
        let mut command = host(program)?;
        let root = self.root.path().display();
        let option = |name: &str, value: &str| format!("{name}={root}{value}");
        command
            .arg(format!("--config-file={root}/apt.conf"))
            .args(["-o", &option("Dir", "")])
            .args(["-o", &option("Dir::State::status", "/status")]);
        Ok(command)
    }
}

/// One of apt's programs as it is configured on this machine.
pub(crate) fn host(program: &str) -> Result<Command> {
    let path = which::which(program)
        .or_else(|_| which::which_in(program, Some(HELPERS), Path::new("/")))
        .map_err(|_| Error::NoApt {
            program: program.to_owned(),
        })?;
    let mut command = Command::new(path);
    command.env("LC_ALL", "C.UTF-8");
    Ok(command)
}
