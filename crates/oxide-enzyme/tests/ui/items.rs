use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(d_struct, Active)]
struct NotAFunction;

#[autodiff_forward(d_constant, Dual)]
const CONSTANT: f64 = 1.0;

#[autodiff_reverse(d_module, Active)]
mod module {}

#[autodiff_reverse(d_impl, Active)]
impl NotAFunction {}

#[autodiff_reverse(d_trait, Active)]
trait Trait {
    #[autodiff_reverse(d_associated, Active)]
    const ASSOCIATED: f64;
}

#[autodiff_reverse(d_asynchronous, Active, Active)]
async fn asynchronous(x: f64) -> f64 {
    x
}

#[autodiff_reverse(d_conditional, Active, Active, Active)]
fn conditional(x: f64, #[cfg(all())] y: f64) -> f64 {
    x * y
}

struct Methods(f64);

impl Methods {
    #[autodiff_reverse(d_scaled, Duplicated, Active, actve)]
    fn scaled(&self, x: f64) -> f64 {
        self.0 * x
    }

    #[autodiff_reverse(d_made, Active, Active, Const)]
    fn made(x: f64) -> Self {
        Methods(x)
    }
}

trait Derivable {
    fn value(&self, x: f64) -> f64;
    fn d_value(&self, d_self: &mut Self, x: f64, dret: f64) -> (f64, f64);

    #[autodiff_reverse(d_provided, Duplicat, Active)]
    fn provided(&self) -> f64 {
        1.0
    }
}

impl Derivable for Methods {
    #[autodiff_reverse(d_value, Duplicate, Active, Active)]
    fn value(&self, x: f64) -> f64 {
        self.0 * x
    }
}

// Callers of what could not be made are not blamed.
fn callers(methods: &Methods, shadow: &mut Methods) {
    let (value, dx) = methods.d_scaled(shadow, 2.0, 1.0);
    let (value, dx) = methods.d_value(shadow, value + dx, 1.0);
    let _ = d_asynchronous(value, dx);
    let _: f64 = Methods(1.0).d_provided(shadow, 1.0);
}

fn main() {}
