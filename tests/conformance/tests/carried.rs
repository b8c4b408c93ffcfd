//! What a round of a loop hands on to the next, and uses itself: a running maximum, a running quotient. Forward mode, which looks at
//! no loop as a whole, says what is right, and finite differences that forward mode is.

// Written as their users write them.
#![allow(clippy::needless_range_loop)]

use conformance::compared;

#[derive(Clone, Copy)]
struct Best {
    value: f64,
    at: usize,
    near: [f64; 2],
}

/// Not inlined: what it is asked for comes back in memory.
#[inline(never)]
fn halved_if_large(x: (f64, f64)) -> Option<(f64, f64)> {
    (x.0 > x.1).then_some((x.0 * x.1, x.0))
}

fn keep_larger(largest: &mut f64, x: f64) {
    if x > *largest {
        *largest = x;
    }
}

fn terms(a: f64, b: f64, c: f64) -> [f64; 8] {
    [a, b, c, a * b, b * c, c * a, a + b, b - c]
}

compared! {
    |a, b, c, n| a_maximum {
        let (x, mut largest, mut sum) = (terms(a, b, c), -0.4, 0.0);
        for i in 0..n { if x[i] > largest { largest = x[i]; } sum += largest * largest; }
        sum
    }
    |a, b, c, n| a_maximum_from_a_variable {
        let (x, mut largest, mut sum) = (terms(a, b, c), c * c - 0.5, 0.0);
        for i in 0..n { let y = x[i].sin(); if y > largest { largest = y; } sum += largest.sin(); }
        sum + largest
    }
    |a, b, c, n| a_minimum_in_single_precision_and_back {
        let (x, mut least, mut sum) = (terms(a, b, c), f32::MAX, 0.0_f64);
        for i in 0..n { let y = x[i] * 0.5; if y < f64::from(least) { least = 0.25; sum += y; } sum += f64::from(least).min(1.0) * y; }
        sum
    }
    |a, b, c, n| a_maximum_that_is_kept_aside {
        let (x, mut seen) = (terms(a, b, c), [0.0; 8]);
        let mut largest = x[0];
        for i in 1..n { largest = if x[i] > largest { x[i] } else { largest }; seen[i] = largest * x[i - 1]; }
        seen.iter().sum::<f64>() + largest
    }
    |a, b, c, n| the_two_largest {
        let (x, mut first, mut second, mut sum) = (terms(a, b, c), -1.0, -1.0, 0.0);
        for i in 0..n {
            if x[i] > first { second = first; first = x[i]; } else if x[i] > second { second = x[i]; }
            sum += first * second;
        }
        sum
    }
    |a, b, c, n| a_struct {
        let x = terms(a, b, c);
        let (mut best, mut sum) = (Best { value: -2.0, at: 0, near: [a, c] }, 0.0);
        for i in 0..n {
            let next = Best { value: x[i], at: i, near: [x[(i + 1) % 8], x[i] * b] };
            if next.value > best.value { best = next; }
            sum += best.value * best.near[0] + best.near[1].sin() * x[best.at];
        }
        sum
    }
    |a, b, c, n| structs_that_take_from_each_other {
        let (mut p, mut q) = (Best { value: a, at: 0, near: [a, b] }, Best { value: c, at: 1, near: [b, c] });
        let (mut s, mut t) = (a, b);
        for i in 0..n {
            if p.value > p.near[1] { q = p; }
            if let Some((x, y)) = halved_if_large((s, t)) { s = x; t = y; }
            if q.value > q.near[0] + i as f64 * 0.01 { p = q; }
        }
        s + p.value * p.near[0] + q.near[1] * p.at as f64
    }
    |a, b, c, n| an_array_in_two_loops {
        let (x, mut best, mut sum) = (terms(a, b, c), [a, b], 0.0);
        for i in 0..n {
            for j in 0..n { if x[j] * x[i] > best[0] { best = [x[j] * x[i], x[i]]; } sum += best[0] * best[1]; }
            sum += best[1];
        }
        sum
    }
    |a, b, c, n| a_maximum_while_it_is_small {
        let (x, mut largest, mut sum, mut i) = (terms(a, b, c), -0.4, 0.0, 0);
        while i < n && sum < 0.5 { if x[i] > largest { largest = x[i]; } sum += largest * b; i += 1; }
        sum + largest
    }
    |a, b, c, n| a_choice_of_a_fold {
        let x = terms(a, b, c);
        let (sum, largest) = x[..n].iter().fold((0.0, b), |(sum, largest), &y| {
            let largest = if y > largest { y } else { largest };
            (sum + largest * c, largest)
        });
        sum + largest
    }
    |a, b, c, n| a_quotient {
        let (mut quotient, mut sum) = (a, 0.0);
        for i in 0..n { quotient /= b * 0.5 + c * 0.3 + 2.0 + i as f64; sum += quotient.sin(); }
        sum
    }
    |a, b, c, n| a_quotient_of_a_constant {
        let (mut quotient, mut sum) = (1.0, a);
        for i in 0..n { quotient /= b * 0.5 + c * 0.3 + 2.0 + i as f64; sum += quotient * quotient; }
        sum + quotient
    }
    |a, b, c, n| quotients_of_a_list {
        let mut x = terms(a, b, c);
        let mut quotient = c;
        for y in &mut x[..n] { quotient /= *y + 2.0; *y = quotient; }
        x.iter().sum::<f64>() + quotient
    }
    |a, b, c, n| a_quotient_of_which_the_divisors_have_no_product {
        let mut quotient = a * 1e150;
        for i in 0..13 { quotient /= if i < 8 { 1e50 + b * 1e49 } else { 1e-50 + c * 1e-51 }; }
        quotient * n as f64
    }
    |a, b, c, n| a_quotient_in_a_cell {
        let (quotient, mut sum) = (std::cell::Cell::new(a), 0.0);
        for i in 0..n { quotient.set(quotient.get() / (b + 2.0 + i as f64)); sum += quotient.get() * c; }
        sum
    }
    |a, b, c, n| a_maximum_in_a_box {
        let (x, mut largest, mut sum) = (terms(a, b, c), Box::new(b * c), 0.0);
        for i in 0..n { if x[i] > *largest { *largest = x[i]; } sum += largest.sin(); }
        sum + *largest
    }
    |a, b, c, n| a_maximum_behind_a_reference {
        let (x, mut largest, mut sum) = (terms(a, b, c), b - c, 0.0);
        for i in 0..n { keep_larger(&mut largest, x[i] * x[i]); sum += largest * a; }
        sum
    }
    |a, b, c, n| quotients_in_rows {
        let (x, mut rows) = (terms(a, b, c), [[a, b], [c, a]]);
        for i in 0..n { for row in &mut rows { row[i % 2] /= x[i] + 2.0; row[0] += row[1]; } }
        rows[0][0] * rows[1][1] + rows[0][1] * rows[1][0]
    }
    |a, b, c, n| lists_that_change_hands_in_nested_loops {
        let (mut before, mut now, mut x) = (vec![a, b], vec![b, c], c);
        for _ in 0..n { for _ in 0..n { before = now; now = vec![x, b.sin()]; x = (x + a).sin(); } }
        x + before[0] * before[1]
    }
    |a, b, c, n| lists_that_are_changed_as_they_change_hands {
        let (mut before, mut now, mut x) = (vec![a, b, c], vec![b, c], c);
        for i in 0..n {
            for j in 0..i + 1 {
                before = std::mem::take(&mut now);
                now.push(x);
                now.push(b * j as f64);
                for y in before.iter_mut().rev() { *y = (*y - x).tanh(); x = *y; }
            }
        }
        x + before.iter().sum::<f64>()
    }
    |a, b, c, n| numbers_that_change_hands_in_nested_loops {
        let (mut first, mut second, mut x) = (a, b, c);
        for i in 0..n { for j in 0..n + i { first = second; second = x; x = (x * a + (i + j) as f64).sin(); } }
        (first * first * second).sin() + first
    }
    |a, b, c, n| places_that_change_hands_in_nested_loops {
        let x = terms(a, b, c);
        let (mut first, mut second, mut sum) = (0, 1, 0.0);
        for i in 0..n { for j in 0..n { first = second; second = (i * i + 3 * j) % 8; sum += x[second].sin(); } sum *= a; }
        x[first] * x[first] * sum + x[second] * sum
    }
    |a, b, c, n| rows_that_change_hands_three_loops_deep {
        let (mut before, mut now) = ([a, b], [b, c]);
        for i in 0..n {
            for j in 0..n {
                let row = before;
                for k in 0..2 { before = now; now = [(row[k] * before[0]).sin() + c, before[1].sin() + (i * j) as f64 * 0.01]; }
            }
        }
        before[0] * before[1] + now[0] * now[1]
    }
    |a, b, c, n| boxes_that_change_hands_until_told {
        let (mut before, mut now, mut x) = (Box::new(a), Box::new(b), c);
        for i in 0..n {
            for _ in 0..7 { before = now; now = Box::new(x * *before); x = (x * 1.1 + a * 0.1).cos() - 0.2; if x < 0.3 + 0.01 * i as f64 { break; } }
            x += 0.5;
        }
        *before * *before * x + *now
    }
}
