//! Products of matrices, which the driver puts in the place of `dgemm` and `sgemm` of the crate `matrixmultiply`: what ndarray and
//! nalgebra call. Its kernels are for one processor each and move floats about in ways that type analysis cannot follow.
//!
//! All compute `C ← α A B + β C`, where `A` has `m` rows and `k` columns and `B` has `n` columns. Strides are in elements. `C` is
//! only written where `β` is zero.

macro_rules! products {
    ($($float:ident $loops:ident $ruled:ident $rule:ident;)*) => {$(
        /// By loops that Enzyme differentiates. In reverse mode it keeps all that they read, unless it sees that nobody overwrites it.
        ///
        /// # Safety
        /// As for `matrixmultiply::dgemm`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $loops(
            m: usize, k: usize, n: usize,
            alpha: $float,
            a: *const $float, rsa: isize, csa: isize,
            b: *const $float, rsb: isize, csb: isize,
            beta: $float,
            c: *mut $float, rsc: isize, csc: isize,
        ) {
            for i in 0..m as isize {
                for j in 0..n as isize {
                    let mut sum = 0.0;
                    // SAFETY: this function's contract; the indices are within the matrices.
                    unsafe {
                        for p in 0..k as isize {
                            sum += *a.offset(i * rsa + p * csa) * *b.offset(p * rsb + j * csb);
                        }
                        let c = c.offset(i * rsc + j * csc);
                        *c = if beta == 0.0 { alpha * sum } else { alpha * sum + beta * *c };
                    }
                }
            }
        }

        /// By rules: the program's own kernel is used, and only `A` and `B` are kept for the reverse pass. `kernel` is its `matrixmultiply::dgemm`.
        ///
        /// # Safety
        /// As for `matrixmultiply::dgemm`.
        #[cfg(feature = "alloc")]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $ruled(
            m: usize, k: usize, n: usize,
            alpha: $float,
            a: *const $float, rsa: isize, csa: isize,
            b: *const $float, rsb: isize, csb: isize,
            beta: $float,
            c: *mut $float, rsc: isize, csc: isize,
            kernel: $rule::Kernel,
        ) {
            let gather = |from: *const $float, rows: usize, columns: usize, [down, right]: [isize; 2]| {
                let mut dense = alloc::vec![0.0; rows * columns];
                for i in 0..rows {
                    for j in 0..columns {
                        // SAFETY: this function's contract; the indices are within the matrix.
                        dense[i * columns + j] = unsafe { *from.offset(i as isize * down + j as isize * right) };
                    }
                }
                dense
            };
            let (a, b) = (gather(a, m, k, [rsa, csa]), gather(b, k, n, [rsb, csb]));
            let product = $rule::product(&a, &b, [m, k, n], kernel);
            for i in 0..m {
                for j in 0..n {
                    let value = alpha * product[i * n + j];
                    // SAFETY: as above.
                    unsafe {
                        let c = c.offset(i as isize * rsc + j as isize * csc);
                        *c = if beta == 0.0 { value } else { value + beta * *c };
                    }
                }
            }
        }

        #[cfg(feature = "alloc")]
        mod $rule {
            use alloc::vec;
            use alloc::vec::Vec;

            use oxide_enzyme::{custom_forward, custom_reverse};

            /// `matrixmultiply::dgemm`, or `sgemm`. The ABI of Rust and that of C are one for these arguments, as the driver relies on.
            pub type Kernel = unsafe extern "C" fn(
                usize, usize, usize,
                $float,
                *const $float, isize, isize,
                *const $float, isize, isize,
                $float,
                *mut $float, isize, isize,
            );

            /// A dense matrix, row by row, or its transpose: the elements and the two strides.
            type Matrix<'m> = (&'m [$float], [isize; 2]);

            /// `C ← A B + C`, where `C` is dense.
            fn accumulate(kernel: Kernel, [m, k, n]: [usize; 3], (a, [rsa, csa]): Matrix, (b, [rsb, csb]): Matrix, c: &mut [$float]) {
                assert!(a.len() == m * k && b.len() == k * n && c.len() == m * n, "matrices of these sizes");
                let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
                // SAFETY: the matrices have as many elements, and the strides are those of dense ones.
                unsafe { kernel(m, k, n, 1.0, a, rsa, csa, b, rsb, csb, 1.0, c, n as isize, 1) };
            }

            /// Of dense matrices, row by row; `m`, `k` and `n`.
            #[custom_reverse(reverse, Duplicated, Duplicated, Const, Const, Active)]
            #[custom_forward(forward, Dual, Dual, Const, Const, Dual)]
            pub fn product(a: &[$float], b: &[$float], [m, k, n]: [usize; 3], kernel: Kernel) -> Vec<$float> {
                let mut c = vec![0.0; m * n];
                accumulate(kernel, [m, k, n], (a, [k as isize, 1]), (b, [n as isize, 1]), &mut c);
                c
            }

            /// `C = A B`, whose tangent is that of `A` times `B` and `A` times that of `B`.
            fn forward(
                a: &[$float], ba: &[$float],
                b: &[$float], bb: &[$float],
                [m, k, n]: [usize; 3],
                kernel: Kernel,
            ) -> (Vec<$float>, Vec<$float>) {
                let mut tangent = product(ba, b, [m, k, n], kernel);
                accumulate(kernel, [m, k, n], (a, [k as isize, 1]), (bb, [n as isize, 1]), &mut tangent);
                (product(a, b, [m, k, n], kernel), tangent)
            }

            /// `dA ← dA + dC Bᵀ` and `dB ← dB + Aᵀ dC`.
            fn reverse(
                a: &[$float], da: &mut [$float],
                b: &[$float], db: &mut [$float],
                [m, k, n]: [usize; 3],
                kernel: Kernel,
                dret: Vec<$float>,
            ) {
                let adjoint = (&dret[..], [n as isize, 1]);
                accumulate(kernel, [m, n, k], adjoint, (b, [1, n as isize]), da);
                accumulate(kernel, [k, m, n], (a, [1, k as isize]), adjoint, db);
            }
        }
    )*};
}

products! {
    f64 __oxide_enzyme_dgemm __oxide_enzyme_dgemm_by_rule double;
    f32 __oxide_enzyme_sgemm __oxide_enzyme_sgemm_by_rule single;
}
