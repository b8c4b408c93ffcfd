//! Writes random programs, each once for the driver and once for dual numbers. The text is the same.
//!
//! `OXIDE_ENZYME_PROPERTY_SEED` chooses the programs, `.._COUNT` how many, `.._ONLY=7` takes one, `.._SKIP=7,9` leaves some
//! out, `.._WIDE=1` lets in what the driver is known to refuse, and `.._DROP=0,3` leaves statements out of the programs (to make one that fails smaller).

mod emit;
mod expressions;
mod program;
mod statements;

use std::path::PathBuf;

use program::Program;

/// The same programs for everyone, unless one asks for others.
const SEED: u64 = 20_261_124;
const COUNT: usize = 350;
/// Of the programs of everyone, those that the driver refuses: the tests print how many, and bound it.
const REFUSED: &[usize] = &[7, 102, 193, 212, 238, 262];
/// Of the programs of everyone, those whose derivatives are wrong: known bugs. `.._ONLY=` shows them.
const WRONG: &[usize] = &[];
/// As many as there are files in `tests` that include them: cargo compiles these in parallel.
const FILES: usize = 4;

fn main() {
    println!("cargo:rerun-if-changed=build");
    let seed = number("SEED").unwrap_or(SEED);
    let count = number("COUNT").map_or(COUNT, |n| n as usize);
    let (only, skip, drop) = (numbers("ONLY"), numbers("SKIP"), numbers("DROP"));
    let wide = !variable("WIDE").is_empty();
    let is_everyones = seed == SEED && count == COUNT && !wide && only.is_empty();
    let left_out = |n: &usize| is_everyones && (REFUSED.contains(n) || WRONG.contains(n));
    let programs: Vec<Program> = (0..count)
        .filter(|n| !left_out(n))
        .filter(|n| (only.is_empty() || only.contains(n)) && !skip.contains(n))
        .map(|n| Program::random(seed, n, wide))
        .collect();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for file in 0..FILES {
        let chosen = programs.iter().filter(|p| p.number % FILES == file);
        let text = emit::file(seed, chosen, &drop)
            + &format!(
                "const LEFT_OUT: [usize; 2] = {:?};\n",
                if is_everyones {
                    [REFUSED.len(), WRONG.len()]
                } else {
                    [skip.len(), 0]
                }
            );
        std::fs::write(out.join(format!("programs_{file}.rs")), text).expect("OUT_DIR is writable");
    }
}

fn variable(name: &str) -> String {
    let name = format!("OXIDE_ENZYME_PROPERTY_{name}");
    println!("cargo:rerun-if-env-changed={name}");
    std::env::var(name).unwrap_or_default()
}

fn number(name: &str) -> Option<u64> {
    let text = variable(name);
    (!text.is_empty()).then(|| {
        text.parse()
            .unwrap_or_else(|_| panic!("OXIDE_ENZYME_PROPERTY_{name}: `{text}` is no number"))
    })
}

fn numbers(name: &str) -> Vec<usize> {
    let text = variable(name);
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse()
                .unwrap_or_else(|_| panic!("OXIDE_ENZYME_PROPERTY_{name}: `{part}` is no number"))
        })
        .collect()
}
