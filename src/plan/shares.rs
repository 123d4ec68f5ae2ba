//! The share of a shard in the limits of a whole run. An address and a network lie
//! in one shard, so their limits are its own. Those of an operator, of the run and
//! of the DNS are divided: what all shards do together is no more than one run would.

use super::UsageError;
use crate::engine::EngineConfig;
use crate::engine::pace::{BucketLimits, Limits};
use crate::model::Shard;
use std::num::NonZeroU32;

/// Gives an engine the share of its shard, if it has one.
///
/// # Errors
/// [`UsageError`]: a limit is less than there are shards, so that one would have
/// nothing.
pub fn share(engine: EngineConfig, shard: Option<Shard>) -> Result<EngineConfig, UsageError> {
    let Some(shard) = shard else { return Ok(engine) };
    let Limits { rate, in_flight, slow_in_flight, per_operator, .. } = engine.limits;
    let BucketLimits { connections, interval, per_minute } = per_operator;
    let of_operator = BucketLimits {
        connections: of_limit(shard, "--per-operator-connections", connections)?,
        // Each waits as often as long, so that no more begin on the whole.
        interval: interval.saturating_mul(shard.of().get()),
        per_minute: of_limit(shard, "--per-operator-rate", per_minute)?,
    };
    let limits = Limits {
        rate: of_limit(shard, "--rate", rate)?,
        in_flight: of_number(shard, "--in-flight", in_flight)?,
        slow_in_flight: of_number(shard, "--slow-in-flight", slow_in_flight)?,
        per_operator: of_operator,
        ..engine.limits
    };
    let lookups_in_flight = of_number(shard, "--lookups-in-flight", engine.lookups_in_flight)?;
    Ok(EngineConfig { limits, lookups_in_flight, shard: Some(shard), ..engine })
}

/// The share of a limit; `None` is none.
fn of_limit(shard: Shard, option: &str, limit: Option<NonZeroU32>) -> Result<Option<NonZeroU32>, UsageError> {
    let Some(limit) = limit else { return Ok(None) };
    let (whole, of) = (limit.get(), shard.of().get());
    // The first shards have what is left over.
    let share = whole / of + u32::from(shard.number() <= whole % of);
    match NonZeroU32::new(share) {
        Some(share) if whole >= of => Ok(Some(share)),
        _ => Err(UsageError(format!(
            "{option} {whole} cannot be divided among {of} shards; it needs at least {of}, or fewer shards"
        ))),
    }
}

fn of_number(shard: Shard, option: &str, number: usize) -> Result<usize, UsageError> {
    let limit = u32::try_from(number).ok().and_then(NonZeroU32::new);
    Ok(of_limit(shard, option, limit)?.map_or(number, |share| share.get() as usize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn shares(limits: Limits, of: u32) -> Result<Vec<Limits>, String> {
        let engine = |number| {
            let shard = Shard::new(number, of);
            share(EngineConfig { limits, ..EngineConfig::default() }, shard)
        };
        (1..=of).map(|number| Ok(engine(number)?.limits)).collect::<Result<_, UsageError>>().map_err(|e| e.0)
    }

    #[test]
    fn shares_come_to_the_limits_of_one_run() {
        let get = |limit: Option<NonZeroU32>| limit.map_or(0, NonZeroU32::get);
        for (rate, of) in [(100, 3), (7, 7), (1000, 7), (0, 5)] {
            let interval = Duration::from_millis(100);
            let per_operator = BucketLimits {
                interval,
                per_minute: NonZeroU32::new(50),
                ..BucketLimits::of_connections(20)
            };
            let limits = Limits { rate: NonZeroU32::new(rate), per_operator, ..Limits::default() };
            let all = shares(limits, of).unwrap();
            let sum =
                |of: fn(&Limits) -> Option<NonZeroU32>| all.iter().map(|limits| get(of(limits))).sum::<u32>();
            assert_eq!(sum(|limits| limits.rate), rate);
            assert_eq!(sum(|limits| limits.per_operator.connections), 20);
            assert_eq!(sum(|limits| limits.per_operator.per_minute), 50);
            assert_eq!(all.iter().map(|limits| limits.in_flight).sum::<usize>(), limits.in_flight);
            assert_eq!(all.iter().map(|limits| limits.slow_in_flight).sum::<usize>(), limits.slow_in_flight);
            assert!(all.iter().all(|limits| limits.per_operator.interval == interval * of));
            let of_place = |all: &Limits| (all.per_ip, all.per_network);
            assert!(all.iter().all(|share| of_place(share) == of_place(&limits)));
        }
    }

    #[test]
    fn a_limit_that_is_too_small_is_refused_by_every_shard() {
        let told = "--per-operator-connections 20 cannot be divided among 21 shards; it needs at least 21, or fewer shards";
        assert_eq!(shares(Limits::default(), 21), Err(told.to_string()));
        let config = |number| share(EngineConfig::default(), Shard::new(number, 21));
        assert!((1..=21).all(|number| config(number).is_err()));
        assert_eq!(share(EngineConfig::default(), None).unwrap(), EngineConfig::default());
    }
}
