//! Connections to an endpoint of which only the end is kept.

use super::failure::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most of them told of one endpoint. Whoever asks makes 22 at most: ten
/// retries of each of two looks are the most that may be asked for.
pub const OTHER_ATTEMPTS_MAX: usize = 32;

/// A connection to an endpoint beside the one whose dialogue is kept: one that
/// broke off before it came as far, or a second look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherAttempt {
    /// Which of the connections it was, from 1.
    pub number: u32,
    /// When it was begun.
    pub started: Timestamp,
    /// What ended it; `None` if everything ran to its end.
    pub failure: Option<Failure>,
    /// First SYN to the last byte, in microseconds of the monotonic clock.
    pub total_us: u64,
}
