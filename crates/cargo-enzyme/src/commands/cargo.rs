//! `cargo enzyme build`, `run`, `test`, ...: cargo itself, with the driver around rustc and the linker.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use enzyme_driver::{cache, invocation, links, session, wrapper};
use enzyme_toolchain::{Installed, Lock, SetupOptions, Store, setup};

use crate::ui::Ui;

/// Commands of cargo that make programs.
pub const BUILDING: &[&str] = &[
    "build", "b", "run", "r", "test", "t", "bench", "rustc", "install",
];
/// Commands of cargo that make none, and need neither toolchain nor driver.
pub const CHECKING: &[&str] = &[
    "check", "c", "clippy", "doc", "d", "rustdoc", "fix", "fmt", "tree", "metadata",
];

/// Set while cargo runs under the driver; the macros look for it.
const DRIVER: &str = "OXIDE_ENZYME_DRIVER";

/// Our own option among cargo's.
const CHECK_OPTION: &str = "--check-gradients";

/// Runs cargo with these arguments, the first being its subcommand.
pub fn run(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let (arguments, checks) = without_check_option(arguments);
    let arguments = &arguments[..];
    let subcommand = arguments
        .first()
        .and_then(|a| a.to_str())
        .unwrap_or_default();
    let wants_help = arguments
        .iter()
        .take_while(|a| *a != "--")
        .any(|a| a == "--help" || a == "-h");
    if !BUILDING.contains(&subcommand) && !CHECKING.contains(&subcommand) {
        bail!("no such command: `{subcommand}`\n  help: `cargo enzyme --help` lists the commands");
    }
    let mut command = if CHECKING.contains(&subcommand) || wants_help {
        let mut command = cargo();
        command.args(arguments);
        command
    } else {
        let quiet = arguments
            .iter()
            .take_while(|a| *a != "--")
            .any(|a| a == "--quiet" || a == "-q");
        let installed = toolchain(quiet)?;
        let mut command = Build::plan(arguments)?.checked(checks).command(arguments)?;
        installed.hand_on(&mut command);
        command
    };
    let status = command.status().context("cannot run cargo")?;
    Ok(exit_code(status))
}

/// cargo's own arguments, and whether ours was among them.
fn without_check_option(arguments: &[OsString]) -> (Vec<OsString>, bool) {
    let own = arguments.iter().take_while(|a| *a != "--").count();
    let is_ours = |(n, argument): &(usize, &OsString)| *n < own && *argument == CHECK_OPTION;
    let (ours, rest): (Vec<_>, Vec<_>) = arguments.iter().enumerate().partition(is_ours);
    let rest = rest.into_iter().map(|(_, argument)| argument.clone());
    (
        rest.collect(),
        !ours.is_empty() || wrapper::checks_gradients(),
    )
}

/// The toolchain, set up first if it is not there.
pub fn toolchain(quiet: bool) -> anyhow::Result<Installed> {
    let ui = Ui::new(quiet);
    Ok(setup(
        &Store::from_env()?,
        &Lock::embedded()?,
        &SetupOptions::default(),
        &ui,
    )?)
}

/// The status of a program as our own.
pub fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// cargo, as the user has it.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where a build under the driver happens.
pub struct Build {
    /// The target folder of its own: the same crate expands and links in another way without the driver.
    pub target: PathBuf,
    /// Whether the user named that folder.
    explicit: bool,
    /// Whether derivatives are compared with finite differences.
    checked: bool,
}

impl Build {
    /// For cargo's arguments.
    pub fn plan(arguments: &[OsString]) -> anyhow::Result<Build> {
        if let Some(directory) = value_of(arguments, "--target-dir") {
            return Ok(Build {
                target: std::path::absolute(directory)?,
                explicit: true,
                checked: false,
            });
        }
        let target = target_directory(arguments)?.join("enzyme");
        Ok(Build {
            target,
            explicit: false,
            checked: false,
        })
    }

    /// With or without checks of gradients.
    pub fn checked(self, checked: bool) -> Build {
        Build { checked, ..self }
    }

    /// In a given target folder.
    pub fn at(target: &Path) -> Build {
        Build {
            target: target.to_owned(),
            explicit: false,
            checked: false,
        }
    }

    /// rustc with the driver around it, for a single file; the first argument must be the compiler.
    pub fn rustc(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(self.driver_link()?);
        self.prepare(&mut command)?;
        Ok(command)
    }

    fn driver_link(&self) -> anyhow::Result<PathBuf> {
        // cargo asks a wrapper for its version again when the path is new.
        let link = self
            .driver_directory()
            .join(enzyme_driver::version()? + if self.checked { "-checks" } else { "" })
            .join(links::WRAPPER);
        links::to_this_program(&link)?;
        Ok(link)
    }

    /// The driver's own folder.
    pub fn driver_directory(&self) -> PathBuf {
        self.target.join(".driver")
    }

    /// The cache of bitcode and derivatives.
    pub fn cache(&self) -> cache::Cache {
        cache::Cache::at(&self.driver_directory().join("cache"))
    }

    /// cargo with the driver around it.
    pub fn command(&self, arguments: &[OsString]) -> anyhow::Result<Command> {
        let mut command = cargo();
        command.args(arguments.first());
        if !self.explicit {
            command.arg("--target-dir").arg(&self.target);
        }
        command.args(arguments.iter().skip(1));
        self.prepare(&mut command)?;
        Ok(command)
    }

    /// Sets what the driver needs in the environment of a command that runs cargo.
    fn prepare(&self, command: &mut Command) -> anyhow::Result<()> {
        let directory = self.driver_directory();
        let link = self.driver_link()?;
        self.cache().trim(cache::LIMIT);
        let outer: BTreeSet<String> = std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .collect();
        let outer: Vec<String> = outer.into_iter().collect();
        command
            .env(wrapper::INNER_WRAPPER, users_wrapper()?.unwrap_or_default())
            .env("RUSTC_WRAPPER", &link)
            .env(wrapper::LINKS, &directory)
            .env(session::CACHE, self.cache().root())
            .env(invocation::OUTER_ENVIRONMENT, outer.join("\n"))
            .env(DRIVER, "1");
        if self.checked {
            command.env(wrapper::CHECK, "1");
        } else {
            command.env_remove(wrapper::CHECK);
        }
        Ok(())
    }
}

/// The rustc wrapper that the user has without us (sccache, say): cargo's own order of precedence.
fn users_wrapper() -> anyhow::Result<Option<OsString>> {
    for variable in ["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"] {
        let value = std::env::var_os(variable).filter(|v| !v.is_empty());
        if let Some(value) = value {
            let ours = Path::new(&value).file_name() == Some(OsStr::new(links::WRAPPER));
            return Ok(if ours {
                std::env::var_os(wrapper::INNER_WRAPPER)
            } else {
                Some(value)
            });
        }
    }
    let here = std::env::current_dir()?;
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let folders = here
        .ancestors()
        .map(|folder| folder.join(".cargo"))
        .chain(home);
    for folder in folders {
        for file in ["config.toml", "config"] {
            if let Some(wrapper) = wrapper_in(&folder.join(file))? {
                return Ok(Some(wrapper));
            }
        }
    }
    Ok(None)
}

fn wrapper_in(config: &Path) -> anyhow::Result<Option<OsString>> {
    let Ok(text) = std::fs::read_to_string(config) else {
        return Ok(None);
    };
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("cannot read `{}`", config.display()))?;
    let wrapper = table
        .get("build")
        .and_then(|b| b.get("rustc-wrapper"))
        .and_then(toml::Value::as_str);
    Ok(wrapper.map(|path| {
        // As cargo: a path with a separator is relative to the folder that holds `.cargo`.
        let root = config
            .parent()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""));
        if path.contains('/') {
            root.join(path).into_os_string()
        } else {
            path.into()
        }
    }))
}

fn target_directory(arguments: &[OsString]) -> anyhow::Result<PathBuf> {
    let mut command = cargo();
    command.args(["metadata", "--format-version=1", "--no-deps"]);
    for name in ["--manifest-path", "--config"] {
        if let Some(value) = value_of(arguments, name) {
            command.arg(name).arg(value);
        }
    }
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`cargo metadata` failed: is there a Cargo.toml here?");
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let directory = metadata["target_directory"]
        .as_str()
        .context("`cargo metadata` names no target directory")?;
    Ok(directory.into())
}

/// The value of `--name value` or `--name=value` among cargo's own arguments (those before `--`).
fn value_of<'a>(arguments: &'a [OsString], name: &str) -> Option<&'a OsStr> {
    let own: Vec<&OsString> = arguments.iter().take_while(|a| *a != "--").collect();
    own.iter().enumerate().find_map(|(n, argument)| {
        if *argument == name {
            return own.get(n + 1).map(|value| value.as_os_str());
        }
        argument
            .to_str()?
            .strip_prefix(name)?
            .strip_prefix('=')
            .map(OsStr::new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_for_checks_is_not_cargos() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            without_check_option(&words("test --check-gradients -- --check-gradients")),
            (words("test -- --check-gradients"), true)
        );
    }

    #[test]
    fn options_are_found_before_the_programs_own() {
        let arguments: Vec<OsString> = ["run", "--target-dir=x", "--", "--manifest-path", "y"]
            .map(OsString::from)
            .into();
        assert_eq!(value_of(&arguments, "--target-dir"), Some(OsStr::new("x")));
        assert_eq!(value_of(&arguments, "--manifest-path"), None);
    }
}
