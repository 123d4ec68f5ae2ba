//! Where a probe may go: never to an address on the blocklist, and not to a
//! private one unless that was asked for, whatever an MX record says.

use crate::model::{BlocklistInForce, Failure, Kind, MxHost, Phase, ProbeKey};
use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 ranges that are no place on the public internet (IANA IPv4
/// Special-Purpose Address Registry, RFC 6890, and multicast).
const RESERVED_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];

/// The only IPv6 range of global unicast so far (RFC 4291 §2.4, IANA).
const GLOBAL_UNICAST_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is reserved inside it (IANA IPv6 Special-Purpose Address Registry):
/// protocol assignments, documentation, 6to4.
const RESERVED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Decides whether a key may be probed.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    blocklist: BlocklistInForce,
    allow_private: bool,
}

impl Gate {
    /// A gate that keeps to the list, and away from private addresses unless
    /// `allow_private`.
    pub fn new(blocklist: impl Into<BlocklistInForce>, allow_private: bool) -> Self {
        Self { blocklist: blocklist.into(), allow_private }
    }

    /// # Errors
    /// `connect: blocklisted` or `connect: private_address`.
    pub fn check(&self, key: &ProbeKey) -> Result<(), Failure> {
        let ip = key.endpoint.ip;
        let name_listed =
            key.sni.as_ref().is_some_and(|name: &MxHost| self.blocklist.has_name(name.as_str()));
        if name_listed || self.blocklist.has_address(ip) {
            return Err(Failure::new(Phase::Connect, Kind::Blocklisted));
        }
        if !self.allow_private && !is_public(ip) {
            let refused = Failure::new(Phase::Connect, Kind::PrivateAddress);
            return Err(refused.with_detail("contacted with --allow-private only"));
        }
        Ok(())
    }
}

/// Whether the address is a place on the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !RESERVED_V4.iter().any(|range| in_v4(*range, ip)),
        IpAddr::V6(ip) => in_v6(GLOBAL_UNICAST_V6, ip) && !RESERVED_V6.iter().any(|range| in_v6(*range, ip)),
    }
}

fn in_v4((network, length): (Ipv4Addr, u8), ip: Ipv4Addr) -> bool {
    Ipv4Net::new(network, length).is_ok_and(|range| range.contains(&ip))
}

fn in_v6((network, length): (Ipv6Addr, u8), ip: Ipv6Addr) -> bool {
    Ipv6Net::new(network, length).is_ok_and(|range| range.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BLOCKLIST_LINES_MAX, Blocklist, Endpoint};

    fn key(ip: &str, name: &str) -> ProbeKey {
        ProbeKey {
            endpoint: Endpoint { ip: ip.parse().unwrap(), port: 25 },
            sni: (!name.is_empty()).then(|| MxHost::new(name)),
        }
    }

    fn kind(gate: &Gate, ip: &str, name: &str) -> Option<Kind> {
        gate.check(&key(ip, name)).err().map(|failure| failure.kind)
    }

    #[test]
    fn private_addresses_are_refused_unless_allowed() {
        let shut = Gate::default();
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert_eq!(kind(&shut, private, ""), Some(Kind::PrivateAddress), "{private}");
            assert_eq!(kind(&Gate::new(Blocklist::default(), true), private, ""), None, "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert_eq!(kind(&shut, public, ""), None, "{public}");
        }
    }

    #[test]
    fn the_blocklist_knows_ranges_addresses_and_domains_with_their_subdomains() {
        let text = "\u{feff}# do not ask these\r\n8.8.0.0/16\n\n9.9.9.9 # one\n2606:4700::/32\nExample.COM.\n\
             ::ffff:7.7.7.7\n::ffff:6.6.0.0/112\n8.8.4.0/24\n";
        let gate = Gate::new(Blocklist::parse(text).unwrap(), true);
        for (ip, name, blocked) in [
            ("8.8.4.4", "", true),
            ("8.9.4.4", "", false),
            ("9.9.9.9", "", true),
            ("::ffff:9.9.9.9", "", true),
            ("7.7.7.7", "", true),
            ("::ffff:7.7.7.7", "", true),
            ("7.7.7.8", "", false),
            ("6.6.255.255", "", true),
            ("6.7.0.0", "", false),
            ("8.8.255.255", "", true),
            ("2606:4700::1", "", true),
            ("1.1.1.1", "example.com", true),
            ("1.1.1.1", "mx.a.example.com", true),
            ("1.1.1.1", "notexample.com", false),
        ] {
            assert_eq!(kind(&gate, ip, name) == Some(Kind::Blocklisted), blocked, "{ip} {name}");
        }
    }

    /// A look through all of them would take minutes here.
    #[test]
    fn a_million_ranges_cost_no_more_than_twenty_steps() {
        // Every other /31, so that none meets another.
        let range = |number: u32| Ipv4Addr::from_bits(0x0800_0000 + 4 * number);
        let mut text = String::new();
        for number in 0..BLOCKLIST_LINES_MAX as u32 {
            text.push_str(&format!("{}/31\n", range(number)));
        }
        let list = Blocklist::parse(&text).unwrap();
        let begun = std::time::Instant::now();
        for number in (0..BLOCKLIST_LINES_MAX as u32).step_by(7) {
            let first = range(number).to_bits();
            let blocked =
                [0, 1, 2, 3].map(|offset| list.has_address(Ipv4Addr::from_bits(first + offset).into()));
            assert_eq!(blocked, [true, true, false, false], "{}", range(number));
            assert!(begun.elapsed().as_secs() < 20, "{number} of a million took so long");
        }
        assert!(
            !list.has_address(IpAddr::from([7, 255, 255, 255]))
                && !list.has_address(Ipv6Addr::UNSPECIFIED.into())
        );
    }
}
