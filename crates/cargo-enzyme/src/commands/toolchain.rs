//! `cargo enzyme toolchain`: looks at the toolchain and moves it about.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use enzyme_toolchain::{
    Cleared, Error, Installed, Listed, Lock, Manifest, Platform, Problem, SetupOptions, Store,
    fetch_packages, held_packages,
};
use indicatif::HumanBytes;
use serde_json::json;

use super::options::{LockArg, Machine, Source, Which};
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
    Mirror(MirrorArgs),
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
        Command::Mirror(args) => mirror(args),
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

fn installed(which: &Which, store: &Store) -> anyhow::Result<Installed> {
    let installed = store.find(&which.recipe(Platform::host()?)?)?;
    Ok(installed.ok_or_else(|| Error::NotInstalled {
        store: store.root().to_owned(),
    })?)
}

fn path(args: &PathArgs) -> anyhow::Result<ExitCode> {
    println!(
        "{}",
        installed(&args.which, &Store::from_env()?)?
            .root()
            .display()
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
                         packages,
                         held,
                         bytes,
                     }: &Listed| {
            json!({
                "path": path.to_string_lossy(), "current": current, "contents": contents, "bytes": bytes,
                "packages": { "locked": packages, "held": held },
            })
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
        packages,
        held,
        bytes,
    } in &listed
    {
        let whose = if *current { "current" } else { "other version" };
        let mut contents = contents.clone();
        if *packages > 0 {
            contents.push(format!("{held} of {packages} Debian packages held"));
        }
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
    let store = Store::from_env()?;
    let installed = installed(&args.which, &store)?;
    let ui = Ui::new(args.quiet);
    let problems = installed.verify(&ui)?;
    let (held, damaged) = held_packages(&store, installed.recipe(), &ui)?;
    let locked = installed.recipe().packages().len();
    if args.json {
        let entry = |Problem { path, problem }: &Problem| json!({ "path": path.to_string_lossy(), "problem": problem });
        let problems: Vec<_> = problems.iter().chain(&damaged).map(entry).collect();
        println!(
            "{:#}",
            json!({
                "root": installed.root().to_string_lossy(), "problems": problems,
                "packages": { "locked": locked, "held": held },
            })
        );
    }
    if locked > 0 {
        ui.say(&format!(
            "{held} of {locked} Debian packages are held in {}",
            store.root().display()
        ));
    }
    if problems.is_empty() && damaged.is_empty() {
        ui.say(&format!(
            "every file is as the lock says: {}",
            installed.root().display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    drop(ui);
    for Problem { path, problem } in problems.iter().chain(&damaged) {
        eprintln!("error: {} {problem}", path.display());
    }
    if !problems.is_empty() {
        eprintln!("run `cargo enzyme setup --repair` to put it right");
    }
    if !damaged.is_empty() {
        eprintln!(
            "whatever needs that package next (`cargo enzyme toolchain mirror DIR`, say) fetches it again"
        );
    }
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
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    source: Source,
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
        platform: Some(args.machine.platform()?),
        ..args.source.setup_options()
    };
    let installed = enzyme_toolchain::setup(&store, &args.which.lock.read()?, &options, &ui)?;
    let recipe = installed.recipe();
    let debs = fetch_packages(&store, recipe, &args.source.fetch_options(), &ui)?;
    let name = format!("oxide-enzyme-{}.tar.zst", recipe.key());
    let output = args.output.as_deref().unwrap_or(Path::new(&name));
    enzyme_toolchain::bundle(&installed, &debs, output, &ui)?;
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

/// Lay out everything that a toolchain is made of in a directory, each file as sha256/HEX
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo enzyme toolchain mirror /srv/oxide-enzyme --profile full
  cargo enzyme toolchain mirror /srv/oxide-enzyme --profile full --crates Cargo.lock    for Nix
  cargo enzyme setup --mirror /srv/oxide-enzyme
  cargo enzyme toolchain bundle --profile full --mirror https://mirror.example/oxide-enzyme

Every byte is checked against the lock. What is there and right already stays. Nix reads such a directory as one of its
`hashed-mirrors`.")]
struct MirrorArgs {
    /// The directory, made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    machine: Machine,
    /// Lay out the crates of this Cargo.lock too, out of cargo's own cache, which `cargo fetch --locked` fills
    #[arg(long, value_name = "FILE")]
    crates: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print the files as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

fn mirror(args: &MirrorArgs) -> anyhow::Result<ExitCode> {
    let (store, ui) = (Store::from_env()?, Ui::new(args.quiet));
    let recipe = args.which.recipe(args.machine.platform()?)?;
    let debs = fetch_packages(&store, &recipe, &args.source.fetch_options(), &ui)?;
    let options = args.source.setup_options();
    let mut files = enzyme_toolchain::mirror(&recipe, &debs, &args.directory, &options, &ui)?;
    if let Some(lock) = &args.crates {
        let home = cargo_home()?;
        files.extend(enzyme_toolchain::mirror_crates(
            lock,
            &home,
            &args.directory,
            &ui,
        )?);
    }
    let place = args.directory.display();
    ui.say(&format!("{} files are in {place}", files.len()));
    if args.json {
        let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
        println!(
            "{:#}",
            json!({ "directory": place.to_string(), "files": files })
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Where cargo keeps its downloads.
fn cargo_home() -> anyhow::Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()) {
        return Ok(home.into());
    }
    let home =
        std::env::home_dir().context("set CARGO_HOME or HOME: crates come from cargo's cache")?;
    Ok(home.join(".cargo"))
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

/// Make the lock from the manifest: downloads every artifact and package for every platform
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
    let manifest = Manifest::parse(&text, &origin)?;
    // One that cannot be read (of an older version, say) is no hindrance to making a new one.
    let previous = Lock::read(&args.output).ok();
    let lock = enzyme_toolchain::relock(&manifest, previous.as_ref(), &Store::from_env()?, &ui)?;
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
