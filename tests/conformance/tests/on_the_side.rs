//! What primals do besides arithmetic: text, maps.

use std::collections::HashMap;

use conformance::{X, assert_all_close, assert_close, assert_gradient, sum_of_squares, twice_x};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

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
