//! Applies the book's change to each file in `programs`, which is written for nightly.

use std::path::Path;
use std::{env, fs};

include!("src/change.rs");

fn main() {
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    let rustc = env::var("RUSTC").expect("cargo sets it");
    println!("cargo::rustc-env=RUSTC_OF_CARGO={rustc}");
    println!("cargo::rerun-if-changed=programs");
    println!("cargo::rerun-if-changed=src/change.rs");
    for entry in fs::read_dir("programs").expect("there are programs") {
        let path = entry.expect("it can be read").path();
        let text = fs::read_to_string(&path).expect("it is a text");
        let changed = from_nightly(&text);
        assert_ne!(
            changed,
            text,
            "{} is not written for nightly",
            path.display()
        );
        let name = path.file_name().expect("it has a name");
        fs::write(Path::new(&out).join(name), changed).expect("cargo made the directory");
    }
}
