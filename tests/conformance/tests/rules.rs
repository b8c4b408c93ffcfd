//! Derivatives by hand, and functions without one.

use std::cell::Cell;

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{
    autodiff_forward, autodiff_reverse, custom_forward, custom_reverse, inactive, known_as,
};

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

fn calls_during(work: impl FnOnce()) -> u32 {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

// The rules are wrong on purpose, by a factor of ten: that shows that they are used.
#[custom_reverse(d_tenfold, Active, Active)]
#[custom_forward(t_tenfold, Dual, Dual)]
fn square(x: f64) -> f64 {
    x * x
}

fn d_tenfold(x: f64, dret: f64) -> f64 {
    CALLS.set(CALLS.get() + 1);
    20.0 * x * dret
}

fn t_tenfold(x: f64, bx: f64) -> (f64, f64) {
    CALLS.set(CALLS.get() + 1);
    (x * x, 20.0 * x * bx)
}

#[autodiff_reverse(d_sum, Active, Active)]
#[autodiff_forward(t_sum, Dual, Dual)]
fn sum(x: f64) -> f64 {
    square(x) + 3.0 * x
}

#[test]
fn the_rule_takes_the_place_of_enzymes_derivative() {
    assert_eq!(square(3.0), 9.0);
    let calls = calls_during(|| assert_eq!(d_sum(2.0, 1.0), (10.0, 43.0)));
    assert_eq!(calls, 1);
    let calls = calls_during(|| assert_eq!(t_sum(2.0, 0.5), (10.0, 21.5)));
    assert_eq!(calls, 1);
}

#[autodiff_reverse(d_iterated, Active, Active)]
#[autodiff_forward(t_iterated, Dual, Dual)]
fn iterated(x: f64) -> f64 {
    let mut y = x;
    for _ in 0..3 {
        y = square(y);
    }
    y
}

#[test]
fn each_call_in_a_loop_has_its_own_arguments() {
    // x^8 with each of three derivatives ten times too large.
    assert_close(d_iterated(1.5, 1.0).1, 8000.0 * 1.5f64.powi(7));
    assert_close(t_iterated(1.5, 1.0).1, 8000.0 * 1.5f64.powi(7));
}

#[custom_reverse(d_dot, Duplicated, Active, Const, Const, Active)]
#[custom_forward(t_dot, Dual, Dual, Const, Const, Dual)]
fn scaled_dot(x: &[f64], scale: f64, y: &[f64], skip: usize) -> f64 {
    scale * x.iter().zip(y).skip(skip).map(|(x, y)| x * y).sum::<f64>()
}

fn d_dot(x: &[f64], dx: &mut [f64], scale: f64, y: &[f64], skip: usize, dret: f64) -> f64 {
    for (dx, y) in dx.iter_mut().zip(y).skip(skip) {
        *dx += scale * y * dret;
    }
    dret * x.iter().zip(y).skip(skip).map(|(x, y)| x * y).sum::<f64>()
}

fn t_dot(x: &[f64], bx: &[f64], scale: f64, bscale: f64, y: &[f64], skip: usize) -> (f64, f64) {
    let dot = |x: &[f64]| x.iter().zip(y).skip(skip).map(|(x, y)| x * y).sum::<f64>();
    (scale * dot(x), bscale * dot(x) + scale * dot(bx))
}

#[autodiff_reverse(d_overwriting, Duplicated, Active, Active)]
#[autodiff_forward(t_overwriting, Dual, Dual, Dual)]
fn overwriting(x: &[f64], scale: f64) -> f64 {
    let mut buffer = x.to_vec();
    let mut total = 0.0;
    for step in 1..=3 {
        total += scaled_dot(&buffer, scale, &[1.0, 10.0, 100.0], 1);
        for value in &mut buffer {
            *value *= step as f64;
        }
    }
    total
}

#[test]
fn the_rule_sees_arguments_as_they_were() {
    // Factors of the buffer at the three calls: 1, 1, 2.
    let (x, mut dx) = ([1.0, 2.0, 3.0], [0.0; 3]);
    let (value, dscale) = d_overwriting(&x, &mut dx, 0.5, 1.0);
    assert_close(value, 0.5 * 320.0 * 4.0);
    assert_close(dscale, 320.0 * 4.0);
    assert_all_close(&dx, &[0.0, 20.0, 200.0]);
    assert_close(t_overwriting(&x, &[0.0, 1.0, 0.0], 0.5, 0.0).1, 20.0);
    assert_close(t_overwriting(&x, &[0.0; 3], 0.5, 1.0).1, 1280.0);
}

#[autodiff_reverse(d_constant_argument, Active, Active)]
#[autodiff_forward(t_constant_argument, Dual, Dual)]
fn constant_argument(scale: f64) -> f64 {
    static DATA: [f64; 2] = [2.0, 3.0];
    scaled_dot(&DATA, scale, &[1.0, 1.0], 0)
}

#[test]
fn a_reference_to_constant_data_has_no_shadow() {
    assert_eq!(d_constant_argument(2.0, 1.0), (10.0, 5.0));
    assert_eq!(t_constant_argument(2.0, 1.0), (10.0, 5.0));
}

struct Table {
    steps: Vec<f64>,
}

impl Table {
    #[custom_reverse(Self::d_look_up, Const, Active, Active)]
    fn look_up(&self, x: f64) -> f64 {
        self.steps[x as usize]
    }

    fn d_look_up(&self, x: f64, dret: f64) -> f64 {
        (self.steps[x as usize + 1] - self.steps[x as usize]) * dret
    }
}

impl Clone for Table {
    fn clone(&self) -> Table {
        Table {
            steps: self.steps.clone(),
        }
    }
}

#[autodiff_reverse(d_through_table, Const, Active, Active)]
fn through_table(table: &Table, x: f64) -> f64 {
    2.0 * table.look_up(x)
}

#[test]
fn a_method_has_a_rule() {
    let table = Table {
        steps: vec![0.0, 1.0, 4.0, 9.0],
    };
    assert_eq!(d_through_table(&table, 1.5, 1.0), (2.0, 6.0));
}

#[custom_reverse(d_softmax, Active, Active)]
fn softmax(x: [f64; 3]) -> [f64; 3] {
    let e = x.map(f64::exp);
    let sum: f64 = e.iter().sum();
    e.map(|e| e / sum)
}

fn d_softmax(x: [f64; 3], dret: [f64; 3]) -> [f64; 3] {
    let p = softmax(x);
    let inner: f64 = p.iter().zip(&dret).map(|(p, d)| p * d).sum();
    std::array::from_fn(|i| p[i] * (dret[i] - inner))
}

#[autodiff_reverse(d_loss, Active, Active)]
fn loss(x: [f64; 3]) -> f64 {
    -softmax(x)[1].ln()
}

#[test]
fn arrays_go_in_and_out() {
    let x = [0.5, -1.0, 2.0];
    let p = softmax(x);
    assert_all_close(&d_loss(x, 1.0).1, &[p[0], p[1] - 1.0, p[2]]);
}

#[custom_reverse(d_generic, Active, Active)]
fn generic<const N: usize>(x: [f64; N]) -> f64 {
    x.iter().sum()
}

fn d_generic<const N: usize>(_: [f64; N], dret: f64) -> [f64; N] {
    [7.0 * dret; N]
}

#[autodiff_reverse(d_two_instances, Active, Active)]
fn two_instances(x: f64) -> f64 {
    generic([x; 2]) + generic([x; 3])
}

#[test]
fn a_generic_function_has_a_rule_for_each_instance() {
    assert_eq!(d_two_instances(1.0, 1.0), (5.0, 35.0));
}

#[inactive]
fn weight(x: f64) -> f64 {
    x.floor() + x
}

#[inactive]
fn count(x: &[f64], seen: &mut usize) -> f64 {
    *seen += x.len();
    x.len() as f64 * x[0]
}

#[autodiff_reverse(d_weighted, Active, Active)]
#[autodiff_forward(t_weighted, Dual, Dual)]
fn weighted(x: f64) -> f64 {
    let mut seen = 1;
    let weight = weight(x) + count(&[x, x], &mut seen);
    weight * x * seen as f64
}

#[test]
fn what_comes_out_of_an_inactive_function_is_constant() {
    // weight = 2 + 2.5 + 5, seen = 3.
    assert_eq!(d_weighted(2.5, 1.0), (71.25, 28.5));
    assert_eq!(t_weighted(2.5, 1.0), (71.25, 28.5));
}

#[inactive]
fn stopped(x: f64) -> f64 {
    x
}

#[autodiff_reverse(d_through_stopped, Active, Active)]
#[autodiff_forward(t_through_stopped, Dual, Dual)]
fn through_stopped(x: f64) -> f64 {
    x * stopped(x)
}

#[test]
fn a_function_that_gives_its_argument_back_may_be_inactive() {
    assert_eq!(d_through_stopped(3.0, 1.0), (9.0, 3.0));
    assert_eq!(t_through_stopped(3.0, 1.0), (9.0, 3.0));
}

#[known_as(sin)]
fn constant_sine(_: f64) -> f64 {
    // So wrong that no derivative of it could pass for the cosine.
    0.25
}

#[autodiff_reverse(d_alias, Active, Active)]
#[autodiff_forward(t_alias, Dual, Dual)]
fn through_alias(x: f64) -> f64 {
    3.0 * constant_sine(x)
}

#[test]
fn a_function_known_by_name_has_the_derivative_of_that_name() {
    assert_close(d_alias(0.5, 1.0).1, 3.0 * 0.5f64.cos());
    assert_eq!(t_alias(0.5, 1.0).0, 0.75);
    assert_close(t_alias(0.5, 1.0).1, 3.0 * 0.5f64.cos());
}
