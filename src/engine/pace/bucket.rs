//! What is limited together: an address, a network, an operator.

use super::limits::{BucketLimits, Limits};
use super::queue::{ClassId, Ranked};
use super::timing::Timing;
use crate::engine::operators::OperatorId;
use crate::model::network;
use std::net::IpAddr;
use std::time::Duration;

/// Where a key is asked: all that says which limits hold for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its address.
    pub ip: IpAddr,
    /// Who runs it, if that is an operator.
    pub operator: Option<OperatorId>,
}

impl Place {
    /// The buckets that have limits of their own, the smallest first.
    pub(in crate::engine) fn buckets(self, limits: &Limits) -> impl Iterator<Item = BucketKey> + use<> {
        let limits = *limits;
        let all = [
            Some(BucketKey::Ip(self.ip)),
            Some(BucketKey::Network(network(self.ip))),
            self.operator.map(BucketKey::Operator),
        ];
        all.into_iter().flatten().filter(move |bucket| !bucket.limits(&limits).is_none())
    }
}

/// Names a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BucketKey {
    /// An address.
    Ip(IpAddr),
    /// A network, by its first address.
    Network(IpAddr),
    /// An operator.
    Operator(OperatorId),
}

impl BucketKey {
    /// The limits of such a bucket.
    pub(in crate::engine) fn limits(self, limits: &Limits) -> &BucketLimits {
        match self {
            Self::Ip(_) => &limits.per_ip,
            Self::Network(_) => &limits.per_network,
            Self::Operator(_) => &limits.per_operator,
        }
    }
}

/// Why no connection may begin in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// As many are open as may be.
    Full,
    /// The last ones were begun too short a time ago; it takes so long.
    Early(Duration),
}

/// One bucket.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    open: u32,
    timing: Timing,
    /// Whether somebody comes back when its time has come.
    pub(super) is_timed: bool,
    /// The classes that wait for it.
    pub(super) waiting: Ranked<ClassId>,
}

impl Bucket {
    /// What stands in the way of a connection.
    pub(super) fn obstacle(&self, limits: &BucketLimits, now: Duration) -> Option<Obstacle> {
        if limits.connections.is_some_and(|most| self.open >= most.get()) {
            return Some(Obstacle::Full);
        }
        self.timing.due(limits, now).map(|due| Obstacle::Early(due.saturating_sub(now)))
    }

    /// A connection begins.
    pub(super) fn begin(&mut self, limits: &BucketLimits, now: Duration) {
        self.open += 1;
        if limits.has_timing() {
            self.timing.begin(limits, now);
        }
    }

    /// A connection ended.
    pub(super) fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Whether it can be forgotten.
    pub(super) fn is_idle(&self, limits: &BucketLimits, now: Duration) -> bool {
        self.open == 0 && !self.is_timed && self.waiting.is_empty() && self.timing.is_over(limits, now)
    }
}
