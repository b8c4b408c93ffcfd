use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse]
fn nameless(x: f64) -> f64 {
    x
}

#[autodiff_reverse()]
fn still_nameless(x: f64) -> f64 {
    x
}

#[autodiff_reverse(Active, Active)]
fn activity_first(x: f64) -> f64 {
    x
}

#[autodiff_reverse(2, d_width_first, Active, Active)]
fn width_first(x: f64) -> f64 {
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

#[autodiff_reverse(loop, Active, Active)]
fn keyword(x: f64) -> f64 {
    x
}

#[autodiff_reverse(self, Active, Active)]
fn other_keyword(x: f64) -> f64 {
    x
}

#[autodiff_reverse(d_path::name, Active, Active)]
fn path(x: f64) -> f64 {
    x
}

#[autodiff_reverse(d_generic<T>, Duplicated, Active)]
fn generic<T: Copy>(x: &T) -> T {
    *x
}

#[autodiff_reverse(d_settings = true, Active, Active)]
fn settings(x: f64) -> f64 {
    x
}

#[autodiff_reverse(<Probe>::d_nowhere, Active, Active)]
fn no_trait(x: f64) -> f64 {
    x
}

#[autodiff_reverse(taken, Active, Active)]
fn primal(x: f64) -> f64 {
    x
}

fn taken() {}

fn main() {}
