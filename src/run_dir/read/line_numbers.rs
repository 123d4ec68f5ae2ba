//! Which lines of a list were met already, in little memory: a run has up to
//! millions, nearly all of them in a row.

use std::collections::HashMap;

/// A set of line numbers. Those of 64 lines in a row take one entry.
#[derive(Debug, Default)]
pub struct LineNumbers(HashMap<u64, u64>);

impl LineNumbers {
    /// Takes a line; `false` if it is there already.
    pub fn insert(&mut self, line: u64) -> bool {
        let lines = self.0.entry(line / u64::from(u64::BITS)).or_default();
        let bit = 1 << (line % u64::from(u64::BITS));
        let is_new = *lines & bit == 0;
        *lines |= bit;
        is_new
    }

    /// Whether a line is there.
    pub fn contains(&self, line: u64) -> bool {
        let lines = self.0.get(&(line / u64::from(u64::BITS)));
        lines.is_some_and(|lines| lines & (1 << (line % u64::from(u64::BITS))) != 0)
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
        assert!(lines.iter().all(|line| met.contains(*line)));
        assert!(![2, 62, 66, 127, 129, u64::MAX - 1].iter().any(|line| met.contains(*line)));
    }
}
