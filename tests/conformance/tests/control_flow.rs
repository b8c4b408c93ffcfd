//! Loops, branches, recursion, closures, early exits.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_newton, Active, Active)]
#[autodiff_forward(fwd_newton, Dual, Dual)]
fn square_root_by_newton(a: f64) -> f64 {
    let mut x = a;
    while (x * x - a).abs() > 1e-14 * a {
        x = 0.5 * (x + a / x);
    }
    x
}

#[test]
fn a_while_loop_runs_until_it_converges() {
    let (root, slope) = rev_newton(9.0, 1.0);
    assert_close(root, 3.0);
    conformance::assert_near(slope, 1.0 / 6.0, 1e-12);
    conformance::assert_near(fwd_newton(9.0, 1.0).1, 1.0 / 6.0, 1e-12);
}

#[autodiff_reverse(rev_power, Active, Const, Active)]
#[autodiff_forward(fwd_power, Dual, Const, Dual)]
fn power(x: f64, n: u32) -> f64 {
    match n {
        0 => 1.0,
        n if n % 2 == 0 => power(x * x, n / 2),
        n => x * power(x, n - 1),
    }
}

#[test]
fn recursion_is_followed() {
    for n in [0, 1, 2, 7, 20] {
        let slope = f64::from(n) * 1.25_f64.powi(n as i32 - 1);
        assert_close(rev_power(1.25, n, 1.0).1, slope);
        assert_close(fwd_power(1.25, 1.0, n).1, slope);
    }
}

#[autodiff_reverse(rev_mutual, Active, Const, Active)]
fn even_steps(x: f64, n: u32) -> f64 {
    if n == 0 { x } else { odd_steps(x.sin(), n - 1) }
}

fn odd_steps(x: f64, n: u32) -> f64 {
    if n == 0 {
        x
    } else {
        even_steps(x.exp(), n - 1)
    }
}

#[test]
fn mutual_recursion_is_followed() {
    let x = 0.5_f64;
    assert_close(
        rev_mutual(x, 3, 1.0).1,
        x.sin().exp().cos() * x.sin().exp() * x.cos(),
    );
}

#[autodiff_reverse(rev_early, Duplicated, Const, Active)]
fn sum_until(x: &[f64], limit: f64) -> f64 {
    let mut sum = 0.0;
    for x in x {
        if sum > limit {
            return sum * sum;
        }
        sum += x;
    }
    -sum
}

#[test]
fn an_early_return_leaves_the_rest_without_gradient() {
    let (x, mut dx) = ([1.0, 2.0, 3.0, 4.0], [0.0; 4]);
    assert_close(rev_early(&x, &mut dx, 2.5, 1.0), 9.0);
    assert_all_close(&dx, &[6.0, 6.0, 0.0, 0.0]);
    dx = [0.0; 4];
    assert_close(rev_early(&x, &mut dx, 100.0, 1.0), -10.0);
    assert_all_close(&dx, &[-1.0; 4]);
}

#[autodiff_reverse(rev_labels, Duplicated, Active)]
fn labelled(x: &[f64]) -> f64 {
    let mut product = 1.0;
    'outer: for a in x {
        for b in x {
            if a * b > 5.0 {
                break 'outer;
            }
            if a > b {
                continue 'outer;
            }
            product *= a * b;
        }
    }
    product
}

#[test]
fn labelled_breaks_and_continues_work() {
    // 1: times 1 1, 1 2, 1 3; then 2: stops at 1.
    let (x, mut dx) = ([1.0, 2.0, 3.0], [0.0; 3]);
    assert_close(rev_labels(&x, &mut dx, 1.0), 6.0);
    assert_all_close(&dx, &[24.0, 3.0, 2.0]);
}

#[derive(Clone, Copy)]
enum Activation {
    Identity,
    Relu,
    Leaky(f64),
    Power { exponent: i32 },
}

#[autodiff_reverse(rev_activation, Const, Active, Active)]
#[autodiff_forward(fwd_activation, Const, Dual, Dual)]
fn activate(kind: Activation, x: f64) -> f64 {
    match kind {
        Activation::Identity => x,
        Activation::Relu if x > 0.0 => x,
        Activation::Relu => 0.0,
        Activation::Leaky(slope) => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        Activation::Power { exponent } => x.powi(exponent),
    }
}

#[test]
fn a_match_on_an_enum_selects_the_branch() {
    let cases = [
        (Activation::Identity, 1.0),
        (Activation::Relu, 0.0),
        (Activation::Leaky(0.125), 0.125),
        (Activation::Power { exponent: 3 }, 12.0),
    ];
    for (kind, slope) in cases {
        assert_close(rev_activation(kind, -2.0, 1.0).1, slope);
        assert_close(fwd_activation(kind, -2.0, 1.0).1, slope);
    }
}

fn checked_log(x: f64) -> Option<f64> {
    (x > 0.0).then(|| x.ln())
}

fn sum_of_logs(x: f64, y: f64) -> Option<f64> {
    Some(checked_log(x)? + 2.0 * checked_log(y)?)
}

#[autodiff_reverse(rev_option, Active, Active, Active)]
#[autodiff_forward(fwd_option, Dual, Dual, Dual)]
fn with_options(x: f64, y: f64) -> f64 {
    match sum_of_logs(x, y) {
        Some(sum) => sum * x,
        None => x * y,
    }
}

#[test]
fn options_carry_active_values() {
    let (x, y) = (2.0_f64, 3.0_f64);
    let value = (x.ln() + 2.0 * y.ln()) * x;
    let (primal, dx, dy) = rev_option(x, y, 1.0);
    assert_close(primal, value);
    assert_close(dx, value / x + 1.0);
    assert_close(dy, 2.0 * x / y);
    assert_close(fwd_option(x, 1.0, y, 0.0).1, value / x + 1.0);
    assert_eq!(rev_option(x, -3.0, 1.0), (-6.0, -3.0, 2.0));
}

enum Problem {
    Negative,
    TooLarge,
}

/// An error that holds a pointer, such as a `String`, is refused: it would share its place with the float.
fn checked_root(x: f64) -> Result<f64, Problem> {
    if x < 0.0 {
        Err(Problem::Negative)
    } else if x > 1e9 {
        Err(Problem::TooLarge)
    } else {
        Ok(x.sqrt())
    }
}

#[autodiff_reverse(rev_result, Active, Active)]
fn with_results(x: f64) -> f64 {
    match checked_root(x).and_then(|root| checked_root(root - 2.0)) {
        Ok(root) => root,
        Err(Problem::Negative) => -x,
        Err(Problem::TooLarge) => 0.0,
    }
}

#[test]
fn results_carry_active_values() {
    assert_close(rev_result(16.0, 1.0).1, 0.125 / (2.0 * 2.0_f64.sqrt()));
    assert_eq!(rev_result(1.0, 1.0), (-1.0, -1.0));
    assert_eq!(rev_result(-1.0, 1.0), (1.0, -1.0));
}

fn twice(f: impl Fn(f64) -> f64) -> impl Fn(f64) -> f64 {
    move |x| f(f(x))
}

#[autodiff_reverse(rev_closures, Active, Active, Active)]
#[autodiff_forward(fwd_closures, Dual, Dual, Dual)]
fn closures(x: f64, scale: f64) -> f64 {
    let scaled = |x: f64| scale * x * x;
    twice(scaled)(x)
}

#[test]
fn closures_capture_active_values() {
    // s (s x^2)^2 = s^3 x^4
    assert_eq!(rev_closures(2.0, 3.0, 1.0), (432.0, 864.0, 432.0));
    assert_eq!(fwd_closures(2.0, 1.0, 3.0, 1.0), (432.0, 1296.0));
}

#[autodiff_reverse(rev_function_pointer, Active, Const, Active)]
fn call_pointer(x: f64, second: bool) -> f64 {
    let functions: [fn(f64) -> f64; 2] = [f64::sin, f64::exp];
    functions[usize::from(second)](x)
}

#[test]
fn function_pointers_in_the_primal_are_followed() {
    assert_close(rev_function_pointer(0.5, false, 1.0).1, 0.5_f64.cos());
    assert_close(rev_function_pointer(0.5, true, 1.0).1, 0.5_f64.exp());
}

#[autodiff_reverse(rev_iterators, Duplicated, Duplicated, Active)]
#[autodiff_forward(fwd_iterators, Dual, Dual, Dual)]
fn iterators(x: &[f64], y: &[f64]) -> f64 {
    let pairs = x.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
    let chunks = y
        .chunks(2)
        .map(|chunk| chunk.iter().product::<f64>())
        .fold(0.0, |sum, product| sum + product);
    let zipped = x
        .iter()
        .rev()
        .zip(y.iter().skip(1).step_by(2))
        .map(|(x, y)| x * y)
        .sum::<f64>();
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    pairs + chunks + zipped * largest
}

#[test]
fn chains_of_iterators_work() {
    // pairs: 1 2 + 2 3; chunks: 4 5 + 6 7; zipped: 3 5 + 2 7 = 29; largest: 3.
    let (x, y) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]);
    let (mut dx, mut dy) = ([0.0; 3], [0.0; 4]);
    assert_close(rev_iterators(&x, &mut dx, &y, &mut dy, 1.0), 157.0);
    assert_all_close(&dx, &[2.0, 4.0 + 21.0, 2.0 + 15.0 + 29.0]);
    assert_all_close(&dy, &[5.0, 4.0 + 9.0, 7.0, 6.0 + 6.0]);
    assert_close(fwd_iterators(&x, &[1.0; 3], &y, &[0.0; 4]).1, 73.0);
}

#[autodiff_reverse(rev_integers, Duplicated, Const, Const, Active)]
fn gather(x: &[f64], indices: &[usize], signs: &[i8]) -> f64 {
    indices
        .iter()
        .zip(signs)
        .map(|(i, sign)| f64::from(*sign) * x[*i] * x[*i])
        .sum()
}

#[test]
fn slices_of_integers_are_constant() {
    let (x, mut dx) = ([1.0, 2.0, 3.0], [0.0; 3]);
    assert_close(
        rev_integers(&x, &mut dx, &[2, 0, 2], &[1, -1, 1], 1.0),
        17.0,
    );
    assert_all_close(&dx, &[-2.0, 0.0, 12.0]);
}

#[autodiff_reverse(rev_bits, Active, Const, Active)]
fn with_bits(x: f64, mask: u64) -> f64 {
    let mut value = x;
    for bit in 0..8 {
        if mask >> bit & 1 == 1 {
            value *= x;
        } else {
            value += f64::from(mask.count_ones());
        }
    }
    value
}

#[test]
fn integer_arithmetic_decides_branches() {
    // From bit 0: x x, + 2 (six times), x at bit 7.
    let x = 1.5_f64;
    let (value, slope) = rev_bits(x, 0b1000_0001, 1.0);
    assert_close(value, (x * x + 12.0) * x);
    assert_close(slope, 3.0 * x * x + 12.0);
}
