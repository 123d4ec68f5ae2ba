//! Who runs a mail host.
//!
//! The operator of a host is the registrable domain of its name, as in the
//! column `mx_operator`. A name under the customer's own domain
//! (`mail.example.org` for `example.org`) says nothing of who runs it; such hosts
//! are few for each operator, and their network tells that they stand together.

use crate::model::{Exchange, registrable};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;

/// An operator, by a number that stands for its name in one run; it is kept for
/// each key. Two names have the same once in 2^32 pairs, and share their limits
/// then: that is never more than each may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperatorId(NonZeroU32);

impl OperatorId {
    fn of_hash(hash: u64) -> Self {
        let half = u32::try_from(hash >> u32::BITS).ok();
        Self(half.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN))
    }
}

/// Numbers the operators of a run; it keeps nothing of them. The numbers are
/// those of the run alone, so that no name can be made to share another's.
#[derive(Default)]
pub struct OperatorNumbers {
    numbers: RandomState,
}

impl OperatorNumbers {
    /// The operator of a mail host; an address has none.
    pub fn of(&self, exchange: &Exchange) -> Option<OperatorId> {
        Some(self.named(registrable(exchange.host.as_ref()?.as_str())?))
    }

    /// The operator of that registrable domain.
    pub(super) fn named(&self, operator: &str) -> OperatorId {
        OperatorId::of_hash(self.numbers.hash_one(operator))
    }
}

/// Some operators, for tests.
#[cfg(test)]
pub(super) fn operator_ids(count: u64) -> impl Iterator<Item = OperatorId> {
    (1..=count).map(|number| OperatorId::of_hash(number << u32::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MxHost;

    #[test]
    fn hosts_of_one_registrable_domain_have_one_operator() {
        let operators = OperatorNumbers::default();
        let of = |host: &str| operators.of(&Exchange::whole(10, Some(MxHost::new(host)), Vec::new()));
        assert!(of("mx1.provider.net").is_some());
        assert_eq!(of("mx1.provider.net"), of("a.b.provider.net"));
        assert_ne!(of("mx1.provider.net"), of("mx1.other.net"));
        assert_ne!(of("a.co.uk"), of("b.co.uk"));
        assert_eq!(operators.of(&Exchange::whole(10, None, Vec::new())), None);
    }
}
