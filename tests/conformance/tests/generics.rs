//! Generic primals: type parameters, const parameters, lifetimes, `impl Trait`.

use std::ops::{Add, Mul};

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_dot, Duplicated, Duplicated, Active)]
#[autodiff_forward(fwd_dot, Dual, Const, Dual)]
fn dot<T>(x: &[T], y: &[T]) -> T
where
    T: Copy + Default + Add<Output = T> + Mul<Output = T>,
{
    x.iter()
        .zip(y)
        .fold(T::default(), |sum, (x, y)| sum + *x * *y)
}

#[test]
fn a_generic_primal_has_a_derivative_for_each_type() {
    let (mut dx, mut dy) = ([0.0_f64; 2], [0.0_f64; 2]);
    assert_eq!(
        rev_dot(&[1.0, 2.0], &mut dx, &[3.0, 4.0], &mut dy, 1.0),
        11.0
    );
    assert_eq!((dx, dy), ([3.0, 4.0], [1.0, 2.0]));
    let (mut dx, mut dy) = ([0.0_f32; 2], [0.0_f32; 2]);
    assert_eq!(
        rev_dot(&[1.0_f32, 2.0], &mut dx, &[3.0, 4.0], &mut dy, 2.0),
        11.0
    );
    assert_eq!((dx, dy), ([6.0, 8.0], [2.0, 4.0]));
    assert_eq!(
        fwd_dot(&[1.0_f32, 2.0], &[1.0, 0.0], &[3.0, 4.0]),
        (11.0, 3.0)
    );
}

trait Potential {
    fn energy(x: f64) -> f64;
}

struct Harmonic;
struct Quartic;

impl Potential for Harmonic {
    fn energy(x: f64) -> f64 {
        0.5 * x * x
    }
}

impl Potential for Quartic {
    fn energy(x: f64) -> f64 {
        x.powi(4)
    }
}

#[autodiff_reverse(rev_energy, Active, Active)]
fn energy<P: Potential>(x: f64) -> f64 {
    2.0 * P::energy(x)
}

#[test]
fn a_type_parameter_need_not_appear_among_the_arguments() {
    assert_eq!(rev_energy::<Harmonic>(3.0, 1.0), (9.0, 6.0));
    assert_eq!(rev_energy::<Quartic>(3.0, 1.0), (162.0, 216.0));
}

#[autodiff_reverse(rev_norm, Active, Active)]
#[autodiff_forward(fwd_norm, Dual, Dual)]
fn norm<const N: usize>(x: [f64; N]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn a_const_parameter_gives_an_array_of_its_length() {
    let (value, gradient) = rev_norm([3.0, 4.0], 1.0);
    assert_close(value, 5.0);
    assert_all_close(&gradient, &[0.6, 0.8]);
    let (value, gradient) = rev_norm([2.0, 3.0, 6.0], 7.0);
    assert_close(value, 7.0);
    assert_all_close(&gradient, &[2.0, 3.0, 6.0]);
    assert_close(fwd_norm([3.0, 4.0], [1.0, 0.0]).1, 0.6);
}

#[autodiff_reverse(rev_repeat, Active, Active)]
fn repeat<const N: usize>(x: f64) -> f64 {
    (0..N).fold(x, |x, _| x * x)
}

#[test]
fn a_const_parameter_need_not_appear_among_the_arguments() {
    assert_eq!(rev_repeat::<0>(3.0, 1.0), (3.0, 1.0));
    assert_eq!(rev_repeat::<3>(2.0, 1.0), (256.0, 1024.0));
}

#[autodiff_reverse(rev_view, Duplicated, Const, Active)]
fn longest<'a, 'b: 'a>(x: &'a [f64], names: &'b [&'a str]) -> f64 {
    let longest = names.iter().enumerate().max_by_key(|(_, name)| name.len());
    longest.map_or(0.0, |(i, _)| x[i] * x[i])
}

#[test]
fn lifetimes_are_carried_over() {
    let mut dx = [0.0; 3];
    assert_close(
        rev_view(&[1.0, 2.0, 3.0], &mut dx, &["a", "abc", "ab"], 1.0),
        4.0,
    );
    assert_all_close(&dx, &[0.0, 4.0, 0.0]);
}

#[autodiff_reverse(rev_apply, Const, Active, Active)]
fn apply(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    f(x) * x
}

#[test]
fn a_constant_closure_may_be_an_argument() {
    let power = 2.0;
    assert_eq!(rev_apply(|x| power * x * x, 3.0, 1.0), (54.0, 54.0));
    assert_close(
        rev_apply(f64::sin, 0.5, 1.0).1,
        0.5_f64.cos() * 0.5 + 0.5_f64.sin(),
    );
}

#[derive(Clone, Copy)]
struct Wrapped<T> {
    inner: T,
}

#[autodiff_reverse(rev_wrapped, Active, Active)]
fn of_wrapped<T: Into<f64> + Copy>(wrapped: Wrapped<T>) -> f64 {
    let x = wrapped.inner.into();
    x * x * x
}

#[test]
fn a_generic_struct_by_value_has_a_gradient() {
    let (value, gradient) = rev_wrapped(Wrapped { inner: 2.0_f64 }, 1.0);
    assert_eq!((value, gradient.inner), (8.0, 12.0));
    let (value, gradient) = rev_wrapped(Wrapped { inner: 2.0_f32 }, 1.0);
    assert_eq!((value, gradient.inner), (8.0, 12.0));
}
