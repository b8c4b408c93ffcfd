//! A fully connected classifier, and the gradient of its loss.

use oxide_enzyme::{Shadow, autodiff_reverse};

use crate::penguins::Penguin;
use crate::random::Random;

/// One layer: `outputs[o] = biases[o] + sum over i of weights[o][i] * inputs[i]`.
#[derive(Debug, Clone, Shadow)]
pub struct Layer {
    /// Row after row, one row an output.
    weights: Vec<f64>,
    biases: Vec<f64>,
}

impl Layer {
    fn new(inputs: usize, outputs: usize, random: &mut Random) -> Layer {
        // Glorot's range: signals neither grow nor fade from layer to layer.
        let range = (6.0 / (inputs + outputs) as f64).sqrt();
        Layer {
            weights: (0..inputs * outputs)
                .map(|_| range * random.symmetric())
                .collect(),
            biases: vec![0.0; outputs],
        }
    }

    fn apply(&self, inputs: &[f64]) -> Vec<f64> {
        let rows = self.weights.chunks_exact(inputs.len());
        rows.zip(&self.biases)
            .map(|(row, bias)| bias + row.iter().zip(inputs).map(|(w, x)| w * x).sum::<f64>())
            .collect()
    }
}

/// Layers with `tanh` between them.
#[derive(Debug, Clone, Shadow)]
pub struct Network {
    layers: Vec<Layer>,
}

impl Network {
    /// With random weights; `sizes` are those of the input, of each hidden layer and of the output.
    pub fn new(sizes: &[usize], random: &mut Random) -> Network {
        let layers = sizes
            .windows(2)
            .map(|pair| Layer::new(pair[0], pair[1], random));
        Network {
            layers: layers.collect(),
        }
    }

    /// One of the same shape with every parameter 0: what a gradient is added to.
    pub fn zeros_like(&self) -> Network {
        let mut zeros = self.clone();
        zeros
            .parameters_mut()
            .for_each(|parameter| *parameter = 0.0);
        zeros
    }

    /// Every weight and bias, always in the same order.
    pub fn parameters(&self) -> impl Iterator<Item = &f64> {
        self.layers
            .iter()
            .flat_map(|layer| layer.weights.iter().chain(&layer.biases))
    }

    /// The same, to change them.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        self.layers
            .iter_mut()
            .flat_map(|layer| layer.weights.iter_mut().chain(&mut layer.biases))
    }

    /// A score for each class: the larger, the likelier.
    fn scores(&self, features: &[f64]) -> Vec<f64> {
        let mut signal = features.to_vec();
        for (depth, layer) in self.layers.iter().enumerate() {
            if depth > 0 {
                signal.iter_mut().for_each(|x| *x = x.tanh());
            }
            signal = layer.apply(&signal);
        }
        signal
    }

    /// The likeliest class.
    pub fn classify(&self, penguin: &Penguin) -> usize {
        let scores = self.scores(&penguin.features);
        (0..scores.len())
            .max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
            .unwrap_or(0)
    }

    /// The share of penguins that it classifies rightly.
    pub fn accuracy(&self, penguins: &[Penguin]) -> f64 {
        let right = penguins
            .iter()
            .filter(|penguin| self.classify(penguin) == penguin.species);
        right.count() as f64 / penguins.len() as f64
    }
}

/// Mean cross-entropy between the softmax of the scores and the true species.
///
/// `loss_reverse(network, gradient, penguins, seed)` returns the same and adds the gradient, times the seed, to `gradient`.
#[autodiff_reverse(loss_reverse, Duplicated, Const, Active)]
pub fn loss(network: &Network, penguins: &[Penguin]) -> f64 {
    let total: f64 = penguins
        .iter()
        .map(|penguin| cross_entropy(&network.scores(&penguin.features), penguin.species))
        .sum();
    total / penguins.len() as f64
}

/// `-ln softmax(scores)[class]`, shifted by the largest score so that no exponential overflows.
fn cross_entropy(scores: &[f64], class: usize) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - largest).exp()).sum();
    largest + sum.ln() - scores[class]
}

/// The loss and its gradient.
pub fn loss_and_gradient(network: &Network, penguins: &[Penguin]) -> (f64, Network) {
    let mut gradient = network.zeros_like();
    let loss = loss_reverse(network, &mut gradient, penguins, 1.0);
    (loss, gradient)
}

/// How far the gradient is from central finite differences (of fourth order): the largest relative error over all parameters.
///
/// Components below a thousandth of the largest one are measured against that: differences of nearly equal losses have
/// too few digits to say more.
pub fn gradient_error(network: &Network, penguins: &[Penguin]) -> f64 {
    const STEP: f64 = 1e-3;
    let (_, gradient) = loss_and_gradient(network, penguins);
    let largest = gradient
        .parameters()
        .fold(0.0, |largest: f64, g| largest.max(g.abs()));
    let mut moved = network.clone();
    let mut loss_with = |index: usize, change: f64| {
        let parameter = |network: &mut Network, value: f64| {
            *network
                .parameters_mut()
                .nth(index)
                .expect("there is such a parameter") = value;
        };
        let value = *network
            .parameters()
            .nth(index)
            .expect("there is such a parameter");
        parameter(&mut moved, value + change);
        let loss = loss(&moved, penguins);
        parameter(&mut moved, value);
        loss
    };
    let errors = gradient.parameters().enumerate().map(|(index, component)| {
        let mut slope =
            |step: f64| (loss_with(index, step) - loss_with(index, -step)) / (2.0 * step);
        // Richardson: what the errors of both slopes have in common cancels.
        let difference = (4.0 * slope(STEP) - slope(2.0 * STEP)) / 3.0;
        let scale = component.abs().max(difference.abs()).max(1e-3 * largest);
        (component - difference).abs() / scale
    });
    errors.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::penguins;

    fn small() -> (Network, Vec<Penguin>) {
        let mut random = Random(7);
        let (training, _) = penguins::split(&mut random);
        (
            Network::new(&[4, 5, 6, 3], &mut random),
            training[..20].to_vec(),
        )
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let (network, penguins) = small();
        assert!(gradient_error(&network, &penguins) < 1e-6);
    }

    #[test]
    fn the_gradient_of_the_last_biases_is_softmax_minus_truth() {
        let (network, penguins) = small();
        let (value, gradient) = loss_and_gradient(&network, &penguins);
        assert!((value - loss(&network, &penguins)).abs() < 1e-14);
        let mut expected = [0.0; 3];
        for penguin in &penguins {
            let scores = network.scores(&penguin.features);
            let sum: f64 = scores.iter().map(|score| score.exp()).sum();
            for class in 0..3 {
                let truth = f64::from(u8::from(class == penguin.species));
                expected[class] += (scores[class].exp() / sum - truth) / penguins.len() as f64;
            }
        }
        for (found, expected) in gradient.layers[2].biases.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-13,
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn a_second_call_adds_to_the_gradient() {
        let (network, penguins) = small();
        let (_, mut twice) = loss_and_gradient(&network, &penguins);
        let once = twice.clone();
        loss_reverse(&network, &mut twice, &penguins, 1.0);
        for (twice, once) in twice.parameters().zip(once.parameters()) {
            assert!((twice - 2.0 * once).abs() <= 1e-13 * once.abs());
        }
    }

    #[test]
    #[should_panic(expected = "loss_reverse")]
    fn a_gradient_of_another_shape_is_refused() {
        let (network, penguins) = small();
        let mut other = Network::new(&[4, 5, 3], &mut Random(0));
        loss_reverse(&network, &mut other, &penguins, 1.0);
    }
}
