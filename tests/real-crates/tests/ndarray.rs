//! Through ndarray.

use ndarray::{
    Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayViewMut1, Axis, Zip, concatenate, s, stack,
};

const SIX: [f64; 6] = [0.5, 1.25, -0.75, 2.0, -1.5, 0.25];
const NINE: [f64; 9] = [2.0, 0.25, -0.75, 0.5, -1.5, 0.25, 1.0, 0.875, 1.625];

fn owned(x: &[f64]) -> Array1<f64> {
    Array1::from(x.to_vec())
}

fn view(x: &[f64]) -> ArrayView1<'_, f64> {
    ArrayView1::from(x)
}

fn square(x: &[f64]) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((3, 3), x).unwrap()
}

real_crates::through! {
    "ndarray: arithmetic of arrays and views" arithmetic SIX |x| { let (a, v) = (owned(x), view(x)); let b = &a * &v + &v * 2.0 - 0.5; let c = &b / (&a + 3.0); c.sum() + (b * v)[1] } => differences;
    "ndarray: arithmetic in place" in_place SIX |x| { let mut a = owned(x); a += 1.0; a *= &view(x); a.mapv_inplace(|v| v * v); a -= &view(x); a[2] * a[1] + a[0] } => differences;
    "ndarray: `map`, `mapv`, `fold`" map SIX |x| { let b = view(x).mapv(f64::sin); let c = b.map(|v| v * v); c[0] + c[1] * b[5] + view(x).fold(1.0, |s, v| s * (v + 3.0)) } => differences;
    "ndarray: `sum`, `product`, `mean`, `var`, `std`" statistics SIX |x| { let a = view(x); a.sum() * a[1] + a.product() + a.mean().unwrap() + a.var(1.0) * a.std(0.0) } => differences;
    "ndarray: `dot` of vectors" dot SIX |x| { let a = owned(x); a.dot(&a.mapv(|v| v * v)) + view(&x[..3]).dot(&view(&x[3..])) } => differences;
    "ndarray: matrix times vector" matvec NINE |x| { let a = square(x); let b = a.dot(&view(&x[..3])); let c = a.to_owned().dot(&owned(&x[3..6])); b[0] * b[1] + b[2] * c[0] + c[1] } => differences;
    "ndarray: iterators" iterators SIX |x| { let a = view(x); let v: Vec<f64> = a.iter().map(|v| v * v).collect(); let b = Array1::from_iter(v.iter().map(|v| v + 1.0)); let mut s: f64 = a.iter().map(|v| v * v * v).sum(); for w in a.windows(2) { s += w[0] * w[1]; } s + b[0] * b[5] } => differences;
    "ndarray: `indexed_iter`, `outer_iter`, `rows`" rows NINE |x| { let a = square(x); let mut s = a.row(0).dot(&a.column(1)); for ((i, j), v) in a.indexed_iter() { s += v * v * (i + 2 * j) as f64; } for row in a.outer_iter() { s += row[0] * row[1]; } for row in a.rows() { s += row[2] * row[0]; } s } => differences;
    "ndarray: slices, with steps and backwards" slices SIX |x| { let a = view(x); let b = a.slice(s![1..5;2]); let c = a.slice(s![..;-1]); let mut d = Array1::zeros(6); d.slice_mut(s![1..4]).assign(&view(&x[..3])); b[0] * b[1] + c[0] * c[5] + b.sum() * c.sum() + d[1] * d[2] * d[3] } => differences;
    "ndarray: sums and maps along an axis" axes NINE |x| { let a = square(x); let r = a.sum_axis(Axis(0)); let c = a.mean_axis(Axis(1)).unwrap(); let m = a.map_axis(Axis(0), |v| v[0] * v[1]); let f = a.fold_axis(Axis(1), 1.0, |s, v| s * v); r[0] * c[1] + r[2] + m[0] * f[1] } => differences;
    "ndarray: broadcasting" broadcast NINE |x| { let a = square(x); let b = &a + &view(&x[..3]); let c = &b * &a.column(1).insert_axis(Axis(1)); c[(0, 1)] * c[(2, 2)] + c.sum() } => differences;
    "ndarray: reshape, transpose, diagonal" shapes SIX |x| { let a = view(x).into_shape_with_order((2, 3)).unwrap(); let (t, d) = (a.t(), a.diag().to_owned()); t[(0, 1)] * t[(2, 0)] + a.to_owned().into_shape_with_order(6).unwrap()[4] * d[0] * d[1] } => differences;
    "ndarray: `Zip`" zip SIX |x| { let mut a = Array1::zeros(3); Zip::from(&mut a).and(&view(&x[..3])).and(&view(&x[3..])).for_each(|a, b, c| *a = b * c + b); let b = Zip::from(view(&x[..3])).and(view(&x[3..])).map_collect(|b, c| b * c); a[0] * a[1] + a[2] * b[2] } => differences;
    "ndarray: `stack`, `concatenate`" stacked SIX |x| { let a = concatenate![Axis(0), view(&x[..3]), view(&x[3..])]; let b = stack![Axis(0), view(&x[..3]), view(&x[3..])]; a[4] * b[(1, 2)] + b[(0, 1)] } => differences;
    "ndarray: `from_shape_fn` in two and three dimensions" from_fn NINE |x| { let a = Array2::from_shape_fn((3, 3), |(i, j)| x[i] * x[3 + j]); let b = Array3::from_shape_fn((2, 3, 2), |(i, j, k)| x[i + 2 * j] * x[k]); a[(0, 1)] * a[(2, 2)] + b[(1, 2, 1)] * b[(0, 1, 0)] + b.index_axis(Axis(1), 2)[(1, 0)] } => differences;
    "ndarray: `ArrayViewMut`" view_mut SIX |x| { let mut v = x.to_vec(); { let mut a = ArrayViewMut1::from(&mut v[..]); a[0] *= 2.0; a.mapv_inplace(|v| v * v); } v[0] * v[1] + v[5] } => differences;
}
