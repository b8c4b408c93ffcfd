use oxide_enzyme::{enzyme, primal};

#[primal(z: Const)]
fn no_such_argument(x: f64) -> f64 {
    x
}

#[primal(x: Cosnt)]
fn misspelt(x: f64) -> f64 {
    x
}

#[primal(x: Active)]
fn active_reference(x: &f64) -> f64 {
    *x
}

#[primal(scratch: Const)]
fn constant_scratch(x: f64, scratch: &mut [f64]) -> f64 {
    scratch[0] = x;
    scratch[0]
}

#[primal]
unsafe fn not_safe(x: f64) -> f64 {
    x
}

struct Scale(f64);

impl Scale {
    #[primal]
    fn method(&self, x: f64) -> f64 {
        self.0 * x
    }
}

#[primal]
fn pattern((x, y): (f64, f64)) -> f64 {
    x * y
}

#[primal]
struct NoFunction;

#[primal]
fn square(x: f64) -> f64 {
    x * x
}

fn main() {
    enzyme!(gradient square(1.0) wrt x);
    enzyme!(grad square(1.0));
    enzyme!(grad square(1.0) wrt x, x);
    enzyme!(grad square(1.0) wrt value);
    enzyme!(grad square(1.0) wrt x weight 2.0);
    enzyme!(jvp square(1.0) along x);
    enzyme!(jvp square(1.0) wrt x);
}
