//! Constructs of the language: loops, branches, early exits, recursion.

conformance::constructs! {
    "`for` over a range" for_range |x| { let mut s = 0.0; for i in 0..x.len() { s += x[i] * x[i]; } s } => x.map(|x| 2.0 * x);
    "`for` over a slice" for_slice |x| { let mut p = 1.0; for x in x { p *= x; } p } => [x[1] * x[2] * x[3], x[0] * x[2] * x[3], x[0] * x[1] * x[3], x[0] * x[1] * x[2]];
    "`while`" while_loop |x| { let (mut i, mut s) = (0, 0.0); while i < 4 { s += x[i].sin(); i += 1; } s } => x.map(f64::cos);
    "`loop` with a value" loop_value |x| { let (mut i, mut s) = (0, 0.0); loop { s += x[i] * x[i] * x[i]; i += 1; if i == 4 { break s; } } } => x.map(|x| 3.0 * x * x);
    "nested loops" nested_loops |x| { let mut s = 0.0; for a in x { for b in x { s += a * b; } } s } => [2.0 * x.iter().sum::<f64>(); 4];
    "labelled `break` and `continue`" labelled |x| {
        let mut s = 0.0;
        'outer: for i in 0..4 { for j in 0..4 { if j > i { continue 'outer; } if i == 3 { break 'outer; } s += x[i] * x[j]; } }
        s
    } => [2.0 * x[0] + x[1] + x[2], x[0] + 2.0 * x[1] + x[2], x[0] + x[1] + 2.0 * x[2], 0.0];
    "labelled block" labelled_block |x| { let y = 'block: { if x[2] < 0.0 { break 'block x[0] * x[1]; } x[3] }; y * y }
        => [2.0 * x[0] * x[1] * x[1], 2.0 * x[0] * x[0] * x[1], 0.0, 0.0];
    "`while let`" while_let |x| { let mut rest = x; let mut s = 0.0; while let [first, others @ ..] = rest { s += first.exp(); rest = others; } s } => x.map(f64::exp);
    "`while let` on a stack (`Vec::pop`)" stack |x| { let mut v = x.to_vec(); let mut s = 1.0; while let Some(x) = v.pop() { s = s * 0.5 + x * x; } s }
        => [2.0 * x[0], x[1], 0.5 * x[2], 0.25 * x[3]];
    "loop until it converges" newton |x| { let a = x[3]; let mut r = a; for _ in 0..60 { r = 0.5 * (r + a / r); } r * x[0] } => [x[3].sqrt(), 0.0, 0.0, x[0] * 0.5 / x[3].sqrt()];
    "`match` on integers and ranges" match_integer |x| { let mut s = 0.0; for i in 0..4 { s += match i { 0 => x[i], 1..=2 => x[i] * x[i], _ => x[i].exp() }; } s }
        => [1.0, 2.0 * x[1], 2.0 * x[2], x[3].exp()];
    "`match` with guards" match_guard |x| { x.iter().map(|x| match *x { x if x < 0.0 => -3.0 * x, x if x > 1.0 => x * x, x => x }).sum() } => [1.0, 2.0 * x[1], -3.0, 2.0 * x[3]];
    "slice patterns" slice_pattern |x| { let [a, middle @ .., d] = x else { return 0.0 }; a * d + middle[0] * middle[1] } => [x[3], x[2], x[1], x[0]];
    "`if let`" if_let |x| { let y = x.iter().find(|x| **x < 0.0); if let Some(y) = y { y * y * x[0] } else { 0.0 } } => [x[2] * x[2], 0.0, 2.0 * x[2] * x[0], 0.0];
    "early `return`" early_return |x| { let mut s = 0.0; for x in x { if *x < 0.0 { return s * s; } s += x; } s } => [2.0 * (x[0] + x[1]), 2.0 * (x[0] + x[1]), 0.0, 0.0];
    "recursion" recursion |x| { fn go(x: &[F]) -> F { match x { [] => 0.0, [a, rest @ ..] => a * a + 0.5 * go(rest) } } go(x) } => [2.0 * x[0], x[1], 0.5 * x[2], 0.25 * x[3]];
    "mutual recursion" mutual |x| {
        fn even(x: &[F]) -> F { match x { [] => 0.0, [a, rest @ ..] => a * a + odd(rest) } }
        fn odd(x: &[F]) -> F { match x { [] => 0.0, [a, rest @ ..] => a.sin() + even(rest) } }
        even(x)
    } => [2.0 * x[0], x[1].cos(), 2.0 * x[2], x[3].cos()];
    "`?` on `Option`" question_option |x| {
        fn root(x: F) -> Option<F> { (x > 0.0).then(|| x * x * x) }
        fn two(a: F, b: F) -> Option<F> { Some(root(a)? * root(b)?) }
        two(x[0], x[3]).unwrap_or(0.0) + two(x[1], x[2]).unwrap_or(x[1])
    } => [3.0 * x[0].powi(2) * x[3].powi(3), 1.0, 0.0, 3.0 * x[3].powi(2) * x[0].powi(3)];
    "`min`, `max`, `clamp`, `abs`" min_max |x| { x[0].min(x[1]) * x[2].abs() + x[3].max(x[0]) + x[1].clamp(0.0, 1.0) } => [-x[2], 0.0, -x[0], 1.0];
    "casts of integers" integer_casts |x| { let mut s = 0.0; for (i, x) in x.iter().enumerate() { s += (i as u8 as i16 - 1) as F * x; } s } => [-1.0, 0.0, 1.0, 2.0];
    "casts between `f32` and `f64`" float_casts |x| { let y = x[0] as f64 * x[3] as f64; (y as f32 * x[1] as f32) as F } => [x[3] * x[1], x[0] * x[3], 0.0, x[0] * x[1]];
    "cast of a float to an integer" float_to_int |x| { let n = x[3] as usize; x[n] * x[n] } => [0.0, 0.0, 2.0 * x[2], 0.0];
    "a panic that is caught" caught |x| { let r = std::panic::catch_unwind(|| 1u8); match r { Ok(_) => x[0] * x[1], Err(_) => 0.0 } } => [x[1], x[0], 0.0, 0.0];
}
