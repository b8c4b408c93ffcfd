//! `cargo enzyme new`: a project to start from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};

const EXAMPLES: &str = "\
Examples:
  cargo enzyme new gradients && cd gradients && cargo enzyme run
  cargo enzyme new --lib model
  cargo enzyme new gradients --path ../oxide-enzyme    use the crate from that checkout

The project depends on the crate oxide-enzyme by version, and by path too with --path or when
this program was built in a checkout that is still there. Inside another package or workspace it
is one of its own.";

const CRATE: &str = "crates/oxide-enzyme";

/// Make a project with a first derivative, which builds, runs and passes its test
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The directory to make; its last part names the crate
    #[arg(value_name = "NAME")]
    directory: PathBuf,
    /// Make a library instead of a program
    #[arg(long)]
    lib: bool,
    /// Use the crate from this checkout of oxide-enzyme
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let directory = std::path::absolute(&args.directory)?;
    let name = directory.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    check_name(name)?;
    let parent = directory.parent().unwrap_or(&directory);
    // Without `..`, which would make it look as if it were inside of what it leaves.
    let parent = fs::canonicalize(parent)
        .with_context(|| format!("cannot make a project in `{}`", parent.display()))?;
    let directory = parent.join(name);
    ensure!(
        fs::symlink_metadata(&directory).is_err(),
        "`{}` exists already; choose another name, or remove it first",
        args.directory.display()
    );
    let within = directory
        .ancestors()
        .find(|folder| is_library(&folder.join(CRATE)));
    if let Some(within) = within {
        bail!(
            "`{}` is inside a checkout of oxide-enzyme, where `cargo enzyme` is an alias that works for the checkout only\n  \
             help: make the project somewhere else, such as {}",
            args.directory.display(),
            within.with_file_name(name).display()
        );
    }
    let checkout = match &args.path {
        Some(path) => Some(named_checkout(path)?),
        None => own_checkout(),
    };
    write_project(
        &directory,
        &files(name, &directory, checkout.as_deref(), args.lib),
    )?;
    if !args.quiet {
        report(args, checkout.as_deref());
    }
    Ok(ExitCode::SUCCESS)
}

fn report(args: &Args, checkout: Option<&Path>) {
    let next = if args.lib { "test" } else { "run" };
    eprintln!("made `{}`", args.directory.display());
    match checkout {
        Some(path) => eprintln!("it uses oxide-enzyme from `{}`", path.display()),
        None => eprintln!(
            "it depends on oxide-enzyme {} by version; to use the crate from a checkout, say --path DIR",
            env!("CARGO_PKG_VERSION")
        ),
    }
    eprintln!(
        "next: cd '{}' && cargo enzyme {next}",
        args.directory.display()
    );
}

/// The names that cargo takes too, and that are good for programs: it keeps files of its own under some.
fn check_name(name: &str) -> anyhow::Result<()> {
    const ALLOWED: &str = "a name has ASCII letters, digits, `-` and `_`, and starts with a letter";
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(letters) {
        bail!("`{name}` cannot be the name of a crate: {ALLOWED}");
    }
    ensure!(
        !RESERVED.contains(&name),
        "`{name}` cannot be the name of a crate: it means something else in Rust or to cargo; {ALLOWED}"
    );
    Ok(())
}

/// Keywords, crates that come with Rust, and folders in cargo's target directory.
const RESERVED: &[&str] = &[
    "Self",
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield", //
    "alloc",
    "core",
    "proc-macro",
    "proc_macro",
    "std",
    "test",
    "oxide-enzyme",
    "oxide_enzyme", //
    "build",
    "deps",
    "examples",
    "incremental",
];

/// The library in a checkout that the user names; the library's own folder will do.
fn named_checkout(path: &Path) -> anyhow::Result<PathBuf> {
    let found = [path.join(CRATE), path.to_owned()]
        .into_iter()
        .find(|path| is_library(path));
    let found =
        found.with_context(|| format!("`{}` is no checkout of oxide-enzyme", path.display()))?;
    Ok(fs::canonicalize(found)?)
}

/// The library in the checkout that this program was built in, if that is still there.
fn own_checkout() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()?
        .join("oxide-enzyme");
    is_library(&folder).then_some(folder)
}

fn is_library(folder: &Path) -> bool {
    let Ok(text) = fs::read_to_string(folder.join("Cargo.toml")) else {
        return false;
    };
    let table: toml::Table = text.parse().unwrap_or_default();
    table
        .get("package")
        .and_then(|p| p.get("name"))
        .and_then(toml::Value::as_str)
        == Some("oxide-enzyme")
}

/// What the project is made of: paths and contents.
fn files(
    name: &str,
    directory: &Path,
    checkout: Option<&Path>,
    lib: bool,
) -> Vec<(&'static str, String)> {
    let source = if lib {
        (
            "src/lib.rs",
            format!("//! A first derivative.\n\n{FUNCTION}\n{TESTS}"),
        )
    } else {
        (
            "src/main.rs",
            format!("{}\n{MAIN}\n{TESTS}", FUNCTION.replace("pub fn", "fn")),
        )
    };
    vec![
        ("Cargo.toml", manifest(name, directory, checkout)),
        source,
        (".gitignore", "/target\n".to_owned()),
    ]
}

fn manifest(name: &str, directory: &Path, checkout: Option<&Path>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let dependency = match checkout.and_then(Path::to_str) {
        Some(path) => format!(
            "{{ path = {}, version = \"{version}\" }}",
            toml::Value::from(path)
        ),
        None => format!("\"{version}\""),
    };
    // Cargo takes the project for a member of a workspace around it that does not name it, and fails.
    let nested = directory
        .ancestors()
        .skip(1)
        .any(|folder| folder.join("Cargo.toml").exists());
    let workspace = if nested {
        "\n# Not a member of the workspace around it.\n[workspace]\n"
    } else {
        ""
    };
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\noxide-enzyme = {dependency}\n{workspace}"
    )
}

const FUNCTION: &str = "\
use oxide_enzyme::autodiff_reverse;

/// Rosenbrock's banana-shaped valley, with its lowest point at (1, 1).
///
/// The attribute makes `valley_reverse(x, dx, seed)`: it returns the value and adds the gradient, times the seed, to `dx`.
#[autodiff_reverse(valley_reverse, Duplicated, Active)]
pub fn valley(x: &[f64; 2]) -> f64 {
    (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
}
";

const MAIN: &str = "\
fn main() {
    let x = [-1.2, 1.0];
    let mut gradient = [0.0; 2];
    let value = valley_reverse(&x, &mut gradient, 1.0);
    println!(\"valley({x:?}) = {value}, with gradient {gradient:?}\");
}
";

const TESTS: &str = "\
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_agrees_with_the_one_by_hand() {
        let x: [f64; 2] = [-1.2, 1.0];
        let mut gradient = [0.0; 2];
        let value = valley_reverse(&x, &mut gradient, 1.0);
        assert!((value - valley(&x)).abs() < 1e-12 * value);
        let bend = x[1] - x[0] * x[0];
        let by_hand = [-2.0 * (1.0 - x[0]) - 400.0 * x[0] * bend, 200.0 * bend];
        for (found, expected) in gradient.into_iter().zip(by_hand) {
            let error = (found - expected).abs() / expected.abs();
            assert!(error < 1e-12, \"{found} instead of {expected}\");
        }
    }
}
";

/// Writes the files to a folder beside the final one, which then takes its name: all of the project is there, or nothing.
fn write_project(directory: &Path, files: &[(&str, String)]) -> anyhow::Result<()> {
    let parent = directory
        .parent()
        .context("a project needs a directory to be in")?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let draft = Draft(parent.join(format!(".{name}.{}", std::process::id())));
    let cannot = || format!("cannot write to `{}`", parent.display());
    fs::create_dir(&draft.0).with_context(cannot)?;
    fs::create_dir(draft.0.join("src")).with_context(cannot)?;
    for (path, text) in files {
        fs::write(draft.0.join(path), text).with_context(cannot)?;
    }
    fs::rename(&draft.0, directory).with_context(cannot)
}

/// A folder that goes away unless it was renamed.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // After the rename there is nothing to remove; after a failure the user hears of that already.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_cargo_takes() {
        for name in ["a", "gradients", "my-model", "model_2"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "", "2d", "-a", "_a", "modèle", "a b", "a.b", "fn", "test", "deps",
        ] {
            let message = check_name(name).expect_err(name).to_string();
            assert!(message.contains("ASCII letters"), "{message}");
        }
    }

    #[test]
    fn manifests_quote_paths_and_name_the_version() {
        let path = Path::new("/a \"b\" é");
        let text = manifest("model", Path::new("/nowhere/model"), Some(path));
        let table: toml::Table = text.parse().expect("it is TOML");
        let dependency = &table["dependencies"]["oxide-enzyme"];
        assert_eq!(dependency["path"].as_str(), path.to_str());
        assert_eq!(
            dependency["version"].as_str(),
            Some(env!("CARGO_PKG_VERSION"))
        );
    }

    #[test]
    fn a_project_is_made_whole_or_not_at_all() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let project = home.path().join("model");
        let good = files("model", &project, None, true);
        let bad = [good[0].clone(), ("no/such/folder", String::new())];
        let left = || fs::read_dir(home.path()).expect("it can be read").count();

        write_project(&project, &bad).expect_err("a file cannot be written");
        assert_eq!(left(), 0);
        write_project(&project, &good).expect("everything can be written");
        assert_eq!(left(), 1);
        let again = run(&Args {
            directory: project.clone(),
            lib: false,
            path: None,
            quiet: true,
        });
        assert!(
            again
                .expect_err("it exists")
                .to_string()
                .contains("exists already")
        );
        assert!(project.join("src/lib.rs").exists() && !project.join("src/main.rs").exists());
    }
}
