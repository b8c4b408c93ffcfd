//! Keeps Enzyme from running a call's forward pass in the reverse pass.
//!
//! Where nothing needs the result of a call before, Enzyme moves the call to the reverse pass, with all that uses its result. It
//! overlooks uses through a copy: what was copied was read before it was computed, and the gradient was seen to be zero. It
//! does not move a call that is followed by another one which may release memory, so such a call ends every function. It does
//! nothing and goes away after differentiation.
//!
//! To a call of which nothing is active Enzyme needs a callee that releases nothing, and makes one, which it cannot out of a
//! barrier. So calls of functions that release nothing themselves say so.

use std::collections::{HashMap, HashSet};

use crate::ir::{balanced, bare, for_each_function, function_name, value_length};
use crate::policy;

const BARRIER: &str = "oxide_enzyme.barrier";

/// Ends every function of a module with a barrier.
pub fn raise(ir: &str) -> String {
    let barrier = policy::inactive_name(BARRIER);
    let harmless = harmless(ir);
    let mut out = String::with_capacity(ir.len());
    for line in ir.lines() {
        if line.starts_with("  ret ") {
            out.push_str(&format!("  call void @{barrier}()\n"));
        }
        match callee(line) {
            Some((name, end)) if harmless.contains(name) => {
                out.push_str(&format!("{} nofree{}", &line[..end], &line[end..]));
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out.push_str(&format!(
        "declare void @{barrier}() nounwind willreturn memory(inaccessiblemem: readwrite)\n"
    ));
    out
}

/// The functions of a module that release nothing, unless they panic.
fn harmless(ir: &str) -> HashSet<&str> {
    let mut callees: HashMap<&str, HashSet<&str>> = HashMap::new();
    for_each_function(ir, |function| {
        if let Ok(lines) = function
            && let Some(name) = function_name(lines[0])
        {
            let returns = lines
                .windows(2)
                .filter(|pair| pair[0].contains("call ") && !pair[1].starts_with("  unreachable"));
            let called = returns.map(|pair| callee(pair[0]).map_or(UNKNOWN, |(name, _)| name));
            callees.insert(name, called.filter(|name| !keeps_memory(name)).collect());
        }
    });
    let mut harmless: HashSet<&str> = callees.keys().copied().collect();
    loop {
        let before = harmless.len();
        let kept = harmless.clone();
        harmless.retain(|name| callees[name].iter().all(|callee| kept.contains(callee)));
        if harmless.len() == before {
            return harmless;
        }
    }
}

/// A function that only runs knows.
const UNKNOWN: &str = "";

/// Whether a function without a body releases nothing.
fn keeps_memory(name: &str) -> bool {
    let own = name.strip_prefix(policy::INACTIVE_NAME).unwrap_or(name);
    ["llvm.", "__enzyme_", "oxide_enzyme.", "__rust_alloc"]
        .iter()
        .any(|prefix| own.starts_with(prefix))
}

/// The function that a line calls by name, and where its arguments end.
fn callee(line: &str) -> Option<(&str, usize)> {
    let call = line.find("call ")?;
    line[call..].match_indices('@').find_map(|(at, _)| {
        let start = call + at;
        let open = start + value_length(&line[start..])?;
        let is_called = line[open..].starts_with('(');
        let end = open + is_called.then(|| balanced(&line[open..]))??;
        Some((bare(&line[start..open]), end))
    })
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

    #[test]
    fn calls_of_what_releases_nothing_say_so() {
        let ir = "\
define void @f(ptr %p) {
  call fastcc void @\"g h\"(ptr noundef align 8 inttoptr (i64 8 to ptr), i64 range(i64 0, 9) 0) #18, !dbg !119
  call void @frees(ptr %p)
  call void @by_address(ptr @frees)
  ret void
}
define internal fastcc void @\"g h\"(ptr %p, i64 %n) {
  call void @llvm.donothing()
  ret void
panic:
  call void @panic(ptr @text)
  unreachable
}
define internal void @frees(ptr %p) {
  tail call void @__rust_dealloc(ptr %p, i64 8, i64 8)
  ret void
}
define internal void @by_address(ptr %p) {
  call void %p()
  ret void
}
";
        let out = raise(ir);
        assert!(
            out.contains("range(i64 0, 9) 0) nofree #18, !dbg !119\n"),
            "{out}"
        );
        assert_eq!(out.matches(" nofree").count(), 1, "{out}");
    }
}
