//! Prints gradients that a library has computed.

use two_crates_library::{d_energy, d_weighted_sum};

fn main() {
    let mut forces = [0.0; 3];
    let (energy, by_stiffness) = d_energy(&[0.0, 1.0, 3.0], &mut forces, 2.0, 1.0);
    println!("{energy} {by_stiffness} {forces:?}");
    let mut dx = [0.0_f32; 2];
    let sum = d_weighted_sum(&[1.0_f32, 2.0], &mut dx, &[3.0, 4.0], 1.0);
    println!("{sum} {dx:?}");
}
