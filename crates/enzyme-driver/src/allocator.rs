//! Rust's allocator, in the words that Enzyme knows.
//!
//! rustc mangles the allocator's symbols (`_RNvCs..._7___rustc12___rust_alloc`); Enzyme knows `__rust_alloc`,
//! `__rust_alloc_zeroed` and `__rust_dealloc` by these exact names and has no rule for `__rust_realloc`. So the closure
//! uses the plain names, defines `__rust_realloc` by the others, and the real names are put back afterwards.

/// The plain name of an allocator symbol.
pub fn plain_name(symbol: &str) -> Option<&'static str> {
    let (_, tail) = symbol.strip_prefix("_RNv")?.split_once("_7___rustc")?;
    match tail {
        "12___rust_alloc" => Some("__rust_alloc"),
        "19___rust_alloc_zeroed" => Some("__rust_alloc_zeroed"),
        "14___rust_dealloc" => Some("__rust_dealloc"),
        "14___rust_realloc" => Some("__rust_realloc"),
        "35___rust_no_alloc_shim_is_unstable_v2" => Some("__rust_no_alloc_shim_is_unstable_v2"),
        _ => None,
    }
}

/// What every allocator symbol of this compiler starts with, given one of them.
pub fn mangled_prefix(symbol: &str) -> Option<&str> {
    plain_name(symbol)?;
    symbol.split_once("_7___rustc").map(|(prefix, _)| prefix)
}

/// The real name of a plain one.
pub fn mangled_name(prefix: &str, plain: &str) -> String {
    // Length, then `_` because the name starts with one (v0 mangling, RFC 2603).
    format!("{prefix}_7___rustc{}_{plain}", plain.len())
}

/// Declarations and definitions of all of them.
///
/// A failed reallocation traps: the original returns null, which its only callers turn into an abort.
pub const DEFINITIONS: &str = r#"
declare noalias noundef ptr @__rust_alloc(i64 noundef, i64 allocalign noundef) nounwind allockind("alloc,uninitialized,aligned") allocsize(0) "alloc-family"="__rust_alloc"
declare noalias noundef ptr @__rust_alloc_zeroed(i64 noundef, i64 allocalign noundef) nounwind allockind("alloc,zeroed,aligned") allocsize(0) "alloc-family"="__rust_alloc"
declare void @__rust_dealloc(ptr allocptr noundef, i64 noundef, i64 noundef) nounwind allockind("free") "alloc-family"="__rust_alloc"
define internal void @__rust_no_alloc_shim_is_unstable_v2() alwaysinline nounwind {
  ret void
}
define internal noalias noundef ptr @__rust_realloc(ptr noundef %old, i64 noundef %old_size, i64 noundef %align, i64 noundef %new_size) alwaysinline nounwind {
start:
  %new = call ptr @__rust_alloc(i64 %new_size, i64 %align)
  %failed = icmp eq ptr %new, null
  br i1 %failed, label %out_of_memory, label %copy
out_of_memory:
  call void @llvm.trap()
  unreachable
copy:
  %grows = icmp ult i64 %old_size, %new_size
  %kept = select i1 %grows, i64 %old_size, i64 %new_size
  call void @llvm.memcpy.p0.p0.i64(ptr align 1 %new, ptr align 1 %old, i64 %kept, i1 false)
  call void @__rust_dealloc(ptr %old, i64 %old_size, i64 %align)
  ret ptr %new
}
"#;

/// Intrinsics that [`DEFINITIONS`] uses and the closure may not.
pub const INTRINSICS: &[(&str, &str)] = &[
    ("llvm.trap", "declare void @llvm.trap()"),
    (
        "llvm.memcpy.p0.p0.i64",
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_back_and_forth() {
        let mangled = "_RNvCsfLfy6EI15iL_7___rustc19___rust_alloc_zeroed";
        assert_eq!(plain_name(mangled), Some("__rust_alloc_zeroed"));
        let prefix = mangled_prefix(mangled).unwrap();
        assert_eq!(mangled_name(prefix, "__rust_alloc_zeroed"), mangled);
        assert_eq!(
            mangled_name(prefix, "__rust_dealloc"),
            "_RNvCsfLfy6EI15iL_7___rustc14___rust_dealloc"
        );
        assert_eq!(plain_name("malloc"), None);
    }
}
