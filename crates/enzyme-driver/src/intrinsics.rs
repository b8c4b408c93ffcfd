//! Operations of LLVM under the names that Enzyme has rules for.
//!
//! From Rust 1.96 on, `max` and `min` of floats are `llvm.maximumnum` and `llvm.minimumnum`, which the engine does not
//! differentiate. `llvm.maxnum` and `llvm.minnum`, which they were before, differ from them in two things alone: which zero
//! is the greater one, of which Rust says that it does not matter, and what comes of a signalling NaN.

/// As LLVM 22 has it, and as Enzyme knows it.
const RENAMED: [(&str, &str); 2] = [
    ("@llvm.maximumnum.", "@llvm.maxnum."),
    ("@llvm.minimumnum.", "@llvm.minnum."),
];

/// A module's text with such names. A declaration may then be there twice, word for word.
pub fn with_known_names(mut text: String) -> String {
    for (new, known) in RENAMED {
        if text.contains(new) {
            text = text.replace(new, known);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greater_float_is_found_by_an_operation_that_enzyme_knows() {
        let text = "  %m = call nsz double @llvm.maximumnum.f64(double %a, double %b)\n\
                    declare double @llvm.maximumnum.f64(double, double) #1\n\
                    declare <2 x float> @llvm.minimumnum.v2f32(<2 x float>, <2 x float>) #1\n";
        let renamed = with_known_names(text.to_owned());
        assert_eq!(
            renamed,
            "  %m = call nsz double @llvm.maxnum.f64(double %a, double %b)\n\
             declare double @llvm.maxnum.f64(double, double) #1\n\
             declare <2 x float> @llvm.minnum.v2f32(<2 x float>, <2 x float>) #1\n"
        );
        assert_eq!(with_known_names(renamed.clone()), renamed);
    }
}
