//! Where a probe may go: never to an address on the blocklist, and not to a
//! private one unless that was asked for, whatever an MX record says.

use crate::model::{DomainName, Failure, Kind, MxHost, Phase, ProbeKey};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most lines of a blocklist.
pub const BLOCKLIST_LINES_MAX: usize = 1_000_000;

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

/// Why a blocklist cannot be used. It is never used in part.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BlocklistError {
    /// A line is neither an address, a CIDR range nor a domain.
    #[error("line {line}: `{text}` is neither an address, a CIDR range nor a domain")]
    BadLine {
        /// Line number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// Over [`BLOCKLIST_LINES_MAX`].
    #[error("longer than {BLOCKLIST_LINES_MAX} lines")]
    TooLong,
}

/// Addresses and domains that are left alone.
#[derive(Clone, Debug, Default)]
pub struct Blocklist {
    /// Disjoint and in order, so that the one range that may hold an address
    /// is found by bisection.
    ranges: Vec<IpNet>,
    domains: HashSet<String>,
}

impl Blocklist {
    /// Reads one entry a line: an address, a CIDR range or a domain, which
    /// stands for its subdomains too. `#` begins a comment.
    ///
    /// # Errors
    /// The first line that is none of these: a blocklist that is only half
    /// understood would be worse than none.
    pub fn parse(text: &str) -> Result<Self, BlocklistError> {
        let mut list = Self::default();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if index >= BLOCKLIST_LINES_MAX {
                return Err(BlocklistError::TooLong);
            }
            let entry = line.split('#').next().unwrap_or_default().trim();
            if !entry.is_empty() && !list.add(entry) {
                return Err(BlocklistError::BadLine { line: index + 1, text: entry.to_string() });
            }
        }
        list.ranges = IpNet::aggregate(&list.ranges);
        Ok(list)
    }

    /// Takes the entries of another list in.
    pub fn extend(&mut self, other: Blocklist) {
        self.ranges.extend(other.ranges);
        self.ranges = IpNet::aggregate(&self.ranges);
        self.domains.extend(other.domains);
    }

    fn add(&mut self, entry: &str) -> bool {
        if let Ok(range) = entry.parse::<IpNet>() {
            self.ranges.push(canonical(range));
        } else if let Ok(ip) = entry.parse::<IpAddr>() {
            self.ranges.push(ip.to_canonical().into());
        } else if let Ok(domain) = DomainName::parse(entry) {
            self.domains.insert(domain.as_str().to_string());
        } else {
            return false;
        }
        true
    }

    /// Whether the address is in a listed range.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let after = self.ranges.partition_point(|range| range.network() <= ip);
        let last = after.checked_sub(1).and_then(|index| self.ranges.get(index));
        last.is_some_and(|range| range.contains(&ip))
    }

    /// Whether the name or a parent of it is listed.
    pub fn has_name(&self, name: &str) -> bool {
        if self.domains.is_empty() {
            return false;
        }
        let parents = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        std::iter::once(name).chain(parents).any(|candidate| self.domains.contains(candidate))
    }
}

/// Addresses that are mapped into IPv6 (RFC 4291 §2.5.5.2) begin with so many
/// bits that are always the same.
const MAPPED_PREFIX_BITS: u8 = 96;

/// A range as the addresses in it are looked for: one of addresses that are
/// mapped into IPv6 is the range of IPv4 that they stand for.
fn canonical(range: IpNet) -> IpNet {
    let bits = range.prefix_len().checked_sub(MAPPED_PREFIX_BITS);
    match (range, bits, range.addr().to_canonical()) {
        (IpNet::V6(_), Some(bits), IpAddr::V4(ip)) => Ipv4Net::new(ip, bits).map_or(range, IpNet::V4),
        _ => range,
    }
}

/// Decides whether a key may be probed.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    blocklist: Blocklist,
    allow_private: bool,
}

impl Gate {
    /// A gate that keeps to the list, and away from private addresses unless
    /// `allow_private`.
    pub fn new(blocklist: Blocklist, allow_private: bool) -> Self {
        Self { blocklist, allow_private }
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
            return Err(Failure::new(Phase::Connect, Kind::PrivateAddress));
        }
        Ok(())
    }
}

fn is_public(ip: IpAddr) -> bool {
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
    use crate::model::Endpoint;

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

    #[test]
    fn a_blocklist_is_never_used_in_part() {
        assert_eq!(
            Blocklist::parse("10.0.0.0/8\n10.0.0.0/33\n").err(),
            Some(BlocklistError::BadLine { line: 2, text: "10.0.0.0/33".into() })
        );
    }
}
