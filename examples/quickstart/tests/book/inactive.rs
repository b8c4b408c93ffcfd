use oxide_enzyme::{autodiff_reverse, inactive, known_as};

#[inactive]
fn cell(x: f64) -> usize {
    (x * 10.0).floor() as usize
}

#[known_as(sin)]
fn sine_by_table(x: f64) -> f64 {
    const STEP: f64 = 1e-3;
    let below = (x / STEP).floor() * STEP;
    below.sin()
}

#[autodiff_reverse(read_reverse, Active, Const, Active)]
fn read(x: f64, table: &[f64]) -> f64 {
    table[cell(x)] * sine_by_table(x)
}

fn main() {
    let (_, slope) = read_reverse(0.25, &[1.0, 2.0, 4.0], 1.0);
    assert_eq!(slope, 4.0 * 0.25f64.cos());
}
