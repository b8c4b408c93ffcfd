//! Memory that is overwritten after it was read, by a later round of a loop or on another way: the reverse pass needs what was
//! read. Forward mode, which remembers nothing, says what is right, and finite differences that forward mode is.

use conformance::compared;

/// Not inlined: it has a tape of its own.
#[inline(never)]
fn smoothed(x: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for j in 1..x.len() {
        sum += (x[j] * x[j]).sin();
        x[j - 1] = sum;
    }
    sum
}

#[inline(never)]
fn either(x: &mut [f64; 4], y: &mut [f64; 4], first: bool, n: usize) -> f64 {
    let mut sum = x[0];
    for i in 0..n {
        sum = (sum + x[i % 4] * y[(i + 1) % 4]).sin();
    }
    let chosen = if first { x } else { y };
    for i in 0..n {
        chosen[i % 4] *= sum;
    }
    sum
}

compared! {
    |a, b, c, n| the_neighbour_behind {
        let mut x = [a, b, c, a * b, b * c, c * a, a, b];
        let mut sum = c;
        for j in 1..n { sum += x[j] * x[j]; x[j - 1] = sum.sin(); }
        sum + x[0] * x[1]
    }
    |a, b, c, n| the_neighbour_ahead_backwards {
        let mut x = [a, b, c, a * b, b * c, c * a, a, b];
        let mut sum = c;
        for j in (0..n).rev() { sum += (x[j] * x[j]).sin(); x[j + usize::from(j < 7)] = sum; }
        sum + x[0] * x[1]
    }
    |a, b, c, n| the_other_of_a_pair {
        let mut x = [a, b, c, a * b, b * c, c * a, a, b];
        let mut sum = c;
        for j in 0..n { sum += (x[j] * x[j]).sin(); x[j ^ 1] = sum; }
        sum + x[0] * x[1]
    }
    |a, b, c, n| sweeps_in_place {
        let mut x = [a, b, c, a * b, b * c, c * a, a, b];
        for _ in 0..n { for j in 1..n { x[j] = 0.3 * (x[j - 1] * x[j] + x[(j + 1) % 8].sin()); } }
        x[1] * x[2] + x[n - 1]
    }
    |a, b, c, n| a_list_of_known_length {
        let mut x = [a, b, c, a * b, b * c, c * a, a, b].to_vec();
        let mut sum = c;
        for j in 1..n { sum += x[j] * x[j]; x[j - 1] = sum.sin(); }
        sum + x[0] * x[1]
    }
    |a, b, c, n| a_slice_in_a_function {
        let mut x = [a, b, c, a * b, b * c, c * a, a, b];
        (0..n).map(|k| smoothed(&mut x[k % 2..]) * x[k]).sum()
    }
    |a, b, c, n| references_that_swap_in_every_other_round {
        let (mut x, mut y) = ([a, b, c], [c, b, a]);
        let (mut u, mut v) = (&mut x, &mut y);
        let mut sum = a;
        for i in 0..n {
            u[i % 3] = v[i % 3] * v[(i + 1) % 3];
            if i % 2 == 1 { std::mem::swap(&mut u, &mut v); }
            sum += u[0];
        }
        sum + x[0] * y[0]
    }
    |a, b, c, n| references_that_swap_when_told {
        let (mut x, mut y) = ([a, b, c], [c, b, a]);
        let mut sum = 1.0;
        for i in 0..n { sum *= x[i % 3] * y[(i + 7) % 3]; sum = (sum + b).sin(); }
        let (mut u, mut v) = (&mut x, &mut y);
        for i in 0..n {
            u[i % 3] = v[i % 3] * v[(i + 1) % 3];
            if sum > c { std::mem::swap(&mut u, &mut v); }
            sum += u[0];
        }
        sum + x[0] * y[0]
    }
    |a, b, c, n| one_of_two_lists {
        let (mut x, mut y) = (vec![a, b, c], vec![c, b, a]);
        let mut sum = 1.0;
        for i in 0..n { sum *= x[i % 3] * x[(i + 1) % 3]; sum = (sum + c).sin(); }
        let chosen = if b > 0.0 { &mut x } else { &mut y };
        for v in chosen.iter_mut() { *v *= 3.0; }
        sum + x[0] + y[1] + x[2] * x[1]
    }
    |a, b, c, n| one_of_two_arguments {
        let (mut x, mut y) = ([a, b, c, a], [c, b, a, b]);
        either(&mut x, &mut y, c > 0.0, n) + x[0] * x[1] + y[0] * y[1]
    }
    |a, b, c, n| one_of_two_boxes {
        let (mut x, mut y) = (Box::new(a + b), Box::new(c));
        let mut sum = 0.0;
        for i in 0..n {
            sum = (sum + *x * c).sin();
            **(if c > i as f64 * 0.1 { &mut x } else { &mut y }) *= sum;
        }
        sum + *x * *y
    }
    |a, b, c, n| boxes_that_change_places {
        let mut v = vec![0.0; 4];
        let (mut x, mut y) = (Box::new(a + b), Box::new(c));
        for _ in 0..n { v.insert(0, a * *x); }
        for _ in 0..n {
            std::mem::swap(&mut x, &mut y);
            if c.exp() < *y { break; }
        }
        *y += a;
        v[0] + *x
    }
    |a, b, c, n| a_list_given_to_another {
        let x = vec![a, b, c];
        let mut sum = 1.0;
        for i in 0..n { sum *= x[i % 3] * x[(i + 7) % 3]; sum = (sum + c).sin(); }
        let mut rows: Vec<Vec<f64>> = vec![];
        rows.push(x);
        for _ in 0..n { rows.push(vec![a; n]); }
        rows[n / 9][1] *= 2.0;
        sum + rows[0][0] * rows[0][1] * rows[0][2] + rows[n / 3][0]
    }
    |a, b, c, n| a_ring_buffer {
        let mut ring = [a, b, c, a * b];
        let mut sum = 0.0;
        for t in 0..2 * n {
            let v = (ring[t % 4] * ring[(t + 1) % 4] + ring[(t + 3) % 4]).sin();
            ring[(t + 2) % 4] = v;
            sum += v * ring[t % 4];
        }
        sum
    }
    |a, b, c, n| dynamic_programming {
        let mut cost = [0.0_f64; 8];
        for i in 0..n {
            for j in 1..n {
                let (left, above) = (cost[j - 1] + (a * i as f64).sin(), cost[j] + (b * j as f64).cos());
                cost[j] = -((-left).exp() + (-above).exp() + c.exp()).ln();
            }
        }
        cost[n - 1]
    }
    |a, b, c, n| windows_of_a_list {
        let mut x: Vec<f64> = (0..n + 2).map(|i| (a * i as f64 + b).sin()).collect();
        for w in 0..n { let t = &mut x[w..w + 3]; t[1] = (t[0] * t[2] + t[1] * c).sin(); }
        for i in 1..n { let (left, right) = x.split_at_mut(i); right[0] *= left[i - 1]; }
        x.iter().sum()
    }
    |a, b, c, n| two_buffers {
        let (mut x, mut y) = (vec![a; n], vec![b; n]);
        for i in 0..n {
            for j in 0..n { y[j] = (x[j] * x[(j + 1) % n] + c * (i + j) as f64).sin(); }
            std::mem::swap(&mut x, &mut y);
        }
        (x[0] * x[1] * y[2]).sin()
    }
}
