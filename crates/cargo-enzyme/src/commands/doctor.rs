//! `cargo enzyme doctor`: proof, not version numbers.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, ensure};
use enzyme_driver::process;
use enzyme_driver::session::RustcVersion;
use enzyme_toolchain::{Installed, Lock, Platform, Store, chosen_profile};
use serde_json::json;

use super::cargo::Build;

mod one_llvm;

const PROBE: &str = include_str!("doctor/probe.rs");
const COMPILE_LIMIT: Duration = Duration::from_secs(120);
const RUN_LIMIT: Duration = Duration::from_secs(20);
/// A toolchain with its bundle needs about this much.
const WANTED_DISK: u64 = 1 << 30;

const EXAMPLES: &str = "\
Examples:
  cargo enzyme doctor
  cargo enzyme doctor --json | jq '.checks[] | select(.ok | not)'

The exit status is 0 if all is well and 1 if not.";

/// Check the installation: compile, run and compare real gradients
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// One thing looked at.
struct Check {
    name: &'static str,
    result: anyhow::Result<String>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checks = examine();
    let healthy = checks.iter().all(|check| check.result.is_ok());
    if args.json {
        print_json(&checks, healthy)?;
    } else {
        print_lines(&checks, healthy);
    }
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn examine() -> Vec<Check> {
    let rustc = rustc();
    let mut checks = vec![check(
        "rustc",
        rustc.as_ref().map(describe_rustc).map_err(copy),
    )];
    checks.push(check("linker", linker()));
    checks.push(check(
        "lock",
        Lock::embedded()
            .map(|l| l.digest()[..16].to_owned())
            .map_err(Into::into),
    ));
    checks.push(check("disk", disk()));
    let installed = installed();
    checks.push(check(
        "store",
        installed
            .as_ref()
            .map(|i| i.root().display().to_string())
            .map_err(copy),
    ));
    let Ok(installed) = installed else {
        return checks;
    };
    checks.push(check(
        "contents",
        installed
            .ensure_intact()
            .map(|()| "every file is as the lock says".into())
            .map_err(Into::into),
    ));
    checks.push(check(
        "profile",
        Ok(installed.recipe().profile().to_owned()),
    ));
    checks.push(check("clang", clang(&installed)));
    checks.push(check("engine", engine(&installed)));
    let Ok(rustc) = rustc else { return checks };
    checks.push(check("match", fits(&rustc, &installed)));
    if installed.recipe().facts().debian.is_some() {
        checks.push(check("one LLVM", one_llvm::check(rustc_path(), &installed)));
    }
    match gradients(&rustc, &installed) {
        Ok(gradients) => checks.extend(gradients),
        Err(error) => checks.push(check("gradients", Err(error))),
    }
    checks
}

fn check(name: &'static str, result: anyhow::Result<String>) -> Check {
    Check { name, result }
}

fn copy(error: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

fn rustc() -> anyhow::Result<RustcVersion> {
    Ok(RustcVersion::of(&rustc_path())?)
}

/// The compiler that cargo would run.
fn rustc_path() -> PathBuf {
    std::env::var_os("RUSTC")
        .unwrap_or_else(|| "rustc".into())
        .into()
}

fn describe_rustc(version: &RustcVersion) -> String {
    format!(
        "{} for {}, LLVM {}",
        version.release, version.host, version.llvm
    )
}

fn linker() -> anyhow::Result<String> {
    let output = process::succeed(
        "asking the linker for its version",
        Command::new("cc").arg("--version"),
        RUN_LIMIT,
    )
    .context("rustc needs a C compiler to link with: install gcc")?;
    Ok(first_line(&output))
}

fn disk() -> anyhow::Result<String> {
    let store = Store::from_env()?;
    let existing = store
        .root()
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"));
    let free = fs4::available_space(existing)?;
    let text = format!(
        "{} free for `{}`",
        indicatif::HumanBytes(free),
        store.root().display()
    );
    let is_installed = installed().is_ok();
    ensure!(
        is_installed || free >= WANTED_DISK,
        "{text}: setup needs {}",
        indicatif::HumanBytes(WANTED_DISK)
    );
    Ok(text)
}

fn installed() -> anyhow::Result<Installed> {
    let store = Store::from_env()?;
    store
        .toolchain(&Lock::embedded()?, Platform::host()?)?
        .with_context(|| {
            format!(
                "the profile `{}` is not installed in `{}`: run `cargo enzyme setup`",
                chosen_profile(),
                store.root().display()
            )
        })
}

fn clang(installed: &Installed) -> anyhow::Result<String> {
    let mut command = installed.clang()?.command();
    let output = process::succeed(
        "asking clang for its version",
        command.arg("--version"),
        RUN_LIMIT,
    )?;
    let version = first_line(&output);
    // The portable one was compared byte by byte; one of a package is whatever the machine has.
    let wanted = &installed.recipe().facts().llvm.version;
    ensure!(
        version.split(' ').any(|word| word == wanted),
        "`{}` is {version}, the lock says {wanted}: use the container image that belongs to this cargo-enzyme",
        command.get_program().to_string_lossy()
    );
    Ok(version)
}

/// The engine must run here, and have Enzyme's options.
fn engine(installed: &Installed) -> anyhow::Result<String> {
    let mut command = installed.engine()?.command();
    let help = process::succeed(
        "asking the engine for its options",
        command.arg("--help-hidden"),
        RUN_LIMIT,
    )?;
    let options = help
        .lines()
        .filter(|line| line.trim_start().starts_with("--enzyme-"))
        .count();
    for option in ["--enzyme-rust-type", "--enzyme-strict-aliasing"] {
        ensure!(help.contains(option), "the engine does not know `{option}`");
    }
    let facts = &installed.recipe().facts().engine;
    Ok(format!(
        "{} ({}), {options} options of Enzyme",
        facts.name, facts.version
    ))
}

fn fits(rustc: &RustcVersion, installed: &Installed) -> anyhow::Result<String> {
    let facts = &installed.recipe().facts().engine;
    ensure!(
        rustc.llvm_major <= facts.llvm_major,
        "rustc uses LLVM {}, the engine reads bitcode up to LLVM {}: use an older Rust release, or update oxide-enzyme",
        rustc.llvm,
        facts.llvm_major
    );
    Ok(format!(
        "the engine reads bitcode of LLVM {}",
        rustc.llvm_major
    ))
}

/// Compiles the probe through the driver, just as cargo would, runs it, and compares.
fn gradients(rustc: &RustcVersion, installed: &Installed) -> anyhow::Result<Vec<Check>> {
    let scratch = tempfile::tempdir()?;
    let source = scratch.path().join("probe.rs");
    std::fs::write(&source, PROBE)?;
    let build = Build::at(scratch.path());
    let mut compile = build.rustc()?;
    installed.hand_on(&mut compile);
    compile
        .arg(rustc_path())
        .args([
            "--crate-name",
            "probe",
            "--edition",
            "2024",
            "--crate-type",
            "bin",
            "--emit=link",
            "-C",
            "opt-level=1",
        ])
        .args(["-C", "codegen-units=1", "--target", &rustc.host])
        .arg("--out-dir")
        .arg(scratch.path())
        .arg(&source);
    process::succeed(
        "compiling a program with derivatives",
        &mut compile,
        COMPILE_LIMIT,
    )?;
    let mut program = Command::new(scratch.path().join("probe"));
    let output = process::succeed(
        "running a program with derivatives",
        &mut program,
        RUN_LIMIT,
    )?;
    const NAMES: [&str; 6] = [
        "reverse f64",
        "forward f64",
        "reverse f32",
        "forward f32",
        "reverse Vec",
        "forward Vec",
    ];
    Ok(NAMES
        .into_iter()
        .map(|name| check(name, compare(name, &output)))
        .collect())
}

/// A line of the probe: name, value, expected value.
fn compare(name: &str, output: &str) -> anyhow::Result<String> {
    let line = output
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .context("the program did not say")?;
    let mut numbers = line.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(value)), Some(Ok(expected))) = (numbers.next(), numbers.next()) else {
        anyhow::bail!("the program said `{line}`");
    };
    let tolerance = if name.ends_with("f32") { 1e-5 } else { 1e-13 };
    let error = ((value - expected) / expected).abs();
    ensure!(
        error <= tolerance,
        "{value} instead of {expected}: relative error {error:.1e}"
    );
    Ok(format!(
        "{value} (relative error {error:.0e}, tolerance {tolerance:.0e})"
    ))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn print_lines(checks: &[Check], healthy: bool) {
    for check in checks {
        match &check.result {
            Ok(text) => println!("  ok    {:12} {text}", check.name),
            Err(error) => println!("  FAIL  {:12} {error:#}", check.name),
        }
    }
    println!("{}", if healthy { "healthy" } else { "not healthy" });
}

fn print_json(checks: &[Check], healthy: bool) -> anyhow::Result<()> {
    let checks: Vec<_> = checks
        .iter()
        .map(|check| match &check.result {
            Ok(text) => json!({ "name": check.name, "ok": true, "detail": text }),
            Err(error) => {
                json!({ "name": check.name, "ok": false, "detail": format!("{error:#}") })
            }
        })
        .collect();
    println!(
        "{}",
        serde_json::to_string_pretty(&json!({ "healthy": healthy, "checks": checks }))?
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_gradient_is_not_healthy() {
        assert!(compare("reverse f64", "reverse f64 1.5 1.5\n").is_ok());
        assert!(compare("reverse f64", "reverse f64 1.5 1.6\n").is_err());
        assert!(compare("reverse f64", "reverse f64 NaN 1.6\n").is_err());
        assert!(compare("reverse f64", "").is_err());
    }
}
