//! `cargo enzyme explain`: what the pipeline made of a derivative, for people who debug one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, bail};
use clap::ValueEnum as _;
use enzyme_driver::explain;

use super::cargo::{self, Build};

const EXAMPLES: &str = "\
Examples:
  cargo enzyme explain rosenbrock                     the differentiated IR of the derivatives of `rosenbrock`
  cargo enzyme explain rosenbrock --show types        what type analysis found
  cargo enzyme explain d_loss --release -p my-crate   everything after ITEM but --show goes to `cargo build`
  cargo enzyme explain d_loss --release --show=activity

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
    /// Arguments for `cargo build`; `--show` may stand among them
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
    let (show, rest) = take_show(args.show, &args.cargo)?;
    let installed = cargo::toolchain(false)?;
    // What is explained is not linked, so that cargo tries it again the next time; one failed link must not stop the others.
    let mut arguments: Vec<OsString> = vec!["build".into()];
    if !rest.iter().any(|argument| argument == "--keep-going") {
        arguments.push("--keep-going".into());
    }
    arguments.extend(rest);
    let build = Build::plan(&arguments)?;
    let directory = build.target.join("explain");
    // A directory of its own: programs with derivatives are never linked there.
    let scratch = build.target.join(".explain");
    let _ = std::fs::remove_dir_all(&directory);
    let mut command = Build::at(&scratch).command(&arguments)?;
    installed.hand_on(&mut command);
    let output = command
        .env(explain::ITEM, &args.item)
        .env(explain::DIRECTORY, &directory)
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped())
        .output()
        .context("cannot run cargo")?;
    let found = explained(&directory);
    if found.is_empty() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!(nothing_found(&args.item, &others(&directory)));
    }
    for folder in found {
        print_one(&folder, show)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds `--show` among cargo's arguments.
fn take_show(default: Show, cargo: &[OsString]) -> anyhow::Result<(Show, Vec<OsString>)> {
    let mut show = default;
    let mut rest = Vec::new();
    let mut arguments = cargo.iter();
    while let Some(argument) = arguments.next() {
        let text = argument.to_str().unwrap_or_default();
        let value = match text.strip_prefix("--show=") {
            Some(value) => value,
            None if text == "--show" => arguments
                .next()
                .and_then(|value| value.to_str())
                .unwrap_or_default(),
            None => {
                rest.push(argument.clone());
                continue;
            }
        };
        show = Show::from_str(value, false).map_err(|_| {
            anyhow::anyhow!(
                "`--show` cannot be `{value}`\n  help: it is one of primal, derivative, types and activity"
            )
        })?;
    }
    Ok((show, rest))
}

/// Derivatives that were linked and not asked for: by their paths and those of their primals.
fn others(directory: &Path) -> Vec<(String, String)> {
    let mut others: Vec<(String, String)> = std::fs::read_dir(directory.join(explain::OTHERS))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let text = std::fs::read_to_string(entry.path()).ok()?;
            let (made, primal) = text.trim_end().split_once('\n')?;
            Some((made.to_owned(), primal.to_owned()))
        })
        .collect();
    others.sort();
    others.dedup();
    others
}

fn nothing_found(item: &str, others: &[(String, String)]) -> String {
    let mut text = format!("no derivative of a function with `{item}` in its path was linked");
    if others.is_empty() {
        return text
            + "\n  help: a derivative is made for a program that calls it: build one that does (`--bin`, `--example`, `--tests`)";
    }
    if let Some(nearest) = nearest(item, others) {
        text += &format!("\n  help: did you mean `{nearest}`?");
    }
    const SHOWN: usize = 20;
    text += "\n  note: these were:";
    for (made, primal) in others.iter().take(SHOWN) {
        text += &format!("\n    `{made}`, of `{primal}`");
    }
    if others.len() > SHOWN {
        text += &format!("\n    and {} more", others.len() - SHOWN);
    }
    text
}

/// The path whose last part is most like the item's.
fn nearest<'a>(item: &str, others: &'a [(String, String)]) -> Option<&'a str> {
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_lowercase();
    others
        .iter()
        .flat_map(|(made, primal)| [made.as_str(), primal.as_str()])
        .map(|path| (strsim::jaro_winkler(&last(item), &last(path)), path))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, path)| path)
}

fn explained(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join(explain::TITLE).is_file())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_is_found_after_cargos_flags() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for text in ["--release --show types -p x", "--release --show=types -p x"] {
            let (show, rest) = take_show(Show::Derivative, &words(text)).unwrap();
            assert_eq!(show.file(), explain::TYPES);
            assert_eq!(rest, words("--release -p x"));
        }
        assert!(take_show(Show::Derivative, &words("--show nonsense")).is_err());
        assert!(take_show(Show::Derivative, &words("--show")).is_err());
    }

    #[test]
    fn an_unknown_item_is_answered_with_the_nearest() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let others = [
            pair("m::d_loss", "m::loss"),
            pair("m::d_rosenbrock", "m::rosenbrock"),
        ];
        assert_eq!(nearest("rosenbrok", &others), Some("m::rosenbrock"));
        assert_eq!(nearest("zzz", &others), None);
        assert!(nothing_found("x", &others).contains("`m::d_loss`, of `m::loss`"));
    }
}
