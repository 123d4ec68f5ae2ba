//! Where a key is asked, and what is limited there.

use super::limits::{BucketLimits, Limits};
use crate::engine::operators::{OperatorId, OperatorNumbers};
use crate::model::{Endpoint, ProbeKey, network, registrable};
use std::net::IpAddr;

/// Where a key is asked: all that says which limits hold for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskedPlace {
    /// Its address and port.
    pub endpoint: Endpoint,
    /// Who runs it, if that is an operator.
    pub operator: Option<OperatorId>,
}

impl AskedPlace {
    /// All its buckets, the smallest first.
    pub(super) fn keys(self) -> impl Iterator<Item = BucketKey> + use<> {
        [BucketKey::Endpoint(self.endpoint), BucketKey::Ip(self.endpoint.ip)].into_iter().chain(self.groups())
    }

    /// What its address belongs to.
    pub(in crate::engine) fn groups(self) -> impl Iterator<Item = BucketKey> + use<> {
        let network = BucketKey::Network(network(self.endpoint.ip));
        std::iter::once(network).chain(self.operator.map(BucketKey::Operator))
    }

    /// Those that have limits of their own.
    pub(in crate::engine) fn buckets(self, limits: &Limits) -> impl Iterator<Item = BucketKey> + use<> {
        let limits = *limits;
        self.keys().filter(move |bucket| !bucket.limits(&limits).is_none())
    }
}

/// Names a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BucketKey {
    /// An address and port.
    Endpoint(Endpoint),
    /// An address.
    Ip(IpAddr),
    /// A network, by its first address.
    Network(IpAddr),
    /// An operator.
    Operator(OperatorId),
}

impl BucketKey {
    /// Whether it is an operator's.
    pub(super) fn is_operator(self) -> bool {
        matches!(self, Self::Operator(_))
    }

    /// What a person calls it: an operator by the registrable domain of the host
    /// that a `key` of it names.
    pub(in crate::engine) fn name(self, key: Option<&ProbeKey>) -> String {
        match self {
            Self::Endpoint(endpoint) => endpoint.to_string(),
            Self::Ip(ip) => ip.to_string(),
            Self::Network(first) => format!("{first}/{}", if first.is_ipv4() { 24 } else { 48 }),
            Self::Operator(_) => {
                let host = key.and_then(|key| key.sni.as_ref());
                let operator = host.and_then(|host| registrable(host.as_str()));
                operator.map_or_else(|| "an operator".to_string(), ToString::to_string)
            }
        }
    }

    /// The bucket of that name, where operators are numbered so.
    pub(in crate::engine) fn named(name: &str, operators: &OperatorNumbers) -> Self {
        let network = || name.split_once('/')?.0.parse().ok();
        match (name.parse(), network()) {
            (Ok(ip), _) => Self::Ip(ip),
            (_, Some(first)) => Self::Network(first),
            _ => Self::Operator(operators.named(name)),
        }
    }

    /// The limits of such a bucket.
    pub(in crate::engine) fn limits(self, limits: &Limits) -> &BucketLimits {
        match self {
            Self::Endpoint(_) => &BucketLimits::NONE,
            Self::Ip(_) => &limits.per_ip,
            Self::Network(_) => &limits.per_network,
            Self::Operator(_) => &limits.per_operator,
        }
    }
}
