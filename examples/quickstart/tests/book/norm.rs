use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(norm_reverse, Duplicated, Active)]
fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn main() {
    let (x, mut gradient) = ([3.0, 4.0], [0.0; 2]);
    let value = norm_reverse(&x, &mut gradient, 1.0);
    println!("{value} {gradient:?}"); // 5 [0.6, 0.8]
}
