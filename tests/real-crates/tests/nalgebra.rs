//! Through nalgebra.

use nalgebra::{
    Complex, DMatrix, DVector, Isometry3, Matrix2, Matrix3, Matrix4, Point3, Quaternion, Rotation3,
    SMatrix, UnitQuaternion, Vector2, Vector3,
};

/// Symmetric and positive definite.
fn definite(x: &[f64]) -> Matrix3<f64> {
    let m = Matrix3::from_row_slice(x);
    m * m.transpose() + Matrix3::identity()
}

fn definite_dynamic(x: &[f64]) -> DMatrix<f64> {
    let m = DMatrix::from_row_slice(3, 3, x);
    &m * m.transpose() + DMatrix::identity(3, 3)
}

/// A matrix of three rows that is far from singular.
const NINE: [f64; 9] = [2.0, 0.25, -0.75, 0.5, -1.5, 0.25, 1.0, 0.875, 1.625];

real_crates::through! {
    "nalgebra: `Vector3`: dot, cross, norm" vectors [0.5, 1.25, -0.75, 2.0, -1.5, 0.25] |x| { let (a, b) = (Vector3::new(x[0], x[1], x[2]), Vector3::new(x[3], x[4], x[5])); a.dot(&b) + a.cross(&b).norm() + a.normalize().x } => differences;
    "nalgebra: `Matrix2`, `Vector2`: product" small [0.5, 1.25, -0.75, 2.0] |x| { let m = Matrix2::new(x[0], x[1], x[2], x[3]); let v = m * Vector2::new(x[0], x[3]); v.x * v.y } => differences;
    "nalgebra: `Matrix3`: determinant" determinant NINE |x| { Matrix3::from_row_slice(x).determinant() } => differences;
    "nalgebra: `Matrix3`: `try_inverse`" inverse NINE |x| { let m = Matrix3::from_row_slice(x).try_inverse().unwrap(); m.sum() + m.trace() } => differences;
    "nalgebra: `Matrix4`: determinant, inverse" four [0.5, 1.25, -0.75, 2.0, -1.5, 0.25, 1.0, 0.875, -0.625] |x| { let m = Matrix4::from_fn(|i, j| x[(3 * i + 2 * j) % 9] + if i == j { 3.0 } else { 0.0 }); m.determinant() + m.try_inverse().unwrap().norm() } => differences;
    "nalgebra: Cholesky, static" cholesky NINE |x| { let c = definite(x).cholesky().unwrap(); c.solve(&Vector3::new(1.0, 2.0, 3.0)).norm() + c.determinant().ln() } => differences;
    "nalgebra: Cholesky, dynamic" cholesky_dynamic NINE |x| { let c = definite_dynamic(x).cholesky().unwrap(); c.solve(&DVector::from_vec(vec![1.0, 2.0, 3.0])).norm() + c.ln_determinant() } => differences;
    "nalgebra: LU: solve, determinant" lu NINE |x| { let lu = Matrix3::from_row_slice(x).lu(); lu.solve(&Vector3::new(1.0, 2.0, 3.0)).unwrap().norm() + lu.determinant() } => differences;
    "nalgebra: LU, dynamic" lu_dynamic NINE |x| { let lu = DMatrix::from_row_slice(3, 3, x).lu(); lu.solve(&DVector::from_vec(vec![1.0, 2.0, 3.0])).unwrap().norm() + lu.determinant() } => differences;
    "nalgebra: QR: solve" qr NINE |x| { let qr = Matrix3::from_row_slice(x).qr(); qr.solve(&Vector3::new(1.0, 2.0, 3.0)).unwrap().norm() + qr.r()[(0, 1)] } => differences;
    "nalgebra: SVD: singular values" svd NINE |x| { let s = Matrix3::from_row_slice(x).singular_values(); s[0] + 2.0 * s[1] + 3.0 * s[2] } => differences;
    "nalgebra: SVD: pseudo-inverse" pseudo_inverse NINE |x| { let m = Matrix3::from_row_slice(x).pseudo_inverse(1e-12).unwrap(); m[(0, 1)] + m.norm() } => differences;
    "nalgebra: symmetric eigenvalues" eigenvalues NINE |x| { let e = definite(x).symmetric_eigenvalues(); e[0] * e[1] + e[2] } => differences;
    "nalgebra: symmetric eigenvectors" eigenvectors NINE |x| { let e = definite(x).symmetric_eigen(); let v = e.eigenvectors.column(0); v[0] * v[1] + e.eigenvalues[0] } => differences;
    "nalgebra: Schur: complex eigenvalues" schur NINE |x| { let e: nalgebra::OVector<Complex<f64>, nalgebra::U3> = Matrix3::from_row_slice(x).complex_eigenvalues(); e.iter().map(|e| e.norm()).sum() } => differences;
    "nalgebra: matrix exponential" exponential [0.5, 0.25, -0.75, 0.1] |x| { Matrix2::from_row_slice(x).exp().norm() } => differences;
    "nalgebra: `DMatrix`, `DVector`: products, views" dynamic NINE |x| { let m = DMatrix::from_row_slice(3, 3, x); let v = DVector::from_column_slice(&x[..3]); let w = &m * &v; w.dot(&v) + m.column(1).dot(&m.row(2).transpose()) + m.view((1, 1), (2, 2)).norm() } => differences;
    "nalgebra: `DMatrix`: map, `zip_map`, component-wise, sums" elementwise NINE |x| { let m = DMatrix::from_row_slice(3, 3, x); let n = m.map(f64::sin).component_mul(&m) + m.zip_map(&m.transpose(), |a, b| a * b * b); n.sum() + n.row_sum()[1] * n.column_mean()[0] } => differences;
    "nalgebra: `gemm` and `gemv` in place" gemm NINE |x| { let m = DMatrix::from_row_slice(3, 3, x); let mut out = DMatrix::from_element(3, 3, x[0]); out.gemm(2.0, &m, &m, 0.5); let mut v = DVector::from_element(3, x[1]); v.gemv(1.0, &out, &m.column(0), x[2]); v.norm_squared() } => differences;
    "nalgebra: rotations: `Rotation3`, Euler angles" rotation [0.5, 0.25, -0.75, 2.0] |x| { let r = Rotation3::from_euler_angles(x[0], x[1], x[2]); let v = r * Vector3::new(x[3], 1.0, 2.0); v.x + v.y * v.z + r.angle() } => differences;
    "nalgebra: quaternions: product, rotate, slerp" quaternion [0.5, 0.25, -0.75, 2.0] |x| { let q = UnitQuaternion::from_quaternion(Quaternion::new(x[0], x[1], x[2], x[3])); let r = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), x[0]); let v = q.slerp(&r, 0.25) * Vector3::new(1.0, x[1], 2.0); v.x * v.y - v.z } => differences;
    "nalgebra: `Isometry3` on a `Point3`" isometry [0.5, 0.25, -0.75, 2.0, 1.5, -0.5] |x| { let i = Isometry3::new(Vector3::new(x[0], x[1], x[2]), Vector3::new(x[3], x[4], x[5])); let p = i * Point3::new(1.0, 2.0, 3.0); p.x * p.y + (i.inverse() * p).z * p.z } => differences;
    "nalgebra: `SMatrix` of another size" sized [0.5, 1.25, -0.75, 2.0, -1.5, 0.25] |x| { let m = SMatrix::<f64, 2, 3>::from_row_slice(x); (m * m.transpose()).determinant() } => differences;
    "nalgebra: Hessenberg, bidiagonal" hessenberg NINE |x| { let m = Matrix3::from_row_slice(x); m.hessenberg().h()[(1, 0)] + m.bidiagonalize().diagonal().norm() } => differences;
}
