//! Whether this machine has a way to an address, as far as its own routes
//! tell. Nothing is sent: a UDP socket that is connected only has its route
//! looked up.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::OnceLock;

/// Any port: no datagram goes there.
const PORT: u16 = 25;

/// Addresses that are on the public internet and stay there: those of
/// k.root-servers.net.
const PUBLIC_V4: Ipv4Addr = Ipv4Addr::new(193, 0, 14, 129);
const PUBLIC_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0x07fd, 0, 0, 0, 0, 0, 1);

/// "Address family not supported by protocol", for which the standard library
/// has no name: the system was started without the family.
#[cfg(target_os = "linux")]
const EAFNOSUPPORT: i32 = 97;
#[cfg(not(target_os = "linux"))]
const EAFNOSUPPORT: i32 = 47;

/// Whether there is a route to the address. Where that cannot be found out
/// there is taken to be one.
pub(super) fn has_route(ip: IpAddr) -> bool {
    let any: IpAddr = if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let connected = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((ip, PORT)));
    !connected.is_err_and(|error| says_no_route(&error))
}

/// Whether there was a way out over the address's family when this was first asked
/// (a probe does that as it is made), and now there is none: the network of this
/// machine is down. A network that alone has no route is none of that.
pub(super) fn has_lost_its_way(ip: IpAddr) -> bool {
    static AT_FIRST: OnceLock<[bool; 4]> = OnceLock::new();
    let ways = [PUBLIC_V4.into(), PUBLIC_V6.into(), Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let at_first = AT_FIRST.get_or_init(|| ways.map(has_route));
    let place = usize::from(ip.is_ipv6()) + if ip.is_loopback() { 2 } else { 0 };
    let pair = at_first.get(place).zip(ways.get(place));
    pair.is_some_and(|(had, way)| *had && !has_route(*way))
}

/// Whether there is a route to the public internet over each family, IPv4
/// first; with `loopback`, one to this machine itself is enough.
pub fn families_with_route(loopback: bool) -> (bool, bool) {
    let any = |public: IpAddr, own: IpAddr| has_route(public) || (loopback && has_route(own));
    (any(PUBLIC_V4.into(), Ipv4Addr::LOCALHOST.into()), any(PUBLIC_V6.into(), Ipv6Addr::LOCALHOST.into()))
}

/// The addresses from which this machine would connect to the public internet, one
/// of each family over which it has a route. Behind address translation others see
/// another one.
pub fn source_addresses() -> Vec<IpAddr> {
    let source = |public: IpAddr| {
        let any: IpAddr =
            if public.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((public, PORT)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    [PUBLIC_V4.into(), PUBLIC_V6.into()].into_iter().filter_map(source).collect()
}

/// No port is missing here, so an address that is not available is the one to
/// send from.
fn says_no_route(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::NetworkUnreachable,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkDown,
        ErrorKind::AddrNotAvailable,
    ];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(EAFNOSUPPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_way_to_itself() {
        assert!(has_route(Ipv4Addr::LOCALHOST.into()));
        assert!(families_with_route(true).0);
        assert!(!has_lost_its_way(Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn no_descriptor_is_no_missing_route() {
        for (error, missing) in [
            (ErrorKind::NetworkUnreachable.into(), true),
            (ErrorKind::AddrNotAvailable.into(), true),
            (io::Error::from_raw_os_error(EAFNOSUPPORT), true),
            (ErrorKind::PermissionDenied.into(), false),
            // EMFILE
            (io::Error::from_raw_os_error(24), false),
        ] {
            assert_eq!(says_no_route(&error), missing, "{error}");
        }
    }
}
