//! Misuse of the macros: what the compiler says, word for word.

#[test]
fn misuse_is_explained_where_it_is_written() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
