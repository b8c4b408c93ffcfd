use oxide_enzyme::{Shadow, autodiff_forward, autodiff_reverse};

#[autodiff_reverse(d_discards, DuplicatedOnly, Active)]
fn discards(x: &mut f64) -> f64 {
    *x
}

fn safe_call_of_an_unsafe_derivative() {
    d_discards(&mut 1.0, &mut 0.0, 1.0);
}

#[autodiff_forward(d_consumes, Dual, Dual)]
fn consumes(x: Vec<f64>) -> f64 {
    x[0]
}

fn use_after_move() {
    let (x, bx) = (vec![1.0], vec![1.0]);
    d_consumes(x, bx);
    drop(bx);
}

#[autodiff_reverse(d_adds, Duplicated, Active)]
fn adds(x: &[f64]) -> f64 {
    x[0]
}

fn shadow_aliases_its_argument() {
    let mut x = [1.0];
    d_adds(&x, &mut x, 1.0);
}

struct Unknown;

#[derive(Shadow)]
struct Holds {
    unknown: Unknown,
}

fn main() {}
