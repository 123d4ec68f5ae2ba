//! Names that stand for addresses: of the reverse tree, and in lists of addresses
//! that are kept in the DNS.

use hickory_proto::rr::Name;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What every list of IPv4 addresses holds (RFC 5782 §5).
pub const LISTED_V4: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What every list of IPv6 addresses holds (RFC 5782 §5).
pub const LISTED_V6: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 0x0002);

/// The labels of an address, the last part first: octets of IPv4 (RFC 5782 §2.1),
/// nibbles of IPv6 (RFC 5782 §2.4).
fn labels(ip: IpAddr) -> Vec<String> {
    match ip {
        IpAddr::V4(ip) => ip.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|octet| [octet & 0xf, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect()
        }
    }
}

/// The name whose PTR tells the name of an address (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(ip: IpAddr) -> Option<Name> {
    let ip = ip.to_canonical();
    entry_name(ip, if ip.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" })
}

/// The name at which a list says whether it holds an address (RFC 5782 §2.1, §2.4);
/// `None` where that is longer than a name can be.
pub fn entry_name(ip: IpAddr, zone: &str) -> Option<Name> {
    let labels = labels(ip);
    let zone = zone.split('.').map(str::as_bytes);
    Name::from_labels(labels.iter().map(|label| label.as_bytes()).chain(zone)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the RFCs write them (RFC 5782 §2.1, §2.4, RFC 3596 §2.5).
    #[test]
    fn addresses_are_written_backwards() {
        let entry = |ip: &str, zone: &str| entry_name(ip.parse().unwrap(), zone).unwrap().to_ascii();
        assert_eq!(entry("192.0.2.99", "bad.example.com"), "99.2.0.192.bad.example.com.");
        assert_eq!(
            entry("2001:db8:1:2:3:4:567:89ab", "ugly.example.com"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com."
        );
        assert_eq!(
            entry_name(LISTED_V6.into(), "x").unwrap().to_ascii(),
            "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.x."
        );
        let reverse = |ip: &str| reverse_name(ip.parse().unwrap()).unwrap().to_ascii();
        assert_eq!(reverse("::ffff:192.0.2.1"), "1.2.0.192.in-addr.arpa.");
        assert_eq!(
            reverse("4321:0:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa."
        );
    }
}
