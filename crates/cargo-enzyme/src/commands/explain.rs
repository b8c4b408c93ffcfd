//! `cargo enzyme explain`: what the pipeline made of a derivative, for people who debug one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, bail};
use enzyme_driver::explain;

use super::cargo::{self, Build};

const EXAMPLES: &str = "\
Examples:
  cargo enzyme explain rosenbrock                     the differentiated IR of the derivatives of `rosenbrock`
  cargo enzyme explain rosenbrock --show types        what type analysis found
  cargo enzyme explain d_loss --release -p my-crate   everything after ITEM but --show goes to `cargo build`

ITEM is a part of the path of the function or of its derivative.";

/// Show a derivative's IR, type analysis and activity analysis
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Part of the path of the differentiated function or of its derivative
    item: String,
    /// What to print; everything is kept in files
    #[arg(long, value_enum, default_value_t = Show::Derivative)]
    show: Show,
    /// Arguments for `cargo build`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<OsString>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Show {
    /// The IR that Enzyme is given
    Primal,
    /// The IR that Enzyme made
    Derivative,
    /// Type analysis
    Types,
    /// Activity analysis
    Activity,
}

impl Show {
    fn file(self) -> &'static str {
        match self {
            Show::Primal => explain::PRIMAL,
            Show::Derivative => explain::DERIVATIVE,
            Show::Types => explain::TYPES,
            Show::Activity => explain::ACTIVITY,
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    cargo::toolchain(false)?;
    let mut arguments: Vec<OsString> = vec!["build".into()];
    arguments.extend(args.cargo.iter().cloned());
    let build = Build::plan(&arguments)?;
    let directory = build.target.join("explain");
    // A directory of its own: what is linked there is never used, and must be linked again each time.
    let scratch = build.target.join(".explain");
    let _ = std::fs::remove_dir_all(&directory);
    forget_links(&scratch)?;
    let output = Build::at(&scratch)
        .command(&arguments)?
        .env(explain::ITEM, &args.item)
        .env(explain::DIRECTORY, &directory)
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped())
        .output()
        .context("cannot run cargo")?;
    let found = explained(&directory);
    if found.is_empty() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!(
            "no derivative of a function with `{}` in its path was linked; is it used in what was built?",
            args.item
        );
    }
    for folder in found {
        print_one(&folder, args.show)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes cargo compile and link the workspace's own packages again.
fn forget_links(scratch: &Path) -> anyhow::Result<()> {
    for profile in std::fs::read_dir(scratch).into_iter().flatten().flatten() {
        let fingerprints = profile.path().join(".fingerprint");
        if fingerprints.is_dir() {
            std::fs::remove_dir_all(&fingerprints)?;
        }
    }
    Ok(())
}

fn explained(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn print_one(folder: &Path, show: Show) -> anyhow::Result<()> {
    let file = folder.join(show.file());
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    let title = std::fs::read_to_string(folder.join(explain::TITLE)).unwrap_or_default();
    eprintln!("{}\n  files: {}", title.trim(), folder.display());
    println!("{text}");
    Ok(())
}
