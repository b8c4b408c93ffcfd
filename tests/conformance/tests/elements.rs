//! Lists whose elements hold floats beside others, and that grow: their elements are copied.

use conformance::compared;

struct Log {
    entries: Vec<(usize, f64)>,
    total: f64,
}

impl Log {
    #[inline(never)]
    fn add(&mut self, at: usize, value: f64) {
        self.entries.push((at, value));
        self.total += value;
    }
}

#[derive(Clone, Copy)]
struct Tagged {
    is_first: bool,
    value: f64,
    at: u32,
    weight: f32,
}

compared! {
    |a, b, c, n| pairs_with_an_index {
        let x = [a, b, c];
        let mut list = vec![(0, a * b)];
        for i in 1..3 * n { list.push((i, x[i % 3] * x[(i + 1) % 3])); }
        list.iter().map(|(i, value)| value * x[i % 3]).sum()
    }
    |a, b, c, n| a_stack_of_pairs {
        let x = [a, b, c];
        let mut stack = vec![(0, a)];
        let mut sum = 0.0;
        while let Some((depth, value)) = stack.pop() {
            sum += (value * x[depth % 3]).sin();
            if depth < n { stack.push((depth + 1, value * x[(depth + 1) % 3])); stack.push((depth + 1, value + b)); }
        }
        sum
    }
    |a, b, c, n| pairs_from_iterators {
        let x = [a, b, c, a * b, b * c];
        let mut list: Vec<(usize, f64)> = Vec::new();
        list.extend(x.iter().copied().enumerate().filter(|pair| pair.0 % 2 == 0));
        list.extend(x.iter().map(|x| (n, x * x)));
        let copy = list.clone();
        list[0].1 = a;
        copy.iter().map(|(i, value)| value * x[i % 5]).sum::<f64>() * list[1].1
    }
    |a, b, c, n| a_list_in_a_struct {
        let mut log = Log { entries: vec![], total: c };
        for i in 0..2 * n { log.add(i, (a + b * i as f64).sin()); }
        log.entries.iter().map(|(i, value)| value * *i as f64).sum::<f64>() * log.total
    }
    |a, b, c, n| triples {
        let mut list: Vec<(usize, f64, usize)> = Vec::new();
        for i in 0..3 * n { list.push((i, (a * i as f64 + b).sin(), i + 1)); }
        list.shrink_to_fit();
        list.iter().map(|(i, value, k)| value * value * (*i * *k) as f64).sum::<f64>() * c
    }
    |a, b, c, n| structs_of_many_types {
        let mut list: Vec<Tagged> = Vec::new();
        for i in 0..2 * n { list.push(Tagged { is_first: i % 3 == 0, value: (a * i as f64).sin() * b, at: i as u32, weight: 0.5 }); }
        list.iter().map(|t| if t.is_first { t.value * t.value } else { t.value * c * f64::from(t.at) * f64::from(t.weight) }).sum()
    }
    |a, b, c, n| floats_beside_lists {
        let mut rows: Vec<(f64, Vec<f64>)> = Vec::new();
        for i in 0..2 * n { rows.push((a * i as f64, vec![b, c * a])); }
        rows.iter().map(|(scale, row)| scale * row[0] * row[1]).sum()
    }
    |a, b, c, n| options {
        let mut list: Vec<Option<f64>> = Vec::new();
        for i in 0..3 * n { list.push(if i % 3 == 0 { None } else { Some((a * i as f64).sin() + b) }); }
        list.iter().flatten().map(|value| value * value * c).sum()
    }
}
