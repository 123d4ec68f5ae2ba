//! The places that a run gave up, by their names.

/// Places that are named; of those beyond it the number is known.
const NAMES_MAX: usize = 1000;

/// Addresses, networks and operators that complained of every look at them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// The first of them, at most a thousand.
    pub names: Vec<String>,
    /// How many there are.
    pub count: u64,
}

impl GivenUp {
    pub(super) fn add(&mut self, name: String) {
        self.count += 1;
        if self.names.len() < NAMES_MAX {
            self.names.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_named() {
        let mut given_up = GivenUp::default();
        (0..=NAMES_MAX).for_each(|number| given_up.add(number.to_string()));
        assert_eq!((given_up.count, given_up.names.len()), (1001, NAMES_MAX));
    }
}
