use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(norm_reverse, Duplicated, Active)]
fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn main() {
    let (x, mut gradient) = ([3.0, 4.0], [0.0; 2]);
    let value = norm_reverse(&x, &mut gradient, 1.0);
    println!("{value:.3} {gradient:.3?}"); // 5.000 [0.600, 0.800]
}
