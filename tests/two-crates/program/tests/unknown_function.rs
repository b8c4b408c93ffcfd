//! A function pointer of which the derivative cannot know: silence would be a gradient of zero.

use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(d_apply, Const, Active, Active)]
#[autodiff_forward(t_apply, Const, Dual, Dual)]
fn apply(f: fn(f64) -> f64, x: f64) -> f64 {
    f(x)
}

#[test]
#[should_panic(expected = "whose function was not differentiated")]
fn an_unknown_function_panics_in_reverse_mode() {
    d_apply(two_crates_library::hidden_function(), 2.0, 1.0);
}

#[test]
#[should_panic(expected = "whose function was not differentiated")]
fn an_unknown_function_panics_in_forward_mode() {
    t_apply(two_crates_library::hidden_function(), 2.0, 1.0);
}

#[test]
fn a_function_of_this_crate_is_known() {
    assert_eq!(d_apply(|x| 2.0 * x, 3.0, 1.0), (6.0, 2.0));
}
