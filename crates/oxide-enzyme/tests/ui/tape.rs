//! A tape can be used once, and holds on to what it was made from.

use oxide_enzyme::autodiff_reverse_split;

#[autodiff_reverse_split(split_square, Duplicated, Active)]
fn square(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

fn twice(x: &[f64], dx: &mut [f64]) {
    let (_, tape) = split_square(x, dx);
    tape.reverse(1.0);
    tape.reverse(1.0);
}

fn outlives_its_shadow(x: &[f64]) {
    let (_, tape) = {
        let mut dx = [0.0; 2];
        split_square(x, &mut dx)
    };
    tape.reverse(1.0);
}

fn changes_an_argument(x: &mut [f64], dx: &mut [f64]) {
    let (_, tape) = split_square(x, dx);
    x[0] = 1.0;
    tape.reverse(1.0);
}

fn reads_a_shadow(x: &[f64], dx: &mut [f64]) -> f64 {
    let (_, tape) = split_square(x, dx);
    let early = dx[0];
    tape.reverse(1.0);
    early
}

fn main() {}
