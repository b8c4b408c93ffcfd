//! Through small crates that hold or walk data.

use approx::{abs_diff_eq, relative_eq};
use arrayvec::ArrayVec;
use itertools::Itertools;
use ordered_float::{NotNan, OrderedFloat};

const SIX: [f64; 6] = [0.5, 1.25, -0.75, 2.0, -1.5, 0.25];

real_crates::through! {
    "arrayvec: `push`, `pop`, `iter`, `extend`" arrays SIX |x| { let mut v = ArrayVec::<f64, 16>::new(); for x in x { v.push(x * x); } let last = v.pop().unwrap(); v.extend(x.iter().map(|x| x + 1.0)); v.iter().sum::<f64>() * last + v[1] * v[7] } => differences;
    "itertools: `zip_eq`" zipped SIX |x| { x.iter().zip_eq(x.iter().rev()).map(|(a, b)| a * a * b).sum() } => differences;
    "itertools: `tuple_windows`" windowed SIX |x| { x.iter().tuple_windows().map(|(a, b, c)| a * b * c).sum() } => differences;
    "itertools: `collect_vec`" collected SIX |x| { let v = x.iter().map(|x| x * x).collect_vec(); v[1] * v[2] + v[5] } => differences;
    "itertools: `fold_while`, `interleave`, `sorted_by` of indices" others SIX |x| { let order = (0..6).sorted_by(|a, b| x[*a].total_cmp(&x[*b])).collect_vec(); x[order[0]] * x[order[5]] + x.iter().interleave(x.iter().skip(2)).fold(0.0, |s, x| 0.5 * s + x * x) } => differences;
    "ordered-float: arithmetic" ordered SIX |x| { let v: Vec<OrderedFloat<f64>> = x.iter().map(|x| OrderedFloat(*x)).collect(); let s: OrderedFloat<f64> = v.iter().sum(); (s * v[1] + v[2] * v[2]).into_inner() + NotNan::new(x[3]).unwrap().into_inner() } => differences;
    "ordered-float: `max`" ordered_max SIX |x| { let m = x.iter().map(|x| OrderedFloat(*x)).max().unwrap(); m.into_inner() * x[0] } => differences;
    "approx: decisions" decisions SIX |x| { let mut s = 0.0; for (a, b) in x.iter().zip(&x[1..]) { if relative_eq!(*a, *b, epsilon = 1.0) || abs_diff_eq!(*a, 7.0) { s += a * b; } else { s += a * a; } } s } => differences;
}
