use oxide_enzyme::{autodiff_forward, autodiff_reverse, custom_forward, custom_reverse};

/// Where the cubic `y + y³ = x` is solved: by steps that say little about the derivative.
#[custom_reverse(solution_reverse, Active, Active)]
#[custom_forward(solution_forward, Dual, Dual)]
fn solution(x: f64) -> f64 {
    let mut y = 0.0;
    for _ in 0..100 {
        y -= (y + y * y * y - x) / (1.0 + 3.0 * y * y);
    }
    y
}

// By the theorem of implicit functions. The signatures are those of the derivatives, without the value in reverse mode.
fn solution_reverse(x: f64, dret: f64) -> f64 {
    dret / (1.0 + 3.0 * solution(x).powi(2))
}

fn solution_forward(x: f64, bx: f64) -> (f64, f64) {
    let y = solution(x);
    (y, bx / (1.0 + 3.0 * y * y))
}

#[autodiff_reverse(energy_reverse, Active, Active)]
#[autodiff_forward(energy_forward, Dual, Dual)]
fn energy(x: f64) -> f64 {
    solution(x).powi(2)
}

fn main() {
    // y = 1 for x = 2, and 2 y / (1 + 3 y²) is a half.
    assert_eq!(energy_reverse(2.0, 1.0), (1.0, 0.5));
    assert_eq!(energy_forward(2.0, 1.0), (1.0, 0.5));
}
