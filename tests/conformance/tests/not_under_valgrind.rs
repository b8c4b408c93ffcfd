//! A program whose derivatives are right, and in which valgrind sees a decision by a value that nobody wrote: the payload of a `None`,
//! compared before its tag is. `tests/memory.sh` leaves it out. Whether it is more than what LLVM computes ahead and throws away has not
//! been looked into.
#![allow(clippy::needless_range_loop)]

use conformance::compared;

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
