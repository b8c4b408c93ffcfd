//! A derivative shares the program's state: its statics, its counters, its thread-locals.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::{assert_all_close, assert_close};
use oxide_enzyme::{autodiff_forward, autodiff_reverse, unchecked};

static WEIGHTS: [f64; 3] = [1.0, 10.0, 100.0];

#[autodiff_reverse(rev_weighted, Duplicated, Active)]
#[autodiff_forward(fwd_weighted, Dual, Dual)]
fn weighted(x: &[f64]) -> f64 {
    x.iter().zip(&WEIGHTS).map(|(x, w)| w * x * x).sum()
}

#[test]
fn statics_are_read() {
    let mut dx = [0.0; 3];
    assert_close(rev_weighted(&[1.0, 2.0, 3.0], &mut dx, 1.0), 941.0);
    assert_all_close(&dx, &[2.0, 40.0, 600.0]);
    assert_close(fwd_weighted(&[1.0, 2.0, 3.0], &[0.0, 1.0, 0.0]).1, 40.0);
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[autodiff_reverse(rev_counted, Active, Active)]
#[autodiff_forward(fwd_counted, Dual, Dual)]
fn counted(x: f64) -> f64 {
    CALLS.fetch_add(1, Ordering::Relaxed);
    x * x
}

#[test]
fn a_counter_is_the_programs_own() {
    assert_eq!(counted(3.0), 9.0);
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    assert_eq!(unchecked(|| rev_counted(3.0, 1.0)), (9.0, 6.0));
    assert_eq!(CALLS.load(Ordering::Relaxed), 2);
    assert_eq!(unchecked(|| fwd_counted(3.0, 1.0)), (9.0, 6.0));
    assert_eq!(CALLS.load(Ordering::Relaxed), 3);
}

#[autodiff_reverse(rev_local, Active, Active)]
fn with_a_local_static(x: f64) -> f64 {
    static SEEN: AtomicUsize = AtomicUsize::new(1);
    SEEN.fetch_add(1, Ordering::Relaxed) as f64 * x
}

#[test]
fn a_static_inside_the_primal_is_the_programs_own() {
    assert_eq!(with_a_local_static(5.0), 5.0);
    assert_eq!(unchecked(|| rev_local(5.0, 1.0)), (10.0, 2.0));
    assert_eq!(with_a_local_static(5.0), 15.0);
}

thread_local! {
    static SCALE: Cell<f64> = const { Cell::new(2.0) };
}

#[autodiff_reverse(rev_scaled, Active, Active)]
fn with_a_thread_local(x: f64) -> f64 {
    SCALE.get() * x * x
}

#[test]
fn thread_locals_are_read() {
    SCALE.set(5.0);
    assert_eq!(rev_scaled(3.0, 1.0), (45.0, 30.0));
}

#[test]
fn derivatives_may_run_on_many_threads() {
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for i in 0..8 {
            let results = &results;
            scope.spawn(move || {
                let x = f64::from(i);
                let mut dx = [0.0; 3];
                rev_weighted(&[x; 3], &mut dx, 1.0);
                results.lock().unwrap().push(dx[2] == 200.0 * x);
            });
        }
    });
    assert_eq!(*results.lock().unwrap(), [true; 8]);
}
