// A float that goes through a `Cell` would lose its derivative.
use std::cell::Cell;

use oxide_enzyme::{enzyme, primal};

#[primal]
fn stores(x: f64, cell: &Cell<f64>) -> f64 {
    cell.set(x);
    cell.get()
}

fn main() {
    let cell = Cell::new(0.0);
    enzyme!(grad stores(1.0, &cell) wrt x);
}
