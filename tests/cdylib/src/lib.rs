//! Derivatives in a shared library.

use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(d_log_sum_exp, Duplicated, Active)]
fn log_sum_exp(x: &[f64]) -> f64 {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let terms: Vec<f64> = x.iter().map(|x| (x - largest).exp()).collect();
    largest + terms.iter().sum::<f64>().ln()
}

/// The value at `x`; its gradient is stored in `gradient`.
///
/// # Safety
/// Both must point at `length` numbers that nobody else uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn log_sum_exp_gradient(
    x: *const f64,
    gradient: *mut f64,
    length: usize,
) -> f64 {
    // SAFETY: the caller's promise.
    let (x, gradient) = unsafe {
        (
            std::slice::from_raw_parts(x, length),
            std::slice::from_raw_parts_mut(gradient, length),
        )
    };
    gradient.fill(0.0);
    d_log_sum_exp(x, gradient, 1.0)
}
