//! Every differentiable method of `f64` and `f32`, forward and reverse, against the analytic derivative.
//!
//! The tables say: name, function, derivative, points. Functions are compiled for both types; derivatives are evaluated in
//! double precision at the very same points.

use conformance::assert_near;
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

/// Not 1, so that a forgotten seed is noticed.
const SEED: f32 = 1.5;

/// Functions of one number.
macro_rules! unary {
    ($float:ident $tolerance:ident; $($name:ident |$x:ident| $value:expr => $slope:expr, at [$($point:expr),+];)*) => {$(
        mod $name {
            use super::*;

            #[autodiff_reverse(reverse_of, Active, Active)]
            #[autodiff_forward(forward_of, Dual, Dual)]
            fn primal($x: $float) -> $float {
                $value
            }

            /// Value and slope in double precision.
            #[allow(unused_variables)]
            fn expected($x: $float) -> (f64, f64) {
                let value = primal($x);
                let $x = f64::from($x);
                (f64::from(value), $slope)
            }

            #[test]
            fn reverse() {
                for x in [$($point),+] {
                    let (value, slope) = reverse_of(x, SEED.into());
                    let expected = expected(x);
                    assert_near(value.into(), expected.0, conformance::$tolerance);
                    assert_near(slope.into(), expected.1 * f64::from(SEED), conformance::$tolerance);
                }
            }

            #[test]
            fn forward() {
                for x in [$($point),+] {
                    let (value, slope) = forward_of(x, SEED.into());
                    let expected = expected(x);
                    assert_near(value.into(), expected.0, conformance::$tolerance);
                    assert_near(slope.into(), expected.1 * f64::from(SEED), conformance::$tolerance);
                }
            }
        }
    )*};
}

/// Functions of two numbers.
macro_rules! binary {
    ($float:ident $tolerance:ident; $($name:ident |$x:ident, $y:ident| $value:expr => $slopes:expr, at [$($point:expr),+];)*) => {$(
        mod $name {
            use super::*;

            #[autodiff_reverse(reverse_of, Active, Active, Active)]
            #[autodiff_forward(forward_of, Dual, Dual, Dual)]
            fn primal($x: $float, $y: $float) -> $float {
                $value
            }

            /// Value and slopes in double precision.
            #[allow(unused_variables)]
            fn expected($x: $float, $y: $float) -> (f64, f64, f64) {
                let value = primal($x, $y);
                let ($x, $y) = (f64::from($x), f64::from($y));
                let (dx, dy): (f64, f64) = $slopes;
                (f64::from(value), dx, dy)
            }

            #[test]
            fn reverse() {
                for (x, y) in [$($point),+] {
                    let (value, dx, dy) = reverse_of(x, y, SEED.into());
                    let expected = expected(x, y);
                    assert_near(value.into(), expected.0, conformance::$tolerance);
                    assert_near(dx.into(), expected.1 * f64::from(SEED), conformance::$tolerance);
                    assert_near(dy.into(), expected.2 * f64::from(SEED), conformance::$tolerance);
                }
            }

            #[test]
            fn forward() {
                for (x, y) in [$($point),+] {
                    let (value, by_x) = forward_of(x, 1.0, y, 0.0);
                    let (_, by_y) = forward_of(x, 0.0, y, 1.0);
                    let expected = expected(x, y);
                    assert_near(value.into(), expected.0, conformance::$tolerance);
                    assert_near(by_x.into(), expected.1, conformance::$tolerance);
                    assert_near(by_y.into(), expected.2, conformance::$tolerance);
                }
            }
        }
    )*};
}

macro_rules! tables {
    ($float:ident $tolerance:ident) => {
        unary! { $float $tolerance;
            // Powers and roots.
            sqrt |x| x.sqrt() => 0.5 / x.sqrt(), at [0.25, 2.0, 1000.0];
            cbrt |x| x.cbrt() => 1.0 / (3.0 * x.cbrt().powi(2)), at [-2.0, 0.125, 30.0];
            recip |x| x.recip() => -1.0 / (x * x), at [-0.5, 0.3, 40.0];
            powi_3 |x| x.powi(3) => 3.0 * x * x, at [-1.5, 0.1, 7.0];
            powi_minus_2 |x| x.powi(-2) => -2.0 / x.powi(3), at [-1.5, 0.2, 7.0];
            powi_0 |x| x.powi(0) => 0.0, at [-1.5, 2.0];
            powf_constant |x| x.powf(2.5) => 2.5 * x.powf(1.5), at [0.3, 2.0, 9.0];
            powf_exponent |x| $float::powf(2.5, x) => 2.5_f64.powf(x) * 2.5_f64.ln(), at [-1.0, 0.5, 3.0];
            // Exponentials and logarithms.
            exp |x| x.exp() => x.exp(), at [-3.0, 0.2, 5.0];
            exp2 |x| x.exp2() => x.exp2() * 2.0_f64.ln(), at [-3.0, 0.2, 5.0];
            exp_m1 |x| x.exp_m1() => x.exp(), at [-1.0, 0.001, 2.0];
            ln |x| x.ln() => 1.0 / x, at [0.1, 2.0, 50.0];
            ln_1p |x| x.ln_1p() => 1.0 / (1.0 + x), at [-0.5, 0.001, 20.0];
            log2 |x| x.log2() => 1.0 / (x * 2.0_f64.ln()), at [0.1, 3.0, 50.0];
            log10 |x| x.log10() => 1.0 / (x * 10.0_f64.ln()), at [0.1, 3.0, 50.0];
            log_constant_base |x| x.log(3.0) => 1.0 / (x * 3.0_f64.ln()), at [0.1, 2.0, 50.0];
            // Trigonometric functions.
            sin |x| x.sin() => x.cos(), at [-2.0, 0.5, 10.0];
            cos |x| x.cos() => -x.sin(), at [-2.0, 0.5, 10.0];
            tan |x| x.tan() => 1.0 + x.tan().powi(2), at [-1.0, 0.5, 4.0];
            sin_cos |x| { let (sin, cos) = x.sin_cos(); 2.0 * sin + cos } => 2.0 * x.cos() - x.sin(), at [-2.0, 0.6, 9.0];
            asin |x| x.asin() => 1.0 / (1.0 - x * x).sqrt(), at [-0.75, 0.125, 0.5];
            acos |x| x.acos() => -1.0 / (1.0 - x * x).sqrt(), at [-0.75, 0.125, 0.5];
            atan |x| x.atan() => 1.0 / (1.0 + x * x), at [-2.0, 0.3, 5.0];
            to_degrees |x| x.to_degrees() => 180.0 / std::f64::consts::PI, at [-2.0, 0.3];
            to_radians |x| x.to_radians() => std::f64::consts::PI / 180.0, at [-50.0, 300.0];
            // Hyperbolic functions.
            sinh |x| x.sinh() => x.cosh(), at [-2.0, 0.3, 3.0];
            cosh |x| x.cosh() => x.sinh(), at [-2.0, 0.3, 3.0];
            tanh |x| x.tanh() => 1.0 / x.cosh().powi(2), at [-1.0, 0.25, 1.5];
            asinh |x| x.asinh() => 1.0 / (x * x + 1.0).sqrt(), at [-2.0, 0.3, 5.0];
            acosh |x| x.acosh() => 1.0 / (x * x - 1.0).sqrt(), at [1.5, 2.0, 5.0];
            atanh |x| x.atanh() => 1.0 / (1.0 - x * x), at [-0.5, 0.25, 0.75];
            // Pieces and signs.
            abs |x| x.abs() => x.signum(), at [-2.0, 0.5];
            signum |x| x.signum() => 0.0, at [-2.0, 0.5];
            neg |x| -x => -1.0, at [-2.0, 0.5];
            floor |x| x.floor() => 0.0, at [-2.5, 0.5, 7.25];
            ceil |x| x.ceil() => 0.0, at [-2.5, 0.5, 7.25];
            round |x| x.round() => 0.0, at [-2.25, 0.75, 7.25];
            round_ties_even |x| x.round_ties_even() => 0.0, at [-2.5, 0.75, 7.25];
            trunc |x| x.trunc() => 0.0, at [-2.5, 0.75, 7.25];
            fract |x| x.fract() => 1.0, at [-2.25, 0.75, 7.25];
            min_constant |x| x.min(1.0) => if x < 1.0 { 1.0 } else { 0.0 }, at [-2.0, 0.5, 3.0];
            max_constant |x| x.max(1.0) => if x > 1.0 { 1.0 } else { 0.0 }, at [-2.0, 0.5, 3.0];
            clamp_constant |x| x.clamp(-1.0, 1.0) => if x.abs() < 1.0 { 1.0 } else { 0.0 }, at [-2.0, 0.5, 3.0];
            // Conversions.
            to_f32_and_back |x| $float::from(x as f32) => 1.0, at [-2.0, 0.5];
            to_f64_and_back |x| f64::from(x) as $float => 1.0, at [-2.0, 0.5];
            to_integer |x| x as i32 as $float => 0.0, at [-2.5, 7.25];
            // Classification decides, but has no slope.
            is_sign_negative |x| if x.is_sign_negative() { 2.0 * x } else { 3.0 * x } => if x < 0.0 { 2.0 } else { 3.0 }, at [-2.0, 4.0];
            is_finite |x| if x.is_finite() { x * x } else { 0.0 } => 2.0 * x, at [-2.0, 4.0];
            total_cmp |x| if x.total_cmp(&1.0).is_lt() { x * x } else { x } => if x < 1.0 { 2.0 * x } else { 1.0 }, at [-2.0, 4.0];
        }

        binary! { $float $tolerance;
            // Operators.
            add |x, y| x + y => (1.0, 1.0), at [(-2.0, 3.0), (0.1, 0.2)];
            sub |x, y| x - y => (1.0, -1.0), at [(-2.0, 3.0), (0.1, 0.2)];
            mul |x, y| x * y => (y, x), at [(-2.0, 3.0), (0.1, 0.2)];
            div |x, y| x / y => (1.0 / y, -x / (y * y)), at [(-2.0, 3.0), (0.1, 0.2)];
            rem |x, y| x % y => (1.0, -(x / y).trunc()), at [(7.5, 2.0), (-7.5, 2.0), (1.0, -3.0)];
            add_assign |x, y| { let mut z = x; z += y; z } => (1.0, 1.0), at [(-2.0, 3.0)];
            sub_assign |x, y| { let mut z = x; z -= y; z } => (1.0, -1.0), at [(-2.0, 3.0)];
            mul_assign |x, y| { let mut z = x; z *= y; z } => (y, x), at [(-2.0, 3.0)];
            div_assign |x, y| { let mut z = x; z /= y; z } => (1.0 / y, -x / (y * y)), at [(-2.0, 3.0)];
            rem_assign |x, y| { let mut z = x; z %= y; z } => (1.0, -(x / y).trunc()), at [(7.5, 2.0)];
            // Methods.
            atan2 |y, x| y.atan2(x) => (x / (x * x + y * y), -y / (x * x + y * y)), at [(1.0, 2.0), (-1.0, 0.5), (2.0, -3.0)];
            hypot |x, y| x.hypot(y) => (x / x.hypot(y), y / x.hypot(y)), at [(3.0, 4.0), (-1.0, 0.5)];
            powf |x, y| x.powf(y) => (y * x.powf(y - 1.0), x.powf(y) * x.ln()), at [(0.5, 3.0), (2.0, -1.5), (3.0, 0.25)];
            log |x, y| x.log(y) => (1.0 / (x * y.ln()), -x.ln() / (y * y.ln().powi(2))), at [(5.0, 3.0), (0.5, 7.0)];
            min |x, y| x.min(y) => if x < y { (1.0, 0.0) } else { (0.0, 1.0) }, at [(1.0, 2.0), (3.0, -1.0)];
            max |x, y| x.max(y) => if x > y { (1.0, 0.0) } else { (0.0, 1.0) }, at [(1.0, 2.0), (3.0, -1.0)];
            copysign |x, y| x.copysign(y) => (x.signum() * y.signum(), 0.0), at [(1.5, -2.0), (-1.5, -2.0), (-1.5, 2.0)];
            rem_euclid |x, y| x.rem_euclid(y) => (1.0, -x.div_euclid(y)), at [(7.5, 2.0), (-7.5, 2.0), (-7.5, -2.0)];
            div_euclid |x, y| x.div_euclid(y) => (0.0, 0.0), at [(7.5, 2.0), (-7.5, 2.0)];
            midpoint |x, y| x.midpoint(y) => (0.5, 0.5), at [(1.0, 4.0), (-2.0, 0.5)];
            mul_add_factors |x, y| x.mul_add(y, 1.0) => (y, x), at [(2.0, 3.0), (-0.5, 4.0)];
            mul_add_sum |x, y| $float::mul_add(3.0, x, y) => (3.0, 1.0), at [(2.0, 3.0), (-0.5, 4.0)];
            clamp |x, y| x.clamp(-1.0, y) => (if x < y { 1.0 } else { 0.0 }, if x < y { 0.0 } else { 1.0 }), at [(0.5, 2.0), (3.0, 2.0)];
            iterator_sum |x, y| [x, y, x].iter().sum::<$float>() => (2.0, 1.0), at [(2.0, 3.0)];
            iterator_product |x, y| [x, y, x].iter().product::<$float>() => (2.0 * x * y, x * x), at [(2.0, 3.0)];
            partial_cmp |x, y| if x.partial_cmp(&y).unwrap().is_lt() { x * y } else { x } => (if x < y { y } else { 1.0 }, if x < y { x } else { 0.0 }), at [(2.0, 3.0), (3.0, 2.0)];
        }
    };
}

mod double {
    use super::*;
    tables!(f64 DOUBLE);
}

mod single {
    use super::*;
    tables!(f32 SINGLE);
}
