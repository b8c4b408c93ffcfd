//! Memory that the primal allocates and gives away, in reverse mode: it belongs to whoever has it when the derivative is done.

use std::cell::RefCell;
use std::rc::Rc;

use oxide_enzyme::{autodiff_forward, autodiff_reverse, autodiff_reverse_split};

#[autodiff_reverse(d_list, Duplicated, Active, Const)]
#[autodiff_reverse(d_list_two, 2, Duplicated, Active, Const)]
#[autodiff_forward(t_list, Dual, Dual, Const)]
fn list(out: &mut [f64], x: f64) -> Vec<f64> {
    let squares: Vec<f64> = (1..=3).map(|n| x * n as f64).map(|v| v * v).collect();
    out[0] = squares.iter().sum();
    vec![x, out[0]]
}

#[test]
fn a_constant_result_may_own_memory() {
    for x in [2.0, 3.0] {
        let result = vec![x, 14.0 * x * x];
        let (mut out, mut dout) = ([0.0], [1.0]);
        assert_eq!(d_list(&mut out, &mut dout, x), (result.clone(), 28.0 * x));
        assert_eq!((out, dout), ([result[1]], [0.0]));
        let (mut first, mut second) = ([1.0], [2.0]);
        let (list, slopes) = d_list_two(&mut out, &mut first, &mut second, x);
        assert_eq!((list, slopes), (result.clone(), [28.0 * x, 56.0 * x]));
        let mut dout = [1.0];
        assert_eq!(t_list(&mut out, &mut dout, x, 1.0), result);
        assert_eq!(dout, [28.0 * x]);
    }
}

#[autodiff_reverse(d_checked, Duplicated, Duplicated, Const)]
fn checked(x: &[f64], out: &mut f64) -> Result<Option<Box<[f64]>>, String> {
    *out = x.iter().map(|v| v.ln()).sum();
    if x.iter().any(|v| *v > 100.0) {
        return Err(format!("{} is too large", x[0]));
    }
    Ok(x.last().map(|last| vec![*last; 2].into()))
}

#[test]
fn a_constant_result_may_be_an_error_with_a_message() {
    let differentiate = |x: &[f64; 2]| {
        let (mut dx, mut out, mut dout) = ([0.0; 2], 0.0, 1.0);
        let result = d_checked(x, &mut dx, &mut out, &mut dout);
        assert_eq!(dx, [1.0 / x[0], 1.0 / x[1]]);
        result
    };
    assert_eq!(differentiate(&[2.0, 4.0]), Ok(Some([4.0; 2].into())));
    assert_eq!(
        differentiate(&[200.0, 4.0]),
        Err("200 is too large".to_owned())
    );
}

#[autodiff_reverse(d_recorded, Duplicated, Const, Active)]
#[autodiff_reverse_split(split_recorded, Duplicated, Const, Active)]
fn recorded(x: &[f64], history: &RefCell<Vec<f64>>) -> f64 {
    let mut sum = 0.0;
    for v in x {
        sum += v * v;
        history.borrow_mut().push(sum);
    }
    sum
}

#[autodiff_reverse(d_shared, Duplicated, Const, Active)]
fn shared(x: &[f64], rows: &Rc<RefCell<Vec<Vec<f64>>>>) -> f64 {
    let row: Vec<f64> = x.iter().map(|v| v * 2.0).collect();
    let sum = row.iter().zip(x).map(|(a, b)| a * b).sum();
    rows.borrow_mut().push(row);
    sum
}

#[test]
fn a_log_behind_a_reference_keeps_what_it_is_given() {
    let x: Vec<f64> = (1..=9).map(f64::from).collect();
    let history = RefCell::new(Vec::new());
    let rows = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..3 {
        let mut dx = vec![0.0; 9];
        assert_eq!(d_recorded(&x, &mut dx, &history, 1.0), 285.0);
        assert!(dx.iter().zip(&x).all(|(d, x)| *d == 2.0 * x));
        let mut dx = vec![0.0; 9];
        assert_eq!(d_shared(&x, &mut dx, &rows, 1.0), 570.0);
        assert!(dx.iter().zip(&x).all(|(d, x)| *d == 4.0 * x));
    }
    let sums = [1.0, 5.0, 14.0, 30.0, 55.0, 91.0, 140.0, 204.0, 285.0];
    assert_eq!(history.take(), sums.repeat(3));
    let doubled: Vec<f64> = x.iter().map(|v| v * 2.0).collect();
    assert_eq!(rows.take(), vec![doubled; 3]);
}

#[test]
fn a_log_keeps_what_it_is_given_between_two_passes() {
    let (x, mut dx, history) = ([1.0, 2.0], [0.0; 2], RefCell::new(Vec::new()));
    let (value, tape) = split_recorded(&x, &mut dx, &history);
    let between = vec![8.0; 4];
    assert_eq!(*history.borrow(), [1.0, 5.0]);
    tape.reverse(value);
    assert_eq!((dx, history.take()), ([10.0, 20.0], vec![1.0, 5.0]));
    assert_eq!(between, [8.0; 4]);
}

#[autodiff_reverse(d_slopes, Duplicated, Const, Active)]
#[autodiff_forward(t_slopes, Dual, Const, Dual)]
fn slopes(x: &[f64], history: &RefCell<Vec<f64>>) -> f64 {
    let mut dx = vec![0.0; x.len()];
    d_recorded(x, &mut dx, history, x[0] * x[0] * x[0]);
    // 2 x0^4 + 2 x0^3 x1
    dx.iter().sum()
}

#[test]
fn an_inner_derivative_gives_memory_away_too() {
    let (a, b): (f64, f64) = (2.0, 3.0);
    let value = 2.0 * a.powi(4) + 2.0 * a.powi(3) * b;
    let gradient = [8.0 * a.powi(3) + 6.0 * a * a * b, 2.0 * a.powi(3)];
    let history = RefCell::new(Vec::new());
    for rounds in 1..=20 {
        let mut dx = [0.0; 2];
        assert_eq!(d_slopes(&[a, b], &mut dx, &history, 1.0), value);
        assert_eq!(dx, gradient);
        let tangents = t_slopes(&[a, b], &[1.0, 0.0], &history);
        assert_eq!(tangents, (value, gradient[0]));
        assert_eq!(*history.borrow(), [4.0, 13.0].repeat(2 * rounds));
    }
}

#[autodiff_reverse(d_told, Duplicated, Const, Active)]
fn told(x: &[f64], mut tell: impl FnMut(f64)) -> f64 {
    let mut product = 1.0;
    for v in x {
        product *= v;
        tell(product);
    }
    product
}

#[test]
fn a_closure_keeps_what_it_collects() {
    let mut seen = Vec::new();
    let mut dx = [0.0; 5];
    d_told(&[2.0, 3.0, 5.0, 7.0, 11.0], &mut dx, |v| seen.push(v), 1.0);
    assert_eq!(dx, [1155.0, 770.0, 462.0, 330.0, 210.0]);
    assert_eq!(seen, [2.0, 6.0, 30.0, 210.0, 2310.0]);
}

#[autodiff_reverse(d_noted, Duplicated, Const, Active)]
fn noted(x: &[f64], notes: &mut Vec<f64>) -> f64 {
    *notes = x.iter().map(|v| v + 1.0).collect();
    notes.push(7.0);
    x[0] * x[1]
}

#[test]
fn a_constant_list_may_be_replaced() {
    let (mut notes, mut dx) = (vec![1.0], [0.0; 2]);
    assert_eq!(d_noted(&[3.0, 4.0], &mut dx, &mut notes, 1.0), 12.0);
    assert_eq!((notes, dx), (vec![4.0, 5.0, 7.0], [4.0, 3.0]));
}
