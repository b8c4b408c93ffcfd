use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_forward(wave_forward, 2, Dual, Dual)]
#[autodiff_reverse(wave_reverse, 2, Active, Active)]
fn wave(x: f64) -> f64 {
    x.sin()
}

#[autodiff_forward(smooth_forward, 3, Dualv, Dualv)]
#[autodiff_reverse(smooth_reverse, 2, Duplicated, Duplicated)]
fn smooth(x: &[f64], out: &mut [f64]) {
    for i in 0..out.len() {
        out[i] = (x[i] + x[i + 1]) / 2.0;
    }
}

fn main() {
    // One tangent for each lane; the value comes first, once.
    let [value, slope, twice] = wave_forward(0.0, 1.0, 2.0);
    assert_eq!([value, slope, twice], [0.0, 1.0, 2.0]);
    // One seed for each lane, and a gradient for each.
    let (value, gradients) = wave_reverse(0.0, [1.0, 2.0]);
    assert_eq!((value, gradients), (0.0, [1.0, 2.0]));

    let (x, mut out) = ([1.0, 3.0, 5.0], [0.0; 2]);
    // All three directions in one slice, each after the one before: the whole Jacobian in one call.
    let directions = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let mut tangents = [0.0; 6];
    smooth_forward(&x, &directions, &mut out, &mut tangents);
    assert_eq!(out, [2.0, 4.0]);
    assert_eq!(tangents, [0.5, 0.0, 0.5, 0.5, 0.0, 0.5]);

    // A row of the Jacobian for each lane.
    let (mut row_0, mut row_1) = ([0.0; 3], [0.0; 3]);
    let (mut seed_0, mut seed_1) = ([1.0, 0.0], [0.0, 1.0]);
    smooth_reverse(
        &x,
        &mut row_0,
        &mut row_1,
        &mut out,
        &mut seed_0,
        &mut seed_1,
    );
    assert_eq!(row_0, [0.5, 0.5, 0.0]);
    assert_eq!(row_1, [0.0, 0.5, 0.5]);
}
