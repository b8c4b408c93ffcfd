// One function for each row of the table of signatures.
#![feature(autodiff)]
use std::autodiff::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(d_square, Active, Active)]
fn square(x: f32) -> f32 {
    x * x
}

#[autodiff_reverse(d_product, Active, Active, Active)]
fn product(x: f64, y: f64) -> f64 {
    x * y
}

#[autodiff_reverse(d_cube, Active, ActiveOnly)]
#[autodiff_reverse(d_cube_const, Active, Const)]
fn cube(x: f64) -> f64 {
    x * x * x
}

#[autodiff_reverse(d_scaled_sum, Duplicated, Const, Active)]
#[autodiff_forward(b_scaled_sum, Dual, Const, Dual)]
fn scaled_sum(x: &[f64], y: f64) -> f64 {
    x.iter().sum::<f64>() * y
}

#[autodiff_reverse(d_store, Active, Active, Duplicated)]
#[autodiff_forward(b_store, Dual, Dual, Dual)]
fn store(x: f64, y: f64, out: &mut f64) {
    *out = x * y;
}

#[autodiff_forward(b_quarter, Dual, DualOnly)]
#[autodiff_forward(b_quarter_4, 4, Dual, Dual)]
#[autodiff_forward(b_quarter_4_only, 4, Dual, DualOnly)]
#[autodiff_forward(b_quarter_const, Dual, Const)]
fn quarter(x: &f32) -> f32 {
    x * x / 4.0
}

#[autodiff_forward(b_squares, 4, Dualv, Dualv)]
fn squares(x: &[f32], out: &mut [f32]) {
    for i in 0..x.len() {
        out[i] = x[i] * x[i];
    }
}

trait Function {
    fn at(&self, x: f64) -> f64;
    fn d_at(&self, x: f64, dret: f64) -> (f64, f64);
}

struct Line {
    slope: f64,
}

impl Function for Line {
    #[autodiff_reverse(d_at, Const, Active, Active)]
    fn at(&self, x: f64) -> f64 {
        self.slope * x
    }
}

#[autodiff_reverse(d_generic, Duplicated, Active)]
fn generic<T: std::ops::Mul<Output = T> + Copy>(x: &T) -> T {
    *x * *x
}

#[autodiff_reverse(d_discard, DuplicatedOnly, Active)]
#[autodiff_forward(b_discard, DualOnly, Dual)]
fn discard(x: &f64) -> f64 {
    x * x
}

fn main() {
    let df: fn(f32, f32) -> (f32, f32) = d_square;
    assert_eq!(df(3.0, 1.0), (square(3.0), 6.0));
    let df: fn(f64, f64, f64) -> (f64, f64, f64) = d_product;
    assert_eq!(df(3.0, 5.0, 1.0), (product(3.0, 5.0), 5.0, 3.0));
    let df: fn(f64, f64) -> f64 = d_cube;
    assert_eq!(df(2.0, 0.5), 6.0);
    let df: fn(f64) -> (f64, f64) = d_cube_const;
    assert_eq!(df(2.0), (cube(2.0), 0.0));

    let x = [1.0, 2.0];
    let df: fn(&[f64], &mut [f64], f64, f64) -> f64 = d_scaled_sum;
    let mut dx_0 = [0.0; 2];
    assert_eq!(df(&x, &mut dx_0, 4.0, 1.0), scaled_sum(&x, 4.0));
    assert_eq!(dx_0, [4.0, 4.0]);
    let df: fn(&[f64], &[f64], f64) -> (f64, f64) = b_scaled_sum;
    assert_eq!(df(&x, &[0.5, 1.0], 4.0), (12.0, 6.0));

    let (mut out, mut dout_0) = (0.0, 1.0);
    let df: fn(f64, f64, &mut f64, &mut f64) -> (f64, f64) = d_store;
    assert_eq!(df(3.0, 5.0, &mut out, &mut dout_0), (5.0, 3.0));
    assert_eq!((out, dout_0), (15.0, 0.0));
    let df: fn(f64, f64, f64, f64, &mut f64, &mut f64) = b_store;
    df(3.0, 1.0, 5.0, 0.0, &mut out, &mut dout_0);
    assert_eq!((out, dout_0), (15.0, 5.0));
    store(1.0, 1.0, &mut out);
    assert_eq!(out, 1.0);

    let df: fn(&f32, &f32) -> f32 = b_quarter;
    assert_eq!(df(&2.0, &1.0), 1.0);
    let df: fn(&f32, &f32, &f32, &f32, &f32) -> [f32; 5] = b_quarter_4;
    assert_eq!(df(&2.0, &1.0, &0.0, &-1.0, &4.0), [quarter(&2.0), 1.0, 0.0, -1.0, 4.0]);
    let df: fn(&f32, &f32, &f32, &f32, &f32) -> [f32; 4] = b_quarter_4_only;
    assert_eq!(df(&2.0, &1.0, &0.0, &-1.0, &4.0), [1.0, 0.0, -1.0, 4.0]);
    let df: fn(&f32, &f32) -> f32 = b_quarter_const;
    assert_eq!(df(&2.0, &1.0), 1.0);

    let (mut out, mut bout_0) = ([0.0; 2], [0.0; 8]);
    let df: fn(&[f32], &[f32], &mut [f32], &mut [f32]) = b_squares;
    let bx_0 = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0];
    df(&[1.0, 3.0], &bx_0, &mut out, &mut bout_0);
    assert_eq!(out, [1.0, 9.0]);
    assert_eq!(bout_0, [2.0, 0.0, 0.0, 6.0, 2.0, 6.0, 0.0, 0.0]);
    squares(&[2.0], &mut out[..1]);
    assert_eq!(out, [4.0, 9.0]);

    let line = Line { slope: 3.0 };
    let df: fn(&Line, f64, f64) -> (f64, f64) = Line::d_at;
    assert_eq!(df(&line, 2.0, 1.0), (line.at(2.0), 3.0));

    let df: fn(&f64, &mut f64, f64) -> f64 = d_generic::<f64>;
    let mut dx_0 = 0.0;
    assert_eq!(df(&3.0, &mut dx_0, 1.0), generic(&3.0));
    assert_eq!(dx_0, 6.0);
    let mut dx_0 = 0.0;
    assert_eq!(d_generic(&3.0f32, &mut dx_0, 1.0), 9.0);
    assert_eq!(dx_0, 6.0);

    let df: unsafe fn(&f64, &mut f64, f64) -> f64 = d_discard;
    let mut dx_0 = 0.0;
    assert_eq!(unsafe { df(&3.0, &mut dx_0, 1.0) }, discard(&3.0));
    assert_eq!(dx_0, 6.0);
    let df: unsafe fn(&f64, &f64) -> (f64, f64) = b_discard;
    assert_eq!(unsafe { df(&3.0, &1.0) }, (9.0, 6.0));
}
