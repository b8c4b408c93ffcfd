//! Derivatives release what they allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use oxide_enzyme::{autodiff_forward, autodiff_reverse};

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.with(|live| live.set(live.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.with(|live| live.set(live.get() - 1));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `work` leaves behind.
fn left_by(work: impl Fn()) -> isize {
    let before = LIVE.with(Cell::get);
    work();
    LIVE.with(Cell::get) - before
}

#[autodiff_reverse(d_heap, Duplicated, Active)]
#[autodiff_reverse(d2_heap, 2, Duplicated, Active)]
#[autodiff_forward(t_heap, Dual, Dual)]
#[autodiff_forward(t2_heap, 2, Dual, Dual)]
fn heap(x: &[f64]) -> f64 {
    let mut grown = Vec::new();
    for x in x {
        grown.push(x * x);
    }
    let boxed: Box<[f64]> = grown.iter().map(|v| v.sin()).collect();
    boxed.iter().sum()
}

#[autodiff_forward(forward_over_reverse, Dual, Dual)]
#[autodiff_reverse(reverse_over_reverse, Duplicated, Duplicated)]
fn gradient_of_heap(x: &[f64], gradient: &mut [f64]) {
    gradient.fill(0.0);
    d_heap(x, gradient, 1.0);
}

const X: [f64; 3] = [0.5, 1.5, -1.0];

#[test]
fn one_derivative_leaves_nothing_behind() {
    assert_eq!(left_by(|| _ = d_heap(&X, &mut [0.0; 3], 1.0)), 0);
    assert_eq!(left_by(|| _ = t_heap(&X, &[1.0; 3])), 0);
}

#[test]
fn several_at_once_leave_nothing_behind() {
    assert_eq!(
        left_by(|| _ = d2_heap(&X, &mut [0.0; 3], &mut [0.0; 3], [1.0, 2.0])),
        0
    );
    assert_eq!(left_by(|| _ = t2_heap(&X, &[1.0; 3], &[2.0; 3])), 0);
}

#[test]
fn nested_derivatives_leave_nothing_behind() {
    assert_eq!(
        left_by(|| forward_over_reverse(&X, &[1.0; 3], &mut [0.0; 3], &mut [0.0; 3])),
        0
    );
    assert_eq!(
        left_by(|| reverse_over_reverse(&X, &mut [0.0; 3], &mut [0.0; 3], &mut [1.0; 3])),
        0
    );
}
