//! What came out, and whether it is what one process gets.

use std::time::Duration;

use serde_json::{Value, json};

use crate::model::{self, Scale, largest, largest_difference, loss_and_gradient};
use crate::training::State;
use crate::wines::{GRADES, Table};

/// What loss and gradient may differ by from those of one process: the loss relative to itself, the gradient relative to its largest
/// component at the start of training. (At the end it is nearly 0, but a sum of parts that are as large as before.)
pub const TOLERANCE: f64 = 1e-12;

/// What the first process knows when all is done.
pub struct Report<'a> {
    pub processes: usize,
    pub training: &'a Table,
    pub test: &'a Table,
    pub scale: Scale,
    pub start: State,
    pub end: State,
    pub time: Duration,
}

impl Report<'_> {
    /// The larger of all differences.
    pub fn error(&self) -> f64 {
        let errors = [self.errors(&self.start), self.errors(&self.end)].concat();
        largest(&errors)
    }

    /// Relative differences of loss and gradient from those of this process alone, over all rows.
    fn errors(&self, state: &State) -> [f64; 2] {
        let serial = loss_and_gradient(&state.parameters, self.training, &self.scale);
        let loss = (state.loss() - serial[0]).abs() / serial[0];
        let gradient = largest_difference(state.gradient(), &serial[1..]);
        [loss, gradient / largest(self.start.gradient())]
    }

    /// Share of the wines that are graded rightly, or at most so far off.
    fn accuracy(&self, wines: &Table, distance: usize) -> f64 {
        share(
            &model::predict(&self.end.parameters, wines),
            wines,
            distance,
        )
    }

    /// The same for who always gives the commonest grade.
    fn baseline(&self) -> f64 {
        let count = |grade: &usize| self.training.grades.iter().filter(|g| *g == grade).count();
        let commonest = (0..GRADES).max_by_key(count).unwrap_or(0);
        share(&vec![commonest; self.test.len()], self.test, 0)
    }

    /// As text, or for a script.
    pub fn print(&self, as_json: bool) {
        if as_json {
            println!("{:#}", self.json());
        } else {
            self.print_text();
        }
    }

    fn print_text(&self) {
        let [start, end] = [self.errors(&self.start), self.errors(&self.end)];
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        println!(
            "processes  {}, for {} wines; {} others to test with",
            self.processes,
            self.training.len(),
            self.test.len()
        );
        println!(
            "model      {} features, {} parameters",
            self.training.width,
            self.end.parameters.len()
        );
        println!(
            "loss       {:.6} at the start, {:.6} at the end",
            self.start.loss(),
            self.end.loss()
        );
        println!(
            "accuracy   {} (training), {} (test; {} to within one grade, {} by the commonest grade)",
            percent(self.accuracy(self.training, 0)),
            percent(self.accuracy(self.test, 0)),
            percent(self.accuracy(self.test, 1)),
            percent(self.baseline())
        );
        println!(
            "gradient   off from that of one process by {:.1e} at the start, {:.1e} at the end (loss: {:.1e}, {:.1e}); {} (tolerance {TOLERANCE:.0e})",
            start[1],
            end[1],
            start[0],
            end[0],
            if self.error() <= TOLERANCE {
                "passed"
            } else {
                "FAILED"
            }
        );
        println!("time       {:.2} s", self.time.as_secs_f64());
    }

    fn json(&self) -> Value {
        let [start, end] = [self.errors(&self.start), self.errors(&self.end)];
        json!({
            "processes": self.processes,
            "wines": { "training": self.training.len(), "test": self.test.len() },
            "features": self.training.width,
            "parameters": self.end.parameters.len(),
            "loss": { "start": self.start.loss(), "end": self.end.loss() },
            "accuracy": {
                "training": self.accuracy(self.training, 0),
                "test": self.accuracy(self.test, 0),
                "test_within_one_grade": self.accuracy(self.test, 1),
                "test_commonest_grade": self.baseline(),
            },
            "relative_error": {
                "start": { "loss": start[0], "gradient": start[1] },
                "end": { "loss": end[0], "gradient": end[1] },
                "tolerance": TOLERANCE,
            },
            "passed": self.error() <= TOLERANCE,
            "seconds": self.time.as_secs_f64(),
        })
    }
}

/// Share of the grades that are right, or at most so far off.
fn share(grades: &[usize], wines: &Table, distance: usize) -> f64 {
    let pairs = grades.iter().zip(&wines.grades);
    let right = pairs.filter(|(found, true_one)| found.abs_diff(**true_one) <= distance);
    right.count() as f64 / wines.len() as f64
}
