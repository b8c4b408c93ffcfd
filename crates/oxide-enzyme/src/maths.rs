//! Functions that compute what a function of mathematics does, by other means: what `#[known_as]` calls. The driver knows these by
//! name, and Enzyme differentiates the function of mathematics instead.

macro_rules! known {
    ($($name:ident),*) => {$(
        /// Calls `function`, which Enzyme takes for the function of mathematics of this name.
        #[inline(never)]
        pub fn $name(function: impl FnOnce(f64) -> f64, x: f64) -> f64 {
            function(x)
        }
    )*};
}

known!(
    sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, exp, exp2, expm1, log, log2, log10, log1p,
    sqrt, cbrt
);
