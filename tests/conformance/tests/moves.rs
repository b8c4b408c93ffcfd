//! Structs of floats and counts that are moved whole by functions which do nothing else with them: in the gradient, a part of which
//! nothing shows that it is a float would be lost.

#![allow(missing_docs)]

use conformance::{Guess, compared_lists, guesses};

#[derive(Clone, Copy)]
struct Sample {
    value: f64,
    weight: f64,
    at: usize,
    kind: usize,
}

#[derive(Clone, Copy)]
struct Reading {
    at: usize,
    value: f64,
    is_used: bool,
    parts: [f64; 3],
    kind: u32,
}

fn samples(x: &[f64]) -> Vec<Sample> {
    let sample = |(at, x): (usize, &f64)| Sample {
        value: *x,
        weight: x * x,
        at,
        kind: at * 3,
    };
    x.iter().enumerate().map(sample).collect()
}

fn of_samples(samples: &[Sample]) -> f64 {
    let of = |s: &Sample| s.value * s.at as f64 + s.weight * (s.kind as f64 - 2.0);
    samples.iter().map(of).sum()
}

fn readings(x: &[f64]) -> Vec<Reading> {
    let reading = |(at, x): (usize, &f64)| Reading {
        at,
        value: x.sin(),
        is_used: at % 3 == 0,
        parts: [*x, x * x, 1.0],
        kind: 7,
    };
    x.iter().enumerate().map(reading).collect()
}

fn of_readings(readings: &[Reading]) -> f64 {
    let of = |(i, r): (usize, &Reading)| {
        let part = if r.is_used {
            r.parts[1]
        } else {
            r.parts[0] * f64::from(r.kind)
        };
        (r.value * r.at as f64 + part) * (1.0 + i as f64)
    };
    readings.iter().enumerate().map(of).sum()
}

fn of_guesses(guesses: &[Guess]) -> f64 {
    let of = |(i, g): (usize, &Guess)| {
        let error = g.error.unwrap_or(0.4);
        (g.value * f64::from(g.kind) + error * g.value) * (1.0 + i as f64)
    };
    guesses.iter().enumerate().map(of).sum()
}

#[inline(never)]
fn put<T: Copy>(list: &mut [T], at: usize, by: &T) {
    let length = list.len();
    list[at % length] = *by;
}

#[inline(never)]
fn get<T: Copy>(list: &[T], at: usize) -> T {
    list[at % list.len()]
}

#[inline(never)]
fn pass<T>(value: T) -> T {
    value
}

#[inline(never)]
fn either<T: Copy>(first: bool, a: &T, b: &T) -> T {
    if first { *a } else { *b }
}

#[inline(never)]
fn pair<T: Copy>(a: &T, b: &T) -> (T, T) {
    (*b, *a)
}

compared_lists! {
    chosen_samples |x| {
        let some = samples(x).iter().filter(|s| s.at % 3 != 1).copied().collect::<Vec<_>>();
        of_samples(&some)
    }
    a_function_puts_a_sample |x| {
        let mut list = samples(x);
        let sample = list[1];
        put(&mut list, 3, &sample);
        of_samples(&list)
    }
    a_function_puts_a_reading |x| {
        let mut list = readings(x);
        let reading = list[1];
        put(&mut list, 3, &reading);
        of_readings(&list)
    }
    a_function_puts_a_guess |x| {
        let mut list = guesses(x);
        let guess = list[1];
        put(&mut list, 3, &guess);
        of_guesses(&list)
    }
    a_function_gets_some |x| {
        let (samples, readings) = (samples(x), readings(x));
        of_samples(&[get(&samples, 2), get(&samples, 5)]) * of_readings(&[get(&readings, 4)])
    }
    a_function_passes_one_on |x| {
        let mut list = readings(x);
        list[2] = pass(list[4]);
        of_readings(&list)
    }
    a_function_chooses |x| {
        let mut list = readings(x);
        let chosen = either(x[0] > 0.7, &list[1], &list[2]);
        list.push(chosen);
        of_readings(&list)
    }
    a_function_returns_two |x| {
        let list = samples(x);
        let (a, b) = pair(&list[3], &list[7]);
        of_samples(&[a, b, b])
    }
    those_before_are_repeated |x| {
        let mut list = guesses(x);
        for i in 1..list.len() {
            if list[i].value > 1.0 {
                list[i] = list[i - 1];
            }
        }
        of_guesses(&list)
    }
    samples_before_are_repeated |x| {
        let mut list = samples(x);
        for i in 1..list.len() {
            if x[i] > 0.9 {
                list[i] = list[i - 1];
            }
        }
        of_samples(&list)
    }
    the_best |x| {
        let list = guesses(x);
        let best = list.iter().copied().reduce(|a, b| if a.value > b.value { a } else { b });
        best.map_or(0.0, |best| best.value * best.error.unwrap_or(0.3))
    }
    some_are_kept |x| {
        let mut list = guesses(x);
        list.retain(|guess| guess.value > 0.9);
        of_guesses(&list)
    }
    samples_in_reverse |x| {
        let list: Vec<Sample> = samples(x).iter().rev().copied().skip(2).collect();
        of_samples(&list)
    }
    two_change_places |x| {
        let mut list = samples(x);
        list.swap(2, 7);
        list.reverse();
        of_samples(&list)
    }
}
