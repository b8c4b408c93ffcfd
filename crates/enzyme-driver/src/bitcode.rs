//! Where bitcode comes from.
//!
//! A crate of the build is compiled a second time, its *twin*: unoptimised bitcode with one codegen unit, but from the
//! same source with the same configuration, so that every symbol has the name it has in the program. Only crates that a
//! derivative needs get one. The standard library brings its bitcode along, in a section of its objects.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection};

use crate::error::Error;
use crate::files;
use crate::intrinsics;
use crate::invocation::Invocation;
use crate::ir::Module;
use crate::session::Session;

/// Compiles the twin and reads it. `content` is a digest of all that the twin depends on besides how it is compiled; without
/// it the twin is not kept.
pub fn of_crate(
    session: &Session,
    invocation: &Invocation,
    content: Option<&str>,
) -> Result<Module, Error> {
    let name = invocation.crate_name().unwrap_or("?").to_owned();
    let key = content.map(|content| {
        let record = serde_json::to_vec(invocation).unwrap_or_default();
        files::digest(&[b"twin 3", &record, content.as_bytes()])
    });
    let text = session.cache.text(key.as_deref(), "twin", || {
        session.check_llvm(invocation)?;
        let work = session.cache.work_dir()?;
        let bitcode = work.path().join("twin.bc");
        session.say(&format!("bitcode of `{name}`"));
        let mut command = twin_command(invocation, &bitcode);
        if !infers_inlining(invocation) {
            command.arg("-C").arg(incremental(work.path()));
        }
        crate::process::succeed(
            &format!("making bitcode of crate `{name}`"),
            &mut command,
            session.patience,
        )?;
        disassemble(session, &bitcode)
    })?;
    Ok(Module::parse(intrinsics::with_known_names(text)))
}

/// Reads the bitcode that the rlibs of the standard library carry.
pub fn of_std(session: &Session, rlib: &Path) -> Result<Module, Error> {
    let key = files::digest(&[
        b"std 1",
        files::stamp(rlib)?.as_bytes(),
        session.toolchain.digest().as_bytes(),
    ]);
    let text = session.cache.text(Some(&key), "std", || {
        let work = session.cache.work_dir()?;
        let bitcode = work.path().join("std.bc");
        let bytes = embedded_bitcode(rlib)?
            .ok_or_else(|| Error::Internal(format!("no bitcode in `{}`", rlib.display())))?;
        std::fs::write(&bitcode, bytes).map_err(Error::io("write", &bitcode))?;
        disassemble(session, &bitcode)
    })?;
    Ok(Module::parse(intrinsics::with_known_names(text)))
}

fn disassemble(session: &Session, bitcode: &Path) -> Result<String, Error> {
    let text = bitcode.with_extension("ll");
    let mut command = session.toolchain.clang()?.command();
    command.args([
        "-x",
        "ir",
        "-S",
        "-emit-llvm",
        "-Xclang",
        "-disable-llvm-passes",
        "-Wno-override-module",
    ]);
    // The module's own target, whatever clang's default is, is put back when the closure is written.
    command
        .arg(format!("--target={}", session.target))
        .arg(bitcode)
        .arg("-o")
        .arg(&text);
    crate::process::succeed("reading bitcode", &mut command, session.patience)?;
    files::read(&text)
}

/// The bitcode of the first object of an rlib that has some. The crates of std are built as one unit each.
fn embedded_bitcode(rlib: &Path) -> Result<Option<Vec<u8>>, Error> {
    let bytes = std::fs::read(rlib).map_err(Error::io("read", rlib))?;
    let bad = |e: object::Error| Error::Internal(format!("archive `{}`: {e}", rlib.display()));
    let archive = ArchiveFile::parse(&*bytes).map_err(bad)?;
    for member in archive.members() {
        let Ok(data) = member.and_then(|m| m.data(&*bytes)) else {
            continue;
        };
        let Ok(file) = object::File::parse(data) else {
            continue;
        };
        for name in [".llvmbc", "__bitcode"] {
            if let Some(section) = file.section_by_name(name) {
                return Ok(Some(section.data().map_err(bad)?.to_vec()));
            }
        }
    }
    Ok(None)
}

/// The invocation again, for bitcode that is fit for Enzyme: no LLVM optimisation yet (the pipeline optimises the closure,
/// and only that), but everything that rustc itself knows at its highest level: MIR inlining, `noalias`, value ranges.
///
/// What a program means is kept: debug assertions, overflow checks, features, panic strategy and target stay the user's.
fn twin_command(invocation: &Invocation, output: &Path) -> Command {
    let mut command = Command::new(&invocation.program);
    command
        .current_dir(&invocation.directory)
        .envs(&invocation.environment);
    command
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    command.args(kept_arguments(&invocation.arguments));
    let mut emit = std::ffi::OsString::from("--emit=llvm-bc=");
    emit.push(output);
    command.arg(emit);
    // Else rustc makes a directory for its metadata where it runs, among sources that may be only for reading.
    if let Some(directory) = output.parent() {
        command.arg("--out-dir").arg(directory);
    }
    let (assertions, overflow) = checks(invocation);
    for option in [
        "opt-level=3",
        "no-prepopulate-passes",
        "codegen-units=1",
        "debuginfo=line-tables-only",
        "lto=off",
        "embed-bitcode=yes",
        &format!("debug-assertions={assertions}"),
        &format!("overflow-checks={overflow}"),
    ] {
        command.args(["-C", option]);
    }
    command.arg("--cap-lints=allow");
    command
}

/// Whether rustc left small functions to the crates that call them when it compiled the program: it does so by itself unless
/// it optimises nothing or compiles incrementally. The twin must do the same, or such a function is nowhere.
fn infers_inlining(invocation: &Invocation) -> bool {
    is_optimised(invocation) && invocation.codegen("incremental").is_none()
}

fn is_optimised(invocation: &Invocation) -> bool {
    match invocation.codegen("opt-level") {
        Some(level) => level != "0",
        None => invocation.arguments.iter().any(|a| a == "-O"),
    }
}

fn incremental(directory: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from("incremental=");
    option.push(directory.join("incremental"));
    option
}

/// Debug assertions and overflow checks as rustc would have them for the original options.
fn checks(invocation: &Invocation) -> (&'static str, &'static str) {
    let unoptimised = !is_optimised(invocation);
    let flag = |key, default| match invocation.codegen(key) {
        None => default,
        Some("off" | "no" | "n" | "false") => false,
        Some(_) => true,
    };
    let assertions = flag("debug-assertions", unoptimised);
    let overflow = flag("overflow-checks", assertions);
    let word = |on| if on { "on" } else { "off" };
    (word(assertions), word(overflow))
}

fn kept_arguments(arguments: &[String]) -> Vec<&String> {
    const CODEGEN: &[&str] = &[
        "incremental",
        "lto",
        "linker-plugin-lto",
        "codegen-units",
        "opt-level",
        "debuginfo",
        "embed-bitcode",
        "linker",
        "save-temps",
        "strip",
        "split-debuginfo",
        "instrument-coverage",
        "profile-generate",
        "profile-use",
        "debug-assertions",
        "overflow-checks",
        "no-prepopulate-passes",
        "link-arg",
        "link-args",
        "dwarf-version",
    ];
    let dropped_codegen = |option: &str| {
        let key = option.split('=').next().unwrap_or("").replace('_', "-");
        CODEGEN.contains(&key.as_str())
    };
    const WITH_VALUE: &[&str] = &[
        "--emit",
        "--error-format",
        "--json",
        "--out-dir",
        "-o",
        "--diagnostic-width",
        "--cap-lints",
    ];
    let mut kept = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        let name = argument.split('=').next().unwrap_or("");
        if WITH_VALUE.contains(&name) {
            if !argument.contains('=') {
                rest.next();
            }
        } else if argument == "-C" || argument == "--codegen" {
            match rest.next() {
                Some(option) if !dropped_codegen(option) => kept.extend([argument, option]),
                _ => {}
            }
        } else if let Some(option) = argument
            .strip_prefix("-C")
            .or_else(|| argument.strip_prefix("--codegen="))
        {
            if !dropped_codegen(option) {
                kept.push(argument);
            }
        } else if argument != "-O" && argument != "-g" {
            kept.push(argument);
        }
    }
    kept
}

/// What rustc says a crate was made from: its sources and the environment variables that they read.
fn dep_info(invocation: &Invocation) -> Option<String> {
    let name = format!("{}.d", invocation.file_stem()?);
    std::fs::read_to_string(invocation.out_dir()?.join(name)).ok()
}

/// `file:` lines of dep-info name each source once more, with nothing after the colon.
fn sources(invocation: &Invocation, dep_info: &str) -> Vec<PathBuf> {
    dep_info
        .lines()
        .filter_map(|line| line.strip_suffix(':'))
        .map(|source| invocation.directory.join(source.replace("\\ ", " ")))
        .collect()
}

/// A digest of what an rlib was made from: it holds the crate's metadata, and with them a hash of all of its code.
pub fn content_of_rlib(rlib: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(rlib).map_err(Error::io("read", rlib))?;
    Ok(files::digest(&[&bytes]))
}

/// A digest of what the crate that is linked was made from; `None` if that is not known.
///
/// The sources alone do not do: a procedural macro may read files that rustc is not told of. The objects alone do not
/// either: some of what the driver is told by the macros is in the bitcode only.
pub fn content_of_linked(
    invocation: &Invocation,
    objects: &[PathBuf],
    rlibs: &[PathBuf],
) -> Result<Option<String>, Error> {
    let Some(dep_info) = dep_info(invocation) else {
        return Ok(None);
    };
    let mut digests = vec![files::digest(&[dep_info.as_bytes()])];
    for path in sources(invocation, &dep_info).iter().chain(objects) {
        let Ok(bytes) = std::fs::read(path) else {
            return Ok(None);
        };
        digests.push(files::digest(&[&bytes]));
    }
    for rlib in rlibs {
        digests.push(files::stamp(rlib)?);
    }
    Ok(Some(files::digest(&[digests.join("\n").as_bytes()])))
}

/// Fails if a source file of the crate is newer than what was built from it.
pub fn check_sources(invocation: &Invocation, built: &Path) -> Result<(), Error> {
    let Some(dep_info) = dep_info(invocation) else {
        return Ok(());
    };
    let modified = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified());
    let built = modified(built).map_err(Error::io("look at", built))?;
    for source in sources(invocation, &dep_info) {
        if modified(&source).is_ok_and(|time| time > built) {
            return Err(Error::SourceChanged {
                crate_name: invocation.crate_name().unwrap_or("?").to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::testing::invocation;

    #[test]
    fn the_twin_keeps_what_gives_the_program_its_meaning() {
        let i = invocation(
            "--crate-name f --emit=link src/lib.rs -C opt-level=0 -C target-cpu=native -C incremental=/i -Clto=fat -C panic=abort --json=artifacts --error-format json --cfg x",
        );
        let kept: Vec<&str> = kept_arguments(&i.arguments)
            .into_iter()
            .map(String::as_str)
            .collect();
        assert_eq!(
            kept.join(" "),
            "--crate-name f src/lib.rs -C target-cpu=native -C panic=abort --cfg x"
        );
    }

    #[test]
    fn checks_follow_the_optimisation_level_unless_told() {
        assert_eq!(checks(&invocation("--crate-name f")), ("on", "on"));
        assert_eq!(checks(&invocation("-C opt-level=2")), ("off", "off"));
        assert_eq!(
            checks(&invocation("-C opt-level=2 -C debug-assertions=on")),
            ("on", "on")
        );
        assert_eq!(
            checks(&invocation("-C opt-level=0 -C overflow-checks=off")),
            ("on", "off")
        );
    }
}
