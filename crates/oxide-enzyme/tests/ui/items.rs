use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(d_struct, Active)]
struct NotAFunction;

trait Declared {
    #[autodiff_reverse(d_declared, Active, Active)]
    fn declared(x: f64) -> f64;
}

#[autodiff_reverse(d_asynchronous, Active, Active)]
async fn asynchronous(x: f64) -> f64 {
    x
}

fn main() {}
