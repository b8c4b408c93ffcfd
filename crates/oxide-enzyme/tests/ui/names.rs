use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse]
fn nameless(x: f64) -> f64 {
    x
}

#[autodiff_reverse(Active, Active)]
fn activity_first(x: f64) -> f64 {
    x
}

#[autodiff_reverse(twice, Active, Active)]
#[autodiff_reverse(twice, Active, Active)]
fn same_name_again(x: f64) -> f64 {
    x
}

#[autodiff_reverse(itself, Active, Active)]
fn itself(x: f64) -> f64 {
    x
}

#[autodiff_reverse("text", Active, Active)]
fn not_a_name(x: f64) -> f64 {
    x
}

fn main() {}
