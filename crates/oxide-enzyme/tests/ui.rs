//! Misuse of the macros: what the compiler says, word for word.

use trybuild::TestCases;

#[test]
fn misuse_is_explained_where_it_is_written() {
    TestCases::new().compile_fail("tests/ui/*.rs");
}

/// What shows only when code is made for a type; a program that must run has all of them built, not only checked.
#[test]
fn misuse_of_generic_derivatives_is_explained() {
    let tests = TestCases::new();
    tests.pass("tests/ui-built/unused.rs");
    tests.compile_fail("tests/ui-built/generic.rs");
}
