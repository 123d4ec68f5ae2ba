//! How long the parts of a dialogue took, over the endpoints of a run.

use super::cells::Cells;
use hdrhistogram::Histogram;

/// The columns of times, in microseconds, with what they are.
pub const TIMED: [(&str, &str); 6] = [
    ("connect_us", "TCP: from SYN to connected"),
    ("greeting_us", "Greeting: from connected to the banner"),
    ("ehlo_us", "EHLO answered"),
    ("starttls_us", "STARTTLS answered"),
    ("handshake_us", "TLS handshake"),
    ("total_us", "The whole dialogue"),
];

/// Longest time that is told apart: ten minutes, in microseconds.
const LONGEST_US: u64 = 600_000_000;
/// Significant digits that are kept.
const DIGITS: u8 = 2;

/// A histogram for each of [`TIMED`].
#[derive(Clone, Debug, Default)]
pub struct TimingFigures {
    histograms: Option<[Histogram<u64>; TIMED.len()]>,
}

impl TimingFigures {
    pub(super) fn add(&mut self, row: &impl Cells) {
        let fresh = || {
            let one = Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok()?;
            Some(std::array::from_fn(|_| one.clone()))
        };
        if self.histograms.is_none() {
            self.histograms = fresh();
        }
        for ((column, _), histogram) in TIMED.iter().zip(self.histograms.iter_mut().flatten()) {
            if let Ok(microseconds) = row.cell(column).parse::<u64>() {
                histogram.saturating_record(microseconds);
            }
        }
    }

    /// Number and microseconds at 50, 90 and 99 % of each of [`TIMED`], within 1 %.
    pub fn percentiles(&self) -> [(u64, [u64; 3]); TIMED.len()] {
        let of = |histogram: &Histogram<u64>| {
            (histogram.len(), [0.5, 0.9, 0.99].map(|quantile| histogram.value_at_quantile(quantile)))
        };
        self.histograms.as_ref().map_or([(0, [0; 3]); TIMED.len()], |all| all.each_ref().map(of))
    }
}
