//! Training: Adam on the whole training set, and the line that shows how far it is.

use std::io::{IsTerminal, Write, stdout};

use crate::network::{Network, loss_and_gradient};
use crate::penguins::Penguin;

/// The optimiser of Kingma and Ba (2015), with their constants.
struct Adam {
    rate: f64,
    steps: i32,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Adam {
    const MEAN_DECAY: f64 = 0.9;
    const SQUARE_DECAY: f64 = 0.999;

    fn new(parameters: usize, rate: f64) -> Adam {
        Adam {
            rate,
            steps: 0,
            means: vec![0.0; parameters],
            squares: vec![0.0; parameters],
        }
    }

    fn step(&mut self, network: &mut Network, gradient: &Network) {
        self.steps += 1;
        // Both averages start from 0: these undo the bias.
        let mean_scale = 1.0 / (1.0 - Self::MEAN_DECAY.powi(self.steps));
        let square_scale = 1.0 / (1.0 - Self::SQUARE_DECAY.powi(self.steps));
        let moments = self.means.iter_mut().zip(&mut self.squares);
        let parameters = network.parameters_mut().zip(gradient.parameters());
        for ((parameter, slope), (mean, square)) in parameters.zip(moments) {
            *mean += (1.0 - Self::MEAN_DECAY) * (slope - *mean);
            *square += (1.0 - Self::SQUARE_DECAY) * (slope * slope - *square);
            *parameter -= self.rate * *mean * mean_scale / ((*square * square_scale).sqrt() + 1e-8);
        }
    }
}

/// Trains for so many epochs and returns the loss before each.
pub fn train(network: &mut Network, penguins: &[Penguin], epochs: usize, show: bool) -> Vec<f64> {
    let mut adam = Adam::new(network.parameters().count(), 0.02);
    let mut losses = Vec::with_capacity(epochs);
    for epoch in 1..=epochs {
        let (loss, gradient) = loss_and_gradient(network, penguins);
        adam.step(network, &gradient);
        losses.push(loss);
        if show {
            progress(epoch, epochs, loss, || network.accuracy(penguins));
        }
    }
    losses
}

/// One line that updates on a terminal; elsewhere (a log, a pipe) a line every so often.
fn progress(epoch: usize, epochs: usize, loss: f64, accuracy: impl Fn() -> f64) {
    const BAR: usize = 30;
    let every = (epochs / if stdout().is_terminal() { 100 } else { 10 }).max(1);
    if epoch != 1 && epoch != epochs && !epoch.is_multiple_of(every) {
        return;
    }
    let accuracy = 100.0 * accuracy();
    let line =
        format!("epoch {epoch:>4}/{epochs}  loss {loss:.4}  training accuracy {accuracy:5.1} %");
    if stdout().is_terminal() {
        let bar = "=".repeat(BAR * epoch / epochs);
        let end = if epoch == epochs { "\n" } else { "" };
        print!("\r[{bar:<BAR$}] {line}{end}");
        // A terminal that went away is no reason to stop training.
        let _ = stdout().flush();
    } else {
        println!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::penguins;
    use crate::random::Random;

    #[test]
    fn training_lowers_the_loss_and_generalises() {
        let mut random = Random(crate::SEED);
        let (training, test) = penguins::split(&mut random);
        let mut network = Network::new(crate::SIZES, &mut random);
        let losses = train(&mut network, &training, 100, false);
        assert!(
            losses[99] < 0.1 * losses[0],
            "{} -> {}",
            losses[0],
            losses[99]
        );
        assert!(network.accuracy(&training) > 0.97);
        assert!(network.accuracy(&test) > 0.93);
    }
}
