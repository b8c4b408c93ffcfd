//! Derivatives of another crate: plain, generic, of a method; and the program that prints them.

use std::process::Command;

use two_crates_library::{Line, b_weighted_sum, d_energy, d_weighted_sum};

#[test]
fn a_derivative_of_another_crate_is_called() {
    let mut dx = [0.0; 2];
    assert_eq!(d_energy(&[1.0, 4.0], &mut dx, 1.0, 1.0), (4.5, 4.5));
    assert_eq!(dx, [-3.0, 3.0]);
}

#[test]
fn a_generic_derivative_is_instantiated_here() {
    let (mut double, mut single) = ([0.0_f64; 2], [0.0_f32; 2]);
    assert_eq!(
        d_weighted_sum(&[1.0, 2.0], &mut double, &[3.0, 4.0], 1.0),
        19.0
    );
    assert_eq!(
        d_weighted_sum(&[1.0, 2.0], &mut single, &[3.0, 4.0], 1.0),
        19.0
    );
    assert_eq!((double, single), ([6.0, 16.0], [6.0, 16.0]));
    assert_eq!(
        b_weighted_sum(&[1.0, 2.0], &[0.0, 1.0], &[3.0, 4.0]),
        (19.0, 16.0)
    );
}

#[test]
fn a_method_of_another_crate_has_its_derivative() {
    let mut shadow = Line {
        slope: 0.0,
        offset: 0.0,
    };
    assert_eq!(
        Line {
            slope: 2.0,
            offset: 1.0
        }
        .d_error(&mut shadow, 3.0, 5.0, 1.0),
        4.0
    );
    assert_eq!(
        shadow,
        Line {
            slope: 12.0,
            offset: 4.0
        }
    );
}

#[test]
fn the_program_prints_the_same_numbers() {
    let output = Command::new(env!("CARGO_BIN_EXE_two-crates-program"))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "5 2.5 [-2.0, -2.0, 4.0]\n19 [6.0, 16.0]\n"
    );
}
