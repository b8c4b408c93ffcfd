//! Programs whose derivatives are right, and of which valgrind complains; `tests/memory.sh` leaves them out. Whether it is more than what LLVM
//! computes ahead and throws away has not been looked into.
//!
//! - `an_option`: a decision by a value that nobody wrote, the payload of a `None`, compared before its tag is.
//! - `chosen_guesses`: a read of up to 24 bytes after the end of a list, by the way back of `filter().copied().collect()`.
#![allow(clippy::needless_range_loop)]

use conformance::{compared, compared_lists, guesses};

compared! {
    |a, b, c, n| an_option {
        let (x, mut best, mut sum) = ([a, b, c, a * b, b * c, c * a, a + b, b - c], None, 0.0);
        for i in 0..n {
            best = match best { Some(y) if y >= x[i] => Some(y), _ => Some(x[i]) };
            sum += best.map_or(0.0, |y: f64| y * y);
        }
        sum
    }
}

compared_lists! {
    chosen_guesses |x| {
        let some = guesses(x).iter().filter(|g| g.kind % 3 != 1).copied().collect::<Vec<_>>();
        some.iter().map(|g| g.value * (f64::from(g.kind) + g.error.unwrap_or(0.4))).sum()
    }
}
