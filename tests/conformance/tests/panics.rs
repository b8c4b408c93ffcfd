//! Panics: in the primal, before it, and what is dropped.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

/// The message of a panic.
fn message(panicking: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(panicking)).expect_err("it should panic");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().unwrap().to_string(),
    }
}

#[autodiff_reverse(rev_square_at, Duplicated, Const, Active)]
#[autodiff_forward(fwd_square_at, Dual, Const, Dual)]
fn square_at(x: &[f64], i: usize) -> f64 {
    x[i] * x[i]
}

#[test]
fn a_bounds_check_that_holds_is_no_trouble() {
    let mut dx = [0.0; 3];
    assert_close(rev_square_at(&[1.0, 2.0, 3.0], &mut dx, 1, 1.0), 4.0);
    assert_all_close(&dx, &[0.0, 4.0, 0.0]);
}

#[test]
fn a_bounds_check_that_fails_panics_as_in_the_primal() {
    let text = message(|| {
        rev_square_at(&[1.0, 2.0], &mut [0.0; 2], 2, 1.0);
    });
    assert_eq!(text, "index out of bounds: the len is 2 but the index is 2");
    let text = message(|| {
        fwd_square_at(&[1.0, 2.0], &[0.0; 2], 9);
    });
    assert_eq!(text, "index out of bounds: the len is 2 but the index is 9");
}

#[test]
fn after_a_caught_panic_derivatives_still_work() {
    for i in [5, 1, 7, 0] {
        let mut dx = [0.0; 2];
        let caught = catch_unwind(AssertUnwindSafe(|| {
            rev_square_at(&[2.0, 3.0], &mut dx, i, 1.0)
        }));
        assert_eq!(caught.is_ok(), i < 2);
        if i < 2 {
            assert_close(dx[i], [4.0, 6.0][i]);
        }
    }
}

#[autodiff_reverse(rev_explain, Active, Active)]
fn positive_root(x: f64) -> f64 {
    assert!(x > 0.0, "no root of {x}");
    x.sqrt()
}

#[test]
fn the_message_of_a_panic_arrives() {
    assert_close(rev_explain(4.0, 1.0).1, 0.25);
    let text = message(|| {
        rev_explain(-1.5, 1.0);
    });
    assert_eq!(text, "no root of -1.5");
}

/// Counts how often it is dropped.
struct Tracked<'a>(&'a Cell<u32>);

impl Drop for Tracked<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[autodiff_reverse(rev_take, Active, Const, Active)]
#[autodiff_forward(fwd_take, Dual, Const, Dual)]
fn take(x: f64, tracked: Tracked<'_>) -> f64 {
    let count = tracked.0.get();
    assert!(x > 0.0);
    x * f64::from(count + 1)
}

#[test]
fn a_constant_by_value_is_dropped_once() {
    let drops = Cell::new(0);
    assert_eq!(rev_take(3.0, Tracked(&drops), 1.0), (3.0, 1.0));
    assert_eq!(drops.get(), 1);
    assert_eq!(fwd_take(3.0, 1.0, Tracked(&drops)), (6.0, 2.0));
    assert_eq!(drops.get(), 2);
}

#[test]
fn a_constant_by_value_is_dropped_at_most_once_when_the_primal_panics() {
    let drops = Cell::new(0);
    message(|| {
        rev_take(-3.0, Tracked(&drops), 1.0);
    });
    assert!(drops.get() <= 1);
}

#[test]
fn a_shadow_of_another_length_is_refused_before_anything_is_computed() {
    let text = message(|| {
        rev_square_at(&[1.0, 2.0], &mut [0.0; 3], 99, 1.0);
    });
    assert_eq!(
        text,
        "`rev_square_at`: shadow `dx_0` does not fit argument `x`: `x` has length 2, but its shadow has length 3"
    );
    let text = message(|| {
        fwd_square_at(&[1.0, 2.0], &[0.0; 1], 0);
    });
    assert!(
        text.starts_with("`fwd_square_at`: shadow `bx_0` does not fit argument `x`"),
        "{text}"
    );
}

#[derive(Clone, Shadow)]
struct Network {
    layers: Vec<Vec<f64>>,
}

#[autodiff_reverse(rev_network, Duplicated, Active)]
fn sum_of_network(network: &Network) -> f64 {
    network.layers.iter().flatten().sum()
}

#[test]
fn a_shadow_of_another_shape_inside_is_refused() {
    let network = Network {
        layers: vec![vec![1.0; 2], vec![1.0; 3]],
    };
    let mut shadow = network.clone();
    shadow.layers[1].pop();
    let text = message(|| {
        rev_network(&network, &mut shadow, 1.0);
    });
    assert!(
        text.ends_with("`network.layers[1]` has length 3, but its shadow has length 2"),
        "{text}"
    );
}
