//! Dual numbers: the oracle.
//!
//! A value is computed in the program's own precision, so that branches go the same way; its tangent in double precision.
//! Beside it goes the sum of the magnitudes of everything that the tangent is a sum of, by which rounding is judged.

use std::cell::Cell;
use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

thread_local! {
    static TIES: Cell<usize> = const { Cell::new(0) };
}

/// How often a program on this thread was at a point where it is not smooth: `abs` of zero, `max` of equals.
pub fn ties() -> usize {
    TIES.get()
}

/// What a program gave.
#[derive(Debug, Clone, Copy)]
pub struct Evaluated {
    /// The value.
    pub value: f64,
    /// Its tangent.
    pub tangent: f64,
    /// The magnitudes of all that the tangent is a sum of, summed.
    pub magnitude: f64,
}

impl Evaluated {
    /// Whether all of it is a number.
    pub fn is_finite(&self) -> bool {
        self.value.is_finite() && self.tangent.is_finite() && self.magnitude.is_finite()
    }
}

macro_rules! dual {
    ($name:ident, $float:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, Default)]
        pub struct $name {
            value: $float,
            tangent: f64,
            magnitude: f64,
        }

        impl $name {
            /// A value and its tangent.
            pub fn new(value: f64, tangent: f64) -> Self {
                let value = value as $float;
                $name {
                    value,
                    tangent,
                    magnitude: tangent.abs(),
                }
            }

            /// A number that depends on nothing.
            pub const fn constant(value: $float) -> Self {
                $name {
                    value,
                    tangent: 0.0,
                    magnitude: 0.0,
                }
            }

            /// The numbers.
            pub fn evaluated(self) -> Evaluated {
                Evaluated {
                    value: f64::from(self.value),
                    tangent: self.tangent,
                    magnitude: self.magnitude,
                }
            }

            fn wide(self) -> f64 {
                f64::from(self.value)
            }

            fn chain(self, value: $float, slope: f64) -> Self {
                self.chain_with_magnitude(value, slope, slope.abs())
            }

            fn chain_with_magnitude(self, value: $float, slope: f64, size: f64) -> Self {
                $name {
                    value,
                    tangent: self.tangent * slope,
                    magnitude: self.magnitude * size,
                }
            }

            fn join(self, other: Self, value: $float, slopes: [f64; 2]) -> Self {
                $name {
                    value,
                    tangent: self.tangent * slopes[0] + other.tangent * slopes[1],
                    magnitude: self.magnitude * slopes[0].abs() + other.magnitude * slopes[1].abs(),
                }
            }

            /// Sine.
            pub fn sin(self) -> Self {
                // Argument reduction loses digits of the slope near its zeros: size 1.
                self.chain_with_magnitude(self.value.sin(), self.wide().cos(), 1.0)
            }

            /// Cosine.
            pub fn cos(self) -> Self {
                self.chain_with_magnitude(self.value.cos(), -self.wide().sin(), 1.0)
            }

            /// Exponential.
            pub fn exp(self) -> Self {
                self.chain(self.value.exp(), self.wide().exp())
            }

            /// Natural logarithm.
            pub fn ln(self) -> Self {
                self.chain(self.value.ln(), 1.0 / self.wide())
            }

            /// Square root.
            pub fn sqrt(self) -> Self {
                self.chain(self.value.sqrt(), 0.5 / self.wide().sqrt())
            }

            /// Hyperbolic tangent.
            pub fn tanh(self) -> Self {
                // Its slope is mostly computed as `1 - tanh^2`, whose error is that of 1.
                let slope = 1.0 / self.wide().cosh().powi(2);
                self.chain_with_magnitude(self.value.tanh(), slope, 1.0)
            }

            /// A power.
            pub fn powi(self, n: i32) -> Self {
                self.chain(self.value.powi(n), f64::from(n) * self.wide().powi(n - 1))
            }

            /// The magnitude.
            pub fn abs(self) -> Self {
                // Not what has become too small for a float.
                if self.value == 0.0 && self.tangent.abs() > f64::from(<$float>::MIN_POSITIVE) {
                    TIES.set(TIES.get() + 1);
                }
                self.chain(self.value.abs(), self.wide().signum())
            }

            /// The larger one.
            pub fn max(self, other: Self) -> Self {
                // Rounding is not what makes them differ.
                let scale = self.magnitude.max(other.magnitude);
                let differ = (self.tangent - other.tangent).abs() > 1e-6 * scale;
                if self.value == other.value && differ {
                    TIES.set(TIES.get() + 1);
                }
                if self.value > other.value {
                    self
                } else {
                    other
                }
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                self.join(other, self.value + other.value, [1.0, 1.0])
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                self.join(other, self.value - other.value, [1.0, -1.0])
            }
        }

        impl Mul for $name {
            type Output = Self;
            fn mul(self, other: Self) -> Self {
                self.join(other, self.value * other.value, [other.wide(), self.wide()])
            }
        }

        impl Div for $name {
            type Output = Self;
            fn div(self, other: Self) -> Self {
                let (a, b) = (self.wide(), other.wide());
                self.join(other, self.value / other.value, [1.0 / b, -a / (b * b)])
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                self.chain(-self.value, -1.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }

        impl MulAssign for $name {
            fn mul_assign(&mut self, other: Self) {
                *self = *self * other;
            }
        }

        impl DivAssign for $name {
            fn div_assign(&mut self, other: Self) {
                *self = *self / other;
            }
        }

        // As the standard library's sums of floats, which start at -0.
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold($name::constant(-0.0), |sum, item| sum + item)
            }
        }

        impl<'a> Sum<&'a $name> for $name {
            fn sum<I: Iterator<Item = &'a Self>>(items: I) -> Self {
                items.copied().sum()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.value == other.value
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                self.value.partial_cmp(&other.value)
            }
        }
    };
}

dual!(
    Dual64,
    f64,
    "A dual number for programs in double precision."
);
dual!(
    Dual32,
    f32,
    "A dual number for programs in single precision."
);
