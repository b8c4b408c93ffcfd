//! Through glam, whose vectors are SIMD registers on this machine.

use glam::{DMat3, DQuat, DVec2, DVec3, Mat4, Vec3, Vec4};

const FOUR: [f64; 4] = [0.5, 1.25, -0.75, 2.0];

real_crates::through! {
    "glam: `DVec3`, `DVec2`" vectors FOUR |x| { let (a, b) = (DVec3::new(x[0], x[1], x[2]), DVec3::new(x[3], x[0], 1.0)); a.dot(b) + a.cross(b).length() + a.normalize().x + DVec2::new(x[0], x[3]).length() } => differences;
    "glam: `DMat3`, inverse, determinant" matrix FOUR |x| { let m = DMat3::from_cols(DVec3::new(x[0], 2.0, 0.0), DVec3::new(x[1], x[2], 1.0), DVec3::new(0.0, x[3], 3.0)); (m.inverse() * DVec3::new(1.0, 2.0, 3.0)).length() + m.determinant() } => differences;
    "glam: `DQuat`" quaternion FOUR |x| { let q = DQuat::from_xyzw(x[0], x[1], x[2], x[3]).normalize(); (q * DVec3::new(1.0, 2.0, 3.0)).dot(DVec3::new(x[0], 0.5, 0.25)) } => differences;
    "glam: `Vec3` (single precision)" single FOUR |x| { let a = Vec3::new(0.5, 1.0, 2.0); f64::from(a.dot(Vec3::new(1.0, 2.0, 3.0))) * x[0] * x[1] } => differences;
}

/// In single precision and in registers.
mod simd {
    use super::*;
    use oxide_enzyme::{autodiff_forward, autodiff_reverse};

    #[autodiff_reverse(reverse, Duplicated, Active)]
    #[autodiff_forward(forward, Dual, Dual)]
    fn primal(x: &[f32; 4]) -> f32 {
        let v = Vec4::from_array(*x);
        let m = Mat4::from_diagonal(v) * Mat4::from_rotation_z(0.5);
        (m * v).dot(v) + v.length()
    }

    #[test]
    fn registers_are_differentiated() {
        let x = [0.5, 1.25, -0.75, 2.0_f32];
        let mut gradient = [0.0; 4];
        let value = reverse(&x, &mut gradient, 1.0);
        assert_eq!(value, primal(&x));
        // (x, y) D R (x, y) with the rotation R, by hand: c x³ - s x² y + s x y² + c y³ + z³ + w³, and the length.
        let (s, c) = 0.5_f32.sin_cos();
        let length = x.iter().map(|x| x * x).sum::<f32>().sqrt();
        let expected = [
            3.0 * c * x[0] * x[0] - 2.0 * s * x[0] * x[1] + s * x[1] * x[1] + x[0] / length,
            -s * x[0] * x[0] + 2.0 * s * x[0] * x[1] + 3.0 * c * x[1] * x[1] + x[1] / length,
            3.0 * x[2] * x[2] + x[2] / length,
            3.0 * x[3] * x[3] + x[3] / length,
        ];
        for (index, expected) in expected.into_iter().enumerate() {
            assert!(
                (gradient[index] - expected).abs() < 1e-5,
                "{gradient:?}, {index}: {expected}"
            );
            let mut direction = [0.0; 4];
            direction[index] = 1.0;
            assert!((forward(&x, &direction).1 - expected).abs() < 1e-5);
        }
    }
}
