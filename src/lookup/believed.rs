//! Whose AD is believed: that a resolver says it has validated an answer is worth
//! something only if nobody can write that on the way (RFC 4035 §3.2.3), and only
//! if it does validate.
//!
//! So it has to be on this machine, or named by whoever runs this; and it has to
//! say AD where everybody who validates does, of the keys of the root.

use crate::dns::{Answer, Name, Question, RecordType};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Loopback addresses at which no resolver listens that validates, but one that
/// hands on what another says: systemd-resolved and Docker.
const STUBS: [Ipv4Addr; 3] =
    [Ipv4Addr::new(127, 0, 0, 53), Ipv4Addr::new(127, 0, 0, 54), Ipv4Addr::new(127, 0, 0, 11)];

/// A resolver whose AD is believed because somebody says so: `ADDR` at any port,
/// or `ADDR:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedAd {
    ip: IpAddr,
    port: Option<u16>,
}

impl TrustedAd {
    fn is(&self, address: SocketAddr) -> bool {
        self.ip == address.ip().to_canonical() && self.port.is_none_or(|port| port == address.port())
    }
}

impl From<SocketAddr> for TrustedAd {
    fn from(address: SocketAddr) -> Self {
        Self { ip: address.ip().to_canonical(), port: Some(address.port()) }
    }
}

impl FromStr for TrustedAd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = text.parse::<SocketAddr>().ok().filter(|address| address.port() > 0).map(Self::from);
        let bare = || text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let any_port = || bare().map(|ip| Self { ip: ip.to_canonical(), port: None });
        whole.or_else(any_port).ok_or_else(|| format!("`{text}` is neither ADDR nor ADDR:PORT"))
    }
}

/// A resolver that is asked, and whether its AD is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedResolver {
    /// Where it is.
    pub address: SocketAddr,
    /// Whether it is believed; `None` as long as nobody has looked whether it
    /// validates.
    pub ad_believed: Option<bool>,
    /// Why.
    pub because: String,
    /// It was believed, and is no longer, for it validates no longer.
    pub stopped_validating: bool,
}

/// Whether the AD of a resolver at `address` may be believed, if it validates;
/// and why, or why not.
pub(super) fn may_be_believed(
    address: SocketAddr,
    trusted: &[TrustedAd],
) -> Result<&'static str, &'static str> {
    if trusted.iter().any(|named| named.is(address)) {
        return Ok("named by --trust-ad");
    }
    match address.ip().to_canonical() {
        IpAddr::V4(ip) if STUBS.contains(&ip) => Err(
            "a stub on this machine, which hands on what another resolver says, and not named by --trust-ad",
        ),
        ip if ip.is_loopback() => Ok("on loopback"),
        _ => Err("not on loopback, and not named by --trust-ad"),
    }
}

/// What every resolver that validates answers with AD.
pub(super) fn proof() -> Question {
    Question::new(Name::root(), RecordType::DNSKEY)
}

/// Whether this answer shows that it validates.
pub(super) fn proves(answer: &Answer) -> bool {
    answer.is_authentic && !answer.records.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ad_is_believed_from_loopback_or_on_somebodys_word() {
        let named: Vec<TrustedAd> = ["192.0.2.1", "192.0.2.2:5353", "127.0.0.53", "[2001:db8::1]"]
            .map(|text| text.parse().unwrap())
            .into();
        for (address, trusted, expected) in [
            ("127.0.0.1:53", &[][..], true),
            ("127.8.9.10:5300", &[], true),
            ("[::1]:53", &[], true),
            ("[::ffff:127.0.0.1]:53", &[], true),
            ("127.0.0.53:53", &[], false),
            ("127.0.0.54:53", &[], false),
            ("127.0.0.11:53", &[], false),
            ("192.0.2.1:53", &[], false),
            ("[2001:db8::1]:53", &[], false),
            ("127.0.0.53:53", &named, true),
            ("127.0.0.54:53", &named, false),
            ("192.0.2.1:53", &named, true),
            ("192.0.2.1:5300", &named, true),
            ("192.0.2.2:53", &named, false),
            ("192.0.2.2:5353", &named, true),
            ("[2001:db8::1]:53", &named, true),
        ] {
            let told = may_be_believed(address.parse().unwrap(), trusted);
            assert_eq!(told.is_ok(), expected, "{address}: {told:?}");
        }
        for odd in ["", "dns.example", "192.0.2.1:0", "192.0.2.1:x", "192.0.2"] {
            assert!(odd.parse::<TrustedAd>().is_err(), "{odd}");
        }
    }
}
