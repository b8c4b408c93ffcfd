//! Lists and boxes behind `&mut`: what the primal may do with them in reverse mode.

use std::mem::{swap, take};
use std::panic::{AssertUnwindSafe, catch_unwind};

use conformance::assert_all_close;
use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse, enzyme, primal};

/// The message of the panic that a derivative must end with, for having new memory in `w`.
fn is_refused(derivative: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(derivative)).expect_err("must panic");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(
        message.contains("the function gave argument `w` new memory"),
        "{message}"
    );
}

#[primal]
#[autodiff_reverse(d_assign, Duplicated, Active)]
#[autodiff_reverse(d_assign_two, 2, Duplicated, Active)]
#[autodiff_forward(t_assign, Dual, Dual)]
fn assign(w: &mut Vec<f64>) -> f64 {
    *w = vec![w[0] * w[0]];
    w[0]
}

#[test]
fn a_new_list_is_refused_in_reverse_mode() {
    let (mut w, mut d, mut e) = (vec![2.0], vec![0.0], vec![0.0]);
    is_refused(|| {
        d_assign(&mut w, &mut d, 1.0);
    });
    // The argument has what the function gave it, and the shadows what they had.
    assert_eq!(w, [4.0]);
    let old = [d.as_ptr(), e.as_ptr()];
    is_refused(|| {
        d_assign_two(&mut w, &mut d, &mut e, [1.0, 2.0]);
    });
    assert_eq!(old, [d.as_ptr(), e.as_ptr()]);
    assert_eq!((&w[..], d.len(), e.len()), (&[16.0][..], 1, 1));
    is_refused(|| drop(enzyme!(grad assign(&mut w) wrt w)));
    assert_eq!(w, [256.0]);
}

#[test]
fn a_new_list_is_right_in_forward_mode() {
    let (mut w, mut d) = (vec![2.0], vec![1.0]);
    assert_eq!(t_assign(&mut w, &mut d), (4.0, 4.0));
    assert_eq!((w, d), (vec![4.0], vec![4.0]));
}

#[autodiff_reverse(d_collect, Duplicated, Active)]
fn collected(w: &mut Vec<f64>) -> f64 {
    *w = take(w).iter().map(|v| v * v).collect();
    w[0]
}

#[autodiff_reverse(d_boxed, Duplicated, Active)]
fn boxed(w: &mut Option<Box<f64>>) -> f64 {
    let old = *w.take().unwrap();
    *w = Some(Box::new(old * old));
    old
}

#[autodiff_reverse(d_filled, Duplicated, Active, Active)]
fn filled(w: &mut Option<Vec<f64>>, x: f64) -> f64 {
    *w = Some(vec![x; 2]);
    x * x
}

#[autodiff_reverse(d_row, Duplicated, Active)]
fn row(w: &mut [Vec<f64>]) -> f64 {
    let old = take(&mut w[1]);
    w[1] = vec![old[0]; 2];
    w[1][1] * w[0][0]
}

#[autodiff_reverse(d_grown, Duplicated, Active)]
fn grown(w: &mut Vec<f64>) -> f64 {
    for _ in 0..20 {
        w.push(w[0] * 0.5);
    }
    w.iter().sum()
}

struct Opaque(f64);

#[autodiff_reverse(d_opaque, Duplicated, Active)]
fn opaque(w: &mut Vec<Opaque>) -> f64 {
    *w = vec![Opaque(w[0].0 * 3.0)];
    w[0].0
}

#[test]
fn new_memory_is_refused_wherever_it_is() {
    is_refused(|| {
        d_collect(&mut vec![2.0], &mut vec![0.0], 1.0);
    });
    is_refused(|| {
        d_boxed(&mut Some(Box::new(2.0)), &mut Some(Box::new(0.0)), 1.0);
    });
    is_refused(|| {
        d_filled(&mut None, &mut None, 2.0, 1.0);
    });
    let rows = || vec![vec![1.0], vec![2.0]];
    is_refused(|| {
        d_row(&mut rows(), &mut rows(), 1.0);
    });
    is_refused(|| {
        d_grown(&mut vec![2.0], &mut vec![0.0], 1.0);
    });
    is_refused(|| {
        d_opaque(&mut vec![Opaque(1.0)], &mut vec![Opaque(0.0)], 1.0);
    });
}

#[autodiff_reverse(d_fits, Duplicated, Active)]
fn fits(w: &mut Vec<f64>) -> f64 {
    w.push(w[0] * w[1]);
    w[2] * w[2]
}

#[test]
fn a_list_may_grow_into_its_capacity() {
    let (mut w, mut d) = (Vec::with_capacity(4), Vec::with_capacity(4));
    w.extend([2.0, 3.0]);
    d.extend([0.0, 1.0]);
    assert_eq!(d_fits(&mut w, &mut d, 1.0), 36.0);
    assert_eq!(w, [2.0, 3.0, 6.0]);
    // The shadow is that of what was there before.
    assert_eq!(d, [36.0, 25.0]);
}

#[autodiff_reverse(d_emptied, Duplicated, Active)]
fn emptied(w: &mut Vec<f64>) -> f64 {
    take(w).iter().map(|v| v * v).sum()
}

#[autodiff_reverse(d_popped, Duplicated, Active)]
fn popped(w: &mut Vec<f64>) -> f64 {
    let last = w.pop().unwrap();
    last * last * w[0]
}

#[test]
fn what_is_gone_has_a_gradient() {
    let (mut w, mut d) = (vec![2.0, 3.0], vec![0.0; 2]);
    assert_eq!(d_popped(&mut w, &mut d, 1.0), 18.0);
    assert_eq!((&w[..], &d[..]), (&[2.0][..], &[9.0, 12.0][..]));
    let (mut w, mut d) = (vec![2.0, 3.0], vec![0.0; 2]);
    assert_eq!(d_emptied(&mut w, &mut d, 1.0), 13.0);
    assert_eq!((&w[..], &d[..]), (&[][..], &[4.0, 6.0][..]));
}

#[derive(Shadow)]
struct State {
    scale: f64,
    rows: Vec<Vec<f64>>,
    spare: Option<(f64, Box<[f64]>)>,
}

impl State {
    #[autodiff_reverse(d_step, Duplicated, Duplicated, Active)]
    fn step(&mut self, other: &mut Vec<f64>) -> f64 {
        self.rows.swap(0, 1);
        swap(&mut self.rows[0], other);
        let (weight, list) = self.spare.take().unwrap();
        for (item, by) in other.iter_mut().zip(&list) {
            *item *= by * weight * self.scale;
        }
        self.spare = Some((weight * weight, list));
        other.iter().sum::<f64>() + self.rows[1][0]
    }
}

#[test]
fn memory_may_change_places() {
    let state = |scale, first: &[f64], second: &[f64], weight, list: &[f64]| State {
        scale,
        rows: vec![first.to_vec(), second.to_vec()],
        spare: Some((weight, list.into())),
    };
    let mut s = state(2.0, &[1.0, 5.0], &[3.0, 4.0], 0.5, &[6.0, 7.0]);
    let mut d = state(0.0, &[0.0; 2], &[0.0; 2], 0.0, &[0.0; 2]);
    let (mut other, mut dother) = (vec![8.0, 9.0], vec![0.0; 2]);
    // The second row times the list times 2 · 0.5, and the first element of the first row.
    assert_eq!(s.d_step(&mut d, &mut other, &mut dother, 1.0), 47.0);
    assert_eq!(s.rows, [vec![8.0, 9.0], vec![1.0, 5.0]]);
    assert_eq!(other, [18.0, 28.0]);
    assert_eq!(s.spare.unwrap().0, 0.25);
    assert_eq!(d.scale, 23.0);
    assert_eq!(d.rows, [vec![1.0, 0.0], vec![6.0, 7.0]]);
    let (weight, list) = d.spare.unwrap();
    assert_eq!(weight, 92.0);
    assert_all_close(&list, &[3.0, 4.0]);
    assert_eq!(dother, [0.0; 2]);
}

#[allow(clippy::ptr_arg)]
#[autodiff_reverse(d_scaled, Duplicated, Active)]
fn scaled(w: &mut Vec<f64>) -> f64 {
    for i in 0..w.len() {
        w[i] *= w[0];
    }
    w.iter().sum()
}

#[autodiff_reverse(d_inner, Duplicated, Active)]
#[autodiff_forward(t_inner, Dual, Dual)]
fn inner(x: &[f64]) -> f64 {
    let (mut w, mut d) = (x.to_vec(), vec![0.0; x.len()]);
    d_scaled(&mut w, &mut d, 1.0);
    d.iter().sum()
}

#[test]
fn a_derivative_with_lists_by_mut_has_a_derivative() {
    // a² + a² b: the sum of its gradient is 2 a + 2 a b + a².
    let (x, mut dx) = ([3.0, 5.0], [0.0; 2]);
    assert_eq!(d_inner(&x, &mut dx, 1.0), 45.0);
    assert_eq!(dx, [18.0, 6.0]);
    assert_eq!(t_inner(&x, &[1.0, 0.0]), (45.0, 18.0));
}
