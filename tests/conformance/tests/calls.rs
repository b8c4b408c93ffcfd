//! Functions that are called, not inlined: what they write through pointers has derivatives.

use conformance::{assert_all_close, assert_close, assert_gradient};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

const X: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

/// Of `ln(e^x2) e^x3`.
fn gradient() -> [f64; 4] {
    [0.0, 0.0, 4f64.exp(), 3.0 * 4f64.exp()]
}

fn value() -> f64 {
    3.0 * 4f64.exp()
}

macro_rules! filled {
    ($($test:ident: $reverse:ident, $forward:ident, $f:ident, $fill:ident($x:ident, $out:ident: $ty:ty) $body:block, $memory:expr;)*) => {$(
        #[inline(never)]
        fn $fill($x: &[f64], $out: &mut $ty) $body

        #[autodiff_reverse($reverse, Duplicated, Active)]
        #[autodiff_forward($forward, Dual, Dual)]
        fn $f(x: &[f64]) -> f64 {
            let mut out = $memory;
            $fill(x, &mut out);
            out[2].ln() * out[3]
        }

        #[test]
        fn $test() {
            assert_gradient!($reverse, $forward, X, value(), gradient());
        }
    )*};
}

filled! {
    an_array_by_index: d_index, t_index, by_index, fill_by_index(x, out: [f64; 4]) {
        for i in 0..4 {
            out[i] = x[i].exp();
        }
    }, [0.0; 4];
    a_slice_with_a_division: d_division, t_division, by_division, fill_by_division(x, out: [f64]) {
        for i in 0..4 {
            out[i] = x[i % x.len()].exp();
        }
    }, [0.0; 4];
    a_slice_by_iterator: d_iterator, t_iterator, by_iterator, fill_by_iterator(x, out: [f64]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = x.exp();
        }
    }, vec![0.0; 4];
    a_vec_that_grows: d_growing, t_growing, by_growing, fill_by_growing(x, out: Vec<f64>) {
        for x in x {
            out.push(x.exp());
        }
    }, Vec::new();
}

#[inline(never)]
fn softmax(x: [f64; 3]) -> [f64; 3] {
    let e = x.map(f64::exp);
    let sum: f64 = e.iter().sum();
    e.map(|e| e / sum)
}

#[autodiff_reverse(d_loss, Active, Active)]
fn loss(x: [f64; 3]) -> f64 {
    -softmax(x)[1].ln()
}

#[test]
fn an_array_by_value() {
    let x = [0.5, -1.0, 2.0];
    let p = softmax(x);
    conformance::assert_near(d_loss(x, 1.0).1[1], p[1] - 1.0, 1e-14);
    assert_close(d_loss(x, 1.0).1[0], p[0]);
}

#[inline(never)]
fn step(state: &mut [f64; 2], rate: f64) {
    let [a, b] = *state;
    *state = [a - rate * a * b, b + rate * a];
}

#[autodiff_reverse(d_steps, Active, Active, Active)]
fn steps(start: [f64; 2], rate: f64) -> f64 {
    let mut state = start;
    for _ in 0..3 {
        step(&mut state, rate);
    }
    state[0] * state[1]
}

#[test]
fn a_state_that_is_passed_on_in_a_loop() {
    let (start, rate) = ([1.5, 0.5], 0.1);
    let (_, dstart, drate) = d_steps(start, rate, 1.0);
    let h = 1e-6;
    let difference = |a: f64, b: f64, r: f64| {
        let at = |s: f64| steps([start[0] + s * a, start[1] + s * b], rate + s * r);
        (at(h) - at(-h)) / (2.0 * h)
    };
    let expected = [
        difference(1.0, 0.0, 0.0),
        difference(0.0, 1.0, 0.0),
        difference(0.0, 0.0, 1.0),
    ];
    for (got, expected) in [dstart[0], dstart[1], drate].into_iter().zip(expected) {
        conformance::assert_near(got, expected, 1e-8);
    }
}

#[derive(Clone, Copy)]
struct Pair {
    sum: f64,
    count: u32,
    product: f32,
}

#[inline(never)]
fn accumulate(pair: &mut Pair, x: f64) {
    pair.sum += x * x;
    pair.count += 1;
    pair.product *= x as f32;
}

#[autodiff_reverse(d_folded, Duplicated, Active)]
#[autodiff_forward(t_folded, Dual, Dual)]
fn folded(x: &[f64]) -> f64 {
    let mut pair = Pair {
        sum: 0.0,
        count: 0,
        product: 1.0,
    };
    for x in x {
        accumulate(&mut pair, *x);
    }
    pair.sum * f64::from(pair.count) + f64::from(pair.product)
}

#[test]
fn a_struct_of_several_types() {
    let mut dx = [0.0; 4];
    d_folded(&X, &mut dx, 1.0);
    assert_all_close(&dx, &X.map(|x| 8.0 * x + 24.0 / x));
    assert_close(t_folded(&X, &[0.0, 1.0, 0.0, 0.0]).1, 16.0 + 12.0);
}

#[inline(never)]
fn halves(x: &[f64], low: &mut Vec<f64>, high: &mut Vec<f64>) {
    if let [first, rest @ ..] = x {
        if *first < 2.5 {
            low.push(first * first)
        } else {
            high.push(first * 3.0)
        }
        halves(rest, low, high);
    }
}

#[autodiff_reverse(d_halves, Duplicated, Active)]
#[autodiff_forward(t_halves, Dual, Dual)]
fn recursive(x: &[f64]) -> f64 {
    let (mut low, mut high) = (Vec::new(), Vec::new());
    halves(x, &mut low, &mut high);
    low.iter().sum::<f64>() * high.iter().sum::<f64>()
}

#[test]
fn recursion_that_writes_to_two_lists() {
    assert_gradient!(d_halves, t_halves, X, 5.0 * 21.0, [42.0, 84.0, 15.0, 15.0]);
}

#[derive(Clone, Copy)]
struct Body {
    x: f64,
    y: [f64; 2],
    z: f64,
}

#[autodiff_reverse(d_swapping, Duplicated, Active)]
#[autodiff_forward(t_swapping, Dual, Dual)]
fn swapping(x: &[f64]) -> f64 {
    let mut bodies = [
        Body {
            x: x[2],
            y: [x[0], x[1]],
            z: x[0] * x[1],
        },
        Body {
            x: x[1],
            y: [x[0], x[1]],
            z: x[0] + x[1],
        },
        Body {
            x: x[0],
            y: [x[0] + x[1], x[2]],
            z: x[0] - x[1],
        },
    ]
    .to_vec();
    let mut sum = x[0];
    for _ in 0..4 {
        bodies.swap(1, 0);
        if bodies[1].x > 2.5 {
            sum += bodies[2].z;
        }
        if x[3] > 100.0 {
            break;
        }
    }
    let weights = [0.5, -1.0, 2.0];
    let weighted = bodies
        .iter()
        .zip(weights)
        .map(|(b, w)| b.x * w + b.y[0] * b.z + b.y[1]);
    sum + weighted.sum::<f64>()
}

#[test]
fn what_is_read_between_swaps_is_read_anew() {
    // Twice of four times, `bodies[1].x` is x[2] = 3.
    let [a, b, c, _] = X;
    let expected = |a: f64, b: f64, c: f64| {
        a + 2.0 * (a - b)
            + (0.5 * c + a * a * b + b)
            + (-b + a * (a + b) + b)
            + (2.0 * a + (a + b) * (a - b) + c)
    };
    let gradient = [
        1.0 + 2.0 + 2.0 * a * b + 2.0 * a + b + 2.0 + 2.0 * a,
        -2.0 + a * a + 1.0 - 1.0 + a + 1.0 - 2.0 * b,
        0.5 + 1.0,
        0.0,
    ];
    assert_gradient!(d_swapping, t_swapping, X, expected(a, b, c), gradient);
}
