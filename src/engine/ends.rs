//! How many came to which end: connections, and domains.

use crate::model::{Failure, Kind, Phase};
use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An end: a phase with what ended it; `None` where everything ran to its end.
pub type PhaseEnd = Option<(Phase, Kind)>;

/// How many there were of each.
#[derive(Debug)]
pub(super) struct EndCounts {
    ok: AtomicU64,
    failed: [[AtomicU64; Kind::ALL.len()]; Phase::ALL.len()],
}

impl Default for EndCounts {
    fn default() -> Self {
        // Longer than the arrays that have a default of their own.
        Self { ok: AtomicU64::default(), failed: from_fn(|_| from_fn(|_| AtomicU64::default())) }
    }
}

impl EndCounts {
    pub(super) fn add(&self, failure: Option<&Failure>) {
        let of = |failure: &Failure| self.failed.get(failure.phase as usize)?.get(failure.kind as usize);
        if let Some(counter) = failure.map_or(Some(&self.ok), of) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Those that there were, without a failure first, then by phase and kind.
    pub(super) fn counted(&self) -> Vec<(PhaseEnd, u64)> {
        let mut counted = vec![(None, self.ok.load(Relaxed))];
        for (phase, kinds) in Phase::ALL.iter().zip(&self.failed) {
            counted.extend(
                Kind::ALL.iter().zip(kinds).map(|(kind, count)| (Some((*phase, *kind)), count.load(Relaxed))),
            );
        }
        counted.retain(|(_, count)| *count > 0);
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_counted_by_phase_and_kind() {
        let counts = EndCounts::default();
        assert_eq!(counts.counted(), []);
        let closed = |phase| Failure::new(phase, Kind::Closed);
        counts.add(None);
        for phase in [Phase::Greeting, Phase::Tls, Phase::Greeting] {
            counts.add(Some(&closed(phase)));
        }
        let told =
            [(None, 1), (Some((Phase::Greeting, Kind::Closed)), 2), (Some((Phase::Tls, Kind::Closed)), 1)];
        assert_eq!(counts.counted(), told);
    }
}
