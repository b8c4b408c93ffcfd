//! Not to be built: functions through other crates that are refused. `tests/refused.rs` looks at the messages.

#![allow(missing_docs)]

use oxide_enzyme::autodiff_reverse;

macro_rules! programs {
    ($($name:ident |$x:ident| $value:block)*) => {
        $(mod $name {
            use super::*;
            #[autodiff_reverse(derivative, Duplicated, Active)]
            pub fn $name($x: &[f64]) -> f64 $value
        })*

        fn main() {
            let x = [0.5, 0.25, 0.75, 0.5, 0.25, 0.75, 0.5, 0.25, 0.75];
            $(println!("{:?}", $name::derivative(&x, &mut [0.0; 9], 1.0));)*
        }
    };
}

programs! {
    rayon_sum |x| {
        use rayon::prelude::*;
        x.par_iter().map(|x| x * x).sum()
    }
    ndarray_dynamic |x| {
        let a = ndarray::ArrayD::from_shape_vec(vec![3, 3], x.to_vec()).unwrap();
        a[[0, 1]] * a[[1, 2]]
    }
    statrs_gamma_lr |x| { statrs::function::gamma::gamma_lr(2.5, x[0]) }
    libm_exp10f |x| { f64::from(libm::exp10f(x[0] as f32)) }
    libm_tgamma |x| { libm::tgamma(x[0]) }
    libm_fma |x| { libm::fma(x[0], x[1], libm::sqrt(x[2])) }
    special_gamma |x| { special::Gamma::gamma(x[0]) }
    itertools_chunks |x| {
        use itertools::Itertools;
        let mut s = 0.0;
        for c in &x.iter().chunks(2) {
            s += c.fold(1.0, |p, x| p * x);
        }
        s
    }
    rand_std_rng |x| {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        x.iter().map(|x| x * rng.random::<f64>()).sum()
    }
    rand_distr_uniform |x| {
        use rand::{RngExt, SeedableRng};
        rand::rngs::SmallRng::seed_from_u64(7).sample(rand_distr::Uniform::new(x[0] - 1.0, x[0]).unwrap())
    }
    smallvec_push |x| {
        let mut v = smallvec::SmallVec::<[f64; 16]>::new();
        for x in x {
            v.push(x * x);
        }
        v.iter().sum()
    }
    serde_json_write |x| {
        let text = serde_json::to_string(x).unwrap();
        text.len() as f64 * x[0]
    }
    serde_json_read |x| {
        let c: [f64; 3] = serde_json::from_str("[2.0, 3.0, 4.5]").unwrap();
        x.iter().zip(c).map(|(x, c)| c * x * x).sum()
    }
    serde_json_value |x| {
        let text = serde_json::json!({ "x": x, "product": x[0] * x[1] }).to_string();
        text.len() as f64 * x[0] * x[1] * x[2]
    }
}
