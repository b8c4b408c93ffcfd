//! A neural network that tells penguins of three species apart, trained with gradients by Enzyme.
//!
//! Run it with `cargo enzyme demo` (or `cargo enzyme run -p neural-network`), test it with
//! `cargo enzyme test -p neural-network`.
//!
//! The network is ordinary Rust: structs of `Vec`s, iterators, `collect`. The one line that asks for a derivative is the
//! attribute over `loss` in `network.rs`.

use std::process::ExitCode;
use std::time::Instant;

use network::{Network, gradient_error, loss};
use penguins::{FEATURES, SPECIES};
use random::Random;

mod network;
mod penguins;
mod random;
mod training;

/// Everything random follows from it.
const SEED: u64 = 2014;
/// Of the input, the hidden layers and the output.
const SIZES: &[usize] = &[FEATURES, 12, 8, SPECIES.len()];
const EPOCHS: usize = 200;
/// What a gradient may differ by from central finite differences, relative to the larger of the two.
const TOLERANCE: f64 = 1e-6;

fn main() -> ExitCode {
    let start = Instant::now();
    let mut random = Random(SEED);
    let (training, test) = penguins::split(&mut random);
    let mut network = Network::new(SIZES, &mut random);
    println!(
        "{} penguins to learn from, {} to test with; layers {SIZES:?}, {} parameters",
        training.len(),
        test.len(),
        network.parameters().count()
    );

    let before = gradient_error(&network, &training);
    training::train(&mut network, &training, EPOCHS, true);
    let after = gradient_error(&network, &training);

    println!(
        "\nloss       {:.4} (training), {:.4} (test)",
        loss(&network, &training),
        loss(&network, &test)
    );
    println!(
        "accuracy   {:.1} % (training), {:.1} % (test)",
        100.0 * network.accuracy(&training),
        100.0 * network.accuracy(&test)
    );
    report_gradient(before, after, start)
}

fn report_gradient(before: f64, after: f64, start: Instant) -> ExitCode {
    let passed = before <= TOLERANCE && after <= TOLERANCE;
    println!(
        "gradient   off from finite differences by at most {before:.1e} before and {after:.1e} after training; \
         {} (tolerance {TOLERANCE:.0e})",
        if passed { "passed" } else { "FAILED" },
    );
    println!("time       {:.2} s", start.elapsed().as_secs_f64());
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
