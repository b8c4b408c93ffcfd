//! Holds random programs, differentiated by the driver, against the same programs run on dual numbers.
//!
//! The build script writes the programs; `tests` run them: `cargo enzyme test -p property`.

mod dual;

pub use dual::{Dual32, Dual64, Evaluated, ties};

/// A derivative: from a point, and seeds or tangents, to the outputs and to the gradient or their tangents.
pub type Derivative = fn(&[f64], &[f64]) -> (Vec<f64>, Vec<f64>);

/// A program in its two forms.
pub struct Program {
    /// Its module.
    pub name: &'static str,
    /// Its text.
    pub source: &'static str,
    /// How many floats go in.
    pub inputs: usize,
    /// How many floats come out.
    pub outputs: usize,
    /// Whether it computes in `f32`.
    pub single: bool,
    /// The driver's derivatives.
    pub reverse: Derivative,
    /// See `reverse`.
    pub forward: Derivative,
    /// The program on dual numbers.
    pub dual: fn(&[f64], &[f64]) -> Vec<Evaluated>,
}

/// The relative error that is allowed, of the sum of the magnitudes of all that a derivative is the sum of: cancellation
/// costs digits in any order of summation.
const fn tolerance(single: bool) -> f64 {
    if single { 2e-4 } else { 1e-11 }
}

/// At how many points each program is evaluated.
const POINTS: usize = 3;

#[derive(Default)]
struct Tally {
    compared: usize,
    /// Numbers of which cancellation leaves less than three digits: comparing them says little.
    vague: usize,
    /// Points at which the oracle itself is not finite.
    infinite: usize,
    /// Points at which a program is not smooth: there is no derivative to compare with.
    kinks: usize,
    mismatches: Vec<String>,
}

/// Compares all programs in both modes, and panics if any derivative is off.
pub fn check(seed: u64, programs: &[Program], left_out: [usize; 2]) {
    let mut tally = Tally::default();
    for program in programs {
        for point in 0..POINTS {
            let mut rng =
                fastrand::Rng::with_seed(seed ^ (point as u64) << 32 ^ program.inputs as u64);
            let before = tally.mismatches.len();
            compare(program, &mut rng, &mut tally);
            if tally.mismatches.len() > before {
                println!(
                    "{}, in which (see below) a derivative is off:\n{}",
                    program.name, program.source
                );
                break;
            }
        }
    }
    println!(
        "seed {seed}: {} programs at {POINTS} points each, {} numbers compared in both modes, {} of them vague; \
         {} points were not finite, {} at kinks",
        programs.len(),
        tally.compared,
        tally.vague,
        tally.infinite,
        tally.kinks,
    );
    println!(
        "left out of the whole run: {} programs that the driver refuses, {} with known bugs",
        left_out[0], left_out[1]
    );
    for mismatch in &tally.mismatches {
        println!("MISMATCH {mismatch}");
    }
    assert!(
        tally.mismatches.is_empty(),
        "seed {seed}: {} derivatives are off",
        tally.mismatches.len()
    );
    assert_eq!(tally.infinite, 0, "programs are finite by construction");
    assert!(
        tally.kinks * 50 <= programs.len() * POINTS,
        "programs are smooth nearly everywhere"
    );
    assert!(
        tally.vague * 6 <= tally.compared,
        "too many comparisons say little"
    );
}

fn numbers(rng: &mut fastrand::Rng, count: usize, single: bool) -> Vec<f64> {
    let round = |x: f64| if single { f64::from(x as f32) } else { x };
    (0..count).map(|_| round(rng.f64() * 3.0 - 1.5)).collect()
}

fn compare(program: &Program, rng: &mut fastrand::Rng, tally: &mut Tally) {
    let x = numbers(rng, program.inputs, program.single);
    let tangent = numbers(rng, program.inputs, program.single);
    let seeds = numbers(rng, program.outputs, program.single);
    let ties_before = ties();
    let forward = (program.dual)(&x, &tangent);
    let gradient: Vec<Evaluated> = (0..program.inputs)
        .map(|i| {
            let mut unit = vec![0.0; program.inputs];
            unit[i] = 1.0;
            weighted(&(program.dual)(&x, &unit), &seeds)
        })
        .collect();
    if forward.iter().chain(&gradient).any(|e| !e.is_finite()) {
        tally.infinite += 1;
        return;
    }
    if ties() > ties_before {
        tally.kinks += 1;
        return;
    }
    let (values, tangents) = (program.forward)(&x, &tangent);
    let (values_too, slopes) = (program.reverse)(&x, &seeds);
    let mut hold = |what: &str,
                    actual: &[f64],
                    expected: Vec<Evaluated>,
                    of: fn(&Evaluated) -> f64,
                    scale: fn(&Evaluated) -> f64| {
        for (n, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            let allowed =
                tolerance(program.single) * scale(&expected) + f64::from(f32::MIN_POSITIVE);
            let expected = of(&expected);
            tally.compared += 1;
            tally.vague += usize::from(allowed > 1e-3 * expected.abs() + 1e-6);
            if actual.is_nan() || (actual - expected).abs() > allowed {
                tally.mismatches.push(format!(
                    "{} ({}), {what} {n}: the driver says {actual:e}, dual numbers say {expected:e} (allowed: {allowed:.1e}) at {x:?}",
                    program.name,
                    if program.single { "f32" } else { "f64" },
                ));
                return;
            }
        }
    };
    let size: fn(&Evaluated) -> f64 = |e| e.value.abs() + 1.0;
    hold(
        "value in forward mode",
        &values,
        forward.clone(),
        |e| e.value,
        size,
    );
    hold(
        "value in reverse mode",
        &values_too,
        forward.clone(),
        |e| e.value,
        size,
    );
    hold(
        "tangent",
        &tangents,
        forward,
        |e| e.tangent,
        |e| e.magnitude,
    );
    hold(
        "gradient",
        &slopes,
        gradient,
        |e| e.tangent,
        |e| e.magnitude,
    );
}

/// One component of a gradient.
fn weighted(outputs: &[Evaluated], seeds: &[f64]) -> Evaluated {
    let sum = |term: fn(&Evaluated, f64) -> f64| {
        outputs.iter().zip(seeds).map(|(e, s)| term(e, *s)).sum()
    };
    Evaluated {
        value: 0.0,
        tangent: sum(|e, s| e.tangent * s),
        magnitude: sum(|e, s| e.magnitude * s.abs()),
    }
}
