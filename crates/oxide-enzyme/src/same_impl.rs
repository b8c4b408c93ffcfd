//! Is the primal that a derivative calls by name the one that the attribute stands on?

use core::any::type_name_of_val;

/// Panics if a derivative in `impl Trait for Type` would be that of a method which the type has by itself under the same name:
/// Rust prefers that one, and no macro can see it. What is called is named as the compiler names it: `<Type as Trait>::f`,
/// or `Type::f`.
#[track_caller]
pub fn same_impl<P, H>(called: &P, here: &H, derivative: &str, primal: &str) {
    let is_in_trait_impl = |name: &str| name.as_bytes().first() == Some(&b'<');
    if is_in_trait_impl(type_name_of_val(here)) && !is_in_trait_impl(type_name_of_val(called)) {
        wrong_primal(derivative, primal);
    }
}

#[cold]
#[track_caller]
fn wrong_primal(derivative: &str, primal: &str) -> ! {
    panic!(
        "`{derivative}`: the type has a method `{primal}` of its own, which hides the trait's: name the trait in the attribute, \
         `<Self as Trait>::{derivative}`"
    )
}
