//! Primals that allocate: `Vec`s that grow, `collect`, boxes, nested lists, text and maps on the side.

use std::collections::HashMap;

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

/// Holds a reverse and a forward derivative of a function of a slice against the analytic gradient.
macro_rules! check {
    ($reverse:ident, $forward:ident, $x:expr, $value:expr, $gradient:expr) => {
        let (x, gradient): (Vec<f64>, Vec<f64>) = ($x.to_vec(), $gradient.to_vec());
        let mut dx = vec![0.0; x.len()];
        assert_close($reverse(&x, &mut dx, 1.0), $value);
        assert_all_close(&dx, &gradient);
        for i in 0..x.len() {
            let mut bx = vec![0.0; x.len()];
            bx[i] = 1.0;
            let (value, tangent) = $forward(&x, &bx);
            assert_close(value, $value);
            assert_close(tangent, gradient[i]);
        }
    };
}

const X: [f64; 4] = [1.5, -2.0, 0.5, 3.0];

fn sum_of_squares() -> f64 {
    X.iter().map(|x| x * x).sum()
}

fn twice_x() -> [f64; 4] {
    X.map(|x| 2.0 * x)
}

#[autodiff_reverse(rev_push, Duplicated, Active)]
#[autodiff_forward(fwd_push, Dual, Dual)]
fn push(x: &[f64]) -> f64 {
    let mut squares = Vec::new();
    for x in x {
        squares.push(x * x);
    }
    squares.iter().sum()
}

#[test]
fn a_vec_may_grow() {
    check!(rev_push, fwd_push, X, sum_of_squares(), twice_x());
}

#[test]
fn a_vec_may_grow_many_times() {
    let x: Vec<f64> = (0..5000).map(f64::from).collect();
    let mut dx = vec![0.0; x.len()];
    let value = rev_push(&x, &mut dx, 1.0);
    assert_close(value, 4999.0 * 5000.0 * 9999.0 / 6.0);
    assert!(x.iter().zip(&dx).all(|(x, dx)| *dx == 2.0 * x));
}

#[autodiff_reverse(rev_collect, Duplicated, Active)]
#[autodiff_forward(fwd_collect, Dual, Dual)]
fn collect(x: &[f64]) -> f64 {
    let squares: Vec<f64> = x.iter().map(|x| x * x).collect();
    squares.into_iter().rev().sum()
}

#[test]
fn iterators_may_be_collected() {
    check!(rev_collect, fwd_collect, X, sum_of_squares(), twice_x());
}

#[autodiff_reverse(rev_filter, Duplicated, Active)]
#[autodiff_forward(fwd_filter, Dual, Dual)]
fn collect_positive(x: &[f64]) -> f64 {
    let positive: Vec<f64> = x.iter().copied().filter(|x| *x > 0.0).collect();
    positive.iter().map(|x| x * x).sum::<f64>() / positive.len() as f64
}

#[test]
fn iterators_of_unknown_length_may_be_collected() {
    check!(rev_filter, fwd_filter, X, 11.5 / 3.0, [1.0, 0.0, 1.0 / 3.0, 2.0]);
}

#[autodiff_reverse(rev_sort, Duplicated, Active)]
#[autodiff_forward(fwd_sort, Dual, Dual)]
fn weighted_by_rank(x: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|a, b| x[*a].total_cmp(&x[*b]));
    order.iter().enumerate().map(|(rank, i)| (rank + 1) as f64 * x[*i]).sum()
}

#[test]
fn indices_may_be_sorted() {
    check!(rev_sort, fwd_sort, X, -2.0 + 1.0 + 4.5 + 12.0, [3.0, 1.0, 2.0, 4.0]);
}

#[autodiff_reverse(rev_sort_values, Duplicated, Active)]
#[autodiff_forward(fwd_sort_values, Dual, Dual)]
fn second_smallest_squared(x: &[f64]) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[1] * sorted[1]
}

#[test]
fn values_may_be_sorted() {
    check!(rev_sort_values, fwd_sort_values, X, 0.25, [0.0, 0.0, 1.0, 0.0]);
}

#[autodiff_reverse(rev_box, Duplicated, Active)]
#[autodiff_forward(fwd_box, Dual, Dual)]
fn boxed(x: &[f64]) -> f64 {
    let product = Box::new(x[0] * x[1]);
    let slice: Box<[f64]> = x.into();
    *product * slice[3]
}

#[test]
fn boxes_hold_active_values() {
    check!(rev_box, fwd_box, X, -9.0, [-6.0, 4.5, 0.0, -3.0]);
}

enum List {
    End,
    Item(f64, Box<List>),
}

impl List {
    fn sum_of_squares(&self) -> f64 {
        match self {
            List::End => 0.0,
            List::Item(x, rest) => x * x + rest.sum_of_squares(),
        }
    }
}

#[autodiff_reverse(rev_list, Duplicated, Active)]
#[autodiff_forward(fwd_list, Dual, Dual)]
fn linked_list(x: &[f64]) -> f64 {
    let mut list = List::End;
    for x in x {
        list = List::Item(*x, Box::new(list));
    }
    list.sum_of_squares()
}

#[test]
fn a_linked_list_may_be_built() {
    check!(rev_list, fwd_list, X, sum_of_squares(), twice_x());
}

#[autodiff_reverse(rev_nested, Duplicated, Active)]
#[autodiff_forward(fwd_nested, Dual, Dual)]
fn table(x: &[f64]) -> f64 {
    let rows: Vec<Vec<f64>> = x.iter().map(|a| x.iter().map(|b| a * b).collect()).collect();
    rows.iter().enumerate().map(|(i, row)| row[i]).sum()
}

#[test]
fn vecs_may_be_nested() {
    check!(rev_nested, fwd_nested, X, sum_of_squares(), twice_x());
}

#[autodiff_reverse(rev_methods, Duplicated, Active)]
#[autodiff_forward(fwd_methods, Dual, Dual)]
fn methods_of_vec(x: &[f64]) -> f64 {
    let mut v = Vec::with_capacity(2);
    v.extend_from_slice(x);
    v.insert(0, x[0] * x[1]);
    v.swap(1, 2);
    v.truncate(3);
    v.resize(4, 1.0);
    let last = v.pop().unwrap_or_default();
    let removed = v.remove(1);
    [v.as_slice(), &[last]].concat().iter().sum::<f64>() * removed
}

#[test]
fn the_usual_methods_of_vec_work() {
    // [x0 x1, x1, x0] after insert, swap and truncate; then 1 is appended and taken, and x1 is removed.
    check!(rev_methods, fwd_methods, X, (-3.0 + 1.5 + 1.0) * -2.0, [2.0, -3.0 + 1.5 + 1.0 - 3.0, 0.0, 0.0]);
}

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
    check!(rev_text, fwd_text, X, 14.0 * sum_of_squares(), twice_x().map(|x| 14.0 * x));
}

#[autodiff_reverse(rev_float_text, Duplicated, Active)]
#[autodiff_forward(fwd_float_text, Dual, Dual)]
fn formats_its_values(x: &[f64]) -> f64 {
    let text = format!("{:.1}", x[0]);
    if text == "1.5" { x[0] * x[1] } else { 0.0 }
}

#[test]
fn values_may_be_formatted() {
    check!(rev_float_text, fwd_float_text, X, -3.0, [-2.0, 1.5, 0.0, 0.0]);
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

#[autodiff_forward(fwd_consume, Dual, Dual)]
fn consume(x: Vec<f64>) -> f64 {
    x.into_iter().map(|x| x * x).sum()
}

#[test]
fn a_vec_by_value_is_consumed_with_its_tangent() {
    let (value, tangent) = fwd_consume(X.to_vec(), vec![0.0, 1.0, 0.0, 1.0]);
    assert_close(value, sum_of_squares());
    assert_close(tangent, 2.0);
}

#[autodiff_forward(fwd_produce, Dual, Dual)]
fn produce(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x * x).collect()
}

#[test]
fn a_vec_may_be_the_result_in_forward_mode() {
    let (value, tangent) = fwd_produce(&X, &[1.0; 4]);
    assert_all_close(&value, &X.map(|x| x * x));
    assert_all_close(&tangent, &twice_x());
}

#[autodiff_reverse(rev_append, Duplicated, Active)]
fn append_mean(x: &mut Vec<f64>) -> f64 {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.push(mean);
    mean * mean
}

#[test]
fn a_vec_by_reference_may_grow_within_its_capacity() {
    let mut x = Vec::with_capacity(5);
    x.extend_from_slice(&[1.0, 2.0, 3.0, 6.0]);
    let mut dx = Vec::with_capacity(5);
    dx.resize(4, 0.0);
    assert_close(rev_append(&mut x, &mut dx, 1.0), 9.0);
    assert_all_close(&x, &[1.0, 2.0, 3.0, 6.0, 3.0]);
    assert_all_close(&dx[..4], &[1.5; 4]);
}
