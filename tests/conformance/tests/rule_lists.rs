//! Rules by hand for functions that take and give `Vec`s by value.

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse, autodiff_reverse_split, custom_reverse};

// The rules are wrong on purpose, by a factor of ten: that shows that they are used.
#[custom_reverse(d_powers, Active, Active)]
fn powers(x: f64) -> Vec<f64> {
    vec![x, x * x]
}

fn d_powers(x: f64, dret: Vec<f64>) -> f64 {
    assert_eq!(dret.len(), 2);
    10.0 * (dret[0] + 2.0 * x * dret[1])
}

#[autodiff_reverse(d_once, Active, Active)]
#[autodiff_reverse_split(split_once, Active, Active)]
#[autodiff_forward(t_once, Dual, Dual)]
fn once(x: f64) -> f64 {
    let y = powers(x);
    y[0] * 3.0 + y[1]
}

#[test]
fn a_rule_is_given_the_adjoint_of_a_list() {
    assert_eq!(d_once(2.0, 1.0), (10.0, 70.0));
    assert_eq!(t_once(2.0, 1.0), (10.0, 7.0));
    let (value, tape) = split_once(2.0);
    assert_eq!((value, tape.reverse(2.0)), (10.0, 140.0));
}

#[autodiff_reverse(d_in_a_loop, Active, Active)]
fn in_a_loop(x: f64) -> f64 {
    let mut sum = 0.0;
    for step in 1..=4 {
        let y = powers(x * step as f64);
        sum += y[0] * y[1];
    }
    sum
}

#[test]
fn each_round_of_a_loop_has_its_own_list() {
    // (1 + 8 + 27 + 64) x³
    let (value, slope) = d_in_a_loop(1.5, 1.0);
    assert_close(value, 100.0 * 1.5f64.powi(3));
    assert_close(slope, 3000.0 * 1.5 * 1.5);
}

#[custom_reverse(d_product, Duplicated, Active)]
fn product(x: &[f64]) -> Vec<f64> {
    vec![x[0] * x[1], x[0]]
}

fn d_product(x: &[f64], dx: &mut [f64], dret: Vec<f64>) {
    dx[0] += dret[0] * x[1] + dret[1];
    dx[1] += dret[0] * x[0];
}

#[autodiff_reverse(d_chained, Duplicated, Active)]
fn chained(x: &[f64]) -> f64 {
    // (a b, a), (a² b, a b), (a³ b², a² b)
    let mut y = x.to_vec();
    for _ in 0..3 {
        y = product(&y);
    }
    y[0] + y[1]
}

#[test]
fn lists_go_from_rule_to_rule() {
    let (x, mut dx) = ([1.5, 0.5], [0.0; 2]);
    let (a, b): (f64, f64) = (x[0], x[1]);
    assert_close(d_chained(&x, &mut dx, 1.0), a.powi(3) * b * b + a * a * b);
    let expected = [
        3.0 * a * a * b * b + 2.0 * a * b,
        2.0 * a.powi(3) * b + a * a,
    ];
    assert_all_close(&dx, &expected);
}

#[autodiff_reverse(d_kept, Duplicated, Active)]
fn kept(x: &[f64]) -> f64 {
    let mut all = Vec::new();
    for part in x.chunks(2) {
        all.push(product(part));
    }
    all.swap(0, 1);
    all[1].push(x[3]);
    all[0][1] *= 3.0;
    all.iter().flatten().sum()
}

#[test]
fn what_a_rule_gives_may_be_kept_moved_and_changed() {
    let (x, mut dx) = ([2.0, 3.0, 5.0, 7.0], [0.0; 4]);
    assert_close(d_kept(&x, &mut dx, 1.0), 6.0 + 2.0 + 7.0 + 35.0 + 15.0);
    assert_all_close(&dx, &[4.0, 2.0, 10.0, 6.0]);
}

#[custom_reverse(d_scaled, Active, Active, Active)]
fn scaled(list: Vec<f64>, by: f64) -> Vec<f64> {
    list.into_iter().map(|item| item * by).collect()
}

fn d_scaled(list: Vec<f64>, by: f64, dret: Vec<f64>) -> (Vec<f64>, f64) {
    let slope = list.iter().zip(&dret).map(|(x, d)| x * d).sum();
    (dret.iter().map(|d| d * by).collect(), slope)
}

#[autodiff_reverse(d_by_value, Duplicated, Active, Active)]
fn by_value(x: &[f64], by: f64) -> f64 {
    let mut sum = 0.0;
    for (step, part) in x.windows(2).enumerate() {
        let y = scaled(part.to_vec(), by * step as f64);
        sum += y[0] * y[1];
    }
    sum
}

#[test]
fn lists_go_in_by_value() {
    // by² (b c + 4 c d)
    let (x, mut dx) = ([2.0, 3.0, 5.0, 7.0], [0.0; 4]);
    let (value, slope) = d_by_value(&x, &mut dx, 0.5, 1.0);
    assert_close(value, 0.25 * 155.0);
    assert_close(slope, 155.0);
    assert_all_close(&dx, &[0.0, 1.25, 0.25 * 31.0, 5.0]);
}

#[custom_reverse(d_both, Active, Active)]
fn both(x: f64) -> (f64, Vec<f64>, Vec<[f64; 2]>) {
    (x * x, vec![x; 3], vec![[x, 2.0 * x]])
}

fn d_both(x: f64, (a, b, c): (f64, Vec<f64>, Vec<[f64; 2]>)) -> f64 {
    2.0 * x * a + b.iter().sum::<f64>() + c[0][0] + 2.0 * c[0][1]
}

#[autodiff_reverse(d_through_both, Active, Active)]
fn through_both(x: f64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..2 {
        let (a, b, c) = both(x);
        sum += a * b[1] + c[0][1];
    }
    sum
}

#[test]
fn lists_and_floats_come_together() {
    let (value, slope) = d_through_both(3.0, 1.0);
    assert_close(value, 66.0);
    assert_close(slope, 58.0);
}
