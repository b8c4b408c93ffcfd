//! The wrapper stage: what cargo runs instead of rustc.
//!
//! It changes nothing about how a crate is compiled. It writes down the invocation, and where something is linked it puts
//! the driver in the linker's place.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::invocation::{Invocation, record_path};
use crate::link::{self, Report};

/// The user's own wrapper, if there is one; set by `cargo enzyme`.
pub const INNER_WRAPPER: &str = "OXIDE_ENZYME_INNER_WRAPPER";
/// Directory of the links under which this program is rustc's linker; set by `cargo enzyme`.
pub const LINKS: &str = "OXIDE_ENZYME_LINKS";

/// `1`: derivatives are compared with finite differences whenever they are called; set by `cargo enzyme`.
pub const CHECK: &str = "OXIDE_ENZYME_CHECK_GRADIENTS";
/// By which `oxide-enzyme` knows of it.
const CHECK_CFG: &str = "oxide_enzyme_check";

/// Whether this build compares derivatives with finite differences.
pub fn checks_gradients() -> bool {
    std::env::var_os(CHECK).is_some_and(|value| value == "1")
}

/// Runs the wrapper stage: `arguments` are rustc's path and rustc's arguments. Returns the exit code.
pub fn run(arguments: &[OsString]) -> Result<i32, Error> {
    let Some((program, rest)) = arguments.split_first() else {
        return Err(Error::Internal(
            "called as a rustc wrapper without rustc".into(),
        ));
    };
    if rest == ["-vV"] {
        return print_version(program);
    }
    let Some(mut invocation) = Invocation::current(program, rest) else {
        return run_inner(program, rest);
    };
    if checks_gradients() && invocation.crate_name() == Some("oxide_enzyme") {
        invocation
            .arguments
            .extend(["--cfg".to_owned(), CHECK_CFG.to_owned()]);
    }
    let compiles =
        invocation.crate_name().is_some() && invocation.makes_code() && !invocation.is_build_time();
    let (Some(directory), Some(stem)) = (invocation.out_dir(), invocation.file_stem()) else {
        return run_inner(program, rest);
    };
    if !compiles {
        return run_inner(program, rest);
    }
    let record = record_path(&directory, &stem);
    invocation.write(&record)?;
    if is_linked(&invocation) {
        compile_and_link(&invocation, &record)
    } else {
        compile(&invocation)
    }
}

/// rustc's version, and ours: cargo builds anew what was built with another version of either.
fn print_version(program: &OsStr) -> Result<i32, Error> {
    let output = inner_command(program)
        .arg("-vV")
        .output()
        .map_err(spawn_error(Path::new(program)))?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        let checks = if checks_gradients() {
            ", checks gradients"
        } else {
            ""
        };
        println!("oxide-enzyme: {}{checks}", crate::version()?);
    }
    Ok(output.status.code().unwrap_or(101))
}

fn is_linked(invocation: &Invocation) -> bool {
    invocation
        .crate_types()
        .iter()
        .any(|kind| matches!(*kind, "bin" | "cdylib" | "dylib" | "staticlib"))
        || invocation.crate_types().is_empty()
}

/// A library crate. Under LTO cargo asks for bitcode only; code is added, since a program with derivatives is linked
/// without rustc's LTO.
fn compile(invocation: &Invocation) -> Result<i32, Error> {
    let arguments = with_code(&invocation.arguments);
    run_inner(
        invocation.program.as_os_str(),
        &arguments
            .into_iter()
            .map(OsString::from)
            .collect::<Vec<_>>(),
    )
}

fn with_code(arguments: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut changed = false;
    for argument in arguments {
        if argument == "linker-plugin-lto" && out.last().is_some_and(|a| a == "-C") {
            out.pop();
            changed = true;
        } else if argument == "-Clinker-plugin-lto" {
            changed = true;
        } else {
            out.push(argument.clone());
        }
    }
    if changed {
        out.extend(["-C".to_owned(), "embed-bitcode=yes".to_owned()]);
    }
    out
}

fn compile_and_link(invocation: &Invocation, record: &Path) -> Result<i32, Error> {
    let report_path = record.with_extension("report");
    let status = run_with_linker(invocation, record, &report_path, &[])?;
    let report = take_report(&report_path);
    let status = if report.without_lto {
        link_without_lto(invocation, record, &report_path)?
    } else {
        status
    };
    if status == 0 && invocation.crate_types().contains(&"staticlib") {
        return finish_staticlib(invocation);
    }
    Ok(status)
}

/// Compiles again into a scratch directory with LTO off, and moves the linked file to its place.
fn link_without_lto(
    invocation: &Invocation,
    record: &Path,
    report_path: &Path,
) -> Result<i32, Error> {
    let out_dir = invocation.out_dir().unwrap_or_default();
    let scratch = tempfile::Builder::new()
        .prefix(".enzyme-")
        .tempdir_in(&out_dir)
        .map_err(Error::io("write in", &out_dir))?;
    let mut plain = invocation.clone();
    plain.arguments = without_lto(&invocation.arguments, scratch.path());
    let plain_record = record.with_extension("no-lto.json");
    plain.write(&plain_record)?;
    eprintln!(
        "note: `{}` uses derivatives and is linked without rustc's link-time optimisation",
        invocation.crate_name().unwrap_or("?")
    );
    let status = run_with_linker(&plain, &plain_record, report_path, &[])?;
    take_report(report_path);
    for entry in std::fs::read_dir(scratch.path())
        .map_err(Error::io("read", scratch.path()))?
        .flatten()
    {
        let is_output = entry
            .path()
            .extension()
            .is_none_or(|e| e == "so" || e == "a" || e == "dylib");
        if is_output && status == 0 {
            let target = out_dir.join(entry.file_name());
            std::fs::rename(entry.path(), &target).map_err(Error::io("write", &target))?;
        }
    }
    Ok(status)
}

fn without_lto(arguments: &[String], out_dir: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--out-dir" => {
                rest.next();
                out.extend([
                    "--out-dir".to_owned(),
                    out_dir.to_string_lossy().into_owned(),
                ]);
            }
            "-C" => match rest.next() {
                Some(option) if option.starts_with("lto") || option.starts_with("incremental") => {}
                Some(option) => out.extend([argument.clone(), option.clone()]),
                None => {}
            },
            other if other.starts_with("-Clto") || other.starts_with("-Cincremental") => {}
            other if other.starts_with("--emit") => out.push("--emit=link".to_owned()),
            _ => out.push(argument.clone()),
        }
    }
    out.extend(["-C".to_owned(), "lto=off".to_owned()]);
    out
}

/// Runs rustc with the driver as its linker, and says what the linker stage found instead of rustc's account of it.
fn run_with_linker(
    invocation: &Invocation,
    record: &Path,
    report: &Path,
    extra: &[&str],
) -> Result<i32, Error> {
    let linker = invocation.codegen("linker").unwrap_or("cc").to_owned();
    let mut command = inner_command(invocation.program.as_os_str());
    command.args(&invocation.arguments).args(extra);
    let mut option = OsString::from("linker=");
    option.push(linker_link(Path::new(&linker))?);
    command.arg("-C").arg(option);
    command
        .env(link::RECORD, record)
        .env(link::LINKER, &linker)
        .env(link::REPORT, report);
    let _ = std::fs::remove_file(report);
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .map_err(spawn_error(&invocation.program))?;
    if let Some(stderr) = child.stderr.take() {
        relay(BufReader::new(stderr), report);
    }
    let status = child.wait().map_err(spawn_error(&invocation.program))?;
    Ok(status.code().unwrap_or(101))
}

/// Passes rustc's messages on, except the one that says that our linker stage failed.
fn relay(messages: impl BufRead, report_path: &Path) {
    let mut stderr = std::io::stderr().lock();
    for line in messages.split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&line);
        let errors = if text.contains("linking with `") {
            read_report(report_path).errors
        } else {
            Vec::new()
        };
        if errors.is_empty() {
            let _ = stderr
                .write_all(&line)
                .and_then(|()| stderr.write_all(b"\n"));
        } else {
            for error in errors {
                let _ = writeln!(stderr, "{}", message(&error, text.starts_with('{')));
            }
        }
    }
    for note in read_report(report_path).notes {
        let _ = writeln!(stderr, "{note}");
    }
}

/// An error as rustc would print it, for cargo or for a person.
fn message(error: &str, json: bool) -> String {
    if !json {
        return format!("error: {error}\n");
    }
    serde_json::json!({
        "$message_type": "diagnostic",
        "message": error,
        "code": null,
        "level": "error",
        "spans": [],
        "children": [],
        "rendered": format!("error: {error}\n\n"),
    })
    .to_string()
}

fn read_report(path: &Path) -> Report {
    std::fs::read(path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

fn take_report(path: &Path) -> Report {
    let report = read_report(path);
    let _ = std::fs::remove_file(path);
    report
}

/// A link to this program that is named like the linker, so that rustc takes it for one of the same kind.
fn linker_link(linker: &Path) -> Result<PathBuf, Error> {
    let directory = PathBuf::from(
        std::env::var_os(LINKS).ok_or_else(|| Error::Internal(format!("{LINKS} is not set")))?,
    );
    let stem = linker.file_name().unwrap_or(OsStr::new("cc"));
    let link = directory.join("link").join(stem);
    crate::links::to_this_program(&link)?;
    Ok(link)
}

fn run_inner(program: &OsStr, arguments: &[OsString]) -> Result<i32, Error> {
    let status = inner_command(program)
        .args(arguments)
        .status()
        .map_err(spawn_error(Path::new(program)))?;
    Ok(status.code().unwrap_or(101))
}

/// rustc, behind the user's own wrapper if there is one.
fn inner_command(program: &OsStr) -> Command {
    match std::env::var_os(INNER_WRAPPER).filter(|wrapper| !wrapper.is_empty()) {
        Some(wrapper) => {
            let mut command = Command::new(wrapper);
            command.arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn spawn_error(program: &Path) -> impl Fn(std::io::Error) -> Error {
    let program = program.display().to_string();
    move |source| Error::Spawn {
        program: program.clone(),
        source,
    }
}

/// rustc makes static libraries itself, without a linker: derivatives are added to the finished archive.
fn finish_staticlib(invocation: &Invocation) -> Result<i32, Error> {
    match crate::staticlib::add_derivatives(invocation) {
        Ok(notes) => {
            notes.iter().for_each(|note| eprintln!("{note}"));
            Ok(0)
        }
        Err(error) => {
            let json = invocation
                .arguments
                .iter()
                .any(|a| a.contains("error-format=json"));
            eprintln!("{}", message(&error.to_string(), json));
            Ok(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn bitcode_only_libraries_get_code_too() {
        assert_eq!(
            with_code(&words(
                "--crate-type lib -C linker-plugin-lto -C opt-level=3"
            )),
            words("--crate-type lib -C opt-level=3 -C embed-bitcode=yes")
        );
        assert_eq!(with_code(&words("-C opt-level=3")), words("-C opt-level=3"));
    }

    #[test]
    fn lto_is_switched_off_and_outputs_go_elsewhere() {
        let new = without_lto(
            &words("a.rs --emit=dep-info,link -C lto=fat --out-dir x -C incremental=y"),
            Path::new("/t"),
        );
        assert_eq!(new, words("a.rs --emit=link --out-dir /t -C lto=off"));
    }
}
