//! Which lines of a list were met already, in little memory: a run has up to
//! millions, nearly all of them in a row.

use std::collections::HashMap;

/// A set of line numbers. Those of 64 lines in a row take one entry.
#[derive(Default)]
pub(super) struct LineNumbers(HashMap<u64, u64>);

impl LineNumbers {
    /// Takes a line; `false` if it is there already.
    pub(super) fn insert(&mut self, line: u64) -> bool {
        let lines = self.0.entry(line / u64::from(u64::BITS)).or_default();
        let bit = 1 << (line % u64::from(u64::BITS));
        let is_new = *lines & bit == 0;
        *lines |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_new_once() {
        let lines = [0, 1, 63, 64, 65, 128, u64::MAX];
        let mut met = LineNumbers::default();
        assert!(lines.iter().all(|line| met.insert(*line)));
        assert!(!lines.iter().any(|line| met.insert(*line)));
    }
}
