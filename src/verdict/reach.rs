//! Whether this machine's own network lets connections out, as far as the
//! connections of a run tell. A provider that lets none out to port 25 looks
//! from here as if every host were gone, and so does a dead gateway: that is
//! ours, and is not told as the hosts'.

use crate::model::{Failure, Observation, Phase, network};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Networks (/24 of IPv4, /48 of IPv6) at which TCP opens for nobody, and at
/// none does, from which on this machine's own network is suspected.
pub const SUSPECT_NETWORKS_MIN: usize = 20;

/// What the connections of a run came to, by family of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    ipv4: FamilyReach,
    ipv6: FamilyReach,
}

/// The same of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct FamilyReach {
    /// Whether TCP has opened anywhere.
    opened: bool,
    /// Networks at which it has not, as long as it has nowhere; at most
    /// [`SUSPECT_NETWORKS_MIN`].
    closed: BTreeSet<IpAddr>,
}

impl FamilyReach {
    fn is_suspect(&self) -> bool {
        !self.opened && self.closed.len() >= SUSPECT_NETWORKS_MIN
    }

    fn open(&mut self) {
        self.opened = true;
        self.closed = BTreeSet::new();
    }

    fn close(&mut self, network: IpAddr) {
        if !self.opened && self.closed.len() < SUSPECT_NETWORKS_MIN {
            self.closed.insert(network);
        }
    }
}

impl Reach {
    /// Counts what came of all the connections to an endpoint.
    pub fn add(&mut self, observation: &Observation) {
        let ip = observation.key.endpoint.ip;
        for other in observation.other_attempts.iter().flatten() {
            self.connection_ended(ip, other.failure.as_ref());
        }
        self.count(ip, observation.failure.as_ref());
    }

    /// Counts one connection to an endpoint that may be connected to again: that it
    /// opened is known, and that it does not is known with the last.
    pub fn connection_ended(&mut self, ip: IpAddr, failure: Option<&Failure>) {
        if failure.is_none_or(|failure| failure.phase > Phase::Connect) {
            self.family(ip).open();
        }
    }

    fn count(&mut self, ip: IpAddr, failure: Option<&Failure>) {
        if failure.is_some_and(Failure::opens_for_nobody) {
            self.family(ip).close(network(ip));
        }
        // Not connected to, or ended by this machine: nothing was learnt.
        self.connection_ended(ip, failure);
    }

    fn family(&mut self, ip: IpAddr) -> &mut FamilyReach {
        if ip.is_ipv4() { &mut self.ipv4 } else { &mut self.ipv6 }
    }

    /// Adds the counts of another part of the run.
    pub fn merge(&mut self, other: &Self) {
        for (own, others) in [(&mut self.ipv4, &other.ipv4), (&mut self.ipv6, &other.ipv6)] {
            if others.opened {
                own.open();
            }
            others.closed.iter().for_each(|network| own.close(*network));
        }
    }

    /// Whether TCP has opened nowhere over the family of this address, at
    /// [`SUSPECT_NETWORKS_MIN`] networks or more.
    pub fn is_suspect(&self, ip: IpAddr) -> bool {
        if ip.is_ipv4() { self.ipv4.is_suspect() } else { self.ipv6.is_suspect() }
    }

    /// The families over which that is so, `ipv4` and `ipv6`.
    pub fn suspects(&self) -> Vec<&'static str> {
        let families = [("ipv4", &self.ipv4), ("ipv6", &self.ipv6)];
        families.into_iter().filter(|(_, family)| family.is_suspect()).map(|(name, _)| name).collect()
    }

    /// Whether this machine's network is suspected and TCP opened nowhere, over
    /// neither family.
    pub fn opened_nowhere(&self) -> bool {
        !self.ipv4.opened && !self.ipv6.opened && !self.suspects().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use std::net::Ipv6Addr;

    fn closed(count: u8) -> Reach {
        let mut reach = Reach::default();
        for network in 0..count {
            reach.count([192, 0, network, 1].into(), Some(&Failure::new(Phase::Connect, Kind::Timeout)));
        }
        reach
    }

    #[test]
    fn a_network_that_lets_nothing_out_is_suspected() {
        let ip: IpAddr = [192, 0, 2, 9].into();
        assert!(!closed(19).is_suspect(ip) && !closed(19).opened_nowhere());
        let mut reach = closed(20);
        assert!(reach.is_suspect(ip) && reach.opened_nowhere() && reach.suspects() == ["ipv4"]);
        assert!(!reach.is_suspect(Ipv6Addr::LOCALHOST.into()));
        // IPv6 opens: only IPv4 is suspected.
        reach.count(Ipv6Addr::LOCALHOST.into(), Some(&Failure::new(Phase::Greeting, Kind::Timeout)));
        assert!(reach.is_suspect(ip) && !reach.opened_nowhere());
        // One host that opens clears the family, for good, whatever comes of it later.
        reach.connection_ended(ip, Some(&Failure::new(Phase::Connect, Kind::Timeout)));
        assert!(reach.is_suspect(ip));
        reach.connection_ended(ip, Some(&Failure::new(Phase::Greeting, Kind::Timeout)));
        reach.merge(&closed(20));
        assert!(!reach.is_suspect(ip) && reach.suspects().is_empty());
    }

    #[test]
    fn one_network_and_what_was_never_dialled_raise_no_suspicion() {
        let mut reach = Reach::default();
        for host in 0..=255 {
            reach.count([192, 0, 2, host].into(), Some(&Failure::new(Phase::Connect, Kind::Timeout)));
            let own = [Kind::NoRoute, Kind::Blocklisted, Kind::LocalError, Kind::Reset];
            for kind in own {
                reach.count([198, 51, host, 1].into(), Some(&Failure::new(Phase::Connect, kind)));
            }
        }
        assert_eq!(reach.suspects(), Vec::<&str>::new());
        let mut parts = closed(10);
        let mut other = Reach::default();
        for network in 10..20 {
            other.count([192, 0, network, 1].into(), Some(&Failure::new(Phase::Connect, Kind::Refused)));
        }
        parts.merge(&other);
        assert_eq!(parts.suspects(), ["ipv4"]);
    }
}
