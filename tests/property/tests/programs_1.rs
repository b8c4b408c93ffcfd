//! A quarter of the random programs.

include!(concat!(env!("OUT_DIR"), "/programs_1.rs"));

#[test]
fn derivatives_are_those_of_dual_numbers() {
    property::check(SEED, PROGRAMS, LEFT_OUT);
}
