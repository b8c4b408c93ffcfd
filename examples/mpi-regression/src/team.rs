//! The processes that share the work: all that the example needs of MPI.

use std::process::ExitCode;

use anyhow::{Result, bail};

#[cfg(not(feature = "mpi"))]
use alone::start;
#[cfg(feature = "mpi")]
use many::start;

#[cfg(not(feature = "mpi"))]
mod alone;
#[cfg(feature = "mpi")]
mod many;

/// One of several processes that compute the same thing from different rows.
pub trait Team {
    /// This process's number, from 0.
    fn rank(&self) -> usize;
    /// How many processes there are.
    fn size(&self) -> usize;
    /// Replaces each number by its sum over all processes, in all of them.
    fn sum(&self, values: &mut [f64]);
}

/// Runs the program in the team that `mpirun` or `srun` started; alone, if there is none.
pub fn run(program: impl FnOnce(&dyn Team) -> ExitCode) -> Result<ExitCode> {
    start(|team| {
        if team.size() == 1 {
            refuse_strangers(|variable| std::env::var(variable).ok())?;
        }
        Ok(program(team))
    })
}

/// Fails if this process was started beside others and does not know them: each would compute everything, and report it.
fn refuse_strangers(environment: impl Fn(&str) -> Option<String>) -> Result<()> {
    // Of Open MPI, of MPICH and Slurm's PMI, and of `srun`.
    for variable in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] {
        let size = environment(variable).and_then(|size| size.parse().ok());
        if size.is_some_and(|size: usize| size > 1) {
            bail!(
                "{variable} says that there are several processes, but each is alone\n{}",
                ADVICE
            );
        }
    }
    Ok(())
}

#[cfg(not(feature = "mpi"))]
const ADVICE: &str =
    "build the program for several: cargo enzyme build --release -p mpi-regression --features mpi";
#[cfg(feature = "mpi")]
const ADVICE: &str = "start it by the mpirun of the MPI that it was built with (ldd says which), or by srun with the right --mpi \
(pmi2 for MPICH)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_do_not_know_each_other_are_refused() {
        let started_by = |name: &'static str, size: &'static str| {
            refuse_strangers(move |variable| (variable == name).then(|| size.to_owned()))
        };
        let error = started_by("OMPI_COMM_WORLD_SIZE", "4").unwrap_err();
        assert!(error.to_string().contains("OMPI_COMM_WORLD_SIZE"));
        assert!(started_by("SLURM_STEP_NUM_TASKS", "2").is_err());
        assert!(started_by("PMI_SIZE", "1").is_ok());
        assert!(started_by("HOME", "4").is_ok());
    }
}
