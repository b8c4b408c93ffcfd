//! `cargo enzyme demo`: trains the neural network among the examples.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use super::cargo;

const EXAMPLES: &str = "\
Examples:
  cargo enzyme demo            in a checkout: sets itself up, builds, trains, checks the gradient
  cargo enzyme demo --quiet    the program's own output only

The program is examples/neural-network. It fails if the gradient disagrees with finite differences.";

const PACKAGE: &str = "neural-network";

/// Train a small neural network on real data, and check its gradient
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Show nothing of the set-up and the build but errors
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if !in_checkout()? {
        bail!(
            "the demo is in the sources of oxide-enzyme, and this directory is not part of them\n  \
             help: run it in a checkout (git clone {}),\n  \
             or start a program of your own: cargo enzyme new NAME",
            env!("CARGO_PKG_REPOSITORY")
        );
    }
    let quiet = args.quiet.then_some("--quiet");
    let words = ["run", "--release", "--package", PACKAGE];
    let arguments: Vec<OsString> = words.into_iter().chain(quiet).map(OsString::from).collect();
    cargo::run(&arguments)
}

/// Whether cargo, called here, sees our example: somebody else's package may have the same name.
fn in_checkout() -> anyhow::Result<bool> {
    let mut command = cargo::cargo();
    command.args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
    let output = command
        .output()
        .map_err(|error| anyhow::anyhow!("cannot run cargo: {error}"))?;
    // Cargo fails where there is no Cargo.toml; that is an answer too.
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let packages = metadata["packages"].as_array();
    Ok(packages.into_iter().flatten().any(is_demo))
}

fn is_demo(package: &Value) -> bool {
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    package["name"] == PACKAGE
        && Path::new(manifest).ends_with("examples/neural-network/Cargo.toml")
        && package["dependencies"]
            .as_array()
            .is_some_and(|all| all.iter().any(|d| d["name"] == "oxide-enzyme"))
}
