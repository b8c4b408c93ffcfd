use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(valley_reverse, Duplicated, Active)]
fn valley(x: &[f64; 2]) -> f64 {
    (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
}

fn main() {
    let x = [-1.2, 1.0];
    let mut gradient = [0.0; 2];
    let value = valley_reverse(&x, &mut gradient, 1.0);
    println!("valley({x:?}) = {value}, with gradient {gradient:?}");
}
