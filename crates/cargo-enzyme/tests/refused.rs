//! What cannot be differentiated is refused with a message that names the function and the file; an engine that misbehaves
//! is stopped; and a build without the driver says what to do.
//!
//! All programs are binaries of one package, so that its dependencies are compiled once.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

const PROGRAMS: &[(&str, &str)] = &[
    (
        "assembly",
        r#"
#[autodiff_reverse(d_doubled, Active, Active)]
fn doubled(x: f64) -> f64 {
    let y: f64;
    unsafe { std::arch::asm!("addsd {0}, {0}", inout(xmm_reg) x => y) };
    y * x
}
fn main() { println!("{:?}", d_doubled(2.0, 1.0)); }
"#,
    ),
    (
        "no_body",
        r#"
unsafe extern "C" { fn opaque(x: f64) -> f64; }
#[autodiff_reverse(d_calls_opaque, Active, Active)]
fn calls_opaque(x: f64) -> f64 { unsafe { opaque(x) * x } }
fn main() { println!("{:?}", d_calls_opaque(2.0, 1.0)); }
"#,
    ),
    (
        "sorted_floats",
        r#"
#[autodiff_reverse(d_median, Duplicated, Active)]
fn median(x: &[f64]) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[x.len() / 2]
}
fn main() { println!("{:?}", d_median(&[2.0, 1.0, 3.0], &mut [0.0; 3], 1.0)); }
"#,
    ),
    (
        "swapped_structs",
        r#"
#[derive(Clone, Copy)]
struct Sample { value: f64, weight: f64, at: usize }
#[inline(never)]
fn exchange(a: &mut Sample, b: &mut Sample) { std::mem::swap(a, b) }
#[autodiff_reverse(d_moved, Duplicated, Active)]
fn moved(x: &[f64]) -> f64 {
    let mut list: Vec<Sample> = (0..x.len()).map(|at| Sample { value: x[at], weight: x[at] * x[at], at }).collect();
    let (a, b) = list.split_at_mut(x.len() / 2);
    exchange(&mut a[x.len() % 3], &mut b[x.len() % 2]);
    list.iter().enumerate().map(|(i, s)| s.value * s.at as f64 + s.weight * i as f64).sum()
}
fn main() { println!("{:?}", d_moved(&[2.0, 1.0, 3.0], &mut [0.0; 3], 1.0)); }
"#,
    ),
    (
        "list_of_enums",
        r#"
#[derive(Clone, Copy)]
enum Shape { Circle(f64), Sides(usize, f64) }
#[derive(Clone, Copy)]
struct Item { shape: Shape, at: usize }
fn size(item: &Item) -> f64 {
    match item.shape { Shape::Circle(r) => r * r * item.at as f64, Shape::Sides(n, a) => n as f64 * a }
}
#[autodiff_reverse(d_copied, Duplicated, Active)]
fn copied(x: &[f64]) -> f64 {
    let item = |(at, x): (usize, &f64)| Item { shape: if at % 2 == 0 { Shape::Circle(*x) } else { Shape::Sides(at, *x) }, at };
    let list: Vec<Item> = x.iter().enumerate().map(item).collect();
    list.to_vec().iter().map(size).sum()
}
fn main() { println!("{:?}", d_copied(&[2.0, 1.0, 3.0], &mut [0.0; 3], 1.0)); }
"#,
    ),
    (
        "scratch_static",
        r#"
static mut SCRATCH: f64 = 0.0;
#[autodiff_reverse(d_through_static, Active, Active)]
fn through_static(x: f64) -> f64 { unsafe { SCRATCH = x * x; SCRATCH * 2.0 } }
fn main() { println!("{:?}", d_through_static(2.0, 1.0)); }
"#,
    ),
    (
        "result_byte",
        r#"
fn cube(x: f32) -> Result<f32, u8> { if x > 0.0 { Ok(x * x * x) } else { Err(1) } }
fn two(a: f32, b: f32) -> Result<f32, u8> { Ok(cube(a)? * cube(b)?) }
#[autodiff_reverse(d_result_byte, Duplicated, Active)]
fn result_byte(x: &[f32]) -> f32 {
    match (two(x[0], x[3]), two(x[1], x[2])) { (Ok(a), Err(_)) => a, _ => 0.0 }
}
fn main() { println!("{:?}", d_result_byte(&[1.0; 4], &mut [0.0; 4], 1.0)); }
"#,
    ),
    (
        "wide_rows",
        r#"
#[autodiff_reverse(d_wide_rows, 2, Duplicated, Active)]
fn wide_rows(x: &[f64]) -> f64 {
    let mut rows: Vec<Vec<f64>> = x.chunks(2).map(<[f64]>::to_vec).collect();
    for k in 0..2 {
        rows.swap(k, k + 1);
        for j in 0..2 { rows[2][j] -= rows[2][k] * rows[k][j]; }
    }
    rows[2][1] * rows[1][1]
}
fn main() { d_wide_rows(&[1.0; 6], &mut [0.0; 6], &mut [0.0; 6], [1.0, 2.0]); }
"#,
    ),
    (
        "largest",
        r#"
#[autodiff_reverse(d_largest, Duplicated, Active)]
fn largest(x: &[f64]) -> f64 {
    let pairs: Vec<(usize, f64)> = x.iter().copied().enumerate().collect();
    let largest = pairs.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    largest.1 * largest.1 * largest.0 as f64
}
fn main() { println!("{:?}", d_largest(&[1.0, 2.0], &mut [0.0; 2], 1.0)); }
"#,
    ),
    (
        "cycle",
        r#"
#[autodiff_reverse(d_cycled, 2, Duplicated, Active)]
fn cycled(x: &[f64]) -> f64 { x.iter().cycle().skip(1).step_by(2).take(3).map(|x| x * x).sum() }
fn main() { println!("{:?}", d_cycled(&[1.0, 2.0], &mut [0.0; 2], &mut [0.0; 2], [1.0; 2])); }
"#,
    ),
    (
        "threads",
        r#"
#[autodiff_reverse(d_in_threads, Duplicated, Active)]
fn in_threads(x: &[f64]) -> f64 {
    std::thread::scope(|scope| scope.spawn(|| x[0] * x[0]).join().unwrap() * x[1])
}
fn main() { println!("{:?}", d_in_threads(&[3.0, 2.0], &mut [0.0; 2], 1.0)); }
"#,
    ),
    (
        "once",
        r#"
#[autodiff_reverse(d_once, Duplicated, Active)]
fn once(x: &[f64]) -> f64 {
    let square = std::sync::OnceLock::new();
    square.get_or_init(|| x[0] * x[0]) * x[1]
}
fn main() { println!("{:?}", d_once(&[3.0, 2.0], &mut [0.0; 2], 1.0)); }
"#,
    ),
    (
        "square",
        r#"
#[autodiff_reverse(d_square, Active, Active)]
fn square(x: f64) -> f64 { x * x }
fn main() { println!("{:?}", d_square(3.0, 1.0)); }
"#,
    ),
    (
        "unused",
        "#[autodiff_reverse(d_square, Active, Active)]\nfn square(x: f64) -> f64 { x * x }\nfn main() { println!(\"{}\", square(3.0)); }\n",
    ),
];

/// The package of all programs.
fn package() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oxide-enzyme");
        let manifest = format!(
            "[package]\nname = \"refused\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\noxide-enzyme = {{ path = {library:?} }}\n\n[workspace]\n"
        );
        write(&package.join("Cargo.toml"), &manifest);
        for (name, source) in PROGRAMS {
            let source = format!("#![allow(dead_code, static_mut_refs)]\nuse oxide_enzyme::autodiff_reverse;\n{source}");
            write(&package.join("src/bin").join(format!("{name}.rs")), &source);
        }
        package
    })
}

/// Leaves a file alone that is as it should be, so that nothing is built again.
fn write(path: &Path, text: &str) {
    let digest = |bytes: &[u8]| Sha256::digest(bytes);
    if std::fs::read(path).is_ok_and(|old| digest(&old) == digest(text.as_bytes())) {
        return;
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A command in the package, without what an outer `cargo enzyme test` put into the environment.
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(package())
        .env_remove("RUSTC_WRAPPER")
        .env_remove("CARGO_TARGET_DIR");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("OXIDE_ENZYME_") && name != "OXIDE_ENZYME_HOME" {
            command.env_remove(name);
        }
    }
    command
}

fn enzyme(arguments: &[&str]) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_cargo-enzyme"));
    command.arg("enzyme").args(arguments);
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Builds a program that must be refused, and looks for words in the message.
fn refused(program: &str, words: &[&str]) {
    let output = enzyme(&["build", "--bin", program]).output().unwrap();
    let message = stderr(&output);
    assert!(!output.status.success(), "`{program}` was built");
    for word in words {
        assert!(message.contains(word), "no `{word}` in:\n{message}");
    }
    assert!(!message.contains("panicked"), "{message}");
    assert!(
        !message.contains("linking with"),
        "rustc's own account of the link shows:\n{message}"
    );
}

#[test]
fn inline_assembly_is_refused() {
    refused("assembly", &["doubled", "assembly.rs", "inline assembly"]);
}

#[test]
fn a_function_without_a_body_is_refused() {
    refused(
        "no_body",
        &[
            "cannot differentiate `no_body::calls_opaque`",
            "src/bin/no_body.rs:6",
            "`opaque`",
        ],
    );
}

#[test]
fn floats_that_are_sorted_are_refused() {
    refused(
        "sorted_floats",
        &["median", "sorted_floats.rs", "floating-point numbers"],
    );
}

#[test]
fn structs_that_a_function_swaps_without_knowing_their_parts_are_refused() {
    refused(
        "swapped_structs",
        &[
            "swapped_structs::moved",
            "swapped_structs::exchange",
            "mem::swap",
        ],
    );
}

#[test]
fn a_list_of_enums_that_is_copied_is_refused() {
    refused("list_of_enums", &["list_of_enums::copied", "enum"]);
}

#[test]
fn floats_in_a_mutable_static_are_refused() {
    refused("scratch_static", &["through_static", "scratch_static.rs"]);
}

#[test]
fn a_result_that_shares_its_place_with_a_byte_is_refused() {
    refused(
        "result_byte",
        &["result_byte::result_byte", "result_byte.rs"],
    );
}

#[test]
fn rows_that_are_swapped_at_a_reverse_width_are_refused() {
    refused("wide_rows", &["at vector widths above 1", "wide_rows"]);
}

#[test]
fn the_largest_of_pairs_is_refused() {
    refused(
        "largest",
        &["largest.rs", "which memory holds floating-point", "help"],
    );
}

#[test]
fn an_endless_cycle_at_a_reverse_width_is_refused() {
    refused("cycle", &["cycle::cycled", "cycle.rs", "help"]);
}

#[test]
fn work_in_other_threads_is_refused() {
    refused("threads", &["in_threads", "threads.rs", "other threads"]);
}

#[test]
fn a_once_lock_that_is_filled_inside_is_refused() {
    refused(
        "once",
        &["once::once", "once.rs", "`OnceLock`", "`OnceCell`"],
    );
}

fn script(name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = package().join(name);
    write(&path, text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn with_engine(engine: &Path) -> String {
    let output = enzyme(&[
        "build",
        "--bin",
        "square",
        "--target-dir",
        engine.with_extension("target").to_str().unwrap(),
    ])
    .env("OXIDE_ENZYME_ENGINE", engine)
    .env("OXIDE_ENZYME_TIMEOUT", "1")
    .output()
    .unwrap();
    assert!(!output.status.success());
    stderr(&output)
}

#[test]
fn an_engine_that_hangs_is_stopped() {
    let message = with_engine(&script("hangs", "#!/bin/sh\nexec sleep 600\n"));
    assert!(
        message.contains("did not finish within 1 s") && message.contains("OXIDE_ENZYME_TIMEOUT"),
        "{message}"
    );
}

#[test]
fn an_engine_that_says_nothing_is_an_error() {
    let message = with_engine(&script("silent", "#!/bin/sh\nexit 0\n"));
    assert!(message.contains("said nothing"), "{message}");
}

#[test]
fn an_engine_that_is_killed_is_an_error() {
    let message = with_engine(&script("killed", "#!/bin/sh\necho partial\nkill -9 $$\n"));
    assert!(
        message.contains("square") && message.contains("engine.log"),
        "{message}"
    );
}

#[test]
fn without_the_driver_a_derivative_is_one_message() {
    let output = command(env!("CARGO"))
        .args(["build", "--bin", "square"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("cargo enzyme build"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn without_the_driver_a_program_links_that_uses_no_derivative() {
    let output = command(env!("CARGO"))
        .args(["run", "--bin", "unused"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "9\n",
        "{}",
        stderr(&output)
    );
}

#[test]
fn with_the_driver_it_runs() {
    let output = enzyme(&["run", "--bin", "square"]).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "(9.0, 6.0)\n",
        "{}",
        stderr(&output)
    );
}
