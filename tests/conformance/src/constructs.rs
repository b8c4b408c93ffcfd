//! Families of cases: one construct of the language, differentiated for both types, in both modes, at several widths.

/// Where all constructs are differentiated: exact in both types, of both signs, in no order.
pub const AT: [f64; 4] = [0.5, 1.25, -0.75, 2.0];

/// Differentiates a function of `x: &[F]` as `f64` and as `f32`, forward and reverse, at widths 1 and more, which is eight
/// derivatives, and compares each with the gradient at [`AT`].
///
/// An entry is `"construct" name |x| { value } => gradient;`, in which the value is of the type `F` and the gradient, of the type
/// `[f64; 4]`, is computed from `x: [f64; 4]`. The book's table of constructs is made from these entries.
#[macro_export]
macro_rules! constructs {
    ($($construct:literal $name:ident |$x:ident| $value:block => $gradient:expr;)*) => {$(
        mod $name {
            /// The gradient at `AT`, in double precision.
            fn gradient() -> [f64; 4] {
                #[allow(unused_variables)]
                let $x = $crate::constructs::AT;
                $gradient
            }

            $crate::constructs!(@float f64 1e-12 $x $value [2: a 0, b 1] [3: a 0, b 1, c 2]);
            $crate::constructs!(@float f32 2e-5 $x $value [4: a 0, b 1, c 2, d 3] [8: a 0, b 1, c 2, d 3, e 0, f 1, g 2, h 3]);
        }
    )*};
    (@float $float:ident $tolerance:literal $x:ident $value:block [$reverse:literal: $($r:ident $ri:literal),*] [$forward:literal: $($t:ident $ti:literal),*]) => {
        mod $float {
            #[allow(unused_imports)]
            use std::{borrow::Cow, cell::{Cell, RefCell}, collections::*, ops::*, rc::Rc, sync::atomic::*};
            use oxide_enzyme::{autodiff_forward, autodiff_reverse};

            #[allow(dead_code)]
            type F = $float;

            #[autodiff_reverse(reverse_1, Duplicated, Active)]
            #[autodiff_reverse(reverse_n, $reverse, Duplicated, Active)]
            #[autodiff_forward(forward_1, Dual, Dual)]
            #[autodiff_forward(forward_n, $forward, Dual, Dual)]
            #[allow(clippy::all)]
            fn primal($x: &[F]) -> F $value

            const X: [F; 4] = {
                let x = $crate::constructs::AT;
                [x[0] as F, x[1] as F, x[2] as F, x[3] as F]
            };

            fn near(found: F, expected: f64) {
                $crate::assert_near(found.into(), expected, $tolerance);
            }

            /// A direction, not of length 1, so that a forgotten seed is noticed.
            fn direction(index: usize) -> [F; 4] {
                let mut direction = [0.0; 4];
                direction[index] = 1.5;
                direction
            }

            #[test]
            fn reverse() {
                let (value, gradient) = (primal(&X), super::gradient());
                let mut dx = [0.25; 4];
                near(reverse_1(&X, &mut dx, 1.5), value.into());
                for (dx, gradient) in dx.into_iter().zip(gradient) {
                    near(dx, 0.25 + 1.5 * gradient);
                }
            }

            #[test]
            fn reverse_at_a_width() {
                let (value, gradient) = (primal(&X), super::gradient());
                let mut lanes = [[0.0; 4]; $reverse];
                let seeds: [F; $reverse] = std::array::from_fn(|lane| lane as F - 1.5);
                let [$($r),*] = &mut lanes;
                near(reverse_n(&X, $($r),*, seeds), value.into());
                for (lane, seed) in lanes.into_iter().zip(seeds) {
                    for (dx, gradient) in lane.into_iter().zip(gradient) {
                        near(dx, f64::from(seed) * gradient);
                    }
                }
            }

            #[test]
            fn forward() {
                let (value, gradient) = (primal(&X), super::gradient());
                for index in 0..4 {
                    let (primal, tangent) = forward_1(&X, &direction(index));
                    near(primal, value.into());
                    near(tangent, 1.5 * gradient[index]);
                }
            }

            #[test]
            fn forward_at_a_width() {
                let (value, gradient) = (primal(&X), super::gradient());
                let [primal, $($t),*] = forward_n(&X, $(&direction($ti)),*);
                near(primal, value.into());
                $(near($t, 1.5 * gradient[$ti]);)*
            }
        }
    };
}
