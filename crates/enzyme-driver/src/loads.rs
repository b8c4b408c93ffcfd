//! Tells Enzyme in forward mode that a float that is loaded is a float.
//!
//! A table of constants is bytes in the IR, which to Enzyme are of any type, and so is what is loaded from it. Where such a number
//! takes the place of an active one (`v[k] = TABLE[k]`, or by a choice), forward mode takes it for what may be a pointer, whose shadow is
//! itself, and the number was its own tangent. What comes out of a sum is a float. So nothing is added to what is loaded.

use crate::ir::{bare, push_line, rewrite_functions};
use crate::nothing::{self, NOTHING};

/// Adds nothing to each float that is loaded in a module.
pub fn add_nothing(ir: &str) -> String {
    nothing::declare(rewrite_functions(ir, in_function))
}

fn in_function(lines: &[&str], out: &mut String) {
    let sums: Vec<Option<[String; 2]>> = lines.iter().map(|line| sum(line)).collect();
    let added = sums.iter().flatten().map(|[_, sum]| sum.as_str());
    let calls = nothing::calls(added);
    let entry = nothing::entry(lines);
    for (number, (line, sum)) in lines.iter().zip(&sums).enumerate() {
        if number == entry {
            out.push_str(&calls);
        }
        match sum {
            Some(both) => both.iter().for_each(|line| push_line(out, line)),
            None => push_line(out, line),
        }
    }
}

/// The load of a float under another name, and the sum that takes its name.
fn sum(line: &str) -> Option<[String; 2]> {
    let (name, load) = line.strip_prefix("  ")?.split_once(" = load ")?;
    let (ty, _) = load.split_once(", ")?;
    if !matches!(ty, "double" | "float") {
        return None;
    }
    let loaded = format!("%\"{}.loaded\"", bare(name));
    Some([
        format!("  {loaded} = load {load}"),
        format!("  {name} = fadd {ty} {loaded}, %{NOTHING}{ty}"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_is_a_sum() {
        let ir = "\
define double @f(ptr %p) {
start:
  %x = load double, ptr %p, align 8, !noundef !1
  %n = load i64, ptr %p, align 8
  ret double %x
}
";
        let out = add_nothing(ir);
        let expected = "\
define double @f(ptr %p) {
start:
  %oxide_enzyme.nothing.double = call double @_ZN4core3fmt.inactive.oxide_enzyme.nothing.double()
  %\"x.loaded\" = load double, ptr %p, align 8, !noundef !1
  %x = fadd double %\"x.loaded\", %oxide_enzyme.nothing.double
  %n = load i64, ptr %p, align 8
  ret double %x
}
";
        assert!(out.starts_with(expected), "{out}");
        let none = ir.replace("load double", "load i64");
        assert_eq!(add_nothing(&none), none);
    }
}
