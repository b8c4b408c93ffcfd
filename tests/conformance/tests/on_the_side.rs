//! What primals do besides arithmetic: text, maps.

use std::collections::HashMap;
use std::hint::black_box;

use conformance::{X, assert_all_close, assert_close, assert_gradient, sum_of_squares, twice_x};
use oxide_enzyme::{autodiff_forward, autodiff_reverse, inactive};

#[autodiff_reverse(rev_text, Duplicated, Active)]
#[autodiff_forward(fwd_text, Dual, Dual)]
fn formats_on_the_side(x: &[f64]) -> f64 {
    let mut value = 0.0;
    for (i, x) in x.iter().enumerate() {
        let label = format!("item {i} of {}", "list".to_uppercase());
        value += x * x * label.len() as f64;
    }
    value
}

#[test]
fn text_may_be_formatted_on_the_side() {
    assert_gradient!(
        rev_text,
        fwd_text,
        X,
        14.0 * sum_of_squares(),
        twice_x().map(|x| 14.0 * x)
    );
}

#[autodiff_reverse(rev_float_text, Duplicated, Active)]
#[autodiff_forward(fwd_float_text, Dual, Dual)]
fn formats_its_values(x: &[f64]) -> f64 {
    let text = format!("{:.1}", x[0]);
    if text == "1.5" { x[0] * x[1] } else { 0.0 }
}

#[test]
fn values_may_be_formatted() {
    assert_gradient!(
        rev_float_text,
        fwd_float_text,
        X,
        -3.0,
        [-2.0, 1.5, 0.0, 0.0]
    );
}

#[autodiff_reverse(rev_lookup, Duplicated, Const, Active)]
#[autodiff_forward(fwd_lookup, Dual, Const, Dual)]
fn look_up(x: &[f64], places: &HashMap<String, usize>) -> f64 {
    let get = |name: &str| places.get(name).map_or(1.0, |place| x[*place]);
    get("mass") * get("speed").powi(2) * get("missing")
}

#[test]
fn a_hash_map_may_be_looked_up() {
    let places = HashMap::from([("mass".to_string(), 3), ("speed".to_string(), 0)]);
    let mut dx = [0.0; 4];
    assert_close(rev_lookup(&X, &mut dx, &places, 1.0), 6.75);
    assert_all_close(&dx, &[9.0, 0.0, 0.0, 2.25]);
    assert_close(fwd_lookup(&X, &[1.0, 0.0, 0.0, 0.0], &places).1, 9.0);
}

#[autodiff_reverse(rev_lengths, Duplicated, Active)]
fn scaled_by_the_lengths_of_texts(x: &[f64]) -> f64 {
    let texts: Vec<String> = x.iter().map(|x| format!("{x:.2}")).collect();
    let length: usize = texts.iter().map(String::len).sum();
    length as f64 * x.iter().sum::<f64>()
}

#[test]
fn what_formatting_made_can_be_read_in_both_passes() {
    let mut dx = [0.0; 3];
    let value = rev_lengths(&[1.5, 2.0, 0.5], &mut dx, 1.0);
    assert_eq!((value, dx), (48.0, [12.0; 3]));
}

#[derive(Clone, Copy)]
struct Sample {
    weight: f64,
    class: u64,
    value: f64,
}

#[autodiff_reverse(rev_samples, Duplicated, Active)]
fn of_samples(x: &[f64]) -> f64 {
    let samples: Vec<Sample> = (0..3)
        .map(|i| Sample {
            weight: x[i],
            class: i as u64,
            value: x[i] * x[i],
        })
        .collect();
    let mut reversed = samples.clone();
    reversed.reverse();
    samples
        .iter()
        .zip(&reversed)
        .map(|(a, b)| a.weight * b.value + a.class as f64 * b.weight)
        .sum()
}

#[test]
fn structs_of_floats_and_integers_may_be_copied_and_reversed() {
    // sum of x_i x_j^2 + i x_j with j = 2 - i
    let (x, mut dx) = ([1.0, 2.0, 3.0], [0.0; 3]);
    assert_eq!(rev_samples(&x, &mut dx, 1.0), 9.0 + 8.0 + 3.0 + 2.0 + 2.0);
    assert_eq!(dx, [9.0 + 6.0 + 2.0, 12.0 + 1.0, 6.0 + 1.0]);
}

/// Six in all, as texts.
const WEIGHTS: [&str; 3] = ["1.0", "3.0", "2.0"];

#[autodiff_reverse(rev_parsed, Duplicated, Active)]
#[autodiff_forward(fwd_parsed, Dual, Dual)]
fn parsed(x: &[f64]) -> f64 {
    let weights = WEIGHTS.iter().map(|text| text.parse::<f64>().unwrap());
    weights.map(|weight| weight * x[0] * x[0]).sum::<f64>() * x[1]
}

struct Weights([f64; 2]);

/// Writes to its argument and returns a list, in memory that the next round overwrites.
#[inactive]
fn weight(list: &mut Weights, round: usize) -> [f64; 12] {
    list.0[1] = [1.0, 3.0, 2.0][round];
    [list.0[1]; 12]
}

#[autodiff_reverse(rev_written, Duplicated, Active)]
#[autodiff_reverse(rev_written_2, 2, Duplicated, Active)]
#[autodiff_forward(fwd_written, Dual, Dual)]
fn written(x: &[f64]) -> f64 {
    let (mut list, mut sum) = (Weights([0.0; 2]), 0.0);
    for round in 0..3 {
        let returned = weight(&mut list, round);
        sum += (list.0[1] + returned[round]) / 2.0 * x[0] * x[0];
    }
    sum * x[1]
}

#[test]
fn what_inactive_functions_give_in_a_loop_counts_in_each_round() {
    assert_gradient!(rev_parsed, fwd_parsed, [3.0, 2.0], 108.0, [72.0, 54.0]);
    assert_gradient!(rev_written, fwd_written, [3.0, 2.0], 108.0, [72.0, 54.0]);
    let (mut first, mut second) = ([0.0; 2], [0.0; 2]);
    rev_written_2(&[3.0, 2.0], &mut first, &mut second, [1.0, 2.0]);
    assert_eq!((first, second), ([72.0, 54.0], [144.0, 108.0]));
}

#[inactive]
fn rows(round: usize) -> Option<Vec<Box<[f64]>>> {
    (round > 0).then(|| vec![[1.0; 2].into(), [2.0, round as f64].into()])
}

#[inactive(overwrites)]
fn refill(list: &mut Vec<f64>, round: usize) {
    list.clear();
    list.extend([0.0, round as f64]);
}

#[autodiff_reverse(rev_lists, Duplicated, Active)]
#[autodiff_forward(fwd_lists, Dual, Dual)]
fn lists(x: &[f64]) -> f64 {
    let (mut list, mut sum) = (Vec::new(), 0.0);
    for round in 0..3 {
        if let Some(rows) = rows(round) {
            sum += rows[1]
                .iter()
                .zip(x)
                .map(|(row, x)| row * x * x)
                .sum::<f64>();
        }
        refill(&mut list, round);
        sum += list[1] * x[0];
        list[1] = x[1];
        sum += list[1] * list[1];
    }
    sum
}

#[test]
fn lists_that_inactive_functions_make_are_constant() {
    assert_gradient!(rev_lists, fwd_lists, [3.0, 2.0], 69.0, [27.0, 24.0]);
}

#[inactive(overwrites)]
fn reset(state: &mut [f64], last: &mut f64, times: usize) -> usize {
    state.fill(2.0);
    *last = 3.0;
    times + 1
}

#[autodiff_reverse(rev_reset, Duplicated, Active)]
#[autodiff_reverse(rev_reset_2, 2, Duplicated, Active)]
#[autodiff_forward(fwd_reset, Dual, Dual)]
fn with_a_reset(x: &[f64]) -> f64 {
    let (mut state, mut last, mut times, mut sum) = ([x[0], x[1]], x[0], 0, 0.0);
    for round in 0..3 {
        sum += state[0] * state[1] * last;
        if round == 1 {
            times = reset(&mut state, &mut last, times);
        }
        state[0] *= x[0];
        last += x[1];
    }
    sum * times as f64
}

#[test]
fn what_an_inactive_function_overwrites_has_no_derivative_any_more() {
    // a^2 b + a^3 b + a^2 b^2 + 12 a + 4 a b
    assert_gradient!(rev_reset, fwd_reset, [3.0, 2.0], 168.0, [110.0, 84.0]);
    let (mut first, mut second) = ([0.0; 2], [0.0; 2]);
    rev_reset_2(&[3.0, 2.0], &mut first, &mut second, [1.0, 2.0]);
    assert_eq!((first, second), ([110.0, 84.0], [220.0, 168.0]));
}

#[autodiff_reverse(rev_opaque, Duplicated, Active)]
#[autodiff_forward(fwd_opaque, Dual, Dual)]
fn opaque(x: &[f64]) -> f64 {
    black_box(x[0] * x[0]) * black_box(x)[1]
}

#[test]
fn a_black_box_is_looked_through() {
    assert_gradient!(rev_opaque, fwd_opaque, [3.0, 2.0], 18.0, [12.0, 9.0]);
}
