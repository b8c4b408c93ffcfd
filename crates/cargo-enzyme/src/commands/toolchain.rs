//! `cargo enzyme toolchain`: looks at the toolchain and moves it about.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use enzyme_toolchain::{
    Cleared, DEFAULT_PROFILE, Error, Installed, Listed, Manifest, Platform, Problem, SetupOptions,
    Store,
};
use indicatif::HumanBytes;
use serde_json::json;

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
    Path(PathArgs),
    List(ListArgs),
    Verify(VerifyArgs),
    Gc(GcArgs),
    Bundle(BundleArgs),
    Unbundle(UnbundleArgs),
    Key(KeyArgs),
    Lock(LockArgs),
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Path(args) => path(args),
        Command::List(args) => list(args),
        Command::Verify(args) => verify(args),
        Command::Gc(args) => gc(args),
        Command::Bundle(args) => bundle(args),
        Command::Unbundle(args) => unbundle(args),
        Command::Key(args) => key(args),
        Command::Lock(args) => lock(args),
    }
}

/// Print where the toolchain is; fail if it is not installed
#[derive(clap::Args)]
#[command(after_help = "Example:\n  ls \"$(cargo enzyme toolchain path)/bin\"")]
struct PathArgs {
    #[command(flatten)]
    which: Which,
}

/// Which toolchain is meant: this machine's, of the embedded lock, unless said otherwise.
#[derive(clap::Args)]
struct Which {
    /// Which set of artifacts
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROFILE)]
    profile: String,
    #[command(flatten)]
    lock: LockArg,
}

impl Which {
    fn installed(&self, store: &Store) -> anyhow::Result<Installed> {
        let recipe = self.lock.read()?.recipe(&self.profile, Platform::host()?)?;
        let installed = store.find(&recipe)?;
        Ok(installed.ok_or_else(|| Error::NotInstalled {
            store: store.root().to_owned(),
        })?)
    }
}

fn path(args: &PathArgs) -> anyhow::Result<ExitCode> {
    println!(
        "{}",
        args.which.installed(&Store::from_env()?)?.root().display()
    );
    Ok(ExitCode::SUCCESS)
}

/// List the toolchains in the store, of this version and of others
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo enzyme toolchain list --json | jq -r '.[].path'")]
struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lock: LockArg,
}

fn list(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let store = Store::from_env()?;
    let listed = enzyme_toolchain::list(&store, &args.lock.read()?)?;
    if args.json {
        let entry = |Listed {
                         path,
                         current,
                         contents,
                         bytes,
                     }: &Listed| {
            json!({ "path": path.to_string_lossy(), "current": current, "contents": contents, "bytes": bytes })
        };
        println!(
            "{:#}",
            serde_json::Value::from_iter(listed.iter().map(entry))
        );
        return Ok(ExitCode::SUCCESS);
    }
    for Listed {
        path,
        current,
        contents,
        bytes,
    } in &listed
    {
        let whose = if *current { "current" } else { "other version" };
        println!(
            "{} ({whose}, {}, {})",
            path.display(),
            HumanBytes(*bytes),
            contents.join(", ")
        );
    }
    if listed.is_empty() {
        eprintln!(
            "no toolchain in {}; run `cargo enzyme setup`",
            store.root().display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Hash every installed file and compare it with the lock
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo enzyme toolchain verify || cargo enzyme setup --repair
  cargo enzyme toolchain verify --json | jq '.problems[]'")]
struct VerifyArgs {
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let installed = args.which.installed(&Store::from_env()?)?;
    let ui = Ui::new(args.quiet);
    let problems = installed.verify(&ui)?;
    if args.json {
        let entry = |Problem { path, problem }: &Problem| json!({ "path": path.to_string_lossy(), "problem": problem });
        let problems: Vec<_> = problems.iter().map(entry).collect();
        println!(
            "{:#}",
            json!({ "root": installed.root().to_string_lossy(), "problems": problems })
        );
    }
    if problems.is_empty() {
        ui.say(&format!(
            "every file is as the lock says: {}",
            installed.root().display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    drop(ui);
    for Problem { path, problem } in &problems {
        eprintln!("error: {} {problem}", path.display());
    }
    eprintln!("run `cargo enzyme setup --repair` to put it right");
    Ok(ExitCode::FAILURE)
}

/// Remove toolchains of other versions, and what interrupted setups left
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo enzyme toolchain gc --dry-run")]
struct GcArgs {
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lock: LockArg,
}

fn gc(args: &GcArgs) -> anyhow::Result<ExitCode> {
    let ui = Ui::new(args.quiet);
    let Cleared { paths, bytes } =
        enzyme_toolchain::gc(&Store::from_env()?, &args.lock.read()?, args.dry_run, &ui)?;
    let verb = if args.dry_run {
        "would remove"
    } else {
        "removed"
    };
    for path in &paths {
        ui.say(&format!("{verb} {}", path.display()));
    }
    ui.say(&format!("{verb} {}", HumanBytes(bytes)));
    if args.json {
        let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
        println!(
            "{:#}",
            json!({ "dry-run": args.dry_run, "paths": paths, "bytes": bytes })
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Pack the toolchain into one file, for CI caches and machines without a network
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo enzyme toolchain bundle                            for this machine
  cargo enzyme toolchain bundle --platform linux-aarch64   for another one
  cargo enzyme toolchain bundle --output toolchain.tar.zst

The same toolchain gives the same bytes. On the other side: cargo enzyme toolchain unbundle FILE")]
struct BundleArgs {
    /// The file to write [default: oxide-enzyme-KEY.tar.zst]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// For which machine [default: this one]
    #[arg(long, value_name = "NAME")]
    platform: Option<Platform>,
    /// Never download: fail if the toolchain is not installed
    #[arg(long)]
    offline: bool,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    which: Which,
}

fn bundle(args: &BundleArgs) -> anyhow::Result<ExitCode> {
    let (store, ui) = (Store::from_env()?, Ui::new(args.quiet));
    let options = SetupOptions {
        profile: args.which.profile.clone(),
        platform: args.platform,
        offline: args.offline,
        ..SetupOptions::default()
    };
    let installed = enzyme_toolchain::setup(&store, &args.which.lock.read()?, &options, &ui)?;
    let name = format!("oxide-enzyme-{}.tar.zst", installed.recipe().key());
    let output = args.output.as_deref().unwrap_or(Path::new(&name));
    enzyme_toolchain::bundle(&installed, output, &ui)?;
    println!("{}", output.display());
    Ok(ExitCode::SUCCESS)
}

/// Install the toolchain from a bundle; every byte is checked against the lock
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo enzyme toolchain unbundle oxide-enzyme-*.tar.zst")]
struct UnbundleArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    bundle: PathBuf,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    lock: LockArg,
}

fn unbundle(args: &UnbundleArgs) -> anyhow::Result<ExitCode> {
    let ui = Ui::new(args.quiet);
    let installed =
        enzyme_toolchain::unbundle(&Store::from_env()?, &args.lock.read()?, &args.bundle, &ui)?;
    ui.say(&format!(
        "the toolchain is ready: {}",
        installed.root().display()
    ));
    Ok(ExitCode::SUCCESS)
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
    let lock = enzyme_toolchain::relock(&Manifest::parse(&text, &origin)?, &ui)?;
    let output = args.output.display();
    if !args.check {
        enzyme_toolchain::write_lock(&lock, &args.output)?;
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
