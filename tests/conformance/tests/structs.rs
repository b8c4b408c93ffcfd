//! Structs of numbers and counts, and arrays: copied into lists, out of tables, in functions that do nothing else with them.
// Loops by index are what is tested.
#![allow(clippy::needless_range_loop)]

use conformance::compared_lists;

/// A term of a sum: weights of numbers that are chosen by index.
#[derive(Clone, Copy)]
struct Term {
    at: usize,
    weight: f64,
    and: usize,
    power: f64,
}

const TERMS: [Term; 3] = [
    Term {
        at: 1,
        weight: 0.5,
        and: 2,
        power: 1.5,
    },
    Term {
        at: 2,
        weight: -0.5,
        and: 0,
        power: 2.5,
    },
    Term {
        at: 0,
        weight: 0.75,
        and: 1,
        power: 0.0,
    },
];

const NOTHING: Term = Term {
    at: 0,
    weight: 0.0,
    and: 0,
    power: 0.0,
};

#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
    z: f64,
}

const AXES: [Point; 3] = [
    Point {
        x: 1.0,
        y: 0.0,
        z: 0.0,
    },
    Point {
        x: 0.0,
        y: 1.0,
        z: 0.0,
    },
    Point {
        x: 0.0,
        y: 0.5,
        z: 1.0,
    },
];

const PAIRS: [[f64; 2]; 4] = [[0.1, 0.9], [0.5, -0.3], [1.1, 0.0], [0.0, 1.0]];

#[derive(Clone, Copy)]
struct Small {
    at: u32,
    and: u32,
    values: [f64; 2],
}

const SMALL: [Small; 3] = [
    Small {
        at: 1,
        and: 5,
        values: [0.5, 2.0],
    },
    Small {
        at: 2,
        and: 1,
        values: [0.25, 1.0],
    },
    Small {
        at: 0,
        and: 0,
        values: [1.5, 0.0],
    },
];

fn terms(x: &[f64]) -> Vec<Term> {
    let numbers = x.iter().take(6).enumerate();
    numbers
        .map(|(i, x)| Term {
            at: i % 3,
            weight: *x,
            and: (i + 1) % 3,
            power: x * x,
        })
        .collect()
}

/// What has no derivative.
fn constants(n: usize) -> Vec<Term> {
    (0..n)
        .map(|i| Term {
            at: i % 2,
            weight: i as f64 * 0.5 + 0.25,
            and: 2 - i % 3,
            power: 1.5 - i as f64 * 0.1,
        })
        .collect()
}

fn many(x: &[f64], first: usize) -> [Term; 24] {
    std::array::from_fn(|k| Term {
        at: k % 3,
        weight: x[(k + first) % 12],
        and: (k + 1) % 3,
        power: x[(k + 5) % 12],
    })
}

fn sum(terms: &[Term], x: &[f64]) -> f64 {
    terms
        .iter()
        .map(|term| term.weight * x[term.at + 6] + term.power * term.power * x[term.and + 9])
        .sum()
}

/// Of a long array that is replaced in between.
#[inline(always)]
fn before_and_after(mut some: [Term; 24], others: [Term; 24], x: &[f64]) -> f64 {
    let before = sum(&some, x);
    if x[0] > -9.0 {
        some = others;
        some[3].weight = x[1];
    }
    before * sum(&some, x)
}

fn points(x: &[f64]) -> Vec<Point> {
    x.chunks_exact(3)
        .map(|c| Point {
            x: c[0],
            y: c[1],
            z: c[2],
        })
        .collect()
}

fn volume(points: &[Point]) -> f64 {
    points
        .iter()
        .enumerate()
        .map(|(i, p)| p.x * p.y + p.z * p.z * i as f64 + p.x + p.y.sin())
        .sum()
}

fn pairs(x: &[f64]) -> Vec<[f64; 2]> {
    x.chunks_exact(2).map(|c| [c[0], c[1]]).collect()
}

fn weighted<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    let numbers = numbers.into_iter().enumerate();
    numbers
        .map(|(i, x)| x * x * (i as f64 + 1.0) + x.sin())
        .sum()
}

#[inline(never)]
fn put(terms: &mut [Term], at: usize) {
    terms[at] = TERMS[1];
}

#[inline(never)]
fn put_after_use(terms: &mut [Term], at: usize) -> f64 {
    let term = terms[at];
    terms[at] = TERMS[1];
    term.weight * term.power * (term.at + term.and) as f64
}

#[inline(never)]
fn put_point(points: &mut [Point], at: usize) {
    points[at] = AXES[1];
}

#[inline(never)]
fn put_pair(pairs: &mut [[f64; 2]], at: usize) {
    pairs[at] = PAIRS[at % 4];
}

#[inline(never)]
fn put_some(terms: &mut [Term], others: &[Term], at: usize) {
    let n = others.len().min(terms.len() - at);
    terms[at..at + n].copy_from_slice(&others[..n]);
}

#[inline(never)]
fn copied(terms: &[Term]) -> Vec<Term> {
    terms.to_vec()
}

#[inline(never)]
fn extend(terms: &mut Vec<Term>, others: &[Term]) {
    terms.extend_from_slice(others);
}

#[inline(never)]
fn reserve(terms: &mut Vec<Term>, n: usize) {
    terms.reserve(n);
}

#[inline(never)]
fn boxed(terms: Vec<Term>) -> Box<[Term]> {
    terms.into_boxed_slice()
}

#[inline(never)]
fn set_all(terms: &mut [Term; 24], others: &[Term; 24]) {
    *terms = *others;
}

#[inline(never)]
fn boxed_array(terms: &[Term; 24]) -> Box<[Term; 24]> {
    Box::new(*terms)
}

#[inline(never)]
fn clear_from(terms: &mut [Term], at: usize) {
    terms[at..].fill(NOTHING);
}

compared_lists! {
    a_term_of_a_table |x| {
        let mut terms = terms(x);
        terms[x.len() % 5] = TERMS[x.len() % 3];
        terms[0] = TERMS[1];
        sum(&terms, x)
    }
    a_function_puts_a_term |x| {
        let mut terms = terms(x);
        put(&mut terms, 1);
        sum(&terms, x)
    }
    a_function_uses_a_term_first |x| {
        let mut terms = terms(x);
        let used = put_after_use(&mut terms, 1);
        used * x[7] + sum(&terms, x)
    }
    a_term_that_changed |x| {
        let mut terms = terms(x);
        let mut term = TERMS[x.len() % 3];
        term.weight += x[0];
        terms[3] = term;
        terms[2] = if x[1] > 0.0 { TERMS[1] } else { term };
        terms[2].power *= 2.0;
        sum(&terms, x)
    }
    terms_without_derivatives |x| {
        let mut terms = terms(x);
        let others = constants(x.len() / 4);
        for k in 0..3 {
            terms[k + 2] = others[2 - k];
        }
        sum(&terms, x)
    }
    terms_change_places |x| {
        let mut terms = terms(x);
        let mut others = constants(x.len() / 2);
        for k in 0..3 {
            std::mem::swap(&mut terms[k], &mut others[k + 1]);
        }
        let old = std::mem::replace(&mut terms[4], others[0]);
        sum(&terms, x) * sum(&others, x) + old.weight * old.power
    }
    a_function_copies_some |x| {
        let (mut some, others) = (terms(x), terms(&x[3..]));
        put_some(&mut some, &others, 2);
        sum(&some, x)
    }
    a_function_copies_some_without_derivatives |x| {
        let mut terms = terms(x);
        put_some(&mut terms, &constants(x.len() / 4), 2);
        sum(&terms, x)
    }
    a_function_copies_all |x| {
        let terms = terms(x);
        let mut copies = copied(&terms[1..]);
        copies[1].weight = 0.5;
        sum(&copies, x) + sum(&terms, x)
    }
    a_function_extends_a_list |x| {
        let (mut some, others) = (terms(x), terms(&x[4..]));
        extend(&mut some, &others[1..]);
        some[7].weight *= 2.0;
        sum(&some, x)
    }
    a_function_reserves_space |x| {
        let mut terms = terms(x);
        reserve(&mut terms, x.len() * 3);
        terms[2].weight *= 2.0;
        sum(&terms, x)
    }
    a_list_becomes_a_box |x| {
        let mut terms = terms(x);
        terms.push(terms[2]);
        terms.truncate(5);
        let mut terms = boxed(terms);
        terms[2].weight *= 2.0;
        sum(&terms, x)
    }
    long_arrays |x| {
        let (some, mut others) = (many(x, 0), many(x, 1));
        for k in 0..24 {
            others[k].at = k % 2;
            others[k].weight *= k as f64 * 0.1;
        }
        before_and_after(some, others, x)
    }
    long_arrays_without_derivatives |x| {
        let some = many(x, 0);
        let mut others = [TERMS[0]; 24];
        for k in 0..24 {
            others[k].at = k % 2;
            others[k].weight = k as f64 * 0.1;
        }
        before_and_after(some, others, x)
    }
    lists_of_long_arrays |x| {
        let arrays: Vec<[Term; 24]> = (0..2).map(|first| many(x, first)).collect();
        let mut changed = arrays.clone();
        changed[1] = arrays[0];
        changed[0][20].weight = 0.5;
        sum(&changed[0], x) + sum(&changed[1], x) * sum(&arrays[1], x)
    }
    points_of_a_table |x| {
        let mut points = points(x);
        points[x.len() % 4] = AXES[1];
        points[1] = AXES[x.len() % 3];
        put_point(&mut points, 2);
        volume(&points)
    }
    points_filled |x| {
        let mut points = points(x);
        points[1..3].fill(AXES[2]);
        volume(&points)
    }
    pairs_of_a_table |x| {
        let mut pairs = pairs(x);
        for k in 0..2 {
            pairs[k * 2 + 1] = PAIRS[k + 1];
        }
        put_pair(&mut pairs, 0);
        put_pair(&mut pairs, 5);
        pairs[2][0] *= pairs[1][0];
        weighted(pairs.iter().flatten())
    }
    pairs_filled |x| {
        let mut pairs = pairs(x);
        pairs[2..4].fill(PAIRS[3]);
        for pair in &mut pairs[..2] {
            *pair = PAIRS[2];
        }
        weighted(pairs.iter().flatten())
    }
    small_counts_and_pairs |x| {
        let pairs = x.chunks_exact(2).enumerate();
        let mut list: Vec<Small> = pairs
            .map(|(i, c)| Small { at: i as u32 % 3, and: 1, values: [c[0], c[1]] })
            .collect();
        for k in 0..3 {
            if x[k] > 0.0 {
                list[k + 1] = SMALL[k];
            }
        }
        list.iter()
            .map(|s| s.values[s.at as usize % 2] * x[s.and as usize] + s.values[0] * s.values[1])
            .sum()
    }
    a_function_sets_a_long_array |x| {
        let (mut some, others) = (many(x, 0), many(x, 1));
        let before = sum(&some, x);
        set_all(&mut some, &others);
        before * sum(&some, x)
    }
    a_function_puts_a_long_array_in_a_box |x| {
        let terms = many(x, 0);
        let mut copy = boxed_array(&terms);
        copy[20].weight *= 2.0;
        sum(&terms, x) * sum(&*copy, x)
    }
    a_function_clears_some |x| {
        let mut terms = terms(x);
        clear_from(&mut terms, 3);
        sum(&terms, x)
    }
    terms_that_are_cleared |x| {
        let mut terms = terms(x);
        for term in terms.iter_mut().skip(x.len() / 4) {
            if term.weight > 0.5 {
                *term = NOTHING;
            }
        }
        sum(&terms, x)
    }
    a_part_that_is_cleared |x| {
        let mut terms = terms(x);
        terms[x.len() % 5..5].fill(NOTHING);
        sum(&terms, x)
    }
    elements_of_an_array_that_are_cleared |x| {
        let mut some = many(x, 0);
        let before = sum(&some, x);
        some[x.len() % 4] = NOTHING;
        some[1] = NOTHING;
        before * sum(&some, x)
    }
}
