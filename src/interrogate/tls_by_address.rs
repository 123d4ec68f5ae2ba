//! What each address has said, of TLS and at all, over all names that are asked for
//! there.
//!
//! Several names may lead to one address, and each is asked by itself. But whether
//! TCP opens and STARTTLS is offered there hangs on no name, so what one name
//! brought counts for the others.

use crate::model::{Endpoint, Observation, SaidAtAddress};
use std::collections::HashMap;
use std::net::IpAddr;

/// What was said at every address and port. An entry of IPv4 has eight bytes: a
/// run over millions of hosts keeps as many.
#[derive(Debug, Default)]
pub struct TlsByAddress {
    ipv4: HashMap<[u8; 6], SaidAtAddress>,
    ipv6: HashMap<[u8; 18], SaidAtAddress>,
}

impl TlsByAddress {
    /// Notes what a connection said of TLS.
    pub fn note(&mut self, endpoint: Endpoint, said: SaidAtAddress) {
        if said != SaidAtAddress::default() {
            let noted = self.entry(endpoint);
            *noted = noted.and(said);
        }
    }

    /// Whether a server said anything there.
    pub fn spoke(&self, endpoint: Endpoint) -> bool {
        self.said(endpoint).spoke
    }

    /// Writes down, with what was seen of a key, what its address has said so far.
    pub fn tell(&self, seen: &mut Observation) {
        let SaidAtAddress { tls, refused_temporarily, opened, .. } = self.said(seen.key.endpoint);
        seen.tls_at_address = Some(tls);
        seen.refused_temporarily_at_address = Some(refused_temporarily);
        seen.opened_at_address = Some(opened);
    }

    fn said(&self, Endpoint { ip, port }: Endpoint) -> SaidAtAddress {
        let said = match ip {
            IpAddr::V4(ip) => self.ipv4.get(&joined(ip.octets(), port)),
            IpAddr::V6(ip) => self.ipv6.get(&joined(ip.octets(), port)),
        };
        said.copied().unwrap_or_default()
    }

    fn entry(&mut self, Endpoint { ip, port }: Endpoint) -> &mut SaidAtAddress {
        match ip {
            IpAddr::V4(ip) => self.ipv4.entry(joined(ip.octets(), port)).or_default(),
            IpAddr::V6(ip) => self.ipv6.entry(joined(ip.octets(), port)).or_default(),
        }
    }
}

/// An address of `N` bytes and a port in `M`, which are two more.
fn joined<const N: usize, const M: usize>(ip: [u8; N], port: u16) -> [u8; M] {
    let mut bytes = ip.into_iter().chain(port.to_be_bytes());
    std::array::from_fn(|_| bytes.next().unwrap_or_default())
}
