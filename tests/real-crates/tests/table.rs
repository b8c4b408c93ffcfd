//! The book's page of other crates: made from the entries of the tests, so that what it says of a crate is run.

use std::fmt::Write;
use std::path::Path;

const PAGE: &str = "../../docs/src/real-crates.md";
const MANIFEST: &str = include_str!("../Cargo.toml");
const LOCK: &str = include_str!("../../../Cargo.lock");

/// Where each entry is a function that must not build.
const REFUSED: &str = "refused.rs";

const INTRODUCTION: &str = "\
# Other crates

<!-- Made by `OXIDE_ENZYME_BLESS=1 cargo enzyme test -p real-crates --test table`. Not to be edited. -->

Each entry is a test in `tests/real-crates`, in debug and release. What works is differentiated forward and reverse, and each gradient is held
against its formula or central differences of the eighth order, to 1e-8 of its largest entry. What is refused is a function that must fail
to build with a message that names it and says why.
";

const NOTES: &str = include_str!("../notes.md");

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Name and text of each source of tests but this one, by name.
fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".rs") && name != "table.rs")
        .collect();
    names.sort();
    let sources = names.into_iter();
    sources
        .map(|name| (name.clone(), read(format!("tests/{name}"))))
        .collect()
}

/// Entries look like `    "crate: what" name ...`, or `/// crate: what` before a test: crate and what.
fn entries(source: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut lines = source.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let before_test = lines.peek() == Some(&"#[test]");
            let text = match line.strip_prefix("    \"") {
                Some(rest) => rest.split_once("\" ").map(|(text, _)| text),
                None => line.strip_prefix("/// ").filter(|_| before_test),
            };
            if let Some(entry) = text.and_then(|text| text.split_once(": ")) {
                return Some(entry);
            }
        }
    })
}

/// The crates that are tested: the dependencies but our own.
fn crates() -> impl Iterator<Item = &'static str> {
    let (_, dependencies) = MANIFEST.split_once("[dependencies]\n").unwrap();
    let lines = dependencies
        .lines()
        .take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split([' ', '.']).next())
        .filter(|name| !name.is_empty() && *name != "oxide-enzyme")
}

/// The newest version in the lock that the manifest allows; it names each version that is wanted by its first numbers.
fn version(name: &str) -> &'static str {
    let start = format!("name = \"{name}\"\nversion = \"");
    let wanted = MANIFEST
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.split('"').nth(1))
        .next()
        .unwrap_or_default();
    LOCK.split(&start)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|version| version.starts_with(wanted))
        .last()
        .unwrap_or_else(|| panic!("no {name} {wanted} in Cargo.lock"))
}

fn page() -> String {
    let sources = sources();
    let list = |name: &str, refused: bool| {
        let sources = sources
            .iter()
            .filter(|(file, _)| (file == REFUSED) == refused);
        let entries = sources.flat_map(|(_, source)| entries(source));
        let of_crate = entries.filter(|(of, _)| *of == name);
        let texts: Vec<_> = of_crate.map(|(_, what)| what.replace('|', "\\|")).collect();
        texts.join("; ")
    };
    let mut page = format!(
        "{INTRODUCTION}\n| crate | tested version | works | refused |\n|---|---|---|---|\n"
    );
    for name in crates() {
        let (works, refused) = (list(name, false), list(name, true));
        writeln!(page, "| {name} | {} | {works} | {refused} |", version(name)).unwrap();
    }
    page + "\n" + NOTES
}

#[test]
fn the_page_of_the_book_is_fresh() {
    let fresh = page();
    if std::env::var_os("OXIDE_ENZYME_BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        std::fs::write(path, &fresh).unwrap();
    }
    assert!(
        read(PAGE) == fresh,
        "docs/src/real-crates.md is stale: run `OXIDE_ENZYME_BLESS=1 cargo enzyme test -p real-crates --test table`"
    );
}

#[test]
fn every_entry_is_in_the_table_and_every_crate_has_one() {
    let sources = sources();
    for (file, source) in &sources {
        for line in source.lines().filter(|line| line.starts_with("    \"")) {
            let count = entries(line).count();
            assert_eq!(count, 1, "{file}: not read by the table: {line}");
        }
        for (name, what) in entries(source) {
            assert!(crates().any(|c| c == name), "{file}: {name}: {what}");
        }
    }
    for name in crates() {
        let mut all = sources.iter().flat_map(|(_, source)| entries(source));
        assert!(all.any(|(of, _)| of == name), "nothing is said of {name}");
    }
}
