use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(well_reverse, Duplicated, Active)]
fn well(x: &[f64]) -> f64 {
    x[0] * x[0] * x[1]
}

// The derivative of the derivative: forward over reverse, a Hessian times a vector.
#[autodiff_forward(hessian_vector, Dual, Dual)]
fn gradient(x: &[f64], gradient: &mut [f64]) {
    gradient.fill(0.0);
    well_reverse(x, gradient, 1.0);
}

fn main() {
    let (x, direction) = ([3.0, 5.0], [1.0, 0.0]);
    let (mut g, mut h) = ([0.0; 2], [0.0; 2]);
    hessian_vector(&x, &direction, &mut g, &mut h);
    assert_eq!(g, [30.0, 9.0]); // 2 x y, x²
    assert_eq!(h, [10.0, 6.0]); // 2 y, 2 x
}
