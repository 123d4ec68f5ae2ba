//! The engine's settings in tests of what it asks and in which order: one
//! connection to an address at a time, and no pause longer than a millisecond.

use mxray::internals::engine::EngineConfig;
use mxray::internals::engine::pace::Limits;
use mxray::internals::interrogate::RetryPlan;
use std::num::NonZeroU32;
use std::time::Duration;

pub fn config() -> EngineConfig {
    EngineConfig {
        port: 25,
        limits: Limits {
            rate: None,
            per_ip_interval: Duration::ZERO,
            per_ip_connections: NonZeroU32::new(1),
            in_flight: 64,
        },
        lookups_in_flight: 16,
        retry: RetryPlan {
            retries: 2,
            retry_delay: Duration::from_millis(1),
            second_look_delay: Duration::from_millis(1),
        },
    }
}
