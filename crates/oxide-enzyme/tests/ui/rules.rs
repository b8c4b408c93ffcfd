//! Rules by hand that cannot be.

use oxide_enzyme::{autodiff_reverse_split, custom_forward, custom_reverse, inactive, known_as};

#[custom_reverse(rule, Active)]
fn too_few(x: f64) -> f64 {
    x
}

#[custom_reverse(rule, Duplicated, Active)]
fn by_value(x: f64) -> f64 {
    x
}

#[custom_reverse(rule, Duplicated, Active)]
fn mutable(x: &mut [f64]) -> f64 {
    x[0]
}

#[custom_forward(rule, Active, Dual)]
fn other_mode(x: f64) -> f64 {
    x
}

#[custom_reverse(rule, Active, Const)]
fn constant_result(x: f64) -> f64 {
    x
}

#[known_as(sine)]
fn misspelt(x: f64) -> f64 {
    x
}

#[known_as(sin)]
fn two_arguments(x: f64, y: f64) -> f64 {
    x + y
}

#[inactive(always)]
fn with_words(x: f64) -> f64 {
    x
}

#[inactive]
fn fills(count: usize, list: &mut Vec<[f64; 2]>) {
    list.fill([count as f64; 2]);
}

#[autodiff_reverse_split(d_mutable_split, Duplicated, Active)]
fn mutable_split(x: &mut [f64]) -> f64 {
    x[0]
}

#[autodiff_reverse_split(d_constant_split, Active, Const)]
fn constant_split(x: f64) -> f64 {
    x
}

fn main() {}
