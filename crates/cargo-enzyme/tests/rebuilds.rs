//! What a build makes again after a change, by what the driver says it makes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Of what is made, which parts were made again.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    bitcode: bool,
    derivative: bool,
}

const NOTHING: Made = Made {
    bitcode: false,
    derivative: false,
};
const BITCODE: Made = Made {
    bitcode: true,
    derivative: false,
};
const EVERYTHING: Made = Made {
    bitcode: true,
    derivative: true,
};

/// A package with one program. `factor` is inside of the differentiated function, which says no line and so cannot panic.
struct Package {
    directory: PathBuf,
    options: &'static [&'static str],
    factor: f64,
    printed: u32,
    lines_above: usize,
}

impl Package {
    fn new(name: &str, options: &'static [&'static str]) -> Package {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oxide-enzyme");
        std::fs::create_dir_all(directory.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"rebuilds\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\noxide-enzyme = {{ path = {library:?} }}\n\n[workspace]\n"
        );
        std::fs::write(directory.join("Cargo.toml"), manifest).unwrap();
        // A number that no earlier run of this test has left in the cache.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Package {
            directory,
            options,
            factor: now.as_micros() as f64 / 1e15,
            printed: 0,
            lines_above: 0,
        }
    }

    fn build(&self) -> Made {
        let above = "\n".repeat(self.lines_above);
        let (factor, printed) = (self.factor, self.printed);
        let source = format!(
            "use oxide_enzyme::autodiff_reverse;\n{above}#[autodiff_reverse(d_square, Active, Active)]\n\
             fn square(x: f64) -> f64 {{\n    {factor:?} * x * x\n}}\n\
             fn main() {{\n    println!(\"{printed} {{:?}}\", d_square(3.0, 1.0));\n}}\n"
        );
        std::fs::write(self.directory.join("src/main.rs"), source).unwrap();
        self.build_as_it_is()
    }

    fn touch(&self) -> Made {
        let source = File::options()
            .append(true)
            .open(self.directory.join("src/main.rs"))
            .unwrap();
        source.set_modified(SystemTime::now()).unwrap();
        self.build_as_it_is()
    }

    fn build_as_it_is(&self) -> Made {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-enzyme"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("OXIDE_ENZYME_") && name != "OXIDE_ENZYME_HOME" {
                command.env_remove(name);
            }
        }
        let output = command
            .args(["enzyme", "build"])
            .args(self.options)
            .current_dir(&self.directory)
            .env_remove("RUSTC_WRAPPER")
            .env_remove("CARGO_TARGET_DIR")
            .env("OXIDE_ENZYME_VERBOSE", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("Compiling rebuilds"), "{said}");
        Made {
            bitcode: said.contains("bitcode of `rebuilds`"),
            derivative: said.contains("reverse mode derivative of `rebuilds::square`"),
        }
    }
}

fn check(mut package: Package) -> Package {
    assert_eq!(package.build(), EVERYTHING);
    assert_eq!(package.touch(), NOTHING, "a new date");
    package.printed += 1;
    assert_eq!(package.build(), BITCODE, "an edit elsewhere in the file");
    package.factor += 1.0;
    assert_eq!(package.build(), EVERYTHING, "an edit of the function");
    package
}

#[test]
fn a_derivative_is_made_again_after_an_edit_of_its_function_only() {
    let mut package = check(Package::new("rebuilds-release", &["--release"]));
    package.lines_above += 3;
    assert_eq!(package.build(), BITCODE, "the function has moved");
}

#[test]
fn with_debug_information_a_derivative_is_made_again_when_its_lines_have_moved() {
    let mut package = check(Package::new("rebuilds-debug", &[]));
    package.lines_above += 3;
    assert_eq!(package.build(), EVERYTHING, "the function has moved");
}
