//! Python calls a derivative through ctypes.

use std::path::Path;
use std::process::{Command, Stdio};

/// The shared library lies beside the test.
fn library() -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    let name = format!(
        "{}python_gradients{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    test.with_file_name(name)
}

#[test]
fn python_gets_the_gradient() {
    if Command::new("python3")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        eprintln!("SKIPPED: there is no python3 to call the shared library from");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/call.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(library())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.starts_with("softmax 0.1"), "{text}");
}
