//! Load for one mail server: many STARTTLS sessions, how long each phase of
//! them takes, and whether that got worse since an earlier time.
//!
//! A session is the scanner's own probe ([`Probe`](crate::stage::Probe)):
//! the same dialogue, the same clocks, the same names of failures. This room
//! only decides when one begins, adds up what they took, and compares.
//!
//! Closed loop: a session begins when another has ended, so that a slow server
//! is asked less. Open loop: sessions are due at fixed moments, whatever the
//! server does, and each is timed from the moment at which it was *due*. Timed
//! from its real begin, a server that stops for a second would show in one
//! session instead of in all that were due in that second (coordinated
//! omission).

mod clock;
mod compare;
mod document;
mod generate;
mod measure;
mod progress;
mod record;
mod render;
mod round;
mod settings;
mod spread;

pub use compare::{ComparedFigure, Comparison, Incomparable, LoadChange, Tolerance, check_same, compare};
pub use document::load_document;
pub use generate::{Job, LoadError, run};
pub use measure::{Measure, Measured, Negotiated, Sample};
pub use progress::LoadProgress;
pub use record::{FORMAT_VERSION, LoadRecord, ROUNDS_MAX, SavedError};
pub use render::{comparison, report, round_line};
pub use round::{KEPT_UP_SHARE_MIN, PhaseRecord, Round, SessionCounts};
pub use settings::{Bound, Handshakes, LoadModel, Settings};
pub use spread::{APART_ROUNDS_MIN, Spread};

/// Most sessions of a load.
pub const COUNT_MAX: u64 = 10_000_000;

/// Longest time in which sessions begin, in seconds.
pub const DURATION_SECONDS_MAX: u64 = 3600;

/// Most sessions at a time, in either loop.
pub const CONCURRENCY_MAX: u32 = 10_000;

/// Most sessions a second of the open loop.
pub const RATE_MAX: u32 = 100_000;

#[cfg(test)]
mod fixtures;
