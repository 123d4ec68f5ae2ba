//! Who runs the hosts of many domains.
//!
//! An operator is a registrable domain whose hosts take the mail of more than a
//! few others. A name under the customer's own domain (`mail.example.org` for
//! `example.org`) says nothing of who runs the host, so there the network
//! counts alone.

use crate::model::{DomainFacts, Exchange, registrable};
use std::collections::HashMap;

/// Other registrable domains that a registrable domain takes mail for before it
/// counts as an operator. The hosts of the first few are counted by their
/// networks alone.
const SERVED_MIN: usize = 4;

/// Registrable domains of mail hosts that are told apart; of further ones the
/// network counts alone. Each takes some hundred bytes.
const HOST_DOMAINS_MAX: usize = 1 << 20;

/// An operator, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperatorId(u32);

enum HostDomain {
    /// The domains that it takes mail for, so far.
    Few(Vec<Box<str>>),
    Operator(OperatorId),
}

/// The operators of a run, as they come to be known.
#[derive(Default)]
pub struct KnownOperators {
    known: HashMap<Box<str>, HostDomain>,
    count: u32,
}

impl KnownOperators {
    /// The operator of a mail host of a domain; `None` while there is none. In lists
    /// of hosts and endpoints each host counts for a domain.
    pub fn of(&mut self, facts: &DomainFacts, exchange: &Exchange) -> Option<OperatorId> {
        let host = exchange.host.as_ref()?.as_str();
        match facts.target.subject.domain() {
            Some(domain) => self.serving(host, registrable(domain)?),
            None => self.serving(host, host),
        }
    }

    fn serving(&mut self, host: &str, served: &str) -> Option<OperatorId> {
        let own = registrable(host)?;
        if own == served {
            return self.known.get(own).and_then(HostDomain::operator);
        }
        if !self.known.contains_key(own) {
            if self.known.len() >= HOST_DOMAINS_MAX {
                return None;
            }
            self.known.insert(own.into(), HostDomain::Few(Vec::new()));
        }
        let known = self.known.get_mut(own)?;
        if let HostDomain::Few(few) = known {
            if !few.iter().any(|one| **one == *served) {
                few.push(served.into());
            }
            if few.len() >= SERVED_MIN {
                *known = HostDomain::Operator(OperatorId(self.count));
                self.count += 1;
            }
        }
        known.operator()
    }
}

impl HostDomain {
    fn operator(&self) -> Option<OperatorId> {
        match self {
            Self::Operator(id) => Some(*id),
            Self::Few(_) => None,
        }
    }
}

/// Some operators, for tests.
#[cfg(test)]
pub(super) fn operator_ids(count: u32) -> impl Iterator<Item = OperatorId> {
    (0..count).map(OperatorId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(operators: &mut KnownOperators, host: &str, domain: &str) -> Option<OperatorId> {
        operators.serving(host, registrable(domain).unwrap())
    }

    #[test]
    fn who_takes_the_mail_of_a_few_others_is_an_operator_from_then_on() {
        let mut operators = KnownOperators::default();
        for domain in ["a.example", "www.a.example", "b.example", "c.example"] {
            assert_eq!(of(&mut operators, "mx1.provider.net", domain), None, "{domain}");
        }
        let operator = of(&mut operators, "mx2.provider.net", "d.example");
        assert!(operator.is_some());
        assert_eq!(of(&mut operators, "mx1.provider.net", "a.example"), operator);
        assert_eq!(of(&mut operators, "mx1.provider.net", "provider.net"), operator);
    }

    #[test]
    fn a_name_under_the_customers_own_domain_is_no_operator() {
        let mut operators = KnownOperators::default();
        for number in 0..100 {
            let domain = format!("d{number}.net");
            assert_eq!(of(&mut operators, &format!("mail.{domain}"), &domain), None);
        }
        assert!(operators.known.is_empty(), "nothing is kept of them");
    }

    #[test]
    fn two_operators_are_two() {
        let mut operators = KnownOperators::default();
        let [one, other] = ["one.net", "other.net"].map(|host| {
            (0..SERVED_MIN).fold(None, |_, number| of(&mut operators, host, &format!("d{number}.org")))
        });
        assert!(one.is_some() && other.is_some());
        assert_ne!(one, other);
    }
}
