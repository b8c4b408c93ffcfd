//! The first gradient: three lines of maths, differentiated forward, in reverse and by hand.
//!
//! Run it with `cargo enzyme run -p quickstart`, test it with `cargo enzyme test -p quickstart`.

use oxide_enzyme::{autodiff_forward, autodiff_reverse};

/// A damped oscillation at time `t`.
///
/// The attributes name two derivatives. The reverse one gives the slopes along both arguments at once; the forward one
/// gives the slope along `t` alone.
#[autodiff_reverse(wave_reverse, Active, Active, Active)]
#[autodiff_forward(wave_forward, Dual, Const, Dual)]
fn wave(t: f64, damping: f64) -> f64 {
    let envelope = (-damping * t).exp();
    let oscillation = (2.0 * t).sin();
    envelope * oscillation
}

/// The slopes along `t` and `damping`, by hand.
fn wave_by_hand(t: f64, damping: f64) -> (f64, f64) {
    let envelope = (-damping * t).exp();
    let (sin, cos) = (2.0 * t).sin_cos();
    (envelope * (2.0 * cos - damping * sin), -t * envelope * sin)
}

fn main() {
    let damping = 0.3;
    println!("wave(t, d) = exp(-d t) sin(2 t) at d = {damping}\n");
    println!(
        "     t      wave     d/dt reverse     d/dt forward     d/dt by hand     d/dd reverse     d/dd by hand"
    );
    for step in 0..=8 {
        let t = 0.5 * f64::from(step);
        // The last argument is the seed: by how much to scale the slopes.
        let (value, dt, dd) = wave_reverse(t, damping, 1.0);
        // Here the second argument is the tangent of `t`: the direction in which to differentiate.
        let (_, dt_forward) = wave_forward(t, 1.0, damping);
        let (dt_by_hand, dd_by_hand) = wave_by_hand(t, damping);
        println!(
            "{t:6.2} {value:9.5} {dt:16.12} {dt_forward:16.12} {dt_by_hand:16.12} {dd:16.12} {dd_by_hand:16.12}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64) {
        let error = (found - expected).abs();
        assert!(
            error <= 1e-13 * expected.abs().max(1.0),
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn both_modes_agree_with_the_derivative_by_hand() {
        for step in -20..=20 {
            let (t, damping) = (0.37 * f64::from(step), 0.3);
            let (dt, dd) = wave_by_hand(t, damping);

            let reverse = wave_reverse(t, damping, 1.0);
            assert_near(reverse.0, wave(t, damping));
            assert_near(reverse.1, dt);
            assert_near(reverse.2, dd);

            let forward = wave_forward(t, 1.0, damping);
            assert_near(forward.0, wave(t, damping));
            assert_near(forward.1, dt);
        }
    }

    #[test]
    fn seeds_and_tangents_scale_the_slopes() {
        let (dt, dd) = wave_by_hand(0.7, 0.2);
        let (_, scaled_dt, scaled_dd) = wave_reverse(0.7, 0.2, -3.0);
        assert_near(scaled_dt, -3.0 * dt);
        assert_near(scaled_dd, -3.0 * dd);
        assert_near(wave_forward(0.7, 0.5, 0.2).1, 0.5 * dt);
    }
}
