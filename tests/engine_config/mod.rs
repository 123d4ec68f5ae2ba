//! The engine's settings in tests of what it asks and in which order: one
//! connection to an address at a time, and no pause longer than a millisecond.

use mxray::internals::engine::EngineConfig;
use mxray::internals::engine::pace::{BucketLimits, Limits};
use mxray::internals::interrogate::RetryPlan;
use std::time::Duration;

pub fn config() -> EngineConfig {
    EngineConfig {
        port: 25,
        limits: Limits { per_ip: BucketLimits::of_connections(1), ..Limits::none(64) },
        lookups_in_flight: 16,
        retry: RetryPlan {
            retries: 2,
            retry_delay: Duration::from_millis(1),
            second_look_delay: Duration::from_millis(1),
        },
        spill_dir: None,
        sample: false,
        shard: None,
        ..EngineConfig::default()
    }
}
