//! Constants that take the place of active numbers, in lists that are found by pointers in memory, and out of tables.
// Lists are what is tested.
#![allow(clippy::useless_vec)]

use std::cell::RefCell;

use conformance::compared_lists;

const TABLE: [f64; 4] = [0.1, 0.7, 0.2, 0.9];
const WEIGHTED: [(usize, f64); 3] = [(1, 2.0), (0, 0.25), (2, 0.1)];
static SCALES: [f64; 5] = [1.0, 2.0, 4.0, 3.0, 0.3];

struct Row {
    values: Vec<f64>,
    resets: usize,
}

#[inline(never)]
fn reset(row: &mut Row, at: usize) {
    let n = row.values.len();
    row.values[at % n] = 0.5;
    row.resets += 1;
}

#[inline(never)]
fn looked_up(table: &[f64], at: usize) -> f64 {
    table[at % table.len()]
}

#[inline(never)]
fn put(list: &mut [f64], table: &[f64], at: usize) {
    list[at] = table[at % table.len()];
}

#[inline(never)]
fn count(list: &mut [usize], modulus: usize) {
    for (i, n) in list.iter_mut().enumerate() {
        *n = i % modulus;
    }
    list[modulus] = 3;
}

#[inline(never)]
fn bump(list: &mut [f64], at: usize) {
    list[at] += 1.0;
}

fn rows(x: &[f64]) -> Vec<Vec<f64>> {
    vec![
        vec![x[0], x[1], x[5], x[7]],
        vec![x[2] * x[3], x[2], x[6], x[8]],
    ]
}

fn squares(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x * x).collect()
}

fn weighted<'a>(list: impl IntoIterator<Item = &'a f64>) -> f64 {
    let weighted = list.into_iter().enumerate();
    weighted.map(|(i, v)| v * v * (i as f64 + 0.5)).sum()
}

compared_lists! {
    an_element_of_a_row |x| {
        let mut rows = rows(x);
        rows[x.len() % 2][0] = 0.25;
        weighted(rows.iter().flatten())
    }
    an_element_of_each_row |x| {
        let mut rows = rows(x);
        for row in &mut rows {
            row[1] = 0.5;
        }
        weighted(rows.iter().flatten())
    }
    a_row_of_zeros |x| {
        let mut rows = rows(x);
        rows[x.len() % 2].fill(0.0);
        weighted(rows.iter().flatten())
    }
    a_row_of_one_number |x| {
        let mut rows = rows(x);
        rows[x.len() % 2].fill(1.5);
        weighted(rows.iter().flatten())
    }
    a_row_of_a_table |x| {
        let mut rows = rows(x);
        rows[x.len() % 2].copy_from_slice(&TABLE);
        weighted(rows.iter().flatten())
    }
    counts_in_a_row |x| {
        let mut rows = rows(x);
        for (i, v) in rows[x.len() % 2].iter_mut().enumerate() {
            if i != 1 {
                *v = i as f64;
            }
        }
        rows[1][3] = (x.len() as f64).sqrt();
        weighted(rows.iter().flatten())
    }
    bounds |x| {
        let mut grid: Vec<Vec<f64>> = x.chunks(4).map(<[f64]>::to_vec).collect();
        for row in &mut grid {
            row[0] = 1.0;
            if row[3] > 1.0 {
                row[3] = 1.0;
            }
        }
        weighted(grid.iter().flatten())
    }
    fields_behind_a_reference |x| {
        let mut rows = vec![
            Row { values: vec![x[0], x[1] * x[2]], resets: 0 },
            Row { values: vec![x[3], x[4]], resets: 0 },
        ];
        let at = x.len() % 2;
        reset(&mut rows[at], 0);
        weighted(rows.iter().flat_map(|row| &row.values)) + rows[0].resets as f64
    }
    a_boxed_number |x| {
        let mut boxes = vec![Box::new(x[0] * x[1]), Box::new(x[2])];
        *boxes[x.len() % 2] = 0.5;
        weighted(boxes.iter().map(|number| &**number))
    }
    arrays_in_rows |x| {
        let mut rows = vec![vec![[x[0], x[1]], [x[2] * x[3], x[4]]], vec![[x[5], x[6]]]];
        rows[0][x.len() % 2] = [0.1, 0.2];
        rows[1][0][1] = 0.5;
        weighted(rows.iter().flatten().flatten())
    }
    rows_of_rows |x| {
        let mut rows = vec![vec![vec![x[0], x[1]], vec![x[2] * x[0], x[3]]], vec![vec![x[4]]]];
        rows[0][x.len() % 2][1] = 0.5;
        weighted(rows.iter().flatten().flatten())
    }
    cells_of_lists |x| {
        let cells = [RefCell::new(vec![x[0] * x[1], x[2]]), RefCell::new(vec![x[3]])];
        let cells = Vec::from(cells);
        cells[0].borrow_mut()[x.len() % 2] = 0.25;
        cells.iter().map(|cell| weighted(cell.borrow().iter())).sum()
    }
    fluxes_with_borders |x| {
        let mut rows = rows(x);
        for k in 0..3 {
            rows[k % 2][0] = 0.0;
            rows[(k + 1) % 2][3] = 1.0;
            for j in 1..3 {
                let flux = rows[0][j - 1] * rows[1][j + 1] * 0.2;
                rows[k % 2][j] += flux;
            }
        }
        weighted(rows.iter().flatten())
    }
    a_table_in_rows |x| {
        let mut rows: Vec<Vec<f64>> = x.chunks(3).map(squares).collect();
        for (k, row) in rows.iter_mut().enumerate() {
            row[0] = TABLE[k % 4];
        }
        weighted(rows.iter().flatten())
    }
    a_table_in_a_list |x| {
        let mut list = squares(x);
        for k in 0..x.len() / 2 {
            list[2 * k] = TABLE[k % 4];
        }
        weighted(&list)
    }
    a_static_in_an_array |x| {
        let mut state = [x[0], x[1], x[2]];
        let mut sum = 0.0;
        for k in 0..9 {
            state[k % 3] = state[(k + 1) % 3] * x[k];
            state[(k + 2) % 3] = SCALES[k % 5];
            sum += state[0] * x[1] + state[2];
        }
        sum
    }
    a_table_instead |x| {
        let numbers = x.iter().enumerate();
        let chosen: Vec<f64> = numbers
            .map(|(k, x)| if *x > 0.8 { TABLE[k % 4] } else { x * x })
            .collect();
        weighted(&chosen)
    }
    a_table_to_begin_with |x| {
        let numbers = x.iter().enumerate();
        numbers.fold(TABLE[x.len() % 4], |best, (k, x)| {
            if *x > best {
                x * x
            } else if k % 5 == 0 {
                SCALES[k % 5]
            } else {
                best * x
            }
        })
    }
    a_table_of_pairs |x| {
        let mut pairs: Vec<(usize, f64)> = x.iter().map(|x| x * x).enumerate().collect();
        for k in 0..3 {
            pairs[k] = WEIGHTED[(k + x.len()) % 3];
        }
        pairs.iter().map(|(n, v)| v * v * (*n as f64 + 0.5)).sum()
    }
    a_function_looks_up |x| {
        let mut list = squares(x);
        list[3] = looked_up(&TABLE, x.len());
        list[5] = looked_up(&SCALES, x.len());
        weighted(&list)
    }
    tables_in_a_list |x| {
        let tables: Vec<&[f64]> = vec![&TABLE, &SCALES];
        let mut list = squares(x);
        for k in 0..5 {
            list[2 * k] = tables[k % 2][k % 4];
        }
        weighted(&list)
    }
    a_table_that_changes |x| {
        let mut table = TABLE;
        for k in 0..4 {
            table[k] = x[k] * table[(k + 1) % 4];
        }
        weighted(&table)
    }
    a_function_puts_it_into_a_list_that_may_be_empty |x| {
        let mut list = squares(x);
        put(&mut list, &TABLE, 5);
        put(&mut list, &SCALES, 7);
        bump(&mut list, 3);
        weighted(&list)
    }
    a_function_counts_in_a_list |x| {
        let mut counts = vec![0; x.len()];
        count(&mut counts, 5);
        x.iter().zip(&counts).map(|(x, n)| x * x * *n as f64).sum()
    }
}
