//! Through libm, puruspe, special and statrs. Where one crate knows a derivative, the other's is held against it.

use std::f64::consts::{LN_2, LN_10, PI};

use special::{Beta as _, Elliptic as _, Error as _, Gamma as _, LambertW as _};
use statrs::distribution::{
    Beta, Continuous, ContinuousCDF, Discrete, Gamma, Normal, Poisson, StudentsT,
};
use statrs::function;

const POSITIVE: [f64; 4] = [0.5, 1.25, 2.75, 3.5];
const FRACTIONS: [f64; 4] = [0.5, 0.25, -0.75, 0.125];

/// Of the error function.
fn bell(x: f64) -> f64 {
    2.0 / PI.sqrt() * (-x * x).exp()
}

/// Of the incomplete gamma function of shape `a`, regularised.
fn gamma_density(a: f64, x: f64) -> f64 {
    ((a - 1.0) * x.ln() - x - function::gamma::ln_gamma(a)).exp()
}

/// Of the incomplete beta function, regularised.
fn beta_density(a: f64, b: f64, x: f64) -> f64 {
    let ln_beta = function::beta::ln_beta(a, b);
    ((a - 1.0) * x.ln() + (b - 1.0) * (1.0 - x).ln() - ln_beta).exp()
}

/// Of the logarithm of the gamma function.
fn digamma(x: f64) -> f64 {
    x.digamma()
}

real_crates::through! {
    "libm: exponentials and logarithms" libm_exponentials POSITIVE |x| { use libm::*; exp(x[0]) + exp2(x[1]) + exp10(x[2]) + expm1(x[3]) + log(x[0]) + log2(x[1]) + log10(x[2]) + log1p(x[3]) } => { [x[0].exp() + 1.0 / x[0], LN_2 * x[1].exp2() + 1.0 / (LN_2 * x[1]), LN_10 * 10_f64.powf(x[2]) + 1.0 / (LN_10 * x[2]), x[3].exp() + 1.0 / (1.0 + x[3])] };
    "libm: `pow`, `cbrt`, `hypot`" libm_powers POSITIVE |x| { use libm::*; pow(x[0], x[1]) + x[2] * cbrt(x[3]) + hypot(x[0], x[3]) + fabs(x[1]) } => differences;
    "libm: trigonometric and hyperbolic functions" libm_trigonometric FRACTIONS |x| { use libm::*; sin(x[0]) * cos(x[1]) + tan(x[2]) + asin(x[0]) * acos(x[1]) + atan(x[2]) + atan2(x[2], x[3]) + sinh(x[0]) * cosh(x[1]) + tanh(x[2]) + asinh(x[0]) * acosh(x[1] + 2.0) + atanh(x[3]) } => differences;
    "libm: error and Bessel functions" libm_others POSITIVE |x| { use libm::*; erf(x[0]) + erfc(x[1]) + j0(x[2]) + j1(x[3]) + y0(x[2]) + y1(x[3]) } => { use libm::*; [bell(x[0]), -bell(x[1]), -j1(x[2]) - y1(x[2]), j0(x[3]) - j1(x[3]) / x[3] + y0(x[3]) - y1(x[3]) / x[3]] };
    "libm: `lgamma`" libm_gamma POSITIVE |x| { libm::lgamma(x[2]) + libm::lgamma(x[3]) } => { [0.0, 0.0, digamma(x[2]), digamma(x[3])] };
    "special: `digamma`, `ln_gamma`" special_gamma POSITIVE |x| { use special::Gamma; Gamma::digamma(x[1]) + Gamma::ln_gamma(x[2]).0 } => { [0.0, x[1].trigamma(), digamma(x[2]), 0.0] };
    "special: trigamma" special_trigamma POSITIVE |x| { x[1].trigamma() } => differences;
    "special: incomplete gamma function" special_inc_gamma POSITIVE |x| { x[1].inc_gamma(x[0]) } => differences;
    "special: incomplete beta function" special_inc_beta POSITIVE |x| { x[0].inc_beta(x[1], x[2], x[1].ln_beta(x[2])) } => differences;
    "special: error function" special_error FRACTIONS |x| { x[0].error() + x[1].compl_error() } => { [bell(x[0]), -bell(x[1]), 0.0, 0.0] };
    "special: inverse error function" special_inv_error FRACTIONS |x| { x[2].inv_error() } => { [0.0, 0.0, 1.0 / bell(x[2].inv_error()), 0.0] };
    "special: elliptic integrals" special_elliptic FRACTIONS |x| { x[0].elliptic_k() + x[1].elliptic_e() } => differences;
    "special: Lambert W" special_lambert POSITIVE |x| { x[0].lambert_w0() + x[2].lambert_w0() } => { let slope = |x: f64| { let w = x.lambert_w0(); w / (x * (1.0 + w)) }; [slope(x[0]), 0.0, slope(x[2]), 0.0] };
    "puruspe: gamma functions" puruspe_gamma POSITIVE |x| { puruspe::gamma(x[0]) + puruspe::ln_gamma(x[2]) + puruspe::beta(x[1], x[3]) } => differences;
    "puruspe: incomplete gamma function" puruspe_gammp POSITIVE |x| { puruspe::gammp(2.5, x[0]) + puruspe::gammq(1.5, x[3]) } => { [gamma_density(2.5, x[0]), 0.0, 0.0, -gamma_density(1.5, x[3])] };
    "puruspe: incomplete gamma function, shape" puruspe_shape POSITIVE |x| { puruspe::gammp(x[2], x[0]) } => differences;
    "puruspe: incomplete beta function" puruspe_betai POSITIVE |x| { puruspe::betai(x[1], x[2], x[0]) } => differences;
    "puruspe: error function" puruspe_erf POSITIVE |x| { puruspe::erf(x[0]) + puruspe::erfc(x[1]) } => { [bell(x[0]), -bell(x[1]), 0.0, 0.0] };
    "puruspe: inverse error function" puruspe_inverf FRACTIONS |x| { puruspe::inverf(x[2]) } => { [0.0, 0.0, 1.0 / bell(puruspe::inverf(x[2])), 0.0] };
    "puruspe: inverse gamma" puruspe_invgammp FRACTIONS |x| { puruspe::invgammp(x[0], 2.5) } => differences;
    "puruspe: Bessel functions of integer order" puruspe_jn POSITIVE |x| { puruspe::Jn(1, x[2]) + puruspe::Yn(2, x[3]) } => differences;
    "puruspe: Bessel functions I, K of integer order" puruspe_in POSITIVE |x| { puruspe::In(1, x[2]) + puruspe::Kn(2, x[3]) } => differences;
    "puruspe: Lambert W" puruspe_lambert POSITIVE |x| { puruspe::lambert_w0(x[0]) } => { let w = x[0].lambert_w0(); [w / (x[0] * (1.0 + w)), 0.0, 0.0, 0.0] };
    "statrs: `gamma`, `ln_gamma`, `digamma`, `ln_beta`" statrs_gamma POSITIVE |x| { use function::{gamma::*, beta::*}; gamma(x[0]) + ln_gamma(x[2]) + digamma(x[3]) + ln_beta(x[1], x[2]) } => { let d = |a: f64, b: f64| digamma(a) - digamma(a + b); [function::gamma::gamma(x[0]) * digamma(x[0]), d(x[1], x[2]), digamma(x[2]) + d(x[2], x[1]), x[3].trigamma()] };
    "statrs: `beta_reg`" statrs_beta_reg POSITIVE |x| { function::beta::beta_reg(2.0, 3.0, x[0]) } => { [beta_density(2.0, 3.0, x[0]), 0.0, 0.0, 0.0] };
    "statrs: `erf`, `erfc`" statrs_erf POSITIVE |x| { function::erf::erf(x[0]) + function::erf::erfc(x[1]) } => { [bell(x[0]), -bell(x[1]), 0.0, 0.0] };
    "statrs: `erf_inv`, `logistic`, `logit`" statrs_inverse FRACTIONS |x| { function::erf::erf_inv(x[2]) + function::logistic::logistic(x[0]) * function::logistic::logit(x[1]) } => differences;
    "statrs: exponential integral" statrs_integral POSITIVE |x| { function::exponential::integral(x[0], 1).unwrap() } => { [-(-x[0]).exp() / x[0], 0.0, 0.0, 0.0] };
    "statrs: normal distribution" statrs_normal POSITIVE |x| { let n = Normal::new(x[0], x[1]).unwrap(); n.ln_pdf(x[2]) + n.pdf(x[3]) + n.cdf(x[2]) } => differences;
    "statrs: densities gamma, beta, Student" statrs_densities POSITIVE |x| { Gamma::new(x[0], x[1]).unwrap().ln_pdf(x[2]) + Beta::new(x[1], x[2]).unwrap().ln_pdf(0.25 * x[0]) + StudentsT::new(x[0], x[1], x[3]).unwrap().ln_pdf(x[2]) } => differences;
    "statrs: Poisson" statrs_poisson POSITIVE |x| { Poisson::new(x[2]).unwrap().ln_pmf(3) } => { [0.0, 0.0, 3.0 / x[2] - 1.0, 0.0] };
    "statrs: distribution functions Student" statrs_cdf_student POSITIVE |x| { StudentsT::new(x[0], x[1], 3.0).unwrap().cdf(x[2]) } => differences;
}
