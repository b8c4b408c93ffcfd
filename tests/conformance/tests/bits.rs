//! Floats that are looked at as bits.

use conformance::assert_close;
use oxide_enzyme::{autodiff_forward, autodiff_reverse};

#[autodiff_reverse(rev_larger, Active, Active, Active)]
#[autodiff_forward(fwd_larger, Dual, Dual, Dual)]
fn square_of_the_larger(x: f64, y: f64) -> f64 {
    if x.total_cmp(&y).is_gt() {
        x * x
    } else {
        y * y
    }
}

#[test]
fn values_may_be_compared_by_their_bits() {
    assert_eq!(rev_larger(3.0, 2.0, 1.0), (9.0, 6.0, 0.0));
    assert_eq!(rev_larger(2.0, 3.0, 1.0), (9.0, 0.0, 6.0));
    assert_eq!(fwd_larger(3.0, 1.0, 2.0, 1.0), (9.0, 6.0));
}

#[autodiff_reverse(rev_hashed, Duplicated, Active)]
#[autodiff_forward(fwd_hashed, Dual, Dual)]
fn hashed(x: &[f64]) -> f64 {
    let mut sum = 0.0;
    for x in x {
        let odd = x.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63;
        sum += x.sin() * (1.0 + odd as f64);
    }
    sum
}

#[test]
fn a_hash_of_a_value_is_constant() {
    let (x, mut dx) = ([0.3, 0.7, -1.1, 2.0], [0.0; 4]);
    rev_hashed(&x, &mut dx, 1.0);
    for i in 0..4 {
        let odd = x[i].to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63;
        let expected = x[i].cos() * (1.0 + odd as f64);
        assert_close(dx[i], expected);
        let mut bx = [0.0; 4];
        bx[i] = 1.0;
        assert_close(fwd_hashed(&x, &bx).1, expected);
    }
}

#[inline(never)]
fn parity(bits: u64) -> bool {
    bits.count_ones().is_multiple_of(2)
}

#[autodiff_reverse(rev_parity, Active, Active)]
#[autodiff_forward(fwd_parity, Dual, Dual)]
fn by_parity(x: f64) -> f64 {
    if parity(x.to_bits()) {
        x * x
    } else {
        x * x * x
    }
}

#[test]
fn bits_may_be_passed_on() {
    for x in [1.0, 3.0, 5.5] {
        let expected = if parity(f64::to_bits(x)) {
            2.0 * x
        } else {
            3.0 * x * x
        };
        assert_close(rev_parity(x, 1.0).1, expected);
        assert_close(fwd_parity(x, 1.0).1, expected);
    }
}

#[autodiff_reverse(rev_sign, Duplicated, Active)]
fn signs(x: &[f32]) -> f32 {
    x.iter()
        .map(|x| {
            if x.is_sign_negative() {
                -x * x
            } else {
                x.copysign(-1.0) * 3.0
            }
        })
        .sum()
}

#[test]
fn signs_are_bits() {
    let mut dx = [0.0; 2];
    rev_sign(&[2.0, -3.0], &mut dx, 1.0);
    assert_eq!(dx, [-3.0, 6.0]);
}
