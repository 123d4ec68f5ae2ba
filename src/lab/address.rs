//! The address plan of a fleet, and the one hash on which every choice rests.
//!
//! From 127.1.0.0 on each scenario has a network of /17 to itself, and each of its
//! roles a pool there; 127.0.0.0/16 is left to the machine.

use super::error::LabError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// Most scenarios in one fleet.
pub const SCENARIOS_MAX: usize = 508;
/// Most addresses in the pools of one scenario.
pub const HOSTS_MAX: usize = 30_000;
/// Addresses used of each 256, so that none ends in 0 or 255.
const HOSTS_PER_NET: usize = 250;

/// Networks of /24 that a scenario has.
const NETS_PER_SCENARIO: usize = 128;
/// All networks of /24 up to 127.254.255.0.
const NETS_MAX: usize = 255 * 256;

/// The one address of IPv6 loopback.
pub const IPV6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// The networks that a scenario has to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plot {
    first_net: usize,
    per_network: usize,
    hosts_max: usize,
}

impl Plot {
    /// The plots of all scenarios, given how many addresses each wants in all and
    /// how many in a network; `None` where it has no wishes.
    ///
    /// # Errors
    /// There is no room for so many scenarios or hosts.
    pub fn lay_out(wishes: &[Option<(usize, usize)>]) -> Result<Vec<Self>, LabError> {
        // The first are what is left to the machine.
        let mut next = 2 * NETS_PER_SCENARIO;
        let mut plots = Vec::with_capacity(wishes.len());
        for (scenario, wish) in wishes.iter().enumerate() {
            let first_net = next;
            let plot = match *wish {
                None => Self { first_net, per_network: HOSTS_PER_NET, hosts_max: HOSTS_MAX },
                Some((addresses, per_network)) => {
                    let per_network = per_network.clamp(1, HOSTS_PER_NET);
                    Self { first_net, per_network, hosts_max: addresses.max(1) }
                }
            };
            next += wish.map_or(NETS_PER_SCENARIO, |_| plot.hosts_max.div_ceil(plot.per_network));
            if next > NETS_MAX && wish.is_none() {
                return Err(LabError::TooManyScenarios { given: scenario + 1, max: SCENARIOS_MAX });
            }
            if next > NETS_MAX || plot.hosts_max > HOSTS_MAX {
                return Err(LabError::TooManyHosts { given: plot.hosts_max, max: HOSTS_MAX });
            }
            plots.push(plot);
        }
        Ok(plots)
    }
}

/// A pool of addresses: that of one role of one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    plot: Plot,
    first: usize,
    size: usize,
}

impl Pool {
    /// The pool of `size` addresses of role number `role` on the plot of its
    /// scenario.
    ///
    /// # Errors
    /// There is no room for so many hosts.
    pub fn new(plot: Plot, role: usize, size: usize) -> Result<Self, LabError> {
        let size = size.max(1);
        if size > plot.hosts_max || (role + 1) * size > plot.hosts_max {
            return Err(LabError::TooManyHosts { given: size, max: plot.hosts_max });
        }
        Ok(Self { plot, first: role * size, size })
    }

    /// The address of a host: always the same for the same name.
    pub fn address(&self, host: &str) -> IpAddr {
        self.at(hash(0, host) % self.size as u64)
    }

    /// The addresses of a host that has several: from `least` to `most` of them,
    /// always the same for the same name, the lowest first.
    pub fn addresses(&self, host: &str, (least, most): (usize, usize)) -> Vec<IpAddr> {
        let size = self.size as u64;
        let more = most.saturating_sub(least) as u64 + 1;
        let count = (least.max(1) as u64 + hash(2, host) % more).min(size);
        let first = hash(0, host) % size;
        let mut slots: Vec<u64> = (0..count).map(|number| (first + number) % size).collect();
        slots.sort_unstable();
        slots.into_iter().map(|slot| self.at(slot)).collect()
    }

    fn at(&self, slot: u64) -> IpAddr {
        // Below `size`, so it fits.
        let number = self.first + slot as usize;
        let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
        let Plot { first_net, per_network, .. } = self.plot;
        let nets = first_net + number / per_network;
        IpAddr::V4(Ipv4Addr::new(127, byte(nets / 256), byte(nets % 256), byte(number % per_network + 1)))
    }
}

/// So that the latency of a host does not follow from its place in a pool.
const LATENCY_SEED: u64 = 1;

/// How long a host takes for each reply, between the least and the most milliseconds:
/// always the same for the same name.
pub(super) fn latency((least, most): (u64, u64), host: &str) -> Duration {
    Duration::from_millis(least + hash(LATENCY_SEED, host) % (most.saturating_sub(least) + 1))
}

/// FNV-1a with the finaliser of SplitMix64. Not `std`'s hasher, which may
/// change between releases: a seed must give the same fleet for ever.
pub fn hash(seed: u64, text: &str) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn pools_never_meet() {
        let mut seen = HashSet::new();
        let plots = Plot::lay_out(&[None; SCENARIOS_MAX]).unwrap();
        for scenario in [0, 1, SCENARIOS_MAX - 1] {
            for role in 0..3 {
                let pool = Pool::new(plots[scenario], role, 500).unwrap();
                let used: HashSet<_> = (0..20_000).map(|n| pool.address(&format!("mx{n}.example"))).collect();
                assert_eq!(used.len(), 500);
                for address in used {
                    assert!(address.is_loopback());
                    assert!(seen.insert(address), "{address}");
                }
            }
        }
    }

    #[test]
    fn what_has_no_room_is_refused() {
        assert!(Plot::lay_out(&[None; SCENARIOS_MAX + 1]).is_err());
        assert!(Plot::lay_out(&[Some((HOSTS_MAX, 1)), Some((HOSTS_MAX, 1)), Some((HOSTS_MAX, 1))]).is_err());
        let plot = Plot::lay_out(&[None]).unwrap()[0];
        assert!(Pool::new(plot, 0, HOSTS_MAX).is_ok());
        assert!(Pool::new(plot, 1, HOSTS_MAX).is_err());
        assert!(Pool::new(plot, 0, usize::MAX).is_err());
    }

    #[test]
    fn hosts_are_spread_over_networks_as_is_wished() {
        let plots = Plot::lay_out(&[Some((20, 250)), Some((3000, 2)), None]).unwrap();
        let of = |plot: Plot, size: usize, names: usize| -> HashSet<IpAddr> {
            let pool = Pool::new(plot, 0, size).unwrap();
            (0..names).flat_map(|n| pool.addresses(&format!("mx{n}.example"), (2, 3))).collect()
        };
        let nets = |ips: &HashSet<IpAddr>| {
            let net = |ip: &IpAddr| ip.to_string().rsplit_once('.').unwrap().0.to_string();
            ips.iter().map(net).collect::<HashSet<_>>()
        };
        let (few, many) = (of(plots[0], 20, 500), of(plots[1], 3000, 20_000));
        assert_eq!((few.len(), nets(&few).len()), (20, 1));
        assert_eq!((many.len(), nets(&many).len()), (3000, 1500));
        assert!(nets(&many).is_disjoint(&nets(&of(plots[2], 1000, 9000))));
        let pool = Pool::new(plots[0], 0, 20).unwrap();
        assert!((0..100).all(|n| {
            let host = format!("mx{n}.example");
            let own = pool.addresses(&host, (2, 3));
            (2..=3).contains(&own.len()) && own.is_sorted() && own.contains(&pool.address(&host))
        }));
    }

    #[test]
    fn the_hash_stays_what_it_is() {
        assert_eq!(hash(0, "a.example"), 0x99f2_03a1_e01a_855f);
        assert_eq!(hash(1, "a.example"), 0x3546_6d75_b463_17ce);
        assert_eq!(hash(0, "b.example"), 0x8972_2ec4_c2ce_9fdc);
    }
}
