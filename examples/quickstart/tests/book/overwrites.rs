use oxide_enzyme::{autodiff_reverse, inactive};

#[inactive(overwrites)]
fn restart(state: &mut [f64]) {
    state.fill(0.5);
}

#[autodiff_reverse(walk_reverse, Active, Active)]
fn walk(x: f64) -> f64 {
    let mut state = [x; 2];
    restart(&mut state);
    state[0] * state[1] * x
}

fn main() {
    assert_eq!(walk_reverse(3.0, 1.0), (0.75, 0.25));
}
