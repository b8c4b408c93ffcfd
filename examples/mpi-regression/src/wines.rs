//! The data: eleven measurements of each of 1359 red wines, and how tasters graded it (see `data/README.md`).

use std::collections::HashSet;

/// Measurements of a wine.
const MEASUREMENTS: usize = 11;
/// How many grades occur: 3 to 8.
pub const GRADES: usize = 6;
const LOWEST_GRADE: usize = 3;

const TEXT: &str = include_str!("../data/winequality-red.csv");

/// One wine.
#[derive(Debug, Clone, PartialEq)]
struct Wine {
    measurements: [f64; MEASUREMENTS],
    /// Counted from the lowest that occurs.
    grade: usize,
}

/// Every wine once: the file repeats some, which would put them into both training and test.
fn all() -> Vec<Wine> {
    let mut seen = HashSet::new();
    let rows = TEXT.lines().skip(1).filter(|row| seen.insert(*row));
    rows.map(parse).collect()
}

/// A row such as `7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,5`.
fn parse(row: &str) -> Wine {
    let mut fields = row.split(',');
    let measurements = std::array::from_fn(|_| {
        let field = fields.next().expect("a row has eleven measurements");
        field.parse().expect("a measurement is a number")
    });
    let grade: usize = fields
        .next()
        .and_then(|field| field.parse().ok())
        .expect("a row ends with a grade");
    Wine {
        measurements,
        grade: grade - LOWEST_GRADE,
    }
}

/// Wines as the model sees them: a row of features each.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Features in a row.
    pub width: usize,
    /// Row after row.
    pub features: Vec<f64>,
    /// One for each row, counted from 0.
    pub grades: Vec<usize>,
}

impl Table {
    fn new(wines: &[Wine], degree: usize) -> Table {
        let products = products(degree);
        let features = wines
            .iter()
            .flat_map(|wine| {
                let value = |product: &Vec<usize>| -> f64 {
                    product.iter().map(|n| wine.measurements[*n]).product()
                };
                products.iter().map(value)
            })
            .collect();
        Table {
            width: products.len(),
            features,
            grades: wines.iter().map(|wine| wine.grade).collect(),
        }
    }

    /// How many wines.
    pub fn len(&self) -> usize {
        self.grades.len()
    }

    /// The rows that process `rank` of `size` works on: as equal in number as can be, all of them together.
    pub fn shard(&self, rank: usize, size: usize) -> Table {
        let start = self.len() * rank / size;
        let end = self.len() * (rank + 1) / size;
        Table {
            width: self.width,
            features: self.features[start * self.width..end * self.width].to_vec(),
            grades: self.grades[start..end].to_vec(),
        }
    }

    /// Mean and standard deviation of each feature.
    fn statistics(&self) -> Vec<(f64, f64)> {
        let average = |column: usize, of: &dyn Fn(f64) -> f64| {
            let values = self.features[column..].iter().step_by(self.width);
            values.map(|value| of(*value)).sum::<f64>() / self.len() as f64
        };
        (0..self.width)
            .map(|column| {
                let mean = average(column, &|value| value);
                let variance = average(column, &|value| (value - mean).powi(2));
                (mean, variance.sqrt())
            })
            .collect()
    }

    fn scale(&mut self, statistics: &[(f64, f64)]) {
        for row in self.features.chunks_exact_mut(self.width) {
            for (feature, (mean, deviation)) in row.iter_mut().zip(statistics) {
                *feature = (*feature - mean) / deviation;
            }
        }
    }
}

/// Every product of up to `degree` measurements, repeated ones too, as their numbers: 11, 77 or 363 of them.
fn products(degree: usize) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut latest: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..degree {
        latest = latest
            .iter()
            .flat_map(|product| {
                // In ascending order only, or each would come several times.
                let first = product.last().copied().unwrap_or(0);
                (first..MEASUREMENTS).map(|next| [product.as_slice(), &[next]].concat())
            })
            .collect();
        found.extend_from_slice(&latest);
    }
    found
}

/// Training and test (every fifth wine). All features have mean 0 and deviation 1 over the training set.
pub fn split(degree: usize) -> (Table, Table) {
    let mut wines = all();
    // First the measurements themselves, so that their products are of one size and less alike.
    let statistics = Table::new(&training_and_test(&wines).0, 1).statistics();
    for wine in &mut wines {
        for (value, (mean, deviation)) in wine.measurements.iter_mut().zip(&statistics) {
            *value = (*value - mean) / deviation;
        }
    }
    let (training, test) = training_and_test(&wines);
    let mut tables = (Table::new(&training, degree), Table::new(&test, degree));
    let statistics = tables.0.statistics();
    tables.0.scale(&statistics);
    tables.1.scale(&statistics);
    tables
}

fn training_and_test(wines: &[Wine]) -> (Vec<Wine>, Vec<Wine>) {
    let (test, training): (Vec<_>, Vec<_>) = wines
        .iter()
        .cloned()
        .enumerate()
        .partition(|(n, _)| n % 5 == 4);
    let wines = |rows: Vec<(usize, Wine)>| rows.into_iter().map(|(_, wine)| wine).collect();
    (wines(training), wines(test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_are_the_published_ones() {
        assert_eq!(TEXT.lines().count() - 1, 1599);
        let mut counts = [0; GRADES];
        TEXT.lines()
            .skip(1)
            .for_each(|row| counts[parse(row).grade] += 1);
        assert_eq!(counts, [10, 53, 681, 638, 199, 18]);
        let alcohol = TEXT.lines().skip(1).map(|row| parse(row).measurements[10]);
        assert!((alcohol.sum::<f64>() / 1599.0 - 10.422983).abs() < 1e-6);
    }

    #[test]
    fn no_wine_is_in_training_and_test() {
        let (training, test) = split(1);
        assert_eq!((training.len(), test.len()), (1088, 271));
        let rows = |table: &Table| -> Vec<Vec<u64>> {
            let rows = table.features.chunks_exact(table.width).zip(&table.grades);
            rows.map(|(row, grade)| {
                let bits = row.iter().map(|value| value.to_bits());
                bits.chain([*grade as u64]).collect()
            })
            .collect()
        };
        let training: HashSet<_> = rows(&training).into_iter().collect();
        assert!(rows(&test).iter().all(|row| !training.contains(row)));
    }

    #[test]
    fn features_are_all_products_scaled_over_the_training_set() {
        for (degree, width) in [(1, 11), (2, 77), (3, 363)] {
            let (training, test) = split(degree);
            assert_eq!((training.width, test.width), (width, width));
            for (mean, deviation) in training.statistics() {
                assert!(mean.abs() < 1e-11 && (deviation - 1.0).abs() < 1e-11);
            }
        }
    }

    #[test]
    fn shards_are_the_whole_in_order() {
        let (training, _) = split(1);
        for size in [1, 2, 3, 7, 64] {
            let shards: Vec<Table> = (0..size).map(|rank| training.shard(rank, size)).collect();
            let grades: Vec<usize> = shards.iter().flat_map(|s| s.grades.clone()).collect();
            let features: Vec<f64> = shards.iter().flat_map(|s| s.features.clone()).collect();
            assert_eq!(grades, training.grades);
            assert_eq!(features, training.features);
            assert!(
                shards
                    .iter()
                    .all(|s| s.len().abs_diff(training.len() / size) <= 1)
            );
        }
    }
}
