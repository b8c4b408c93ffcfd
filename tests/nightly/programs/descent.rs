// A whole program, as one would write it: everything is imported by a glob.
#![feature(autodiff)]
use std::autodiff::*;

trait Loss {
    fn loss(&self, x: &[f64; 2]) -> f64;
    fn d_loss(&self, x: &[f64; 2], dx_0: &mut [f64; 2], dret: f64) -> f64;
}

struct Valley {
    steepness: f64,
}

impl Loss for Valley {
    #[autodiff_reverse(d_loss, Const, Duplicated, Active)]
    fn loss(&self, x: &[f64; 2]) -> f64 {
        (1.0 - x[0]).powi(2) + self.steepness * (x[1] - x[0] * x[0]).powi(2)
    }
}

fn descend(problem: &impl Loss, mut x: [f64; 2]) -> [f64; 2] {
    for _ in 0..20_000 {
        let mut dx = [0.0; 2];
        problem.d_loss(&x, &mut dx, 1.0);
        x = [x[0] - 1e-3 * dx[0], x[1] - 1e-3 * dx[1]];
    }
    x
}

#[autodiff_reverse(d_raw, Duplicated, Const, Active)]
unsafe fn raw(x: *const f64, n: usize) -> f64 {
    unsafe { *x.add(n) * *x.add(n) }
}

fn main() {
    #[autodiff_forward(slope, Dual, DualOnly)]
    fn wave(x: f64) -> f64 {
        x.sin()
    }
    assert!((slope(0.5, 1.0) - 0.5f64.cos()).abs() < 1e-15);
    assert_eq!(wave(0.0), 0.0);

    let valley = Valley { steepness: 100.0 };
    let minimum = descend(&valley, [-1.2, 1.0]);
    assert!(valley.loss(&minimum) < 1e-3, "{minimum:?}");

    let (x, mut dx) = ([1.0, 3.0], [0.0; 2]);
    assert_eq!(unsafe { d_raw(x.as_ptr(), dx.as_mut_ptr(), 1, 1.0) }, 9.0);
    assert_eq!(dx, [0.0, 6.0]);
    assert_eq!(unsafe { raw(x.as_ptr(), 0) }, 1.0);
}
