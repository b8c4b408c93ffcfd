//! The data: four measurements each of 342 penguins of three species (see `data/README.md`).

use crate::random::Random;

/// Names of the classes, in the order of their numbers.
pub const SPECIES: [&str; 3] = ["Adelie", "Chinstrap", "Gentoo"];
/// Bill length and depth, flipper length, body mass.
pub const FEATURES: usize = 4;

const TEXT: &str = include_str!("../data/penguins.csv");

/// One penguin.
#[derive(Debug, Clone, PartialEq)]
pub struct Penguin {
    pub features: [f64; FEATURES],
    /// An index into [`SPECIES`].
    pub species: usize,
}

/// All penguins, in millimetres and grams.
pub fn all() -> Vec<Penguin> {
    TEXT.lines().skip(1).map(parse).collect()
}

/// A row such as `Adelie,39.1,18.7,181,3750`.
fn parse(row: &str) -> Penguin {
    let mut fields = row.split(',');
    let name = fields.next().expect("a row starts with the species");
    let species = SPECIES.iter().position(|species| *species == name);
    let features = std::array::from_fn(|_| {
        let field = fields.next().expect("a row has four measurements");
        field.parse().expect("a measurement is a number")
    });
    Penguin {
        features,
        species: species.expect("a species is one of three"),
    }
}

/// Shuffled into training (four fifths) and test, with each feature scaled to mean 0 and deviation 1 over the training set.
pub fn split(random: &mut Random) -> (Vec<Penguin>, Vec<Penguin>) {
    let mut training = all();
    random.shuffle(&mut training);
    let test = training.split_off(training.len() * 4 / 5);
    let (mean, deviation) = statistics(&training);
    let scale = |mut penguins: Vec<Penguin>| {
        for penguin in &mut penguins {
            for feature in 0..FEATURES {
                penguin.features[feature] =
                    (penguin.features[feature] - mean[feature]) / deviation[feature];
            }
        }
        penguins
    };
    // The test set must not be looked at, not even for its mean: it is scaled like the other.
    (scale(training), scale(test))
}

/// Mean and standard deviation of each feature.
fn statistics(penguins: &[Penguin]) -> ([f64; FEATURES], [f64; FEATURES]) {
    let average =
        |of: &dyn Fn(&Penguin) -> f64| penguins.iter().map(of).sum::<f64>() / penguins.len() as f64;
    let mean: [f64; FEATURES] = std::array::from_fn(|n| average(&|p| p.features[n]));
    let deviation = std::array::from_fn(|n| average(&|p| (p.features[n] - mean[n]).powi(2)).sqrt());
    (mean, deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_are_the_published_ones() {
        let penguins = all();
        let of = |species| -> Vec<Penguin> {
            penguins
                .iter()
                .filter(|p| p.species == species)
                .cloned()
                .collect()
        };
        // Number of penguins and mean measurements of each species.
        let published = [
            (151, [38.791, 18.346, 189.954, 3700.662]),
            (68, [48.834, 18.421, 195.824, 3733.088]),
            (123, [47.505, 14.982, 217.187, 5076.016]),
        ];
        for (species, (count, means)) in published.into_iter().enumerate() {
            let penguins = of(species);
            assert_eq!(penguins.len(), count);
            for (mean, published) in statistics(&penguins).0.into_iter().zip(means) {
                assert!(
                    (mean - published).abs() < 5e-4,
                    "{mean} instead of {published}"
                );
            }
        }
    }

    #[test]
    fn a_split_is_repeatable_and_loses_nobody() {
        let (training, test) = split(&mut Random(1));
        assert_eq!((training.len(), test.len()), (273, 69));
        assert_eq!(split(&mut Random(1)), (training.clone(), test));
        let (mean, deviation) = statistics(&training);
        for feature in 0..FEATURES {
            assert!(mean[feature].abs() < 1e-12);
            assert!((deviation[feature] - 1.0).abs() < 1e-12);
        }
    }
}
