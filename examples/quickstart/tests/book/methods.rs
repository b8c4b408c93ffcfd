use oxide_enzyme::autodiff_reverse;

struct Probe;

impl Probe {
    #[autodiff_reverse(Self::d_response, Active, ActiveOnly)]
    fn response(x: f64) -> f64 {
        x * x
    }
}

trait Sensor {
    fn response(x: f64) -> f64;
    fn slope(x: f64, dret: f64) -> f64;
}

impl Sensor for Probe {
    #[autodiff_reverse(<Self as Sensor>::slope, Active, ActiveOnly)]
    fn response(x: f64) -> f64 {
        x * x * x
    }
}

fn main() {
    assert_eq!(Probe::d_response(2.0, 1.0), 4.0);
    assert_eq!(Probe::slope(2.0, 1.0), 12.0);
}
