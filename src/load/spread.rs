//! A figure over the rounds of a load.

/// Rounds of each of two loads from which on it counts whether they overlap: of
/// fewer, chance alone keeps them apart too often.
pub const APART_ROUNDS_MIN: usize = 3;

/// A figure over rounds, at least one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median; of an even number of rounds the mean of the middle two.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// Over how many rounds that is.
    pub rounds: usize,
}

impl Spread {
    /// Of these values; `None` if there are none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let (low, high) = (values.get((values.len() - 1) / 2)?, values.get(values.len() / 2)?);
        Some(Self { median: (low + high) / 2.0, min, max, rounds: values.len() })
    }

    /// Whether no round of this is as low as any of the `other`; with too few
    /// rounds to tell, it is taken to be so.
    pub fn is_above(&self, other: &Self) -> bool {
        self.rounds.min(other.rounds) < APART_ROUNDS_MIN || self.min > other.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> Spread {
        Spread::of(values.to_vec()).unwrap()
    }

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, median) in [(&[3.0][..], 3.0), (&[9.0, 1.0], 5.0), (&[9.0, 1.0, 2.0], 2.0)] {
            assert_eq!(spread(values).median, median, "{values:?}");
        }
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn rounds_that_overlap_are_not_apart_and_few_rounds_do_not_tell() {
        let low = spread(&[1.0, 2.0, 5.0]);
        assert!(spread(&[6.0, 7.0, 9.0]).is_above(&low));
        assert!(!spread(&[4.0, 7.0, 9.0]).is_above(&low));
        assert!(spread(&[4.0, 7.0]).is_above(&low), "too few to tell");
    }
}
