//! Without MPI.

use std::process::ExitCode;

use anyhow::Result;

use super::Team;

/// A single process.
struct Alone;

impl Team for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _: &mut [f64]) {}
}

/// Runs the program in a team of one.
pub fn start(program: impl FnOnce(&dyn Team) -> Result<ExitCode>) -> Result<ExitCode> {
    program(&Alone)
}
