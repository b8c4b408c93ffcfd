use oxide_enzyme::autodiff_reverse;

struct Type;
struct Other;

// An attribute does not see the `impl` around it: `Self::d_hidden` would tell it.
impl Type {
    #[autodiff_reverse(d_hidden, Active, Active)]
    fn hidden(x: f64) -> f64 {
        x
    }
}

trait Undeclared {
    fn value(&self, x: f64) -> f64;
}

impl Undeclared for Type {
    #[autodiff_reverse(d_value, Const, Active, Active)]
    fn value(&self, x: f64) -> f64 {
        x
    }
}

trait Declared {
    fn value(&self, x: f64) -> f64;
    fn d_value(&self, x: f64, dret: f64) -> f64;
}

impl Declared for Other {
    #[autodiff_reverse(d_value, Const, Active, Active)]
    fn value(&self, x: f64) -> f64 {
        x
    }
}

fn main() {}
