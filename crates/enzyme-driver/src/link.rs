//! The linker stage: what rustc runs instead of the linker.
//!
//! A link in which nobody asks for a derivative goes to the real linker at once. Otherwise each derivative's object is
//! made and added to the real linker's command line.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::closure;
use crate::derivative::PREFIX;
use crate::differentiate;
use crate::error::Error;
use crate::explain;
use crate::files;
use crate::invocation::Invocation;
use crate::program::{Inputs, Linked, Wanted};
use crate::session::{RustcVersion, Session};

/// The record of the crate that is being linked; set by the wrapper.
pub const RECORD: &str = "OXIDE_ENZYME_RECORD";
/// The linker that rustc would have run; set by the wrapper.
pub const LINKER: &str = "OXIDE_ENZYME_LINKER";
/// Where the linker stage leaves its [`Report`] for the wrapper.
pub const REPORT: &str = "OXIDE_ENZYME_REPORT";

/// What the linker stage has to say. rustc would bury it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Things to know.
    pub notes: Vec<String>,
    /// Why the link failed.
    pub errors: Vec<String>,
    /// The crate must be linked without rustc's LTO.
    pub without_lto: bool,
}

/// Runs the linker stage; returns the exit code.
pub fn run(arguments: &[OsString]) -> Result<i32, Error> {
    let linker = std::env::var_os(LINKER).unwrap_or_else(|| "cc".into());
    let inputs = inputs(arguments)?;
    if !asks_for_derivatives(&inputs)? {
        return run_linker(&linker, arguments);
    }
    let record =
        std::env::var_os(RECORD).ok_or_else(|| Error::Internal(format!("{RECORD} is not set")))?;
    let invocation = Invocation::read(Path::new(&record))?;
    if invocation.wants_lto() {
        return report(Report {
            without_lto: true,
            ..Report::default()
        })
        .map(|()| 0);
    }
    let session = session_for(&invocation)?;
    let work = session.cache.work_dir()?;
    let made = derivatives(&session, &invocation, &inputs, work.path())?;
    let mut arguments = arguments.to_vec();
    arrange(&mut arguments, &made);
    let failed = !made.errors.is_empty();
    report(Report {
        notes: session.notes(),
        errors: made.errors,
        without_lto: false,
    })?;
    if failed {
        Ok(1)
    } else {
        run_linker(&linker, &arguments)
    }
}

/// The session for a crate's target.
pub fn session_for(invocation: &Invocation) -> Result<Session, Error> {
    let target = match invocation.target() {
        Some(target) => target.to_owned(),
        None => RustcVersion::of(&invocation.program)?.host,
    };
    Session::from_env(&target)
}

/// What the linker stage made.
#[derive(Debug, Default)]
pub struct Made {
    /// Objects to add.
    pub added: Vec<PathBuf>,
    /// Objects to put in the place of others.
    pub replaced: Vec<(PathBuf, PathBuf)>,
    /// Why some derivatives could not be made.
    pub errors: Vec<String>,
}

/// Makes the objects of all derivatives that the program asks for; one failure does not keep the others from being tried.
/// What is not worth caching goes to `work`.
pub fn derivatives(
    session: &Session,
    invocation: &Invocation,
    inputs: &Inputs,
    work: &Path,
) -> Result<Made, Error> {
    let mut program = Linked::read(session, invocation, inputs)?;
    let wanted: Vec<Wanted> = program.wanted().to_vec();
    let mut closures = Vec::new();
    let mut exposed = BTreeSet::new();
    for Wanted { derivative, unit } in wanted {
        let found = program
            .load(unit)?
            .is_some_and(|module| module.get(&derivative.shim).is_some());
        if !found {
            return Err(Error::NoBitcode {
                derivative: derivative.to_string(),
            });
        }
        let closure = closure::collect(&mut program, &derivative, unit)?;
        exposed.extend(closure.exposed.iter().cloned());
        closures.push((derivative, closure));
    }
    if let Some(request) = explain::Request::from_env() {
        for (derivative, closure) in &closures {
            request.answer(session, derivative, closure)?;
        }
        return Ok(Made {
            errors: vec!["not linked, only explained".to_owned()],
            ..Made::default()
        });
    }
    let mut made = Made::default();
    for (n, exposed) in program.expose(&exposed)?.into_iter().enumerate() {
        let path = work.join(format!("exposed-{n}.o"));
        std::fs::write(&path, exposed.bytes).map_err(Error::io("write", &path))?;
        match exposed.replaces {
            Some(original) => made.replaced.push((original, path)),
            None => made.added.push(path),
        }
    }
    let debug = invocation
        .codegen("debuginfo")
        .is_some_and(|level| level != "0" && level != "none");
    let results = crate::parallel::map(&closures, |(derivative, closure)| {
        differentiate::object(session, derivative, closure, debug)
    });
    for result in results {
        match result {
            Ok(object) => made.added.push(object),
            Err(error) => made.errors.push(error.to_string()),
        }
    }
    Ok(made)
}

/// Quick: looks for the prefix of derivative symbols in the bytes of all inputs.
fn asks_for_derivatives(inputs: &Inputs) -> Result<bool, Error> {
    for path in inputs.objects.iter().chain(&inputs.rlibs) {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        if memchr::memmem::find(&bytes, PREFIX.as_bytes()).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The objects and rlibs on a linker's command line, response files included.
fn inputs(arguments: &[OsString]) -> Result<Inputs, Error> {
    let mut inputs = Inputs::default();
    let mut skip = false;
    for argument in arguments {
        if std::mem::replace(&mut skip, argument == "-o") {
            continue;
        }
        if let Some(file) = argument.to_str().and_then(|a| a.strip_prefix('@')) {
            let nested: Vec<OsString> = response_file(&files::read(Path::new(file))?);
            let nested = self::inputs(&nested)?;
            inputs.objects.extend(nested.objects);
            inputs.rlibs.extend(nested.rlibs);
            continue;
        }
        let path = Path::new(argument);
        match path.extension().and_then(OsStr::to_str) {
            Some("o") if path.is_file() => inputs.objects.push(path.to_owned()),
            Some("rlib") if path.is_file() => inputs.rlibs.push(path.to_owned()),
            _ => {}
        }
    }
    Ok(inputs)
}

/// gcc's response files: arguments by line or blank, backslash escapes the next character.
fn response_file(text: &str) -> Vec<OsString> {
    let mut arguments = Vec::new();
    let mut current = String::new();
    let mut characters = text.chars();
    let mut in_quotes = false;
    while let Some(c) = characters.next() {
        match c {
            '\\' => current.extend(characters.next()),
            '"' => in_quotes = !in_quotes,
            c if c.is_whitespace() && !in_quotes => {
                if !current.is_empty() {
                    arguments.push(std::mem::take(&mut current).into());
                }
            }
            c => current.push(c),
        }
    }
    if !current.is_empty() {
        arguments.push(current.into());
    }
    arguments
}

/// Adds objects ahead of the rlibs, so that what derivatives need of them is found, and swaps those that were replaced.
fn arrange(arguments: &mut Vec<OsString>, made: &Made) {
    for (original, replacement) in &made.replaced {
        for argument in arguments
            .iter_mut()
            .filter(|argument| Path::new(argument) == original)
        {
            *argument = replacement.into();
        }
    }
    let is_object = |argument: &OsString| Path::new(argument).extension().is_some_and(|e| e == "o");
    let at = arguments.iter().position(is_object).unwrap_or(0);
    arguments.splice(at..at, made.added.iter().map(OsString::from));
}

fn run_linker(linker: &OsStr, arguments: &[OsString]) -> Result<i32, Error> {
    let status = Command::new(linker)
        .args(arguments)
        .status()
        .map_err(|source| Error::Spawn {
            program: linker.to_string_lossy().into_owned(),
            source,
        })?;
    Ok(status.code().unwrap_or(1))
}

fn report(report: Report) -> Result<(), Error> {
    let Some(path) = std::env::var_os(REPORT) else {
        return Ok(());
    };
    let text = serde_json::to_vec(&report).map_err(|e| Error::Internal(e.to_string()))?;
    files::write(Path::new(&path), &text)
}

/// Leaves an error of the linker stage to the wrapper.
pub fn report_error(error: &Error) {
    // Nobody to tell if even this fails; rustc still sees the exit code.
    let _ = report(Report {
        errors: vec![error.to_string()],
        ..Report::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_files_are_read_as_gcc_does() {
        assert_eq!(response_file("a\\ b.o\n\"c d\" e"), ["a b.o", "c d", "e"]);
    }

    #[test]
    fn objects_go_ahead_of_the_first_object_and_replacements_in_its_place() {
        let mut arguments: Vec<OsString> = ["-m64", "a.o", "b.rlib"].map(OsString::from).to_vec();
        let made = Made {
            added: vec!["d.o".into()],
            replaced: vec![("a.o".into(), "a2.o".into())],
            errors: Vec::new(),
        };
        arrange(&mut arguments, &made);
        assert_eq!(arguments, ["-m64", "d.o", "a2.o", "b.rlib"]);
    }
}
