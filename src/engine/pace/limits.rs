//! How fast to go: in all, and at one address, one network, one operator.

use std::num::NonZeroU32;
use std::time::Duration;

/// How often what is one bucket may be connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketLimits {
    /// Connections open at a time; `None` for no limit.
    pub connections: Option<NonZeroU32>,
    /// Least time between the starts of two connections; zero for none.
    pub interval: Duration,
    /// Connections begun in any sixty seconds; `None` for no limit.
    pub per_minute: Option<NonZeroU32>,
}

impl BucketLimits {
    /// Without limits.
    pub const NONE: Self = Self { connections: None, interval: Duration::ZERO, per_minute: None };

    /// With so many connections at a time, and nothing else.
    pub const fn of_connections(connections: u32) -> Self {
        Self { connections: NonZeroU32::new(connections), ..Self::NONE }
    }

    /// Whether it limits when connections begin.
    pub(in crate::engine) fn has_timing(&self) -> bool {
        !self.interval.is_zero() || self.per_minute.is_some()
    }

    /// Whether it limits anything.
    pub(super) fn is_none(&self) -> bool {
        self.connections.is_none() && !self.has_timing()
    }
}

/// How long a place that complains is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoolDown {
    /// After the first complaint; the next are longer.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl CoolDown {
    /// The cool-down after so many others, each of which was `growth` times as long
    /// as the last.
    pub(super) fn nth(&self, earlier: u32, growth: u32) -> Duration {
        self.first.saturating_mul(growth.saturating_pow(earlier)).min(self.longest)
    }
}

impl Default for CoolDown {
    /// Two minutes, and at most an hour.
    fn default() -> Self {
        Self { first: Duration::from_secs(120), longest: Duration::from_secs(3600) }
    }
}

/// How fast to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections begun per second over all; `None` for no limit.
    pub rate: Option<NonZeroU32>,
    /// Connections open in all, those beside that are open for long.
    pub in_flight: usize,
    /// Connections beside these that are open for longer than
    /// [`SLOW_AFTER`](super::SLOW_AFTER).
    pub slow_in_flight: usize,
    /// At one address.
    pub per_ip: BucketLimits,
    /// At one network: a /24 of IPv4, a /48 of IPv6.
    pub per_network: BucketLimits,
    /// At the hosts of one operator: of one registrable domain.
    pub per_operator: BucketLimits,
    /// How long a place that complains is left alone; `None`: no longer than it
    /// takes anyhow.
    pub cool_down: Option<CoolDown>,
    /// Among those that may start, the order is drawn by this seed; `None` for
    /// the order in which they came.
    pub order_seed: Option<u64>,
}

impl Limits {
    /// No limit but the number of connections open in all, however long they are open.
    pub const fn none(in_flight: usize) -> Self {
        Self {
            rate: None,
            in_flight,
            slow_in_flight: 0,
            per_ip: BucketLimits::NONE,
            per_network: BucketLimits::NONE,
            per_operator: BucketLimits::NONE,
            cool_down: None,
            order_seed: None,
        }
    }
}

impl Default for Limits {
    /// A hundred connections a second and a thousand open in all, and four thousand
    /// beside them that are open for long; one at a time
    /// to an address and one a second there; ten at a time to a network, twenty
    /// to an operator. Who complains is left alone as [`CoolDown`] says.
    fn default() -> Self {
        Self {
            rate: NonZeroU32::new(100),
            per_ip: BucketLimits { interval: Duration::from_secs(1), ..BucketLimits::of_connections(1) },
            per_network: BucketLimits::of_connections(10),
            per_operator: BucketLimits::of_connections(20),
            slow_in_flight: 4000,
            cool_down: Some(CoolDown::default()),
            ..Self::none(1000)
        }
    }
}
