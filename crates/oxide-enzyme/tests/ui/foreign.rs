use oxide_enzyme::autodiff_reverse;

unsafe extern "C" {
    #[autodiff_reverse(d_sqrt, Active, Active)]
    safe fn sqrt(x: f64) -> f64;

    #[autodiff_reverse(d_sin, Active, Active)]
    fn sin(x: f64) -> f64;
}

fn main() {}
