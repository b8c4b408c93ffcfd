//! The programs in the README and the book: they run, and they are what is printed there.

use std::fs;
use std::path::{Path, PathBuf};

mod norm {
    include!("norm.rs");

    #[test]
    fn the_readmes_program_runs() {
        main();
        let mut gradient = [0.0; 2];
        assert_eq!(norm_reverse(&[3.0, 4.0], &mut gradient, 1.0), 5.0);
        assert!((gradient[0] - 0.6).abs() < 1e-15 && (gradient[1] - 0.8).abs() < 1e-15);
    }
}

mod valley {
    include!("valley.rs");

    #[test]
    fn the_books_first_program_runs() {
        main();
        let mut gradient = [0.0; 2];
        valley_reverse(&[1.0, 1.0], &mut gradient, 1.0);
        assert_eq!(gradient, [0.0, 0.0]);
    }
}

/// A snippet that is in an example is compiled with it, and tested.
#[test]
fn every_snippet_is_in_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources: Vec<String> = files(&root.join("examples"), "rs")
        .iter()
        .map(|path| read(path))
        .collect();
    let mut texts = files(&root.join("docs/src"), "md");
    texts.push(root.join("README.md"));
    let mut seen = 0;
    for text in &texts {
        for snippet in snippets(&read(text)) {
            let found = sources.iter().any(|source| source.contains(snippet));
            assert!(
                found,
                "{} has a snippet that no example has:\n{snippet}",
                text.display()
            );
            seen += 1;
        }
    }
    assert!(seen >= 4, "only {seen} snippets were found");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a directory that have this extension.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found
}

/// What stands between "```rust" and "```".
fn snippets(text: &str) -> Vec<&str> {
    let starts = text.split("```rust\n").skip(1);
    starts
        .filter_map(|rest| rest.split("```").next())
        .map(str::trim_end)
        .collect()
}
