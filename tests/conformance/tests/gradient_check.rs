//! Checked mode: under `cargo enzyme test --check-gradients` every derivative that is called is compared with finite
//! differences. Without it these tests only hold that derivatives and their programs are as ever.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse, inactive, unchecked};

/// Whether this build checks.
const CHECKED: bool = option_env!("OXIDE_ENZYME_CHECK_GRADIENTS").is_some();

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

#[autodiff_reverse(rev_in_out, Duplicated, Active, Active)]
#[autodiff_forward(fwd_in_out, Dual, Dual, Dual)]
fn in_out(x: &mut [f64], y: f64) -> f64 {
    RUNS.set(RUNS.get() + 1);
    for x in x.iter_mut() {
        *x = x.sin() * y;
    }
    x.iter().sum()
}

#[test]
fn the_programs_data_are_as_without_checks() {
    let (mut x, mut dx) = ([1.0, 2.0], [3.0, 5.0]);
    RUNS.set(0);
    let (value, dy) = rev_in_out(&mut x, &mut dx, 10.0, 1.0);
    let (s, c) = ([1.0f64.sin(), 2.0f64.sin()], [1.0f64.cos(), 2.0f64.cos()]);
    assert_all_close(&x, &[10.0 * s[0], 10.0 * s[1]]);
    assert_close(value, 10.0 * (s[0] + s[1]));
    assert_close(dy, 4.0 * s[0] + 6.0 * s[1]);
    assert_all_close(&dx, &[40.0 * c[0], 60.0 * c[1]]);
    assert_eq!(RUNS.get() > 1, CHECKED, "{} runs", RUNS.get());
    let (mut x, mut bx) = ([1.0, 2.0], [1.0, 0.0]);
    fwd_in_out(&mut x, &mut bx, 10.0, 0.0);
    assert_all_close(&x, &[10.0 * s[0], 10.0 * s[1]]);
    assert_all_close(&bx, &[10.0 * c[0], 0.0]);
}

#[derive(Shadow)]
struct Model {
    weights: Vec<f64>,
    bias: (f32, Option<f64>),
    name: String,
}

#[autodiff_reverse(rev_model, Duplicated, Const, Active)]
fn model(m: &Model, n: usize) -> f64 {
    let sum: f64 = m.weights.iter().map(|w| w * w * n as f64).sum();
    sum * f64::from(m.bias.0) + m.bias.1.unwrap_or(0.0) + m.name.len() as f64
}

#[autodiff_reverse(rev_growing, Duplicated, Const, Active)]
fn growing(m: &mut Model, n: usize) -> f64 {
    m.weights.push(n as f64);
    model(m, n)
}

fn filled(fill: f64) -> Model {
    let mut weights = Vec::with_capacity(8);
    weights.extend([fill, 2.0 * fill]);
    Model {
        weights,
        bias: (fill as f32, Some(fill)),
        name: "abc".to_owned(),
    }
}

#[test]
fn structs_with_lists_are_checked_too() {
    let mut dm = filled(0.0);
    assert_close(rev_model(&filled(1.0), &mut dm, 2, 1.0), 14.0);
    assert_all_close(&dm.weights, &[4.0, 8.0]);
    assert_eq!(dm.bias, (10.0, Some(1.0)));
}

#[test]
fn a_list_that_grows_is_not_checked() {
    let (mut m, mut dm) = (filled(1.0), filled(0.0));
    assert_close(rev_growing(&mut m, &mut dm, 2, 1.0), 22.0);
    assert_eq!(m.weights, [1.0, 2.0, 2.0]);
    assert_all_close(&dm.weights[..2], &[4.0, 8.0]);
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[autodiff_reverse(rev_counting, Active, Active)]
#[autodiff_forward(fwd_counting, Dual, Dual)]
fn counting(x: f64) -> f64 {
    // What the primal gives grows by the call, which no derivative can know.
    CALLS.fetch_add(1, Ordering::Relaxed) as f64 * 1e-3 * x * x
}

#[test]
fn a_derivative_that_differences_contradict_is_an_error() {
    let outcome = std::panic::catch_unwind(|| rev_misread(3.0, 1.0));
    assert_eq!(outcome.is_err(), CHECKED);
    if let Err(message) = outcome {
        let message = message.downcast::<String>().unwrap();
        for part in [
            "reverse derivative `gradient_check::rev_misread`",
            "gradient_check.rs",
            "step",
            "relative error",
            "tolerance",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
    assert_eq!(
        std::panic::catch_unwind(|| fwd_misread(3.0, 1.0)).is_err(),
        CHECKED
    );
}

/// The second term is called inactive, which it is not, so that its derivative is lost on purpose.
#[autodiff_reverse(rev_misread, Active, Active)]
#[autodiff_forward(fwd_misread, Dual, Dual)]
fn misread(x: f64) -> f64 {
    x + 2.0 * forgotten(x)
}

#[inactive]
fn forgotten(x: f64) -> f64 {
    x
}

#[test]
fn checks_can_be_left_out() {
    let (_, slope) = unchecked(|| rev_misread(3.0, 1.0));
    assert_close(slope, 1.0);
    unchecked(|| rev_counting(1.0, 1.0));
    unchecked(|| fwd_counting(1.0, 1.0));
}

#[autodiff_reverse(rev_corner, Active, Active)]
fn corner(x: f64) -> f64 {
    x.abs() * 2.0
}

#[test]
fn a_corner_is_inconclusive_and_no_error() {
    let (value, slope) = rev_corner(0.0, 1.0);
    assert_eq!(value, 0.0);
    assert!(slope.abs() <= 2.0);
}

#[autodiff_reverse(rev_single, Duplicated, Active)]
fn single(x: &[f32]) -> f32 {
    x.iter().map(|x| x.exp()).sum()
}

#[test]
fn single_precision_has_a_tolerance_of_its_own() {
    let mut dx = [0.0; 2];
    rev_single(&[1.0, -2.0], &mut dx, 1.0);
    conformance::assert_near(f64::from(dx[0]), 1f64.exp(), conformance::SINGLE);
}
