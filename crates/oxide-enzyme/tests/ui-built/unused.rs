//! What nobody calls needs no driver: a program that only defines derivatives is linked by plain cargo, too.

use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(d_square, Active, Active)]
pub fn square(x: f64) -> f64 {
    x * x
}

fn main() {
    assert_eq!(square(2.0), 4.0);
}
