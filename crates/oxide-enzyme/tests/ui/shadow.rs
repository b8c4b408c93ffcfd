use oxide_enzyme::Shadow;

struct Unknown;

#[derive(Shadow)]
struct Holds {
    unknown: Unknown,
}

#[derive(Shadow)]
enum Perhaps {
    Nothing,
    Something(f64, Vec<Unknown>),
}

#[derive(Shadow)]
struct Generic<T> {
    values: Vec<T>,
}

fn is_shadow<T: Shadow>() {}

fn a_parameter_must_be_shadow_too() {
    is_shadow::<Generic<f64>>();
    is_shadow::<Generic<Unknown>>();
}

#[derive(Shadow)]
union Either {
    float: f64,
    bits: u64,
}

fn main() {}
