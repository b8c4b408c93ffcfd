//! Algorithms as their users write them. Gradients are compared with tangents within 1e-9, tangents with central differences (step 1e-6)
//! within 1e-4, both relative to the largest.
#![allow(clippy::needless_range_loop)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::{Add, Index, IndexMut, Mul, Sub};
use std::rc::Rc;

use oxide_enzyme::{autodiff_forward, autodiff_reverse};

/// Each function of a list of twelve numbers, in a test that compares its derivatives.
macro_rules! algorithms {
    ($($name:ident $gradient:ident $tangent:ident)*) => { $(
        #[test]
        fn $name() {
            compare_lists(super::$name, super::$gradient, super::$tangent);
        }
    )* };
}

#[derive(Clone)]
struct M {
    n: usize,
    d: Vec<f64>,
}
impl M {
    fn new(n: usize) -> M {
        M {
            n,
            d: vec![0.0; n * n],
        }
    }
}
impl Index<(usize, usize)> for M {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.d[i * self.n + j]
    }
}
impl IndexMut<(usize, usize)> for M {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        let n = self.n;
        &mut self.d[i * n + j]
    }
}
#[derive(Clone, Copy)]
struct C {
    re: f64,
    im: f64,
}
impl Mul for C {
    type Output = C;
    fn mul(self, o: C) -> C {
        C {
            re: self.re * o.re - self.im * o.im,
            im: self.re * o.im + self.im * o.re,
        }
    }
}
impl Add for C {
    type Output = C;
    fn add(self, o: C) -> C {
        C {
            re: self.re + o.re,
            im: self.im + o.im,
        }
    }
}
fn fft(x: &[C]) -> Vec<C> {
    let n = x.len();
    if n == 1 {
        return x.to_vec();
    }
    let e: Vec<C> = x.iter().step_by(2).copied().collect();
    let o: Vec<C> = x.iter().skip(1).step_by(2).copied().collect();
    let (e, o) = (fft(&e), fft(&o));
    let mut y = vec![C { re: 0.0, im: 0.0 }; n];
    for k in 0..n / 2 {
        let a = -2.0 * std::f64::consts::PI * k as f64 / n as f64;
        let t = C {
            re: a.cos(),
            im: a.sin(),
        } * o[k];
        y[k] = e[k] + t;
        y[k + n / 2] = e[k]
            + C {
                re: -t.re,
                im: -t.im,
            };
    }
    y
}
fn msort(x: &mut [f64]) {
    let n = x.len();
    if n < 2 {
        return;
    }
    let m = n / 2;
    msort(&mut x[..m]);
    msort(&mut x[m..]);
    let (a, b) = (x[..m].to_vec(), x[m..].to_vec());
    let (mut i, mut j) = (0, 0);
    for k in 0..n {
        if j >= b.len() || (i < a.len() && a[i] <= b[j]) {
            x[k] = a[i];
            i += 1
        } else {
            x[k] = b[j];
            j += 1
        }
    }
}
fn solve(mut a: M, mut b: Vec<f64>) -> Vec<f64> {
    let n = a.n;
    for k in 0..n {
        let mut p = k;
        for i in k + 1..n {
            if a[(i, k)].abs() > a[(p, k)].abs() {
                p = i;
            }
        }
        if p != k {
            for j in 0..n {
                let t = a[(k, j)];
                a[(k, j)] = a[(p, j)];
                a[(p, j)] = t;
            }
            b.swap(k, p);
        }
        for i in k + 1..n {
            let f = a[(i, k)] / a[(k, k)];
            for j in k..n {
                let v = a[(k, j)];
                a[(i, j)] -= f * v;
            }
            b[i] -= f * b[k];
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            let v = b[j];
            b[i] -= a[(i, j)] * v;
        }
        b[i] /= a[(i, i)];
    }
    b
}
struct Rng(u64);
impl Rng {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}
#[derive(Clone, Copy)]
struct V3([f64; 3]);
impl Add for V3 {
    type Output = V3;
    fn add(self, o: V3) -> V3 {
        V3([self.0[0] + o.0[0], self.0[1] + o.0[1], self.0[2] + o.0[2]])
    }
}
impl Sub for V3 {
    type Output = V3;
    fn sub(self, o: V3) -> V3 {
        V3([self.0[0] - o.0[0], self.0[1] - o.0[1], self.0[2] - o.0[2]])
    }
}
impl Mul<f64> for V3 {
    type Output = V3;
    fn mul(self, k: f64) -> V3 {
        V3(self.0.map(|v| v * k))
    }
}
impl V3 {
    fn dot(self, o: V3) -> f64 {
        (0..3).map(|i| self.0[i] * o.0[i]).sum()
    }
    fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }
}
#[derive(Clone)]
struct Body {
    p: V3,
    v: V3,
    m: f64,
    id: usize,
}
#[derive(Clone, Copy, PartialEq)]
enum St {
    Idle,
    Up(f64),
    Down { rate: f64, left: usize },
}
struct Node {
    v: f64,
    kids: Vec<Node>,
}
impl Node {
    fn sum(&self, x: &[f64], d: usize) -> f64 {
        self.v * x[d] + self.kids.iter().map(|k| k.sum(x, d + 1).sin()).sum::<f64>()
    }
}

#[autodiff_reverse(d_tridiagonal_system, Duplicated, Active)]
#[autodiff_forward(t_tridiagonal_system, Dual, Dual)]
fn tridiagonal_system(x: &[f64]) -> f64 {
    let n = 6;
    let (a, b, d) = (&x[..n], &x[3..3 + n], &x[6..]);
    let mut c2 = vec![0.0; n];
    let mut d2 = vec![0.0; n];
    c2[0] = a[0] / (b[0] + 3.0);
    d2[0] = d[0] / (b[0] + 3.0);
    for i in 1..n {
        let m = b[i] + 3.0 - a[i] * c2[i - 1];
        c2[i] = a[i] / m;
        d2[i] = (d[i] - a[i] * d2[i - 1]) / m;
    }
    let mut s = d2[n - 1];
    let mut t = s;
    for i in (0..n - 1).rev() {
        s = d2[i] - c2[i] * s;
        t += s * s;
    }
    t
}

#[autodiff_reverse(d_linear_system_with_pivots, Duplicated, Active)]
#[autodiff_forward(t_linear_system_with_pivots, Dual, Dual)]
fn linear_system_with_pivots(x: &[f64]) -> f64 {
    let n = 3;
    let mut a = M::new(n);
    for i in 0..n {
        for j in 0..n {
            a[(i, j)] = x[i * n + j];
        }
        a[(i, i)] -= 1.7;
    }
    solve(a, x[9..].to_vec()).iter().sum()
}

#[autodiff_reverse(d_cholesky, Duplicated, Active)]
#[autodiff_forward(t_cholesky, Dual, Dual)]
fn cholesky(x: &[f64]) -> f64 {
    let n = 4;
    let mut a = M::new(n);
    for i in 0..n {
        for j in 0..n {
            a[(i, j)] = (0..3).map(|k| x[i * 3 + k] * x[j * 3 + k]).sum::<f64>();
        }
        a[(i, i)] += 1.0;
    }
    let mut l = M::new(n);
    for i in 0..n {
        for j in 0..=i {
            let mut s = a[(i, j)];
            for k in 0..j {
                s -= l[(i, k)] * l[(j, k)];
            }
            l[(i, j)] = if i == j { s.sqrt() } else { s / l[(j, j)] };
        }
    }
    (0..n).map(|i| l[(i, i)].ln()).sum::<f64>()
}

#[autodiff_reverse(d_conjugate_gradients, Duplicated, Active)]
#[autodiff_forward(t_conjugate_gradients, Dual, Dual)]
fn conjugate_gradients(x: &[f64]) -> f64 {
    let n = 3;
    let mut a = M::new(n);
    for i in 0..n {
        for j in 0..n {
            a[(i, j)] = x[i] * x[j];
        }
        a[(i, i)] += 1.0 + x[3 + i];
    }
    let b = &x[6..9];
    let mut u = vec![0.0; n];
    let mut r = b.to_vec();
    let mut p = r.clone();
    let mut rr: f64 = r.iter().map(|v| v * v).sum();
    for _ in 0..3 {
        let ap: Vec<f64> = (0..n)
            .map(|i| (0..n).map(|j| a[(i, j)] * p[j]).sum())
            .collect();
        let al = rr / p.iter().zip(&ap).map(|(a, b)| a * b).sum::<f64>();
        for i in 0..n {
            u[i] += al * p[i];
            r[i] -= al * ap[i];
        }
        let r2: f64 = r.iter().map(|v| v * v).sum();
        if r2 < 1e-20 {
            break;
        }
        let be = r2 / rr;
        rr = r2;
        for i in 0..n {
            p[i] = r[i] + be * p[i];
        }
    }
    u.iter().sum()
}

#[autodiff_reverse(d_runge_kutta, Duplicated, Active)]
#[autodiff_forward(t_runge_kutta, Dual, Dual)]
fn runge_kutta(x: &[f64]) -> f64 {
    let f = |y: [f64; 2]| [y[1] * x[0], -(y[0]).sin() * x[1] - x[2] * y[1]];
    let mut y = [x[3], x[4]];
    let h = 0.1;
    for _ in 0..10 {
        let k1 = f(y);
        let k2 = f([y[0] + h / 2.0 * k1[0], y[1] + h / 2.0 * k1[1]]);
        let k3 = f([y[0] + h / 2.0 * k2[0], y[1] + h / 2.0 * k2[1]]);
        let k4 = f([y[0] + h * k3[0], y[1] + h * k3[1]]);
        for i in 0..2 {
            y[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
    }
    y[0] * y[1]
}

#[autodiff_reverse(d_euler_with_adaptive_steps, Duplicated, Active)]
#[autodiff_forward(t_euler_with_adaptive_steps, Dual, Dual)]
fn euler_with_adaptive_steps(x: &[f64]) -> f64 {
    let (mut t, mut h, mut y) = (0.0_f64, 0.3_f64, x[0]);
    while t < 1.0 {
        let full = y + h * (x[1] * y).sin();
        let half = y + h / 2.0 * (x[1] * y).sin();
        let two = half + h / 2.0 * (x[1] * half).sin();
        if (full - two).abs() > 1e-2 {
            h *= 0.5;
            continue;
        }
        y = 2.0 * two - full;
        t += h;
        h = (h * 1.3).min(1.0 - t).max(1e-3);
    }
    y
}

#[autodiff_reverse(d_newton_s_method, Duplicated, Active)]
#[autodiff_forward(t_newton_s_method, Dual, Dual)]
fn newton_s_method(x: &[f64]) -> f64 {
    let mut y = 1.0_f64;
    for _ in 0..30 {
        let g = y * y * y + x[0] * y - x[1];
        if g.abs() < 1e-13 {
            break;
        }
        y -= g / (3.0 * y * y + x[0]);
    }
    y * x[2]
}

#[autodiff_reverse(d_hidden_markov_model, Duplicated, Active)]
#[autodiff_forward(t_hidden_markov_model, Dual, Dual)]
fn hidden_markov_model(x: &[f64]) -> f64 {
    let n = 2;
    let mut al = vec![x[0], x[1]];
    let mut ll = 0.0;
    for t in 0..4 {
        let mut nx = vec![0.0; n];
        for j in 0..n {
            for i in 0..n {
                nx[j] += al[i] * x[2 + i * 2 + j];
            }
            nx[j] *= x[6 + (t + j) % 6];
        }
        let s: f64 = nx.iter().sum();
        for v in &mut nx {
            *v /= s;
        }
        ll += s.ln();
        al = nx;
    }
    ll
}

#[autodiff_reverse(d_viterbi, Duplicated, Active)]
#[autodiff_forward(t_viterbi, Dual, Dual)]
fn viterbi(x: &[f64]) -> f64 {
    let mut v = [x[0], x[1], x[2]];
    for t in 0..4 {
        let mut w = [0.0; 3];
        for j in 0..3 {
            let mut best = f64::NEG_INFINITY;
            for i in 0..3 {
                let s = v[i] + x[(i * 3 + j + t) % 12];
                if s > best {
                    best = s;
                }
            }
            w[j] = best * x[j + t];
        }
        v = w;
    }
    v[0] + 2.0 * v[1] + 3.0 * v[2]
}

#[autodiff_reverse(d_dynamic_time_warping, Duplicated, Active)]
#[autodiff_forward(t_dynamic_time_warping, Dual, Dual)]
fn dynamic_time_warping(x: &[f64]) -> f64 {
    let (a, b) = (&x[..6], &x[6..]);
    let mut prev = vec![0.0; 7];
    for i in 0..6 {
        let mut cur = vec![prev[0] + 1.0 + a[i]];
        for j in 0..6 {
            let c = (a[i] - b[j]).powi(2);
            let m = [prev[j], prev[j + 1], cur[j]]
                .into_iter()
                .fold(f64::INFINITY, f64::min);
            cur.push(c + m);
        }
        prev = cur;
    }
    prev[6]
}

#[autodiff_reverse(d_moving_window, Duplicated, Active)]
#[autodiff_forward(t_moving_window, Dual, Dual)]
fn moving_window(x: &[f64]) -> f64 {
    let mut q: VecDeque<f64> = VecDeque::new();
    let mut s = 0.0;
    for &v in x {
        q.push_back(v * v);
        if q.len() > 3 {
            let o = q.pop_front().unwrap();
            s += o * v;
        }
    }
    s + q.iter().sum::<f64>()
}

#[autodiff_reverse(d_fast_fourier_transform, Duplicated, Active)]
#[autodiff_forward(t_fast_fourier_transform, Dual, Dual)]
fn fast_fourier_transform(x: &[f64]) -> f64 {
    let c: Vec<C> = x[..8].iter().map(|&v| C { re: v, im: v * v }).collect();
    fft(&c)
        .iter()
        .enumerate()
        .map(|(k, c)| (c.re * c.re + c.im * c.im) * (k as f64))
        .sum::<f64>()
        .sqrt()
}

#[autodiff_reverse(d_merge_sort, Duplicated, Active)]
#[autodiff_forward(t_merge_sort, Dual, Dual)]
fn merge_sort(x: &[f64]) -> f64 {
    let mut y = x.to_vec();
    for (i, v) in y.iter_mut().enumerate() {
        *v = (*v * (i as f64 + 1.0)).sin();
    }
    msort(&mut y);
    y.iter().enumerate().map(|(i, v)| v * v * i as f64).sum()
}

#[autodiff_reverse(d_bubble_sort, Duplicated, Active)]
#[autodiff_forward(t_bubble_sort, Dual, Dual)]
fn bubble_sort(x: &[f64]) -> f64 {
    let mut y = x.to_vec();
    let n = y.len();
    for i in 0..n {
        for j in 0..n - 1 - i {
            if y[j] > y[j + 1] {
                y.swap(j, j + 1);
            }
        }
    }
    let mut s = 0.0;
    for i in 1..n {
        s += y[i] * y[i - 1] * i as f64;
    }
    s
}

#[autodiff_reverse(d_depth_first_search, Duplicated, Active)]
#[autodiff_forward(t_depth_first_search, Dual, Dual)]
fn depth_first_search(x: &[f64]) -> f64 {
    let mut st = vec![(0usize, x[0])];
    let mut s = 0.0;
    while let Some((d, v)) = st.pop() {
        s += (v * x[d + 1]).sin();
        if d < 3 {
            st.push((d + 1, v * x[d]));
            if v > 0.25 {
                st.push((d + 1, v + x[d + 2]));
            }
        }
    }
    s
}

#[autodiff_reverse(d_paths_until_they_end, Duplicated, Active)]
#[autodiff_forward(t_paths_until_they_end, Dual, Dual)]
fn paths_until_they_end(x: &[f64]) -> f64 {
    let mut r = Rng(42);
    let mut s = 0.0;
    for _ in 0..5 {
        let mut p = x[0];
        let mut top = p;
        for i in 0..6 {
            p *= 1.0 + x[1] * 0.1 * (r.next() - 0.5) + x[2 + i % 3] * 0.01;
            if p > top {
                top = p;
            }
            if p < 0.1 {
                break;
            }
        }
        s += (top - p).max(0.0) + (p - x[0]).max(0.0);
    }
    s / 5.0
}

#[autodiff_reverse(d_online_softmax, Duplicated, Active)]
#[autodiff_forward(t_online_softmax, Dual, Dual)]
fn online_softmax(x: &[f64]) -> f64 {
    let (mut m, mut s, mut o) = (f64::NEG_INFINITY, 0.0, 0.0);
    for (i, &v) in x.iter().enumerate() {
        let nm = if v > m { v } else { m };
        let c = if i == 0 { 0.0 } else { (m - nm).exp() };
        s = s * c + (v - nm).exp();
        o = o * c + (v - nm).exp() * x[(i + 3) % 12];
        m = nm;
    }
    o / s
}

#[autodiff_reverse(d_long_short_term_memory, Duplicated, Active)]
#[autodiff_forward(t_long_short_term_memory, Dual, Dual)]
fn long_short_term_memory(x: &[f64]) -> f64 {
    let sg = |v: f64| 1.0 / (1.0 + (-v).exp());
    let (mut h, mut c) = ([x[0], x[1]], [x[2], x[3]]);
    for t in 0..4 {
        let mut nh = [0.0; 2];
        let mut nc = [0.0; 2];
        for i in 0..2 {
            let z = x[4 + t] * x[8] + h[0] * x[9] + h[1] * x[10 + i];
            nc[i] = sg(z + 0.1) * c[i] + sg(z) * (z * 0.5).tanh();
            nh[i] = sg(z) * nc[i].tanh();
        }
        h = nh;
        c = nc;
    }
    h[0] * h[1] + c[0]
}

#[autodiff_reverse(d_kalman_filter, Duplicated, Active)]
#[autodiff_forward(t_kalman_filter, Dual, Dual)]
fn kalman_filter(x: &[f64]) -> f64 {
    let (mut m, mut p) = (x[0], x[1]);
    let mut ll = 0.0;
    for &z in &x[4..] {
        p += x[2];
        let s = p + x[3];
        let k = p / s;
        let e = z - m;
        ll -= 0.5 * (s.ln() + e * e / s);
        m += k * e;
        p *= 1.0 - k;
    }
    ll
}

#[autodiff_reverse(d_givens_rotations, Duplicated, Active)]
#[autodiff_forward(t_givens_rotations, Dual, Dual)]
fn givens_rotations(x: &[f64]) -> f64 {
    let n = 3;
    let mut a = M::new(n);
    a.d.copy_from_slice(&x[..9]);
    for j in 0..n {
        for i in (j + 1..n).rev() {
            let (p, q) = (a[(i - 1, j)], a[(i, j)]);
            let r = (p * p + q * q).sqrt();
            let (c, s) = (p / r, q / r);
            for k in 0..n {
                let (u, v) = (a[(i - 1, k)], a[(i, k)]);
                a[(i - 1, k)] = c * u + s * v;
                a[(i, k)] = c * v - s * u;
            }
        }
    }
    (0..n).map(|i| a[(i, i)].abs().ln()).sum::<f64>()
}

#[autodiff_reverse(d_gauss_seidel, Duplicated, Active)]
#[autodiff_forward(t_gauss_seidel, Dual, Dual)]
fn gauss_seidel(x: &[f64]) -> f64 {
    let mut u = x.to_vec();
    for _ in 0..4 {
        for i in 1..11 {
            u[i] = 0.5 * (u[i - 1] + u[i + 1]) + 0.1 * u[i].sin();
        }
        for i in (1..11).rev() {
            u[i] = 0.5 * (u[i - 1] + u[i + 1]) * (1.0 - 0.1 * u[i]);
        }
    }
    u.iter().map(|v| v * v).sum()
}

#[autodiff_reverse(d_n_bodies, Duplicated, Active)]
#[autodiff_forward(t_n_bodies, Dual, Dual)]
fn n_bodies(x: &[f64]) -> f64 {
    let mut b: Vec<Body> = (0..3)
        .map(|i| Body {
            p: V3([x[i], x[i + 3], x[i + 6] * i as f64]),
            v: V3([0.1 * i as f64, 0.0, x[9]]),
            m: x[i + 8],
            id: i,
        })
        .collect();
    for _ in 0..4 {
        let f: Vec<V3> = b
            .iter()
            .map(|a| {
                b.iter()
                    .filter(|o| o.id != a.id)
                    .fold(V3([0.0; 3]), |s, o| {
                        let d = o.p - a.p;
                        s + d * (o.m / (d.norm().powi(3) + 0.1))
                    })
            })
            .collect();
        for (q, f) in b.iter_mut().zip(f) {
            q.v = q.v + f * 0.05;
            q.p = q.p + q.v * 0.05;
        }
    }
    b.iter()
        .map(|q| 0.5 * q.m * q.v.dot(q.v) + q.p.norm())
        .sum()
}

#[autodiff_reverse(d_state_machine, Duplicated, Active)]
#[autodiff_forward(t_state_machine, Dual, Dual)]
fn state_machine(x: &[f64]) -> f64 {
    let mut s = St::Idle;
    let mut y = x[0];
    for t in 0..9 {
        s = match s {
            St::Idle if y < x[1] => St::Up(x[2]),
            St::Idle => St::Down {
                rate: x[3],
                left: 2,
            },
            St::Up(r) => {
                y += 0.2 * r;
                if y > 1.0 {
                    St::Down {
                        rate: r * 0.5,
                        left: 3,
                    }
                } else {
                    St::Up(r * 1.1)
                }
            }
            St::Down { rate, left } => {
                y *= 1.0 - 0.1 * rate;
                if left == 0 {
                    St::Idle
                } else {
                    St::Down {
                        rate: rate * x[t],
                        left: left - 1,
                    }
                }
            }
        };
    }
    y
}

#[autodiff_reverse(d_tree_of_nodes, Duplicated, Active)]
#[autodiff_forward(t_tree_of_nodes, Dual, Dual)]
fn tree_of_nodes(x: &[f64]) -> f64 {
    let t = Node {
        v: x[0],
        kids: vec![
            Node {
                v: x[1] * x[2],
                kids: vec![Node {
                    v: x[3],
                    kids: vec![],
                }],
            },
            Node {
                v: x[4],
                kids: vec![],
            },
        ],
    };
    t.sum(&x[5..], 0)
}

#[autodiff_reverse(d_gram_schmidt, Duplicated, Active)]
#[autodiff_forward(t_gram_schmidt, Dual, Dual)]
fn gram_schmidt(x: &[f64]) -> f64 {
    let mut q: Vec<Vec<f64>> = Vec::new();
    for c in x.chunks(4) {
        let mut v = c.to_vec();
        v[q.len()] += 2.0;
        for u in &q {
            let d: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
            for (a, b) in v.iter_mut().zip(u) {
                *a -= d * b;
            }
        }
        let n = v.iter().map(|a| a * a).sum::<f64>().sqrt();
        v.iter_mut().for_each(|a| *a /= n);
        q.push(v);
    }
    q[0][1] + q[1][2] * q[2][0] + q[2][3]
}

#[autodiff_reverse(d_power_iteration, Duplicated, Active)]
#[autodiff_forward(t_power_iteration, Dual, Dual)]
fn power_iteration(x: &[f64]) -> f64 {
    let n = 3;
    let mut v = vec![1.0; n];
    let mut l = 0.0;
    for _ in 0..8 {
        let w: Vec<f64> = (0..n)
            .map(|i| (0..n).map(|j| (x[i * n + j] + x[j * n + i]) * v[j]).sum())
            .collect();
        l = w.iter().map(|a| a * a).sum::<f64>().sqrt();
        v = w.into_iter().map(|a| a / l).collect();
    }
    l * v[0]
}

#[autodiff_reverse(d_adam, Duplicated, Active)]
#[autodiff_forward(t_adam, Dual, Dual)]
fn adam(x: &[f64]) -> f64 {
    let (mut p, mut m, mut v) = ([x[0], x[1]], [0.0; 2], [0.0; 2]);
    for t in 1..6 {
        let g = [
            2.0 * (p[0] - x[2]) * p[1],
            (p[0] - x[2]).powi(2) + x[3] * p[1],
        ];
        for i in 0..2 {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
            let (mh, vh) = (
                m[i] / (1.0 - 0.9_f64.powi(t)),
                v[i] / (1.0 - 0.99_f64.powi(t)),
            );
            p[i] -= 0.1 * mh / (vh.sqrt() + 1e-3);
        }
    }
    p[0] * p[1]
}

#[autodiff_reverse(d_binomial_tree, Duplicated, Active)]
#[autodiff_forward(t_binomial_tree, Dual, Dual)]
fn binomial_tree(x: &[f64]) -> f64 {
    let n = 6;
    let mut v: Vec<f64> = (0..=n)
        .map(|j| (x[0] * 1.1_f64.powi(2 * j as i32 - n as i32) - x[1]).max(0.0))
        .collect();
    for i in (0..n).rev() {
        for j in 0..=i {
            v[j] = 0.97 * (x[2] * 0.5 * v[j + 1] + (1.0 - x[2] * 0.5) * v[j]);
        }
    }
    v[0]
}

#[autodiff_reverse(d_wave_equation, Duplicated, Active)]
#[autodiff_forward(t_wave_equation, Dual, Dual)]
fn wave_equation(x: &[f64]) -> f64 {
    let n = 6;
    let (mut a, mut b) = (x[..n].to_vec(), x[n..].to_vec());
    for _ in 0..5 {
        let mut c = vec![0.0; n];
        for i in 1..n - 1 {
            c[i] = 2.0 * b[i] - a[i] + 0.2 * (b[i + 1] - 2.0 * b[i] + b[i - 1]);
        }
        a = b;
        b = c;
    }
    b.iter().zip(&a).map(|(p, q)| p * p + q).sum()
}

#[autodiff_reverse(d_polynomial_from_roots, Duplicated, Active)]
#[autodiff_forward(t_polynomial_from_roots, Dual, Dual)]
fn polynomial_from_roots(x: &[f64]) -> f64 {
    let mut p = vec![1.0];
    for &r in &x[..5] {
        let mut q = vec![0.0; p.len() + 1];
        for (i, c) in p.iter().enumerate() {
            q[i + 1] += c;
            q[i] -= r * c;
        }
        p = q;
    }
    p.iter().rev().fold(0.0, |a, c| a * x[6] + c)
}

#[autodiff_reverse(d_quantile, Duplicated, Active)]
#[autodiff_forward(t_quantile, Dual, Dual)]
fn quantile(x: &[f64]) -> f64 {
    let mut p: Vec<usize> = (0..12).collect();
    p.sort_unstable_by(|a, b| x[*b].total_cmp(&x[*a]));
    let q = 0.3 * 11.0;
    let lo = q as usize;
    let f = q - lo as f64;
    x[p[lo]] * (1.0 - f) + x[p[lo + 1]] * f
}

#[autodiff_reverse(d_products_of_columns, Duplicated, Active)]
#[autodiff_forward(t_products_of_columns, Dual, Dual)]
fn products_of_columns(x: &[f64]) -> f64 {
    let m: Vec<Vec<f64>> = x.chunks(4).map(|c| c.to_vec()).collect();
    let t: Vec<Vec<f64>> = (0..4).map(|j| m.iter().map(|r| r[j]).collect()).collect();
    let mut s = 0.0;
    for i in 0..4 {
        for j in 0..4 {
            let d: f64 = t[i].iter().zip(&t[j]).map(|(a, b)| a * b).sum();
            s += d * d / (1.0 + (i + j) as f64);
        }
    }
    s
}

#[autodiff_reverse(d_shared_list, Duplicated, Active)]
#[autodiff_forward(t_shared_list, Dual, Dual)]
fn shared_list(x: &[f64]) -> f64 {
    let c = Rc::new(RefCell::new(vec![x[0], x[1]]));
    let d = c.clone();
    for i in 2..6 {
        let v = x[i] * c.borrow()[i - 1];
        d.borrow_mut().push(v);
    }
    let r = c.borrow();
    r.iter().sum::<f64>() * r[3]
}

#[autodiff_reverse(d_convolution_and_log_sum_exp, Duplicated, Active)]
#[autodiff_forward(t_convolution_and_log_sum_exp, Dual, Dual)]
fn convolution_and_log_sum_exp(x: &[f64]) -> f64 {
    let (k, im) = (&x[..4], &x[4..]);
    let mut o = vec![vec![0.0; 2]; 2];
    for i in 0..2 {
        for j in 0..2 {
            for a in 0..2 {
                for b in 0..2 {
                    if i + a < 3 && j + b < 3 {
                        o[i][j] += k[a * 2 + b] * im[((i + a) * 3 + j + b) % 8];
                    }
                }
            }
        }
    }
    let mut m = f64::NEG_INFINITY;
    for r in &o {
        for &v in r {
            if v > m {
                m = v;
            }
        }
    }
    o.iter().flatten().map(|v| (v - m).exp()).sum::<f64>().ln() + m
}

#[autodiff_reverse(d_soft_edit_distance, Duplicated, Active)]
#[autodiff_forward(t_soft_edit_distance, Dual, Dual)]
fn soft_edit_distance(x: &[f64]) -> f64 {
    let n = 5;
    let mut d = vec![vec![0.0; n + 1]; n + 1];
    for i in 1..=n {
        d[i][0] = i as f64 * x[11];
        d[0][i] = i as f64 * x[10];
    }
    for i in 1..=n {
        for j in 1..=n {
            let c = (x[i - 1] - x[4 + j]).abs();
            d[i][j] = -((-(d[i - 1][j] + x[11])).exp()
                + (-(d[i][j - 1] + x[10])).exp()
                + (-(d[i - 1][j - 1] + c)).exp())
            .ln();
        }
    }
    d[n][n]
}

#[autodiff_reverse(d_sums_in_rows, Duplicated, Active)]
#[autodiff_forward(t_sums_in_rows, Dual, Dual)]
fn sums_in_rows(x: &[f64]) -> f64 {
    let mut rows = vec![vec![0.0; 2]; 2];
    for i in 0..2 {
        for j in 0..2 {
            for k in 0..6 {
                rows[i][j] += (x[0] * i as f64 + x[1] * j as f64 + x[k]).sin();
            }
        }
    }
    rows.iter().flatten().map(|x| x.exp()).sum()
}

#[autodiff_reverse(d_closest_hit, Duplicated, Active)]
#[autodiff_forward(t_closest_hit, Dual, Dual)]
fn closest_hit(x: &[f64]) -> f64 {
    let mut sum = 0.0;
    for k in 0..5 {
        let mut best = None;
        for i in 0..6 {
            let y = (x[i] * (k as f64 + 1.0)).sin() + x[6 + i];
            if y < 1.2 {
                continue;
            }
            match best {
                Some((b, _)) if b <= y => {}
                _ => best = Some((y, i)),
            }
        }
        sum += match best {
            Some((b, i)) => b * (i as f64 + 1.0),
            None => x[k],
        };
    }
    sum
}

#[autodiff_reverse(d_last_pair_and_both_ends, Duplicated, Active)]
#[autodiff_forward(t_last_pair_and_both_ends, Dual, Dual)]
fn last_pair_and_both_ends(x: &[f64]) -> f64 {
    let (mut last, mut sum) = (None::<[f64; 2]>, 0.0);
    let mut ends: Option<(usize, usize)> = None;
    for (i, w) in x.chunks(2).enumerate() {
        if let Some([p, q]) = last {
            sum += p * w[1] - q * w[0];
        }
        if w[0] < w[1] {
            last = Some([w[0], w[1].exp()]);
            ends = Some(match ends {
                None => (i, i),
                Some((first, _)) => (first, i),
            });
        }
    }
    match ends {
        Some((first, last)) => sum * x[2 * first] * x[2 * last] * (1 + last - first) as f64,
        None => sum,
    }
}

#[autodiff_reverse(d_layers_of_a_network, Duplicated, Active)]
#[autodiff_forward(t_layers_of_a_network, Dual, Dual)]
fn layers_of_a_network(x: &[f64]) -> f64 {
    struct Layer {
        weights: Vec<f64>,
        bias: Vec<f64>,
        inputs: usize,
    }
    let layer = |weights: &[f64], bias: &[f64]| Layer {
        weights: weights.to_vec(),
        bias: bias.to_vec(),
        inputs: 2,
    };
    let layers = vec![layer(&x[..4], &x[4..6]), layer(&x[6..10], &x[10..])];
    let mut h = vec![0.5, 0.3];
    for layer in &layers {
        let row = |i: usize| &layer.weights[i * layer.inputs..(i + 1) * layer.inputs];
        let sum = |i| row(i).iter().zip(&h).map(|(w, h)| w * h).sum::<f64>();
        let out = layer.bias.iter().enumerate();
        h = out.map(|(i, bias)| (bias + sum(i)).tanh()).collect();
    }
    h.iter().map(|h| h * h).sum()
}

#[autodiff_reverse(d_forward_backward, Duplicated, Active)]
#[autodiff_forward(t_forward_backward, Dual, Dual)]
fn forward_backward(x: &[f64]) -> f64 {
    let steps = [[0.7, 0.3], [0.4, 0.6]];
    let seen = |s: usize, t: usize| (-(x[t + 2] - x[s]).powi(2)).exp();
    let n = 8;
    let (mut ahead, mut back) = (vec![[0.0; 2]; n], vec![[1.0; 2]; n]);
    for s in 0..2 {
        ahead[0][s] = 0.5 * seen(s, 0);
    }
    for t in 1..n {
        for s in 0..2 {
            let before: f64 = (0..2).map(|r| ahead[t - 1][r] * steps[r][s]).sum();
            ahead[t][s] = seen(s, t) * before;
        }
    }
    for t in (0..n - 1).rev() {
        for s in 0..2 {
            back[t][s] = (0..2)
                .map(|r| steps[s][r] * seen(r, t + 1) * back[t + 1][r])
                .sum();
        }
    }
    let chance = |t: usize| {
        let all: f64 = (0..2).map(|s| ahead[t][s] * back[t][s]).sum();
        ahead[t][1] * back[t][1] / all
    };
    (0..n).map(|t| chance(t) * x[t + 2]).sum()
}

#[autodiff_reverse(d_lists_of_constants, Duplicated, Active)]
#[autodiff_forward(t_lists_of_constants, Dual, Dual)]
fn lists_of_constants(x: &[f64]) -> f64 {
    let n = x.len() - 4;
    let mut ones = vec![[1.0; 3]; n];
    let mut thirds = vec![[1.0 / 3.0, 2.0 / 3.0]; n];
    let mut numbered = vec![(1.0, 2_usize, 0.5); n];
    for t in (0..7).rev() {
        for s in 0..3 {
            ones[t][s] = ones[t + 1][s] * x[t];
        }
        for s in 0..2 {
            thirds[t][s] = thirds[t + 1][s] * x[t + 1];
        }
        let (a, k, b) = numbered[t + 1];
        numbered[t] = (a * x[t], k, b * x[t + k]);
    }
    ones[0][0] + ones[1][1] * thirds[0][0] + thirds[0][1] + numbered[0].0 + numbered[0].2
}

#[autodiff_reverse(d_boxes_around_points, Duplicated, Active)]
#[autodiff_forward(t_boxes_around_points, Dual, Dual)]
fn boxes_around_points(x: &[f64]) -> f64 {
    let mut boxes = vec![[f64::INFINITY, f64::NEG_INFINITY]; x.len() / 4];
    let mut nearest = vec![(f64::MAX, 0_usize); x.len() / 4];
    for (i, v) in x.iter().enumerate() {
        let [low, high] = &mut boxes[i % 3];
        *low = low.min(v * x[0]);
        *high = high.max(*v);
        let distance = (v - x[i / 3]).powi(2) + x[1];
        if distance < nearest[i % 3].0 {
            nearest[i % 3] = (distance, i);
        }
    }
    let sizes: f64 = boxes.iter().map(|[low, high]| (high - low) * high).sum();
    sizes + nearest.iter().map(|(d, i)| d * x[*i]).sum::<f64>()
}

#[autodiff_reverse(d_floors_of_logarithms, Duplicated, Active)]
#[autodiff_forward(t_floors_of_logarithms, Dual, Dual)]
fn floors_of_logarithms(x: &[f64]) -> f64 {
    let mut chances = vec![[1e-300, 1e30, f64::MIN_POSITIVE]; x.len()];
    for i in 0..x.len() {
        if x[i] > 1.0 {
            chances[i][0] += x[i];
            chances[i][1] *= x[i];
            chances[i][2] = x[i] * x[0];
        }
    }
    let logarithm = |c: &[f64; 3]| c[0].ln() * x[0] + c[1].ln() + 0.1 * c[2].ln();
    chances.iter().map(logarithm).sum()
}

#[autodiff_reverse(d_ray_marching, Duplicated, Active)]
#[autodiff_forward(t_ray_marching, Dual, Dual)]
fn ray_marching(x: &[f64]) -> f64 {
    let distance = |p: [f64; 3]| {
        let across = (p[0] - 0.1 * x[0]).powi(2) + p[1] * p[1];
        (across + (p[2] - 3.0).powi(2)).sqrt() - x[1] + 0.05 * (4.0 * p[0] * x[2]).sin()
    };
    let direction = [0.05 * x[3], 0.03, 1.0];
    let mut t = 0.0;
    for _ in 0..40 {
        let step = distance(direction.map(|d| d * t));
        t += step;
        if step.abs() < 1e-13 {
            break;
        }
        if t > 10.0 {
            return x[4];
        }
    }
    t * x[5]
}

#[autodiff_reverse(d_polygon_that_is_cut, Duplicated, Active)]
#[autodiff_forward(t_polygon_that_is_cut, Dual, Dual)]
fn polygon_that_is_cut(x: &[f64]) -> f64 {
    let mut corners: Vec<[f64; 2]> = x[..8].chunks(2).map(|c| [c[0], c[1]]).collect();
    for (normal, far) in [([1.0, 0.2], x[8] * 0.7), ([0.1, 1.0], x[9] * 0.6)] {
        let mut left: Vec<[f64; 2]> = Vec::new();
        for i in 0..corners.len() {
            let (a, b) = (corners[i], corners[(i + 1) % corners.len()]);
            let from = |p: [f64; 2]| p[0] * normal[0] + p[1] * normal[1] - far;
            let (from_a, from_b) = (from(a), from(b));
            if from_a >= 0.0 {
                left.push(a);
            }
            if (from_a >= 0.0) != (from_b >= 0.0) {
                let t = from_a / (from_a - from_b);
                left.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
            }
        }
        if left.is_empty() {
            return x[10];
        }
        corners = left;
    }
    let next = |i: usize| corners[(i + 1) % corners.len()];
    let area = |i: usize| corners[i][0] * next(i)[1] - corners[i][1] * next(i)[0];
    (0..corners.len()).map(area).sum::<f64>() + corners[0][0]
}

#[autodiff_reverse(d_element_as_it_is, Duplicated, Active)]
#[autodiff_forward(t_element_as_it_is, Dual, Dual)]
fn element_as_it_is(x: &[f64]) -> f64 {
    let Some(y) = x.iter().skip(6).find(|y| **y > 1.6) else {
        return x[0];
    };
    y * x[3]
}

#[autodiff_reverse(d_pairs_in_single_precision, Duplicated, Active)]
#[autodiff_forward(t_pairs_in_single_precision, Dual, Dual)]
fn pairs_in_single_precision(x: &[f32]) -> f32 {
    let mut pairs = vec![[1.0, 2.0]; x.len() / 2];
    pairs.insert(1, [0.5, 0.25]);
    pairs.insert(0, if x[0] > 0.7 { [4.0, 5.0] } else { [6.0, 7.0] });
    for i in 1..pairs.len() {
        let [a, b] = pairs[i - 1];
        pairs[i][0] *= a * x[i];
        pairs[i][1] += b * x[i];
    }
    pairs.iter().map(|[a, b]| a + b).sum()
}

#[test]
fn pairs_of_constants_in_single_precision() {
    for first in [0.5, 0.8] {
        let x = [first, 0.9, 1.1, 0.7, 1.2, 0.6];
        let mut slopes = [0.0; 6];
        d_pairs_in_single_precision(&x, &mut slopes, 1.0);
        for (i, slope) in slopes.into_iter().enumerate() {
            let mut direction = [0.0; 6];
            direction[i] = 1.0;
            let (_, tangent) = t_pairs_in_single_precision(&x, &direction);
            let moved = |by: f32| {
                pairs_in_single_precision(&std::array::from_fn::<_, 6, _>(|k| {
                    x[k] + by * direction[k]
                }))
            };
            let difference = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!((slope - tangent).abs() < 1e-3, "{slope}, {tangent}");
            assert!(
                (difference - tangent).abs() < 0.05,
                "{difference}, {tangent}"
            );
        }
    }
}

mod tests {
    use conformance::compare_lists;

    algorithms! {
        tridiagonal_system d_tridiagonal_system t_tridiagonal_system
        linear_system_with_pivots d_linear_system_with_pivots t_linear_system_with_pivots
        cholesky d_cholesky t_cholesky
        conjugate_gradients d_conjugate_gradients t_conjugate_gradients
        runge_kutta d_runge_kutta t_runge_kutta
        euler_with_adaptive_steps d_euler_with_adaptive_steps t_euler_with_adaptive_steps
        newton_s_method d_newton_s_method t_newton_s_method
        hidden_markov_model d_hidden_markov_model t_hidden_markov_model
        viterbi d_viterbi t_viterbi
        dynamic_time_warping d_dynamic_time_warping t_dynamic_time_warping
        moving_window d_moving_window t_moving_window
        fast_fourier_transform d_fast_fourier_transform t_fast_fourier_transform
        merge_sort d_merge_sort t_merge_sort
        bubble_sort d_bubble_sort t_bubble_sort
        depth_first_search d_depth_first_search t_depth_first_search
        paths_until_they_end d_paths_until_they_end t_paths_until_they_end
        convolution_and_log_sum_exp d_convolution_and_log_sum_exp t_convolution_and_log_sum_exp
        soft_edit_distance d_soft_edit_distance t_soft_edit_distance
        sums_in_rows d_sums_in_rows t_sums_in_rows
        closest_hit d_closest_hit t_closest_hit
        last_pair_and_both_ends d_last_pair_and_both_ends t_last_pair_and_both_ends
        layers_of_a_network d_layers_of_a_network t_layers_of_a_network
        forward_backward d_forward_backward t_forward_backward
        lists_of_constants d_lists_of_constants t_lists_of_constants
        boxes_around_points d_boxes_around_points t_boxes_around_points
        floors_of_logarithms d_floors_of_logarithms t_floors_of_logarithms
        ray_marching d_ray_marching t_ray_marching
        polygon_that_is_cut d_polygon_that_is_cut t_polygon_that_is_cut
        element_as_it_is d_element_as_it_is t_element_as_it_is
        online_softmax d_online_softmax t_online_softmax
        long_short_term_memory d_long_short_term_memory t_long_short_term_memory
        kalman_filter d_kalman_filter t_kalman_filter
        givens_rotations d_givens_rotations t_givens_rotations
        gauss_seidel d_gauss_seidel t_gauss_seidel
        n_bodies d_n_bodies t_n_bodies
        state_machine d_state_machine t_state_machine
        tree_of_nodes d_tree_of_nodes t_tree_of_nodes
        gram_schmidt d_gram_schmidt t_gram_schmidt
        power_iteration d_power_iteration t_power_iteration
        adam d_adam t_adam
        binomial_tree d_binomial_tree t_binomial_tree
        wave_equation d_wave_equation t_wave_equation
        polynomial_from_roots d_polynomial_from_roots t_polynomial_from_roots
        quantile d_quantile t_quantile
        products_of_columns d_products_of_columns t_products_of_columns
        shared_list d_shared_list t_shared_list
    }
}
