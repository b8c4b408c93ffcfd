//! What other crates do that cannot be differentiated is an error that names the function and says why. All functions are in one
//! program, `examples/refused.rs`, which is built once.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// `"crate: what" function ["words of the message", ...]`
macro_rules! refused {
    ($($(#[$when:meta])? $what:literal $name:ident [$($word:literal),*];)*) => {$(
        $(#[$when])?
        #[test]
        fn $name() {
            let message = message_about(stringify!($name));
            let words: &[&str] = &[$($word),*];
            for word in words {
                assert!(message.contains(word), "no `{word}` in:\n{message}");
            }
        }
    )*};
}

refused! {
    "rayon: parallel iterators inside of what is differentiated" rayon_sum ["other threads", "call derivatives from several"];
    "ndarray: `IxDyn`" ndarray_dynamic ["which memory holds floating-point"];
    "statrs: `gamma_lr`, `gamma_ur`" statrs_gamma_lr ["which memory holds floating-point"];
    "libm: `exp10f`" libm_exp10f ["no rule for an operation"];
    #[cfg(not(debug_assertions))]
    "libm: `tgamma`, in release" libm_tgamma ["no rule for an operation"];
    #[cfg(not(debug_assertions))]
    "libm: `fma`, `sqrt`, in release" libm_fma ["inline assembly"];
    #[cfg(not(debug_assertions))]
    "special: `gamma`, in release" special_gamma ["no rule for an operation"];
    #[cfg(not(debug_assertions))]
    "itertools: `chunks`, in release" itertools_chunks ["no rule for an operation"];
    "rand: `StdRng`, in a loop" rand_std_rng ["no rule for an operation"];
    "rand_distr: `Uniform`, by its bounds" rand_distr_uniform ["no rule for an operation"];
    "smallvec: `SmallVec`" smallvec_push ["which memory holds floating-point"];
    "serde_json: `to_string`, not in an `#[inactive]` function" serde_json_write ["inline assembly"];
    "serde_json: `from_str`, not in an `#[inactive]` function" serde_json_read [];
    "serde_json: `json!` of numbers that are differentiated" serde_json_value ["which memory holds floating-point"];
}

/// What is said of one function of the program.
fn message_about(function: &str) -> &'static str {
    let messages = messages();
    let start =
        format!("error: cannot differentiate `refused::{function}::{function}` (reverse mode)");
    let Some((_, message)) = messages.split_once(&start) else {
        panic!("`{function}` is not refused:\n{messages}");
    };
    let message = message.split("\nerror").next().unwrap_or(message);
    assert!(message.contains("\n  --> "), "no place in:\n{message}");
    assert!(message.contains("\n  help: "), "no help in:\n{message}");
    message
}

/// What the build says, which must fail.
fn messages() -> &'static str {
    static MESSAGES: OnceLock<String> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        let mut command = enzyme();
        command.args(["build", "--quiet", "--package", "real-crates"]);
        command.args(["--example", "refused", "--features", "refused"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let output = command.output().unwrap();
        assert!(!output.status.success(), "the program was built");
        String::from_utf8(output.stderr).unwrap()
    })
}

/// The `cargo enzyme` that runs this test, without what it put into the environment.
fn enzyme() -> Command {
    let wrapper = std::env::var_os("RUSTC_WRAPPER").expect("run by `cargo enzyme test`");
    let program = Path::new(&wrapper).canonicalize().unwrap();
    let mut command = Command::new(program);
    command.arg("enzyme").env_remove("RUSTC_WRAPPER");
    for (name, _) in std::env::vars() {
        if name.starts_with("OXIDE_ENZYME_") && name != "OXIDE_ENZYME_HOME" {
            command.env_remove(name);
        }
    }
    command
}
