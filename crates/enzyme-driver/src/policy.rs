//! Which functions a derivative's closure leaves alone.
//!
//! Three things are never followed: code that only runs when something went wrong (panics, allocation failure),
//! code that talks to the world or makes text (I/O, formatting), and the allocator, which the program may have
//! replaced. The derivative calls them where they are; Enzyme takes them as inactive, which they are: no float
//! comes back out of them.

use rustc_demangle::demangle;

/// The demangled path of `symbol`, without the hash that legacy names end in.
pub fn path(symbol: &str) -> String {
    format!("{:#}", demangle(symbol))
}

/// Whether nothing differentiable comes out of this function, by its path.
pub fn is_inactive(symbol: &str) -> bool {
    let path = path(symbol);
    if CALL_BACK.iter().any(|prefix| path.starts_with(prefix)) {
        return false;
    }
    INACTIVE_PATHS.iter().any(|prefix| path.starts_with(prefix))
        || INACTIVE_TYPES.iter().any(|ty| is_method_of(&path, ty))
        || INACTIVE_TRAITS
            .iter()
            .any(|name| is_implementation_of(&path, name))
        || FAILURES.iter().any(|suffix| path.ends_with(suffix))
}

/// Enzyme knows functions whose name starts so as inactive, whatever memory they are given. (Its attribute
/// `enzyme_inactive` does not do for a function that writes to active memory.) It also takes them to write nothing; see
/// `types`, where that matters.
pub const INACTIVE_NAME: &str = "_ZN4core3fmt.inactive.";

/// The closure's name for an inactive function.
pub fn inactive_name(symbol: &str) -> String {
    format!("{INACTIVE_NAME}{symbol}")
}

/// The program's name for a function of the closure, if it had another there.
pub fn original_name(name: &str) -> Option<&str> {
    if name == crate::hints::MOVE_UNKNOWN {
        return Some("memmove");
    }
    name.strip_prefix(INACTIVE_NAME)
}

/// Whether this function does nothing for what is computed.
///
/// One such checks, in debug builds, that an unsafe function of the standard library is used rightly. The primal checks it; in
/// the derivative it would only confuse type analysis, since it takes pointers for numbers. The other compares a derivative
/// with finite differences, and would be differentiated with it.
pub fn only_checks(symbol: &str) -> bool {
    (symbol.contains("precondition_check") && path(symbol).ends_with("::precondition_check"))
        || (symbol.contains("oxide_enzyme")
            && path(symbol).starts_with("oxide_enzyme::checked::aside"))
}

/// Whether this function hands work to another thread.
pub fn starts_thread(symbol: &str) -> bool {
    let path = path(original_name(symbol).unwrap_or(symbol));
    let path = path.trim_start_matches('<');
    path.starts_with("rayon_core::")
        || (path.starts_with("std::sys::") && path.ends_with("::Thread>::new"))
        || (path.starts_with("std::sys::") && path.ends_with("::Thread::new"))
}

/// Whether this function says that a debug build's check of an address has failed.
pub fn is_address_failure(symbol: &str) -> bool {
    let path = path(symbol);
    path == "core::panicking::panic_null_pointer_dereference"
        || path == "core::panicking::panic_misaligned_pointer_dereference"
}

/// The function of mathematics that a function of this library stands for, or one of the crate `libm`, which works on the bits
/// of floats.
pub fn known_as(symbol: &str) -> Option<String> {
    if symbol.contains("oxide_enzyme") {
        let path = path(symbol);
        let name = path.strip_prefix("oxide_enzyme::maths::")?;
        return Some(name.split("::").next().unwrap_or(name).to_owned());
    }
    if !symbol.contains("libm") {
        return None;
    }
    let path = path(symbol);
    let (_, name) = path.strip_prefix("libm::math::")?.split_once("::")?;
    // Not `erf`, and not `exp10f`, which Enzyme does not know.
    let double = name
        .strip_suffix('f')
        .filter(|name| !matches!(*name, "er" | "exp10"));
    LIBM.contains(&double.unwrap_or(name))
        .then(|| name.to_owned())
}

/// What the crate `libm` has of the C library's mathematics, in double precision, and Enzyme knows the derivative of.
const LIBM: &[&str] = &[
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos",
    "cosh", "erf", "erfc", "exp", "exp10", "exp2", "expm1", "fabs", "floor", "fma", "fmax", "fmin",
    "fmod", "hypot", "j0", "j1", "log", "log10", "log1p", "log2", "pow", "rint", "round", "sin",
    "sinh", "sqrt", "tan", "tanh", "trunc", "y0", "y1",
];

/// Whether this function of the library is what Enzyme calls for a function with a rule.
pub fn is_part_of_rule(symbol: &str) -> bool {
    symbol.contains("oxide_enzyme") && path(symbol).starts_with("oxide_enzyme::rule::")
}

/// Whether this function of the library calls through a pointer of which it knows what is behind it: a nested derivative, or
/// what has a rule.
pub fn knows_pointers(symbol: &str) -> bool {
    let known = ["oxide_enzyme::call::", "oxide_enzyme::product::"];
    symbol.contains("oxide_enzyme") && known.iter().any(|module| path(symbol).starts_with(module))
}

/// Whether this function is an implementation detail of `Vec`'s growth, which type analysis understands only once it
/// is inlined: it passes a pointer or an error code through the same slot.
pub fn wants_inlining(symbol: &str) -> bool {
    // Most symbols are not it, and demangling each is slow.
    symbol.contains("raw_vec") && !is_inactive(symbol)
}

/// Whether this function of the standard library belongs to the part that computes nothing (input and output, threads, the
/// test harness, ...). The crate whose copy is linked does not tell: any of them may hold an instance of `Vec<f64>`'s code.
pub fn is_support(symbol: &str) -> bool {
    let path = path(symbol);
    let own = path.trim_start_matches('<');
    if CALL_BACK.iter().any(|prefix| own.starts_with(prefix)) {
        return false;
    }
    if !own.contains("::") {
        return own.starts_with("rust_");
    }
    let is_generic = own.contains('<');
    let root = own.split("::").next().unwrap_or_default();
    !is_generic && !matches!(root, "core" | "alloc" | "compiler_builtins")
}

/// What runs a closure of the user's: `OnceLock` and `LazyLock` are filled by it. What it computes is not inactive.
const CALL_BACK: &[&str] = &["std::sys::sync::once"];

const INACTIVE_PATHS: &[&str] = &[
    // Random bits, and text to numbers and back.
    "rand_core::",
    "rand_chacha::",
    "chacha20::",
    "getrandom::",
    "rand::rngs::",
    "serde_json::de::from_",
    "serde_json::ser::to_",
    "oxide_enzyme::rule::inactive",
    "core::panicking::",
    "core::fmt::",
    "core::str::",
    "core::unicode::",
    "core::char::",
    "core::num::flt2dec::",
    "core::num::fmt::",
    "core::num::imp::flt2dec::",
    "alloc::fmt::",
    "alloc::str::",
    "alloc::string::",
    "alloc::alloc::handle_alloc_error",
    "std::panicking::begin_panic",
    "std::panicking::rust_panic",
    "std::panicking::panic_count",
    "std::sys::",
    "std::io::",
    "std::time::",
    "std::env::",
    "std::fs::",
    "std::process::",
    "std::backtrace",
];

const INACTIVE_TYPES: &[&str] = &[
    "chacha20::",
    "rand::rngs::",
    "core::fmt::",
    "alloc::string::String",
    "std::time::",
    "std::io::",
];

const INACTIVE_TRAITS: &[&str] = &[
    "rand_core::",
    "core::fmt::",
    "alloc::string::ToString",
    "core::error::Error",
    "std::io::",
];

const FAILURES: &[&str] = &[
    "::unwrap_failed",
    "::expect_failed",
    "::slice_index_fail",
    "::slice_start_index_len_fail",
    "::slice_end_index_len_fail",
    "::slice_index_order_fail",
    "::slice_error_fail",
    "::len_mismatch_fail",
    "::copy_from_slice_impl::len_mismatch_fail",
    "::handle_error",
    "::capacity_overflow",
    "::panic_already_borrowed",
    "::panic_already_mutably_borrowed",
    "::assert_failed",
    "::assert_failed_inner",
];

/// `<Type>::method` or `<impl Type>::method`.
fn is_method_of(path: &str, ty: &str) -> bool {
    path.strip_prefix('<')
        .is_some_and(|rest| rest.starts_with(ty) && !rest.contains(" as "))
}

/// `<Type as Trait>::method`.
fn is_implementation_of(path: &str, name: &str) -> bool {
    path.starts_with('<') && path.contains(&format!(" as {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_and_panics_are_inactive_and_arithmetic_is_not() {
        assert!(is_inactive(
            "_RNvNtCsgEmfK2I1SDS_4core9panicking18panic_bounds_check"
        ));
        assert!(is_inactive(
            "_RNvNtNtCsgEmfK2I1SDS_4core5slice5index16slice_index_fail"
        ));
        assert!(is_inactive(
            "_RNvXs8_NtNtNtCsgEmfK2I1SDS_4core3fmt3num3impmNtB9_7Display3fmt"
        ));
        assert!(!is_inactive(
            "_ZN4main2df28_$u7b$$u7b$closure$u7d$$u7d$17h7fa07ff2b2ff2c50E"
        ));
        assert!(is_support("_RNvNtNtCsjrHSEGnQ3l9_3std2io5stdio6__print"));
        assert!(!is_support(
            "_RNvMs3_NtCslNYArtu3iFV_5alloc7raw_vecINtB5_6RawVecdE8grow_oneCs3mSbOeLENLV_4test"
        ));
        assert!(wants_inlining(
            "_ZN5alloc7raw_vec19RawVec$LT$T$C$A$GT$8grow_one17h22048d2323962ca3E"
        ));
        assert!(!wants_inlining(
            "_RNvNtCslNYArtu3iFV_5alloc7raw_vec12handle_error"
        ));
    }
}
