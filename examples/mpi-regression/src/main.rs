//! A regression whose gradient is computed by many processes: each differentiates its share of the data with Enzyme, and MPI
//! adds the parts up.
//!
//! One process: `cargo enzyme run --release -p mpi-regression`. Several: build it with `--features mpi`, and start it by
//! `mpirun` or `srun`. Differentiation knows nothing of MPI, and MPI nothing of derivatives: a sum's gradient is the sum of
//! the gradients.

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, value_parser};

use model::{Scale, loss_and_gradient};
use report::{Report, TOLERANCE};
use team::Team;
use training::State;

mod model;
mod report;
mod team;
mod training;
mod wines;

/// Learns how tasters grade red wines from chemical measurements, by ordered logistic regression. Each MPI process
/// differentiates its share of the wines by Enzyme; the sum is compared with the gradient of one process.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Examples:
  mpi-regression                       one process
  mpirun -n 4 mpi-regression           four (needs a program built with --features mpi)
  srun -n 4 mpi-regression --json      four, under Slurm; a report for scripts

Exit status: 0; 1 if loss or gradient differ from those of one process by more than 1e-12; 2 for wrong options."
)]
struct Options {
    /// Features are the products of up to so many of the 11 measurements: 11, 77 or 363 of them
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u8).range(1..=3))]
    degree: u8,
    /// Training stops after so many steps
    #[arg(long, value_name = "N", default_value_t = 200)]
    steps: usize,
    /// The price of large weights: factor of half the sum of their squares
    #[arg(long, value_name = "FACTOR", default_value_t = 0.1, value_parser = ridge)]
    ridge: f64,
    /// Print the report as JSON, and no progress
    #[arg(long)]
    json: bool,
}

fn ridge(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ridge) if f64::is_finite(ridge) && ridge >= 0.0 => Ok(ridge),
        _ => Err("it must be a number, and not below 0".to_owned()),
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    team::run(|team| regress(team, &options))
}

/// Trains, and has the first process report.
fn regress(team: &dyn Team, options: &Options) -> ExitCode {
    let (training, test) = wines::split(options.degree.into());
    let shard = training.shard(team.rank(), team.size());
    let scale = Scale {
        total: training.len(),
        ridge: options.ridge,
    };
    let evaluate = |parameters: &[f64]| {
        let mut sum = loss_and_gradient(parameters, &shard, &scale);
        team.sum(&mut sum);
        sum
    };
    let show = |step, state: &State| {
        if team.rank() == 0 && !options.json {
            progress(step, options.steps, state);
        }
    };

    let clock = Instant::now();
    let start = State::new(model::start(training.width), evaluate);
    let end = training::minimise(start.clone(), options.steps, evaluate, show);
    let time = clock.elapsed();

    if team.rank() > 0 {
        return ExitCode::SUCCESS;
    }
    let report = Report {
        processes: team.size(),
        training: &training,
        test: &test,
        scale,
        start,
        end,
        time,
    };
    report.print(options.json);
    if report.error() <= TOLERANCE {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One line that updates on a terminal; elsewhere (a log, a pipe) a line every so often.
fn progress(step: usize, steps: usize, state: &State) {
    let loss = state.loss();
    if stderr().is_terminal() {
        let end = if step == steps { "\n" } else { "" };
        eprint!("\rstep {step:>4}/{steps}  loss {loss:.6}{end}");
    } else if step == 1 || step.is_multiple_of((steps / 10).max(1)) {
        eprintln!("step {step:>4}/{steps}  loss {loss:.6}");
    }
}
