use oxide_enzyme::autodiff_reverse;

trait Potential {
    // Without a body: each implementation gives its own, and the derivative is of that.
    #[autodiff_reverse(minus_force, Const, Active, ActiveOnly)]
    fn energy(&self, x: f64) -> f64;
}

struct Spring {
    stiffness: f64,
}

struct Charge;

impl Potential for Spring {
    fn energy(&self, x: f64) -> f64 {
        self.stiffness * x * x / 2.0
    }
}

impl Potential for Charge {
    fn energy(&self, x: f64) -> f64 {
        1.0 / x
    }
    // An implementation may replace the derivative by one of its own.
    fn minus_force(&self, x: f64, dret: f64) -> f64 {
        -dret / (x * x)
    }
}

fn main() {
    assert_eq!(Spring { stiffness: 3.0 }.minus_force(2.0, 1.0), 6.0);
    assert_eq!(Charge.minus_force(2.0, 1.0), -0.25);
}
