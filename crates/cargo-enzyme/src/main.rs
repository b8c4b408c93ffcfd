//! `cargo enzyme`: the command line, thin, over `enzyme-toolchain` and `enzyme-driver`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod commands;
mod ui;

/// Derivatives of Rust programs by Enzyme, on stable Rust.
#[derive(Parser)]
#[command(name = "cargo-enzyme", bin_name = "cargo enzyme", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Setup(commands::setup::Args),
    Toolchain(commands::toolchain::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse_from(arguments());
    let result = match cli.command {
        Command::Setup(args) => commands::setup::run(&args),
        Command::Toolchain(args) => commands::toolchain::run(&args),
    };
    result.unwrap_or_else(|error| ui::report(&error))
}

/// Cargo calls an installed `cargo-enzyme` with `enzyme` as first argument; the checkout's alias does not.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|word| word == "enzyme") {
        arguments.remove(1);
    }
    arguments
}
