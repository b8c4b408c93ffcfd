//! `cargo enzyme setup`: installs the toolchain.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use enzyme_toolchain::{Installed, Platform, SetupOptions, Store, setup};
use serde_json::json;

use super::options::{WheelSource, Which};
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  cargo enzyme setup                     download what is missing, verify it, install it
  cargo enzyme setup --from wheels       the same from files in a directory, without a network
  cargo enzyme setup --repair            check every file and replace what was changed
  cargo enzyme setup --json | jq -r .root

The toolchain goes to the directory that OXIDE_ENZYME_HOME names, else to oxide-enzyme in the user's cache directory.
Downloads go through the installed pip, so that its index, proxy and certificates apply.";

/// Install the toolchain, without root: nothing is done when it is there already
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    source: WheelSource,
    /// Take the wheels from this directory instead of downloading them
    #[arg(long, value_name = "DIR", conflicts_with = "mirror")]
    from: Option<PathBuf>,
    /// Check every file by hash, and replace what was changed
    #[arg(long)]
    repair: bool,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print what is installed as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let store = Store::from_env()?;
    let options = SetupOptions {
        profile: args.which.profile.clone(),
        from_dir: args.from.clone(),
        repair: args.repair,
        ..args.source.setup_options()
    };
    let already = !args.repair
        && store
            .find(&args.which.recipe(Platform::host()?)?)?
            .is_some();
    let ui = Ui::new(args.quiet);
    let installed = setup(&store, &args.which.lock.read()?, &options, &ui)?;
    let root = installed.root().display();
    match already {
        true => ui.say(&format!("the toolchain is ready: {root}")),
        false => ui.say(&format!(
            "the toolchain is ready after {:.1} s: {root}",
            start.elapsed().as_secs_f64()
        )),
    }
    if args.json {
        println!("{:#}", describe(&installed, already));
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(installed: &Installed, already: bool) -> serde_json::Value {
    json!({
        "root": installed.root().to_string_lossy(),
        "key": installed.digest(),
        "profile": installed.recipe().profile(),
        "platform": installed.recipe().platform().name(),
        "already-installed": already,
    })
}
