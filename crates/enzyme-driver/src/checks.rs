//! Leaves out what is in the way of a derivative and computes nothing.
//!
//! Checks of addresses, in debug builds: the program makes them.
//! Before each use of a raw pointer rustc asks whether it is null or misaligned. In a loop LLVM turns "is it null" into
//! arithmetic on the address, by which Enzyme takes the pointer for a number: most of nalgebra and ndarray was refused so.

use crate::policy;

/// A function's body without these checks: what comes after a failed one is not reached.
pub fn without_address_checks(body: &str) -> String {
    if !body.contains("_pointer_dereference") {
        return body.to_owned();
    }
    let lines: Vec<&str> = body.split('\n').filter(|line| !fails(line)).collect();
    lines.join("\n")
}

/// A function's body without what `black_box` leaves: assembly without instructions, which is given an address.
pub fn without_black_boxes(body: &str) -> String {
    const EMPTY: &str = "call void asm sideeffect \"\", \"r,~{memory}\"(";
    if !body.contains(EMPTY) {
        return body.to_owned();
    }
    let lines: Vec<&str> = body
        .split('\n')
        .filter(|line| !line.contains(EMPTY))
        .collect();
    lines.join("\n")
}

/// Whether a line calls what says that a check of an address failed.
fn fails(line: &str) -> bool {
    let code = line.trim_start().trim_start_matches("tail ");
    let callee = code
        .strip_prefix("call void @")
        .and_then(|rest| rest.split('(').next());
    callee.is_some_and(policy::is_address_failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_of_an_address_is_never_reached() {
        let check = "  %1 = icmp eq i64 %0, 0\n  br i1 %1, label %panic, label %bb2\n\npanic:\n";
        let end = "  unreachable\n}";
        for name in [
            "_RNvNtCsgEmfK2I1SDS_4core9panicking30panic_null_pointer_dereference",
            "_RNvNtCsgEmfK2I1SDS_4core9panicking36panic_misaligned_pointer_dereference",
        ] {
            let body =
                format!("{check}  call void @{name}(ptr align 8 @alloc_1) #9, !dbg !7\n{end}");
            assert_eq!(without_address_checks(&body), format!("{check}{end}"));
        }
    }

    #[test]
    fn a_black_box_is_left_out() {
        let before = "  store double %x, ptr %0, align 8\n";
        let asm = "  call void asm sideeffect \"\", \"r,~{memory}\"(ptr %0), !dbg !7, !srcloc !8\n";
        let after = "  ret void\n}";
        assert_eq!(
            without_black_boxes(&format!("{before}{asm}{after}")),
            format!("{before}{after}")
        );
    }

    #[test]
    fn a_function_of_the_users_of_that_name_is_called() {
        let body = "  call void @_RNvCs1234_4main30panic_null_pointer_dereference(ptr %p)\n  unreachable\n}";
        assert_eq!(without_address_checks(body), body);
    }
}
