// A float that goes through a captured `Cell` would lose its derivative.
use std::cell::Cell;

use oxide_enzyme::calculus::gradient;

fn main() {
    let cell = Cell::new(0.0);
    gradient(
        |x: &f64| {
            cell.set(*x);
            cell.get()
        },
        &1.0,
    );
}
