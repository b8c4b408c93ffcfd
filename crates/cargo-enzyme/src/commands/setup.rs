//! `cargo enzyme setup`: installs the toolchain.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use enzyme_toolchain::{
    Installed, Lock, Mirror, Platform, SetupOptions, Store, chosen_profile, setup,
};
use serde_json::json;

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
    /// Never download: fail if something is missing
    #[arg(long)]
    offline: bool,
    /// Which set of artifacts to install [default: portable, or what OXIDE_ENZYME_PROFILE says]
    #[arg(long, value_name = "NAME", default_value_t = chosen_profile(), hide_default_value = true)]
    profile: String,
    /// Take the wheels from this directory instead of downloading them
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Take the wheels from this content-addressed mirror (see `toolchain mirror`), a directory or an address
    #[arg(long, value_name = "DIR|URL", conflicts_with_all = ["from", "offline"])]
    mirror: Option<Mirror>,
    /// Check every file by hash, and replace what was changed
    #[arg(long)]
    repair: bool,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print what is installed as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lock: LockArg,
}

/// Another lock than the embedded one; for tests and for those who make locks.
#[derive(clap::Args)]
pub struct LockArg {
    #[arg(long, value_name = "FILE", hide = true)]
    lock: Option<PathBuf>,
}

impl LockArg {
    pub fn read(&self) -> enzyme_toolchain::Result<Lock> {
        self.lock.as_deref().map_or_else(Lock::embedded, Lock::read)
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let store = Store::from_env()?;
    let lock = args.lock.read()?;
    let options = SetupOptions {
        profile: args.profile.clone(),
        platform: None,
        offline: args.offline,
        from_dir: args.from.clone(),
        mirror: args.mirror.clone(),
        repair: args.repair,
    };
    let already = !args.repair
        && store
            .find(&lock.recipe(&args.profile, Platform::host()?)?)?
            .is_some();
    let ui = Ui::new(args.quiet);
    let installed = setup(&store, &lock, &options, &ui)?;
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
