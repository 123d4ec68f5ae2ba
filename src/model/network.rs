//! Which addresses belong together.

use std::net::{IpAddr, Ipv6Addr};

/// The network that an address counts for: its /24 of IPv4, its /48 of IPv6.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            [a, b, c, 0].into()
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.254", true),
            ("192.0.2.1", "192.0.3.1", false),
            ("2001:db8:1::1", "2001:db8:1:ffff::", true),
            ("2001:db8:1::1", "2001:db8:2::1", false),
        ] {
            let [one, other] = [one, other].map(|ip| network(ip.parse().unwrap()));
            assert_eq!(one == other, same, "{one} {other}");
        }
    }
}
