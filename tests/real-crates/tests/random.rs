//! Through rand and rand_distr: what is drawn is constant, and samples depend on parameters as their formula says.

use rand::rngs::{SmallRng, StdRng};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp, Gamma, LogNormal, Normal, StandardNormal};

const TWO: [f64; 2] = [0.75, 1.5];
const DRAWS: usize = 50;

fn generator() -> SmallRng {
    SmallRng::seed_from_u64(7)
}

/// The same draws of the standard normal distribution as in a primal.
fn normal_draws() -> Vec<f64> {
    let mut rng = generator();
    (0..DRAWS).map(|_| rng.sample(StandardNormal)).collect()
}

/// The gradient of the sum of squares of `mean + deviation * z`.
fn of_squares(x: &[f64]) -> [f64; 2] {
    let z = normal_draws();
    let sum = |f: &dyn Fn(f64) -> f64| z.iter().map(|z| f(*z)).sum::<f64>();
    [
        sum(&|z| 2.0 * (x[0] + x[1] * z)),
        sum(&|z| 2.0 * (x[0] + x[1] * z) * z),
    ]
}

real_crates::through! {
    "rand: uniform numbers of a seeded `SmallRng`" uniform TWO |x| { let mut rng = generator(); let mut s = 0.0; for _ in 0..DRAWS { s += x[0] * rng.random::<f64>() + x[1] * rng.random_range(-1.0..2.0); } s * s } => differences;
    "rand: a number of a seeded `StdRng`" standard TWO |x| { let z: f64 = StdRng::seed_from_u64(7).random(); x[0] * x[1] * z } => differences;
    "rand: decisions by `random_bool`" decisions TWO |x| { let mut rng = SmallRng::seed_from_u64(7); let mut s = 1.0; for _ in 0..DRAWS { if rng.random_bool(0.25) { s *= x[0]; } else { s += x[1] * x[1]; } } s } => differences;
    "rand: `shuffle` of indices" shuffled TWO |x| { let mut order: Vec<usize> = (0..10).collect(); order.shuffle(&mut generator()); order.iter().fold(0.0, |s, i| s * x[0] + *i as f64 * x[1]) } => differences;
    "rand_distr: `mean + deviation * StandardNormal`" reparametrised TWO |x| { let mut rng = generator(); (0..DRAWS).map(|_| { let z: f64 = rng.sample(StandardNormal); (x[0] + x[1] * z) * (x[0] + x[1] * z) }).sum() } => { of_squares(x) };
    "rand_distr: `Normal::new(mean, deviation)`" normal TWO |x| { let mut rng = generator(); let normal = Normal::new(x[0], x[1]).unwrap(); let mut s = 0.0; for _ in 0..DRAWS { let y = normal.sample(&mut rng); s += y * y; } s } => { of_squares(x) };
    "rand_distr: `LogNormal`" log_normal TWO |x| { let mut rng = generator(); let d = LogNormal::new(x[0], x[1]).unwrap(); let mut s = 0.0; for _ in 0..DRAWS { s += d.sample(&mut rng).ln(); } s } => { [DRAWS as f64, normal_draws().iter().sum()] };
    "rand_distr: `Exp::new(rate)`" exponential TWO |x| { let mut rng = generator(); let d = Exp::new(x[0]).unwrap(); let mut s = 0.0; for _ in 0..DRAWS { s += d.sample(&mut rng); } s * x[1] } => { let mut rng = generator(); let d = Exp::new(x[0]).unwrap(); let s: f64 = (0..DRAWS).map(|_| d.sample(&mut rng)).sum(); [-s * x[1] / x[0], s] };
    "rand_distr: `Gamma`, by its scale" gamma TWO |x| { let mut rng = generator(); let d = Gamma::new(2.5, x[1]).unwrap(); let mut s = 0.0; for _ in 0..DRAWS { s += d.sample(&mut rng); } s * x[0] } => { let mut rng = generator(); let d = Gamma::new(2.5, x[1]).unwrap(); let s: f64 = (0..DRAWS).map(|_| d.sample(&mut rng)).sum(); [s, s * x[0] / x[1]] };
    "rand_distr: `Gamma`, by its shape: along the path that is taken" gamma_shape [2.5] |x| { let mut rng = generator(); let d = Gamma::new(x[0], 1.0).unwrap(); let mut s = 0.0; for _ in 0..3 { s += d.sample(&mut rng); } s } => differences;
}
