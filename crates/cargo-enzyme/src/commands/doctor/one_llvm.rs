//! Whether rustc, clang, lld and opt use one shared libLLVM, by what the running programs have in their memory. A plugin
//! built against one LLVM and loaded into another of the same version hangs; version numbers do not tell.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use enzyme_toolchain::Installed;

const LIBRARY: &str = "libLLVM";
const LIMIT: Duration = Duration::from_secs(20);

/// A file in the memory of a process. Two names may stand for one file, and one name for two files in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapped {
    device: String,
    inode: String,
    path: String,
}

/// The library that all of them use, in words.
pub fn check(rustc: PathBuf, installed: &Installed) -> anyhow::Result<String> {
    let clang = installed.clang()?;
    let opt = clang.program.with_file_name("opt");
    // Each reads its standard input, where nothing comes: so it waits, and can be looked at.
    let mut programs = [
        ("rustc", with(Command::new(rustc), &["-"])),
        (
            "clang",
            with(clang.command(), &["-x", "c", "-fsyntax-only", "-"]),
        ),
        ("lld", with(installed.lld()?.command(), &["@/dev/stdin"])),
        ("opt", with(Command::new(opt), &["-disable-output", "-"])),
    ];
    let mut found = Vec::new();
    for (name, command) in &mut programs {
        found.push((*name, library_of(name, command)?));
    }
    compare(&found)
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

fn compare(found: &[(&str, Mapped)]) -> anyhow::Result<String> {
    let [(first, library), rest @ ..] = found else {
        bail!("no program was looked at");
    };
    for (name, other) in rest {
        ensure!(
            (&other.device, &other.inode) == (&library.device, &library.inode),
            "{first} uses `{}`, {name} uses `{}`: a plugin of one does not fit the other; use the {first} of the image",
            library.path,
            other.path
        );
    }
    let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
    Ok(format!("{} all use {}", names.join(", "), library.path))
}

fn library_of(name: &str, command: &mut Command) -> anyhow::Result<Mapped> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {name} (`{program}`)"))?;
    let library = watch(&mut child);
    let _ = child.kill();
    let _ = child.wait();
    library?.with_context(|| {
        format!(
            "{name} (`{program}`) uses no shared {LIBRARY}: use the {name} of the image, which does"
        )
    })
}

/// Waits until the library appears in the process's memory; `None` if the process ends, or waits, without it.
fn watch(child: &mut Child) -> anyhow::Result<Option<Mapped>> {
    let maps = format!("/proc/{}/maps", child.id());
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        let text = std::fs::read_to_string(&maps)
            .with_context(|| format!("cannot read `{maps}`: is /proc mounted?"))?;
        if let Some(library) = find(&text) {
            return Ok(Some(library));
        }
        if child.try_wait()?.is_some() {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(None)
}

/// The library in the text of /proc/PID/maps: address, permissions, offset, device, inode, path.
fn find(maps: &str) -> Option<Mapped> {
    maps.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(3);
        let (device, inode) = (words.next()?, words.next()?);
        let path = &line[line.find('/')?..];
        let name = path.rsplit('/').next()?;
        name.starts_with(LIBRARY).then(|| Mapped {
            device: device.to_owned(),
            inode: inode.to_owned(),
            path: path.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c8a6f000-55d0c8a71000 r--p 00000000 fe:00 100                        /usr/bin/rustc
7f0d51200000-7f0d55f2a000 r--p 00000000 fe:00 5466656                    /usr/lib/x86_64-linux-gnu/libLLVM.so.22.1
7ffd0b5f2000-7ffd0b613000 rw-p 00000000 00:00 0                          [stack]
";

    #[test]
    fn the_library_is_found_in_the_memory_of_a_process() {
        let library = find(MAPS).unwrap();
        assert_eq!((&*library.device, &*library.inode), ("fe:00", "5466656"));
        assert_eq!(library.path, "/usr/lib/x86_64-linux-gnu/libLLVM.so.22.1");
        assert_eq!(find(&MAPS.replace("libLLVM", "libMLIR")), None);
    }

    #[test]
    fn two_libraries_of_one_name_are_told_apart() {
        let one = find(MAPS).unwrap();
        let other = find(&MAPS.replace("5466656", "5466657")).unwrap();
        assert!(compare(&[("rustc", one.clone()), ("clang", one.clone())]).is_ok());
        let message = compare(&[("rustc", one), ("clang", other)]).unwrap_err();
        assert!(message.to_string().contains("clang uses"), "{message}");
    }

    #[test]
    fn a_program_without_the_library_is_named() {
        let message = library_of("cat", &mut Command::new("true")).unwrap_err();
        assert!(message.to_string().contains("`true`"), "{message}");
    }
}
