//! What a load is: at whom, how many at a time or a second, which handshakes,
//! and when it ends.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What two loads must have in common to be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The server, as it was named: `HOST:PORT` or `IP:PORT`.
    pub target: String,
    /// When a session begins.
    pub pacing: LoadModel,
    /// Full handshakes, or resumed ones.
    pub handshakes: Handshakes,
    /// Whether each handshake has a key pair of its own.
    pub fresh_key_shares: bool,
}

/// When a session begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadModel {
    /// When another has ended: so many are under way at a time.
    Closed {
        /// Sessions at a time, 1 to [`super::CONCURRENCY_MAX`].
        concurrency: u32,
    },
    /// At fixed moments.
    Open {
        /// Sessions that are due in a second, 1 to [`super::RATE_MAX`].
        rate: u32,
    },
}

impl LoadModel {
    /// How long after the begin of the load the session `index` is due, from
    /// 0; `None` in the closed loop.
    pub fn due(self, index: u64) -> Option<Duration> {
        let LoadModel::Open { rate } = self else { return None };
        let rate = u64::from(rate.max(1));
        let (seconds, rest) = (index / rate, index % rate);
        Some(Duration::from_secs(seconds) + Duration::from_nanos(rest * 1_000_000_000 / rate))
    }
}

/// What kind of handshake a session makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handshakes {
    /// All of them in full.
    Full,
    /// Resumed, where the server lets us.
    Resumed,
}

/// When a load ends: at whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Sessions begun, at most [`super::COUNT_MAX`].
    pub count: u64,
    /// Time in which they begin, at most [`super::DURATION_SECONDS_MAX`].
    pub duration: Duration,
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.target)?;
        match self.pacing {
            LoadModel::Closed { concurrency: 1 } => write!(f, "1 session at a time")?,
            LoadModel::Closed { concurrency } => write!(f, "{concurrency} sessions at a time")?,
            LoadModel::Open { rate: 1 } => write!(f, "1 session a second")?,
            LoadModel::Open { rate } => write!(f, "{rate} sessions a second")?,
        }
        f.write_str(match self.handshakes {
            Handshakes::Full => ", full handshakes",
            Handshakes::Resumed => ", resumed handshakes",
        })?;
        f.write_str(if self.fresh_key_shares { ", fresh key shares" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_due_at_even_distances_without_drift() {
        let open = LoadModel::Open { rate: 3 };
        let due: Vec<_> = (0..5).map(|index| open.due(index).unwrap().as_micros()).collect();
        assert_eq!(due, [0, 333_333, 666_666, 1_000_000, 1_333_333]);
        assert_eq!(open.due(3 * 3600), Some(Duration::from_secs(3600)));
        assert_eq!(LoadModel::Closed { concurrency: 3 }.due(1), None);
    }
}
