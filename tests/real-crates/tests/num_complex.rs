//! Through num-complex and num-traits.

use num_complex::{Complex64, ComplexFloat};
use num_traits::{Float, FromPrimitive, Inv, MulAdd, One, Pow, Zero};

const FOUR: [f64; 4] = [0.5, 1.25, -0.75, 2.0];

fn two(x: &[f64]) -> (Complex64, Complex64) {
    (Complex64::new(x[0], x[1]), Complex64::new(x[2], x[3]))
}

fn polynomial<T: Float + FromPrimitive>(x: T) -> T {
    let three = T::from_f64(3.0).unwrap();
    (x * x * x - three * x + T::one()).abs() + x.powi(2).sqrt()
}

fn horner<T: Copy + Zero + MulAdd<Output = T>>(c: &[T], x: T) -> T {
    c.iter().rev().fold(T::zero(), |s, c| s.mul_add(x, *c))
}

fn power<T: Clone + One>(x: T, n: usize) -> T {
    num_traits::pow(x, n)
}

real_crates::through! {
    "num-complex: complex `+ - * /`" arithmetic FOUR |x| { let (a, b) = two(x); let c = (a * b + a / b - b) * 2.0; c.re * c.im } => differences;
    "num-complex: `norm`, `arg`, polar form" polar FOUR |x| { let (a, b) = two(x); let c = Complex64::from_polar(a.norm(), b.arg()); c.re + a.norm_sqr() * c.im } => differences;
    "num-complex: `exp`, `ln`, `sqrt`, powers" powers FOUR |x| { let (a, b) = two(x); let c = a.exp() + b.ln() * a.sqrt() + a.powf(1.5) + a.powc(b) + b.powi(3); c.re + 2.0 * c.im } => differences;
    "num-complex: trigonometric and hyperbolic functions" trigonometric FOUR |x| { let (a, b) = two(x); let c = a.sin() * b.cos() + a.tanh() + b.atan(); c.re + 2.0 * c.im } => differences;
    "num-complex: `inv`, `conj`, `ComplexFloat`" inverse FOUR |x| { let (a, b) = two(x); let c = a.inv() * ComplexFloat::conj(b) + b.recip(); c.re() * c.im() + ComplexFloat::abs(a) } => differences;
    "num-complex: sums and products of `Complex`" sums FOUR |x| { let v: Vec<Complex64> = x.iter().map(|x| Complex64::new(*x, x * x)).collect(); let s: Complex64 = v.iter().sum(); let p: Complex64 = v.iter().product(); s.re * p.im } => differences;
    "num-complex: a discrete Fourier transform" fourier FOUR |x| { let n = x.len(); (0..n).map(|k| x.iter().enumerate().map(|(j, x)| Complex64::cis(-std::f64::consts::TAU * (j * k) as f64 / n as f64) * x).sum::<Complex64>().norm() * (k + 1) as f64).sum() } => differences;
    "num-traits: `Float`, `FromPrimitive`" generic_float FOUR |x| { x.iter().map(|x| polynomial(*x)).sum() } => differences;
    "num-traits: `MulAdd`, `Zero`, `One`, `Pow`" generic_number FOUR |x| { horner(x, 0.5) + power(x[0], 3) * Pow::pow(x[3], 2) } => differences;
}
