//! `Vec`s that grow, are collected, consumed and given back.

use conformance::{X, assert_all_close, assert_close, assert_gradient, sum_of_squares, twice_x};
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

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
    assert_gradient!(rev_push, fwd_push, X, sum_of_squares(), twice_x());
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
    assert_gradient!(rev_collect, fwd_collect, X, sum_of_squares(), twice_x());
}

#[autodiff_reverse(rev_filter, Duplicated, Active)]
#[autodiff_forward(fwd_filter, Dual, Dual)]
fn collect_positive(x: &[f64]) -> f64 {
    let positive: Vec<f64> = x.iter().copied().filter(|x| *x > 0.0).collect();
    positive.iter().map(|x| x * x).sum::<f64>() / positive.len() as f64
}

#[test]
fn iterators_of_unknown_length_may_be_collected() {
    assert_gradient!(
        rev_filter,
        fwd_filter,
        X,
        11.5 / 3.0,
        [1.0, 0.0, 1.0 / 3.0, 2.0]
    );
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
    assert_gradient!(
        rev_methods,
        fwd_methods,
        X,
        (-3.0 + 1.5 + 1.0) * -2.0,
        [2.0, -3.0 + 1.5 + 1.0 - 3.0, 0.0, 0.0]
    );
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
    // Whatever was where the shadow has room does not count.
    let mut dx = vec![0.0, 0.0, 0.0, 0.0, 7.0];
    dx.pop();
    assert_close(rev_append(&mut x, &mut dx, 1.0), 9.0);
    assert_all_close(&x, &[1.0, 2.0, 3.0, 6.0, 3.0]);
    assert_all_close(&dx[..4], &[1.5; 4]);
}

struct Opaque(f64);

#[autodiff_reverse(rev_append_opaque, Duplicated, Active)]
fn append_opaque(x: &mut Vec<Opaque>) -> f64 {
    let sum: f64 = x.iter().map(|x| x.0).sum();
    x.push(Opaque(2.0 * sum));
    sum * sum
}

#[derive(Shadow)]
struct Lists {
    lists: Vec<Vec<f64>>,
    last: Option<(f64, Vec<f64>)>,
}

#[autodiff_reverse(rev_append_deep, Duplicated, Active)]
fn append_deep(x: &mut Lists) -> f64 {
    let sum: f64 = x.lists.iter().flatten().sum();
    x.lists[1].push(sum);
    if let Some((_, last)) = &mut x.last {
        last.push(sum * sum);
    }
    sum * sum
}

fn with_room<T>(mut list: Vec<T>) -> Vec<T> {
    list.pop();
    list
}

#[test]
fn what_a_shadow_has_room_for_is_zero_at_any_depth() {
    let opaque = |list: [f64; 3]| with_room(Vec::from(list.map(Opaque)));
    let (mut x, mut dx) = (opaque([1.0, 2.0, 9.0]), opaque([0.0, 0.0, 7.0]));
    assert_close(rev_append_opaque(&mut x, &mut dx, 1.0), 9.0);
    assert_all_close(&[dx[0].0, dx[1].0], &[6.0; 2]);

    let lists = |x: f64, room: f64| Lists {
        lists: vec![vec![x], with_room(vec![2.0 * x, room])],
        last: Some((x, with_room(vec![room]))),
    };
    let (mut x, mut dx) = (lists(1.0, 9.0), lists(0.0, 7.0));
    assert_close(rev_append_deep(&mut x, &mut dx, 1.0), 9.0);
    assert_all_close(&[dx.lists[0][0], dx.lists[1][0]], &[6.0; 2]);
}

#[autodiff_reverse(rev_replace, Duplicated, Active)]
#[autodiff_forward(fwd_replace, Dual, Dual)]
fn square_twice(x: &[f64]) -> f64 {
    let mut values = x.to_vec();
    for _ in 0..2 {
        values = values.iter().map(|v| v * v).collect();
    }
    values.iter().sum()
}

#[test]
fn a_vec_may_be_replaced_in_a_loop() {
    let value = X.iter().map(|x| x.powi(4)).sum();
    assert_gradient!(
        rev_replace,
        fwd_replace,
        X,
        value,
        X.map(|x| 4.0 * x.powi(3))
    );
}

#[autodiff_reverse(rev_sums_of_rows, Active, Active, Active)]
fn sums_of_rows(x: f64, y: f64) -> [f64; 2] {
    let mut rows = vec![vec![x, x + y], vec![x * y, x, y]];
    for _ in 0..3 {
        if rows.len() < 4 {
            rows.push(vec![x, y]);
        }
    }
    let halves = rows.iter().flatten().map(|x| x * 0.5).sum();
    [rows.iter().flatten().sum(), halves]
}

#[test]
fn lists_of_lists_are_read_twice() {
    // 5 x + 4 y + x y, and half of it.
    let (x, y) = (2.0, 1.0);
    for seed in [[1.0, 0.0], [0.0, 1.0], [3.0, -2.0]] {
        let (sums, dx, dy) = rev_sums_of_rows(x, y, seed);
        assert_eq!(sums, [16.0, 8.0]);
        let factor = seed[0] + 0.5 * seed[1];
        assert_close(dx, factor * (5.0 + y));
        assert_close(dy, factor * (4.0 + x));
    }
}
