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

/// Programs that check themselves.
macro_rules! programs {
    ($($name:ident: $file:literal)*) => {$(
        mod $name {
            include!($file);

            #[test]
            fn runs() {
                main();
            }
        }
    )*};
}

programs! {
    widths: "widths.rs"
    methods: "methods.rs"
    traits: "traits.rs"
    curvature: "curvature.rs"
    rules: "rules.rs"
    inactive: "inactive.rs"
    overwrites: "overwrites.rs"
    split: "split.rs"
    named: "named.rs"
    calculus: "calculus.rs"
}

/// The rows of the book's table of signatures.
mod signatures {
    use oxide_enzyme::{autodiff_forward, autodiff_reverse};

    #[autodiff_reverse(square_reverse, Active, Active)]
    #[autodiff_reverse(square_slope, Active, ActiveOnly)]
    #[autodiff_reverse(square_constant, Active, Const)]
    #[autodiff_reverse(square_gradient_only, ActiveOnly, Active)]
    #[autodiff_reverse(square_reverse_2, 2, Active, Active)]
    #[autodiff_forward(square_forward, Dual, Dual)]
    #[autodiff_forward(square_forward_2, 2, Dual, Dual)]
    #[autodiff_forward(square_tangents, 2, Dual, DualOnly)]
    fn square(x: f64) -> f64 {
        x * x
    }

    #[autodiff_reverse(element_reverse, Duplicated, Const, Active)]
    #[autodiff_reverse(element_reverse_2, 2, Duplicated, Const, Active)]
    #[autodiff_forward(element_tangent, Dual, Const, DualOnly)]
    #[autodiff_forward(element_tangents, 2, Dualv, Const, DualOnly)]
    #[autodiff_forward(element_discarded, 2, DualvOnly, Const, DualOnly)]
    fn element(x: &[f64], n: usize) -> f64 {
        x[n].sin()
    }

    #[autodiff_reverse(store_reverse, Active, Duplicated)]
    fn store(x: f64, y: &mut f64) {
        *y = 3.0 * x;
    }

    struct Line(f64);

    impl Line {
        #[autodiff_reverse(at_reverse, Const, Active, Active)]
        fn at(&self, x: f64) -> f64 {
            self.0 * x
        }
    }

    #[test]
    fn they_are_as_the_book_says() {
        let value_and_slope: fn(f64, f64) -> (f64, f64) = square_reverse;
        assert_eq!(value_and_slope(3.0, 1.0), (square(3.0), 6.0));
        let slope: fn(f64, f64) -> f64 = square_slope;
        assert_eq!(slope(3.0, 2.0), 12.0);
        let no_seed: fn(f64) -> (f64, f64) = square_constant;
        assert_eq!(no_seed(3.0), (9.0, 0.0));
        let as_active: fn(f64, f64) -> (f64, f64) = square_gradient_only;
        assert_eq!(as_active(3.0, 1.0), (9.0, 6.0));
        let lanes: fn(f64, [f64; 2]) -> (f64, [f64; 2]) = square_reverse_2;
        assert_eq!(lanes(3.0, [1.0, 0.5]), (9.0, [6.0, 3.0]));
        let lanes: fn(f64, f64, f64) -> [f64; 3] = square_forward_2;
        assert_eq!(lanes(3.0, 1.0, 0.5), [9.0, 6.0, 3.0]);
        let lanes: fn(f64, f64, f64) -> [f64; 2] = square_tangents;
        assert_eq!(lanes(3.0, 1.0, 0.5), [6.0, 3.0]);
        let forward: fn(f64, f64) -> (f64, f64) = square_forward;
        assert_eq!(forward(3.0, 0.5), (9.0, 3.0));

        let reverse: fn(&[f64], &mut [f64], usize, f64) -> f64 = element_reverse;
        let mut dx = [0.0, 1.0];
        assert_eq!(reverse(&[0.0, 0.0], &mut dx, 1, 1.0), element(&[0.0], 0));
        assert_eq!(dx, [0.0, 2.0], "gradients are added");
        let tangent: fn(&[f64], &[f64], usize) -> f64 = element_tangent;
        assert_eq!(tangent(&[0.0], &[5.0], 0), 5.0);

        let tangents: fn(&[f64], &[f64], usize) -> [f64; 2] = element_tangents;
        assert_eq!(tangents(&[0.0], &[5.0, 6.0], 0), [5.0, 6.0]);
        let tangents: unsafe fn(&[f64], &[f64], usize) -> [f64; 2] = element_discarded;
        // SAFETY: the argument is only read.
        assert_eq!(unsafe { tangents(&[0.0], &[5.0, 6.0], 0) }, [5.0, 6.0]);
        type Reverse = fn(&[f64], &mut [f64], &mut [f64], usize, [f64; 2]) -> f64;
        let reverse: Reverse = element_reverse_2;
        let (mut dx_0, mut dx_1) = ([0.0], [0.0]);
        assert_eq!(reverse(&[0.0], &mut dx_0, &mut dx_1, 0, [1.0, 2.0]), 0.0);
        assert_eq!((dx_0, dx_1), ([1.0], [2.0]));

        let reverse: fn(f64, &mut f64, &mut f64) -> f64 = store_reverse;
        let (mut y, mut seed) = (0.0, 1.0);
        assert_eq!(reverse(2.0, &mut y, &mut seed), 3.0);
        assert_eq!((y, seed), (6.0, 0.0), "a seed is used up");
        store(1.0, &mut y);

        let method: fn(&Line, f64, f64) -> (f64, f64) = Line::at_reverse;
        assert_eq!(method(&Line(4.0), 2.0, 1.0), (Line(4.0).at(2.0), 4.0));
    }
}

/// A snippet that is in an example is compiled with it, and tested.
#[test]
fn every_snippet_is_in_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = files(&root.join("examples"), "rs");
    sources.extend(files(&root.join("tests/nightly/src"), "rs"));
    let sources: Vec<String> = sources.iter().map(|path| read(path)).collect();
    let mut texts = files(&root.join("docs/src"), "md");
    texts.push(root.join("README.md"));
    let mut seen = 0;
    for text in &texts {
        for snippet in snippets(&read(text)) {
            let found = sources.iter().any(|source| source.contains(snippet));
            assert!(
                found,
                "{} has a snippet that is in no example:\n{snippet}",
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
