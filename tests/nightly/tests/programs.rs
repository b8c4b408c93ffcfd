//! Programs written for nightly run here, after the change that the book describes.

use std::path::Path;
use std::process::Command;

use as_on_nightly::{Model, predict_forward, predict_reverse};

#[expect(
    clippy::undocumented_unsafe_blocks,
    clippy::type_complexity,
    reason = "as their users wrote them"
)]
mod signatures {
    include!(concat!(env!("OUT_DIR"), "/signatures.rs"));

    #[test]
    fn every_signature_of_nightly_is_the_same() {
        main();
    }
}

#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "as their users wrote them"
)]
mod descent {
    include!(concat!(env!("OUT_DIR"), "/descent.rs"));

    #[test]
    fn a_whole_program_runs() {
        main();
    }
}

#[test]
fn a_library_for_both_works_here() {
    let model = Model {
        weights: vec![2.0, 3.0],
        factor: 10.0,
    };
    let mut shadow = Model {
        weights: vec![0.0; 2],
        factor: 0.0,
    };
    let x = [4.0, 5.0];
    assert_eq!(predict_reverse(&model, &mut shadow, &x, 1.0), 230.0);
    assert_eq!((shadow.weights, shadow.factor), (vec![40.0, 50.0], 23.0));
    assert_eq!(predict_forward(&model, &x, &[0.0, 1.0]), (230.0, 30.0));
}

include!("../src/change.rs");

#[test]
fn the_book_describes_this_change() {
    let page = include_str!("../../../docs/src/nightly.md");
    let diff = page.split("```diff\n").nth(1).expect("the page has a diff");
    let diff = diff.split("```").next().unwrap_or_default();
    let side = |sign: char| -> String {
        let lines = diff.lines().filter_map(|line| line.strip_prefix(sign));
        lines.map(|line| line.to_owned() + "\n").collect()
    };
    assert_eq!(from_nightly(&side('-')), side('+'));
}

/// The compiler has the nightly macro, too, and without the engine it still writes and checks the signatures.
#[test]
fn the_programs_are_what_nightly_accepts() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = tempfile::tempdir().expect("a directory can be made");
    for source in [
        "programs/signatures.rs",
        "programs/descent.rs",
        "src/lib.rs",
    ] {
        let output = Command::new(env!("RUSTC_OF_CARGO"))
            .env("RUSTC_BOOTSTRAP", "1")
            .args([
                "--edition=2024",
                "--emit=metadata",
                "--cfg=feature=\"nightly\"",
            ])
            .arg(if source == "src/lib.rs" {
                "--crate-type=lib"
            } else {
                "--crate-type=bin"
            })
            .arg("--out-dir")
            .arg(target.path())
            .arg(package.join(source))
            .output()
            .expect("rustc runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{source}: {errors}");
    }
}
