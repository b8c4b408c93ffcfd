//! Keeps Enzyme from running a call's forward pass in the reverse pass.
//!
//! Where nothing needs the result of a call before, Enzyme moves the call to the reverse pass, with all that uses its result. It
//! overlooks uses through a copy: what was copied was read before it was computed, and the gradient was seen to be zero. It
//! does not move a call that is followed by another one which may release memory, so such a call ends every function. It does
//! nothing and goes away after differentiation.

use crate::policy;

const BARRIER: &str = "oxide_enzyme.barrier";

/// Ends every function of a module with a barrier.
pub fn raise(ir: &str) -> String {
    let barrier = policy::inactive_name(BARRIER);
    let mut out = String::with_capacity(ir.len());
    for line in ir.lines() {
        if line.starts_with("  ret ") {
            out.push_str(&format!("  call void @{barrier}()\n"));
        }
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(&format!(
        "declare void @{barrier}() nounwind willreturn memory(inaccessiblemem: readwrite)\n"
    ));
    out
}

/// Whether a line of a differentiated module is a barrier, or what declares it.
pub fn is_barrier(line: &str) -> bool {
    line.contains("oxide_enzyme.barrier(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_end_with_a_barrier() {
        let ir = "define internal void @f() {\nstart:\n  ret void\n}\n";
        let out = raise(ir);
        assert!(out.starts_with(
            "define internal void @f() {\nstart:\n  call void @_ZN4core3fmt.inactive.oxide_enzyme.barrier()\n  ret void\n}\n"
        ));
        let kept: Vec<&str> = out.lines().filter(|line| !is_barrier(line)).collect();
        assert_eq!(kept.join("\n") + "\n", ir);
    }
}
