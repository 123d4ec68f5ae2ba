//! Where a key is asked, and what is limited there.

use super::limits::{BucketLimits, Limits};
use crate::engine::operators::OperatorId;
use crate::model::network;
use std::net::IpAddr;

/// Where a key is asked: all that says which limits hold for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskedPlace {
    /// Its address.
    pub ip: IpAddr,
    /// Who runs it, if that is an operator.
    pub operator: Option<OperatorId>,
}

impl AskedPlace {
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
