//! The address plan of a fleet, and the one hash on which every choice rests.
//!
//! From 127.1.0.0 on each scenario has a network of /17 to itself, and each of its
//! roles a pool there; 127.0.0.0/16 is left to the machine.

use super::error::LabError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most scenarios in one fleet.
pub const SCENARIOS_MAX: usize = 508;
/// Most addresses in the pools of one scenario.
pub const HOSTS_MAX: usize = 30_000;
/// Addresses used of each 256, so that none ends in 0 or 255.
const HOSTS_PER_NET: usize = 250;

/// Networks of /24 that a scenario has.
const NETS_PER_SCENARIO: usize = 128;

/// The one address of IPv6 loopback.
pub const IPV6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A pool of addresses: that of one role of one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    scenario: usize,
    first: usize,
    size: usize,
}

impl Pool {
    /// The pool of `size` addresses of role number `role` in scenario number
    /// `scenario`.
    ///
    /// # Errors
    /// There is no room for so many scenarios or hosts.
    pub fn new(scenario: usize, role: usize, size: usize) -> Result<Self, LabError> {
        if scenario >= SCENARIOS_MAX {
            return Err(LabError::TooManyScenarios { given: scenario + 1, max: SCENARIOS_MAX });
        }
        let size = size.max(1);
        if size > HOSTS_MAX || (role + 1) * size > HOSTS_MAX {
            return Err(LabError::TooManyHosts { given: size, max: HOSTS_MAX });
        }
        Ok(Self { scenario, first: role * size, size })
    }

    /// The address of a host: always the same for the same name.
    pub fn address(&self, host: &str) -> IpAddr {
        // Below `size`, so it fits.
        let slot = (hash(0, host) % self.size as u64) as usize;
        let number = self.first + slot;
        let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
        // The first two are what is left to the machine.
        let nets = (self.scenario + 2) * NETS_PER_SCENARIO + number / HOSTS_PER_NET;
        IpAddr::V4(Ipv4Addr::new(127, byte(nets / 256), byte(nets % 256), byte(number % HOSTS_PER_NET + 1)))
    }
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
        for scenario in [0, 1, SCENARIOS_MAX - 1] {
            for role in 0..3 {
                let pool = Pool::new(scenario, role, 500).unwrap();
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
        assert!(Pool::new(SCENARIOS_MAX, 0, 1).is_err());
        assert!(Pool::new(0, 0, HOSTS_MAX).is_ok());
        assert!(Pool::new(0, 1, HOSTS_MAX).is_err());
        assert!(Pool::new(0, 0, usize::MAX).is_err());
    }

    #[test]
    fn the_hash_stays_what_it_is() {
        assert_eq!(hash(0, "a.example"), 0x99f2_03a1_e01a_855f);
        assert_eq!(hash(1, "a.example"), 0x3546_6d75_b463_17ce);
        assert_eq!(hash(0, "b.example"), 0x8972_2ec4_c2ce_9fdc);
    }
}
