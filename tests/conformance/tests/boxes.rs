//! Boxes, linked lists, nested `Vec`s.

use std::collections::VecDeque;

use conformance::{X, assert_close, assert_gradient, sum_of_squares, twice_x};
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_box, Duplicated, Active)]
#[autodiff_forward(fwd_box, Dual, Dual)]
fn boxed(x: &[f64]) -> f64 {
    let product = Box::new(x[0] * x[1]);
    let slice: Box<[f64]> = x.into();
    *product * slice[3]
}

#[test]
fn boxes_hold_active_values() {
    assert_gradient!(rev_box, fwd_box, X, -9.0, [-6.0, 4.5, 0.0, -3.0]);
}

enum List {
    End,
    Item(f64, Box<List>),
}

impl List {
    fn sum_of_squares(&self) -> f64 {
        match self {
            List::End => 0.0,
            List::Item(x, rest) => x * x + rest.sum_of_squares(),
        }
    }
}

#[autodiff_reverse(rev_list, Duplicated, Active)]
#[autodiff_forward(fwd_list, Dual, Dual)]
fn linked_list(x: &[f64]) -> f64 {
    let mut list = List::End;
    for x in x {
        list = List::Item(*x, Box::new(list));
    }
    list.sum_of_squares()
}

#[test]
fn a_linked_list_may_be_built() {
    assert_gradient!(rev_list, fwd_list, X, sum_of_squares(), twice_x());
}

#[autodiff_reverse(rev_nested, Duplicated, Active)]
#[autodiff_forward(fwd_nested, Dual, Dual)]
fn table(x: &[f64]) -> f64 {
    let rows: Vec<Vec<f64>> = x
        .iter()
        .map(|a| x.iter().map(|b| a * b).collect())
        .collect();
    rows.iter().enumerate().map(|(i, row)| row[i]).sum()
}

#[test]
fn vecs_may_be_nested() {
    assert_gradient!(rev_nested, fwd_nested, X, sum_of_squares(), twice_x());
}

#[autodiff_reverse(rev_replace_box, Active, Const, Active)]
#[allow(clippy::replace_box)]
fn power_by_boxes(x: f64, n: usize) -> f64 {
    let mut product = Box::new(1.0);
    for _ in 0..n {
        product = Box::new(*product * x);
    }
    *product
}

#[test]
fn a_box_may_be_replaced_in_a_loop() {
    for n in [0, 1, 5] {
        let (value, slope) = rev_replace_box(2.0, n, 1.0);
        assert_close(value, 2.0_f64.powi(n as i32));
        assert_close(slope, n as f64 * 2.0_f64.powi(n as i32 - 1));
    }
}

/// A tree, in the order of the values.
struct Branch {
    value: f64,
    left: Option<Box<Branch>>,
    right: Option<Box<Branch>>,
}

fn inserted(tree: Option<Box<Branch>>, value: f64) -> Option<Box<Branch>> {
    match tree {
        None => Some(Box::new(Branch {
            value,
            left: None,
            right: None,
        })),
        Some(mut branch) => {
            if value < branch.value {
                branch.left = inserted(branch.left.take(), value);
            } else {
                branch.right = inserted(branch.right.take(), value);
            }
            Some(branch)
        }
    }
}

/// Squares, each times its branch's number: 1 for the root, twice as much to the left, and one more to the right.
fn weight(tree: &Option<Box<Branch>>, number: f64) -> f64 {
    match tree {
        None => 0.0,
        Some(branch) => {
            let own = branch.value * branch.value * number;
            own + weight(&branch.left, 2.0 * number) + weight(&branch.right, 2.0 * number + 1.0)
        }
    }
}

#[autodiff_reverse(d_tree, Duplicated, Active)]
#[autodiff_forward(t_tree, Dual, Dual)]
fn tree(x: &[f64]) -> f64 {
    let mut tree = None;
    for value in x {
        tree = inserted(tree, *value);
    }
    weight(&tree, 1.0)
}

#[test]
fn a_tree_may_grow_in_the_primal() {
    let (x, mut dx) = ([0.5, 1.25, -0.75, 2.0, 0.75], [0.0; 5]);
    let gradient = [1.0, 7.5, -3.0, 28.0, 9.0];
    let value = d_tree(&x, &mut dx, 1.0);
    assert_eq!(
        (value, dx),
        (0.25 + 4.6875 + 1.125 + 28.0 + 3.375, gradient)
    );
    assert_eq!(t_tree(&x, &[0.0, 0.0, 0.0, 1.0, 1.0]), (value, 37.0));
}

#[autodiff_reverse(d_pushed_in_front, Duplicated, Active)]
fn pushed_in_front(x: &[f64]) -> f64 {
    let mut queue = VecDeque::new();
    for v in x {
        queue.push_front(v * v);
    }
    queue.iter().zip(1..).map(|(v, n)| v * n as f64).sum()
}

#[test]
fn a_queue_may_grow_in_front() {
    let (x, mut dx) = ([0.5, 1.25, -0.75, 2.0, 3.0], [0.0; 5]);
    d_pushed_in_front(&x, &mut dx, 1.0);
    assert_eq!(dx, [5.0, 10.0, -4.5, 8.0, 6.0]);
}
