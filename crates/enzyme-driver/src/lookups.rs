//! Finds derivatives that look up what they remember at no place.
//!
//! Where two loops read the same memory, Enzyme remembers it once and takes what the first loop has read for the second. If both
//! lengths are known only when they run, it was seen to lose the round of the second one (`lookupM` of its GradientUtils.cpp):
//! the place in what is remembered was undefined, and part of a gradient was lost.

use crate::ir::find_function;

/// The function whose derivative does that, if there is one.
pub fn undefined_place(differentiated: &str) -> Option<String> {
    find_function(differentiated, |lines| {
        lines.iter().any(|line| is_undefined(line))
    })
    .map(|name| {
        name.trim_start_matches("diffe")
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    })
}

fn is_undefined(line: &str) -> bool {
    line.split_once(" = getelementptr ")
        .and_then(|(_, place)| place.split_once(", ptr "))
        .and_then(|(_, operands)| operands.split_once(", "))
        .is_some_and(|(cache, index)| {
            let is_cache = cache.contains("_malloccache") || cache.contains("_cache.");
            is_cache && (index.contains(" undef") || index.contains(" poison"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_undefined_is_found() {
        let ir = "define internal void @diffe_f(ptr %x) {\n  %1 = getelementptr inbounds i64, ptr %\"len'ipl_malloccache\", i64 undef, !dbg !1\n  ret void\n}\n";
        assert_eq!(undefined_place(ir).as_deref(), Some("_f"));
        assert_eq!(undefined_place(&ir.replace("undef", "%iv")), None);
        assert_eq!(undefined_place(&ir.replace("_malloccache", "")), None);
    }
}
