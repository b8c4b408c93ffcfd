//! With MPI, by the crate `mpi`.

use std::panic;
use std::process::ExitCode;

use anyhow::{Context, Result};
use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use super::Team;

impl Team for SimpleCommunicator {
    fn rank(&self) -> usize {
        Communicator::rank(self) as usize
    }

    fn size(&self) -> usize {
        Communicator::size(self) as usize
    }

    fn sum(&self, values: &mut [f64]) {
        let own = values.to_vec();
        self.all_reduce_into(&own[..], values, SystemOperation::sum());
    }
}

/// Runs the program in the team that `mpirun` or `srun` started; alone, if there is none.
pub fn start(program: impl FnOnce(&dyn Team) -> Result<ExitCode>) -> Result<ExitCode> {
    let universe = mpi::initialize().context("MPI is initialised already")?;
    let world = universe.world();
    // The others would wait for ever for a process that panicked.
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        report(info);
        SimpleCommunicator::world().abort(101);
    }));
    program(&world)
}
