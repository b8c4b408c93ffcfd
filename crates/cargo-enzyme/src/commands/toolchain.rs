//! `cargo enzyme toolchain`: looks at the toolchain and moves it about.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use enzyme_toolchain::{Manifest, relock, write_lock};

use super::setup::LockArg;
use crate::ui::Ui;

/// Look at, verify, pack and clear toolchains
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Key(KeyArgs),
    Lock(LockArgs),
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Key(args) => key(args),
        Command::Lock(args) => lock(args),
    }
}

/// Print the toolchain's key: the sha256 of its lock, made for naming CI caches
#[derive(clap::Args)]
#[command(after_help = "Example:\n  key=$(cargo enzyme toolchain key)")]
struct KeyArgs {
    #[command(flatten)]
    lock: LockArg,
}

fn key(args: &KeyArgs) -> anyhow::Result<ExitCode> {
    println!("{}", args.lock.read()?.digest());
    Ok(ExitCode::SUCCESS)
}

/// Make the lock from the manifest: downloads every artifact for every platform
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo enzyme toolchain lock            after changing toolchain/manifest.toml
  cargo enzyme toolchain lock --check    in CI: is the lock what the manifest and the registry say?")]
struct LockArgs {
    /// The manifest to read
    #[arg(long, value_name = "FILE", default_value = "toolchain/manifest.toml")]
    manifest: PathBuf,
    /// The lock to write
    #[arg(long, value_name = "FILE", default_value = "toolchain/toolchain.lock")]
    output: PathBuf,
    /// Write nothing; fail if the lock would change
    #[arg(long)]
    check: bool,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

fn lock(args: &LockArgs) -> anyhow::Result<ExitCode> {
    let origin = args.manifest.display().to_string();
    let text = std::fs::read_to_string(&args.manifest).with_context(|| {
        format!("cannot read {origin}; run this in a checkout of oxide-enzyme, or name the manifest with --manifest")
    })?;
    let ui = Ui::new(args.quiet);
    let lock = relock(&Manifest::parse(&text, &origin)?, &ui)?;
    let output = args.output.display();
    if !args.check {
        write_lock(&lock, &args.output)?;
        ui.say(&format!("wrote {output}, key {}", lock.digest()));
        return Ok(ExitCode::SUCCESS);
    }
    let same = std::fs::read_to_string(&args.output).is_ok_and(|text| text == lock.text());
    anyhow::ensure!(
        same,
        "{output} is not what {origin} and the registry say; run `cargo enzyme toolchain lock`"
    );
    ui.say(&format!("{output} is up to date"));
    Ok(ExitCode::SUCCESS)
}
