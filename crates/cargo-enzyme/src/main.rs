//! `cargo enzyme`: the command line, thin, over `enzyme-toolchain` and `enzyme-driver`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod commands;
mod stage;
mod ui;

const OVERVIEW: &str = "\
Commands of cargo, with derivatives (all of cargo's own flags):
  build, run, test, bench, rustc, install

  --check-gradients compares every derivative that is called with finite differences (see the book)

Commands of cargo that need no toolchain (passed on as they are):
  check, clippy, doc, fmt, fix, tree, metadata

Examples:
  cargo enzyme new gradients && cd gradients && cargo enzyme run
  cargo enzyme test --release
  cargo enzyme test --check-gradients
  cargo enzyme doctor

Environment:
  OXIDE_ENZYME_HOME       where toolchains are (default: oxide-enzyme in the user's cache directory)
  OXIDE_ENZYME_PROFILE    which toolchain: portable (default), or full, which is the container image's
  OXIDE_ENZYME_TIMEOUT    seconds that the engine may take for one derivative (default: 300)
  OXIDE_ENZYME_FAST_MATH  1: let derivatives assume that there is neither NaN nor infinity (default: 0)
  OXIDE_ENZYME_CHECK_GRADIENTS=1, OXIDE_ENZYME_CHECK_TOLERANCE=1e-5, OXIDE_ENZYME_UNCHECKED=NAME,..
                          as --check-gradients; relative error allowed; derivatives left out
  OXIDE_ENZYME_VERBOSE    1: say what the driver does (default: 0)
  OXIDE_ENZYME_KEEP_WORK  1: keep intermediate files in target/enzyme/.driver/cache/work (default: 0)";

/// Derivatives of Rust programs by Enzyme, on stable Rust.
#[derive(Parser)]
#[command(name = "cargo-enzyme", bin_name = "cargo enzyme", version, after_help = OVERVIEW)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(commands::demo::Args),
    Doctor(commands::doctor::Args),
    Explain(commands::explain::Args),
    Image(commands::image::Args),
    New(commands::new::Args),
    Setup(commands::setup::Args),
    Toolchain(commands::toolchain::Args),
    #[command(external_subcommand)]
    Cargo(Vec<OsString>),
}

fn main() -> ExitCode {
    if let Some(code) = stage::run() {
        return code;
    }
    let cli = Cli::parse_from(arguments());
    let result = match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Image(args) => commands::image::run(&args),
        Command::New(args) => commands::new::run(&args),
        Command::Setup(args) => commands::setup::run(&args),
        Command::Toolchain(args) => commands::toolchain::run(&args),
        Command::Cargo(args) => commands::cargo::run(&args),
    };
    result.unwrap_or_else(|error| ui::report(&error))
}

/// Cargo calls an installed `cargo-enzyme` with `enzyme` as first argument; the checkout's alias does not.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|word| word == "enzyme") {
        arguments.remove(1);
    }
    arguments
}
