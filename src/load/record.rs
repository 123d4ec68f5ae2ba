//! What a load came to, as `--save` writes it and `--baseline` reads it back.

use super::measure::{Measure, Measured};
use super::settings::Settings;
use hdrhistogram::Histogram;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Version of the file: grows when a key changes its meaning or goes away.
pub const FORMAT_VERSION: u32 = 1;

/// Why a saved load cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It is none.
    #[error("not a load that mxray bench saved: {0}")]
    NotOne(#[from] serde_json::Error),
    /// Another mxray wrote it, which counted otherwise.
    #[error("saved in format {found}, this mxray reads {FORMAT_VERSION}; save a new one")]
    Version {
        /// The format of the file.
        found: u32,
    },
}

/// The one key that every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// What a load came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadRecord {
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// Version of mxray.
    pub mxray: String,
    /// When the first counted session began.
    pub started: Timestamp,
    /// From then to the end of the last, in seconds.
    pub seconds: f64,
    /// Whether it was stopped before its bound.
    pub interrupted: bool,
    /// What it was.
    pub settings: Settings,
    /// How many sessions.
    pub sessions: Sessions,
    /// Sessions that came to their end, a second.
    pub per_second: f64,
    /// Failures by phase and kind.
    pub failures: BTreeMap<String, u64>,
    /// Times by name of [`Measure`]; those that never happened are absent.
    pub times: BTreeMap<String, PhaseRecord>,
}

/// How many sessions came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// Came to their end.
    pub ok: u64,
    /// Of these, resumed.
    pub resumed: u64,
    /// Failed.
    pub failed: u64,
    /// Were due and found no room before the time was up.
    pub not_begun: u64,
}

/// The times of a phase, in microseconds, each right to a thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// How many times it was measured.
    pub count: u64,
    /// The mean.
    pub mean_us: f64,
    /// Half of them took at most this.
    pub p50_us: u64,
    /// 90 of 100.
    pub p90_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// 999 of 1000.
    pub p999_us: u64,
    /// All of them.
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
}

impl LoadRecord {
    pub(super) fn new(
        settings: Settings,
        started: Timestamp,
        elapsed: Duration,
        measured: &Measured,
        interrupted: bool,
    ) -> Self {
        let times = Measure::ALL.into_iter().filter_map(|measure| {
            let times = measured.times(measure).filter(|times| !times.is_empty())?;
            Some((measure.name().to_string(), PhaseRecord::of(times)))
        });
        let seconds = elapsed.as_secs_f64();
        let per_second = if seconds > 0.0 { measured.ok as f64 / seconds } else { 0.0 };
        Self {
            version: FORMAT_VERSION,
            mxray: env!("CARGO_PKG_VERSION").to_string(),
            started,
            seconds,
            interrupted,
            settings,
            sessions: Sessions {
                ok: measured.ok,
                resumed: measured.resumed,
                failed: measured.failures.values().sum(),
                not_begun: measured.not_begun,
            },
            per_second,
            failures: measured.failures.clone(),
            times: times.collect(),
        }
    }

    /// Times of a phase.
    pub fn times(&self, measure: Measure) -> Option<&PhaseRecord> {
        self.times.get(measure.name())
    }

    /// The file: JSON with a line for each key.
    ///
    /// # Errors
    /// None that can happen: everything in it has a form in JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a file back.
    ///
    /// # Errors
    /// [`SavedError`] for one of another version, before anything else in it
    /// is looked at, and for what is no such file.
    pub fn from_json(text: &[u8]) -> Result<Self, SavedError> {
        let Versioned { version } = serde_json::from_slice(text)?;
        if version != FORMAT_VERSION {
            return Err(SavedError::Version { found: version });
        }
        Ok(serde_json::from_slice(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let record = fixtures::record(1000);
        assert_eq!(LoadRecord::from_json(record.to_json().unwrap().as_bytes()).unwrap(), record);
    }

    #[test]
    fn another_version_is_told_before_its_keys_are_looked_at() {
        let told = |text: &str| LoadRecord::from_json(text.as_bytes()).unwrap_err().to_string();
        let version = told(r#"{"version": 2, "else": []}"#);
        assert_eq!(version, "saved in format 2, this mxray reads 1; save a new one");
        for text in ["", "[]", "{}", r#"{"version": 1}"#] {
            assert!(told(text).starts_with("not a load that mxray bench saved: "), "{text}");
        }
    }
}
