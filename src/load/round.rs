//! What one round of a load came to.

use super::measure::{LONGEST_US, Measure, Measured, Negotiated};
use hdrhistogram::Histogram;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Of the sessions that were due, the share that must have begun for the load
/// to be the one that was asked for.
pub const KEPT_UP_SHARE_MIN: f64 = 0.95;

/// What one round came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// When the first counted session began.
    pub started: Timestamp,
    /// From then to the end of the last, in seconds.
    pub seconds: f64,
    /// Whether it was stopped before its bound.
    pub interrupted: bool,
    /// Sessions of the round, by how they ended.
    pub sessions: SessionCounts,
    /// Sessions that came to their end, a second.
    pub per_second: f64,
    /// Version, suite and group of these, as `TLSv1.3 TLS_AES_256_GCM_SHA384
    /// x25519`.
    pub negotiated: BTreeMap<String, u64>,
    /// Failures by phase and kind.
    pub failures: BTreeMap<String, u64>,
    /// Times by name of [`Measure`]; those that never happened are absent.
    pub times: BTreeMap<String, PhaseRecord>,
}

/// How many sessions came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCounts {
    /// Came to their end.
    pub ok: u64,
    /// Of these, resumed.
    pub resumed: u64,
    /// Sessions that did not run to their end.
    pub failed: u64,
    /// Were due and found no room before the time was up.
    pub not_begun: u64,
}

/// The times of a phase, in microseconds, each right to a thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// How many times it was measured.
    pub count: u64,
    /// Mean in microseconds.
    pub mean_us: f64,
    /// Half of them took at most this.
    pub p50_us: u64,
    /// 90 of 100.
    pub p90_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// 999 of 1000.
    pub p999_us: u64,
    /// The longest in microseconds.
    pub max_us: u64,
}

impl PhaseRecord {
    fn of(times: &Histogram<u64>) -> Self {
        Self {
            count: times.len(),
            mean_us: times.mean(),
            p50_us: times.value_at_quantile(0.5),
            p90_us: times.value_at_quantile(0.9),
            p99_us: times.value_at_quantile(0.99),
            p999_us: times.value_at_quantile(0.999),
            max_us: times.max(),
        }
    }

    fn check(&self) -> Result<(), String> {
        let rising = [self.p50_us, self.p90_us, self.p99_us, self.p999_us, self.max_us];
        if !rising.is_sorted() {
            return Err(format!("p50_us to max_us do not rise: {rising:?}"));
        }
        // A histogram gives the end of the step in which a time is.
        if self.max_us > 2 * LONGEST_US {
            return Err(format!("max_us is {}, longer than a session lasts", self.max_us));
        }
        if self.count == 0 || !(self.mean_us >= 0.0 && self.mean_us.is_finite()) {
            return Err(format!("count is {}, mean_us {}", self.count, self.mean_us));
        }
        Ok(())
    }
}

impl Round {
    pub(super) fn new(started: Timestamp, elapsed: Duration, measured: &Measured, interrupted: bool) -> Self {
        let times = Measure::ALL.into_iter().filter_map(|measure| {
            let times = measured.times(measure).filter(|times| !times.is_empty())?;
            Some((measure.name().to_string(), PhaseRecord::of(times)))
        });
        let seconds = elapsed.as_secs_f64();
        let per_second = if seconds > 0.0 { measured.ok as f64 / seconds } else { 0.0 };
        Self {
            started,
            seconds,
            interrupted,
            sessions: SessionCounts {
                ok: measured.ok,
                resumed: measured.resumed,
                failed: measured.failures.values().sum(),
                not_begun: measured.not_begun,
            },
            per_second,
            negotiated: measured.negotiated.iter().map(|(what, count)| (words(*what), *count)).collect(),
            failures: measured.failures.clone(),
            times: times.collect(),
        }
    }

    /// Whether all of it can be what a round came to.
    ///
    /// # Errors
    /// What cannot, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, value) in [("seconds", self.seconds), ("per_second", self.per_second)] {
            if !value.is_finite() || value < 0.0 {
                return Err(format!("{key} is {value}, which is not a number from 0 up"));
            }
        }
        if (self.sessions.ok > 0) != (self.per_second > 0.0) {
            let (sessions, rate) = (self.sessions.ok, self.per_second);
            return Err(format!("{sessions} sessions came to their end, and per_second is {rate}"));
        }
        for (phase, times) in &self.times {
            if !Measure::ALL.iter().any(|measure| measure.name() == phase) {
                return Err(format!("times has no phase {phase}"));
            }
            times.check().map_err(|what| format!("times of {phase}: {what}"))?;
        }
        Ok(())
    }

    /// Times of a phase; `None` where it was not measured.
    pub fn times(&self, measure: Measure) -> Option<&PhaseRecord> {
        self.times.get(measure.name())
    }

    /// Whether nearly all sessions that were due have begun.
    pub fn kept_up(&self) -> bool {
        let SessionCounts { ok, failed, not_begun, .. } = self.sessions;
        let begun = (ok + failed) as f64;
        begun >= KEPT_UP_SHARE_MIN * (begun + not_begun as f64)
    }
}

fn words((version, suite, group): Negotiated) -> String {
    let group = group.map_or_else(String::new, |group| format!(" {group}"));
    format!("{version} {suite}{group}")
}
