//! The book's table of constructs: made from the entries of the tests, so that a row stands for a test that is run.

use std::fmt::Write;
use std::path::Path;

const PAGE: &str = "../../docs/src/conformance.md";

/// Where constructs that work are: one entry a construct.
const WORKING: &[(&str, &str)] = &[
    ("Loops, branches, exits", "constructs_flow"),
    ("Functions, closures, traits", "constructs_functions"),
    ("Iterators and data", "constructs_data"),
    ("What is kept in loops", "constructs_state"),
];

/// Where refusals are tested, and what each test of them is about.
const REFUSALS: &str = "../../crates/cargo-enzyme/tests/refused.rs";

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Entries look like `    "construct" name |x| ...`: construct and name.
fn entries(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.lines().filter_map(|line| {
        let (construct, rest) = line.strip_prefix("    \"")?.split_once("\" ")?;
        let (name, _) = rest.split_once(" |x|")?;
        Some((construct, name))
    })
}

/// The names of tests whose body says `refused(`.
fn refusals(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[test]\nfn ").skip(1).filter_map(|test| {
        let (name, rest) = test.split_once("() {")?;
        rest.trim_start().starts_with("refused(").then_some(name)
    })
}

/// The names of tests of a source, in order.
fn tests(source: &str) -> impl Iterator<Item = &str> {
    source
        .split("#[test]\n")
        .skip(1)
        .filter_map(|test| Some(test.split_once("fn ")?.1.split_once('(')?.0))
}

fn page() -> String {
    let mut page = String::from(
        "# What is tested\n\n<!-- Made by `OXIDE_ENZYME_BLESS=1 cargo enzyme test -p conformance --test table`. Not to be edited. -->\n\nEach row is a test. \"Works\" stands for eight derivatives: as `f64` and `f32`, forward and reverse, at vector width 1 and at 2, 3, 4 or\n8, each compared with the analytic gradient. \"Clear error\" stands for a program that must fail to build with a message that names\nthe function and the file.\n",
    );
    let mut working = 0;
    for (title, file) in WORKING {
        let source = read(format!("tests/{file}.rs"));
        writeln!(
            page,
            "\n## {title}\n\n| construct | | test in `{file}.rs` |\n|---|---|---|"
        )
        .unwrap();
        for (construct, name) in entries(&source) {
            let construct = construct.replace('\\', "").replace('|', "\\|");
            writeln!(page, "| {construct} | works | `{name}` |").unwrap();
            working += 1;
        }
    }
    page.push_str("\n## Refused\n\n| construct | | test in `refused.rs` |\n|---|---|---|\n");
    for name in refusals(&read(REFUSALS)) {
        let construct = name
            .trim_end_matches("_refused")
            .trim_end_matches("_is")
            .trim_end_matches("_are");
        writeln!(
            page,
            "| {} | clear error | `{name}` |",
            construct.replace('_', " ")
        )
        .unwrap();
    }
    page.push_str("\n## Reports on `std::autodiff` and Enzyme\n\nTests in `upstream.rs` have the shape of each report, and its number in their names.\n\n| test | |\n|---|---|\n");
    for name in tests(&read("tests/upstream.rs")) {
        writeln!(page, "| `{name}` | works |").unwrap();
    }
    writeln!(
        page,
        "\nThese are {working} constructs that work, with {} derivatives.",
        8 * working
    )
    .unwrap();
    page
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
        "docs/src/conformance.md is stale: run `OXIDE_ENZYME_BLESS=1 cargo enzyme test -p conformance --test table`"
    );
}

#[test]
fn every_entry_of_the_sources_is_in_the_table() {
    for (_, file) in WORKING {
        let source = read(format!("tests/{file}.rs"));
        assert_eq!(
            source.matches(";\n    \"").count() + 1,
            entries(&source).count(),
            "an entry of {file} is not read by the table"
        );
    }
}
