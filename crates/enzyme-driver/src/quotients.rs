//! Divides twice where Enzyme divides by a square.
//!
//! Its tangent of `a / b` is `(a' b - b' a) / (b b)`. The square of a large or small denominator is no float any more, and the
//! tangent was zero or infinite without a word.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::ir::{bare, push_line, rewrite_functions};

/// Rewrites every function of a differentiated module. What Enzyme computes is marked `fast`; nothing of the program's is.
pub fn divide_twice(ir: &str) -> String {
    rewrite_functions(ir, in_function)
}

fn in_function(lines: &[&str], out: &mut String) {
    let squares: HashMap<&str, &str> = lines.iter().filter_map(|line| square(line)).collect();
    for line in lines {
        match twice(line, &squares) {
            Some(new) => push_line(out, &new),
            None => push_line(out, line),
        }
    }
}

/// Name and factor of `%n = fmul fast double %b, %b`.
fn square(line: &str) -> Option<(&str, &str)> {
    let (name, code) = line.trim_start().split_once(" = fmul fast ")?;
    let (_, factors) = code.split_once(' ')?;
    let mut factors = factors.split(", ");
    let factor = factors.next()?;
    (factor.starts_with('%') && factors.next()? == factor).then_some((name, factor))
}

fn twice(line: &str, squares: &HashMap<&str, &str>) -> Option<String> {
    let (name, code) = line.trim_start().split_once(" = fdiv fast ")?;
    let (ty, operands) = code.split_once(' ')?;
    let (numerator, rest) = operands.split_once(", ")?;
    let (denominator, tail) = rest.split_once(',').map_or((rest, ""), |(denominator, _)| {
        (denominator, &rest[denominator.len()..])
    });
    let factor = squares.get(denominator)?;
    let once = format!("%\"{}.once\"", bare(name));
    let mut out = String::new();
    let _ = write!(
        out,
        "  {once} = fdiv {ty} {numerator}, {factor}{tail}\n  {name} = fdiv {ty} {once}, {factor}{tail}"
    );
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_that_enzyme_divides_by_is_not_computed() {
        let ir = "define void @f(double %b) {\n  %6 = fmul fast double %b, %b, !dbg !1\n  %7 = fdiv fast double %5, %6, !dbg !1\n  %8 = fdiv fast double %5, %b\n}\n";
        let expected = ir.replace(
            "  %7 = fdiv fast double %5, %6, !dbg !1\n",
            "  %\"7.once\" = fdiv double %5, %b, !dbg !1\n  %7 = fdiv double %\"7.once\", %b, !dbg !1\n",
        );
        assert_eq!(divide_twice(ir), expected);
    }

    #[test]
    fn the_program_s_own_squares_stay() {
        let ir = "define void @f(double %b) {\n  %6 = fmul double %b, %b\n  %7 = fdiv double %5, %6\n}\n";
        assert_eq!(divide_twice(ir), ir);
    }
}
