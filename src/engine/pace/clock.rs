//! The time that the run goes by, for the library that limits rates: one clock for
//! all, so that a test may hold it.

use governor::clock::Clock;
use std::time::Duration;
use tokio::time::Instant;

/// Time since the run began, as tokio tells it.
#[derive(Clone, Debug)]
pub struct RunClock {
    origin: Instant,
}

impl RunClock {
    /// It begins now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for RunClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}
