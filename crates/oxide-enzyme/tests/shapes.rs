//! Shadows of another shape are refused. The check runs before a derivative does, so this needs no driver.

use std::panic::{AssertUnwindSafe, catch_unwind};

use oxide_enzyme::Shadow;

#[derive(Clone, Shadow)]
struct Layer {
    weights: Vec<Vec<f64>>,
    bias: f64,
}

#[derive(Clone, Shadow)]
enum Model<T> {
    Linear(Box<[T]>),
    Constant { value: T },
}

#[derive(Clone)]
struct Opaque(f64);

/// What the macros emit for `derivative(x, dx_0)`; the message, if it panics.
macro_rules! refusal {
    ($primal:expr, $shadow:expr, growable = $growable:expr) => {{
        #[allow(unused_imports)]
        use oxide_enzyme::__private::{AnyType as _, At, Deep as _, Pair, Shallow as _};
        let check =
            || (&&&Pair($primal, $shadow)).check(At::argument("df", "x", "dx_0", $growable));
        let panic = catch_unwind(AssertUnwindSafe(check)).err();
        panic.map(|panic| *panic.downcast::<String>().unwrap())
    }};
    ($primal:expr, $shadow:expr) => {
        refusal!($primal, $shadow, growable = false)
    };
}

fn layer() -> Layer {
    Layer {
        weights: vec![vec![1.0; 3]; 2],
        bias: 0.0,
    }
}

#[test]
fn the_same_shape_passes() {
    let layers = [layer(), layer()];
    assert_eq!(refusal!(&layers[..], &layers.clone()[..]), None);
    assert_eq!(refusal!(&1.0, &2.0), None);
    assert_eq!(refusal!(&[[1.0; 2]; 3], &[[0.0; 2]; 3]), None);
    assert_eq!(refusal!(&(vec![1], Some("a")), &(vec![2], Some("b"))), None);
}

#[test]
fn a_slice_of_another_length_is_named() {
    let message = refusal!(&[1.0, 2.0][..], &[0.0][..]).unwrap();
    assert_eq!(
        message,
        "`df`: shadow `dx_0` does not fit argument `x`: `x` has length 2, but its shadow has length 1"
    );
}

#[test]
fn a_vec_deep_inside_is_named() {
    let primal = [layer(), layer()];
    let mut shadow = primal.clone();
    shadow[1].weights[0].pop();
    let message = refusal!(&primal[..], &shadow[..]).unwrap();
    assert!(
        message.ends_with("`x[1].weights[0]` has length 3, but its shadow has length 2"),
        "{message}"
    );
    shadow[1].bias = 1.0;
}

#[test]
fn another_variant_is_refused() {
    let (linear, constant) = (
        Model::Linear(vec![1.0].into()),
        Model::Constant { value: 1.0 },
    );
    assert!(
        refusal!(&linear, &constant)
            .unwrap()
            .contains("`x` is another variant")
    );
    assert!(
        refusal!(&Some(1.0), &None)
            .unwrap()
            .contains("another variant")
    );
    let longer = Model::Linear(vec![1.0, 2.0].into());
    assert!(
        refusal!(&linear, &longer)
            .unwrap()
            .contains("`x.0` has length 1")
    );
}

#[test]
fn lists_of_types_that_are_not_shadow_are_checked_for_their_length() {
    let (one, two) = (vec![Opaque(1.0)], vec![Opaque(1.0), Opaque(2.0)]);
    assert_eq!(one[0].0, two[0].0);
    assert!(refusal!(&one, &two).unwrap().contains("`x` has length 1"));
    assert!(
        refusal!(&one[..], &two[..])
            .unwrap()
            .contains("`x` has length 1")
    );
    assert_eq!(refusal!(&one, &one.clone()), None);
}

#[test]
fn elements_of_a_generic_type_are_checked_for_their_length() {
    fn check<T>(x: &[T], shadow: &[T]) -> Option<String> {
        refusal!(x, shadow)
    }
    assert!(check(&[1.0], &[]).unwrap().contains("`x` has length 1"));
    assert_eq!(check(&[1.0], &[2.0]), None);
}

#[test]
fn a_vec_that_may_grow_needs_the_capacity() {
    let mut primal = Vec::with_capacity(8);
    primal.push(1.0);
    let shadow = vec![0.0];
    assert_eq!(refusal!(&primal, &shadow), None);
    let message = refusal!(&primal, &shadow, growable = true).unwrap();
    assert!(
        message.contains("capacity 8, but its shadow has capacity 1"),
        "{message}"
    );
    assert_eq!(refusal!(&(&primal,), &(&shadow,), growable = true), None);
}
