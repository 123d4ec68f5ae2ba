//! The one target of a command, as a person names it.

use super::UsageError;
use crate::model::{DomainName, NameError};
use std::net::{IpAddr, SocketAddr};

/// What the person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeTarget {
    /// A mail domain: its MX are probed.
    Domain(DomainName),
    /// A host at a port: its addresses are probed, no MX is asked for.
    Host(DomainName, u16),
    /// An address, and the port where one was named.
    Address(IpAddr, Option<u16>),
}

impl ProbeTarget {
    /// Reads `DOMAIN`, `HOST:PORT` or `IP[:PORT]`.
    ///
    /// # Errors
    /// [`UsageError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        let told =
            |error: String| UsageError(format!("`{text}`: {error}; try a DOMAIN, HOST:PORT or IP[:PORT]"));
        let no_port = || told("no port between 1 and 65535".into());
        if let Ok(address) = text.parse::<SocketAddr>() {
            let port = Some(address.port()).filter(|port| *port > 0).ok_or_else(no_port)?;
            return Ok(ProbeTarget::Address(address.ip().to_canonical(), Some(port)));
        }
        let in_brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Ok(ip) = in_brackets.unwrap_or(text).parse::<IpAddr>() {
            return Ok(ProbeTarget::Address(ip.to_canonical(), None));
        }
        // Their colons are none before a port.
        if let Err(error @ (NameError::Url | NameError::MailAddress)) = DomainName::parse(text) {
            return Err(told(error.to_string()));
        }
        if let Some((host, port)) = text.rsplit_once(':') {
            let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(no_port)?;
            let host = DomainName::parse(host).map_err(|error| told(error.to_string()))?;
            return Ok(ProbeTarget::Host(host, port));
        }
        DomainName::parse(text).map(ProbeTarget::Domain).map_err(|error| told(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart() {
        let host = |name: &str, port| ProbeTarget::Host(DomainName::parse(name).unwrap(), port);
        for (text, expected) in [
            ("Example.com", ProbeTarget::Domain(DomainName::parse("example.com").unwrap())),
            ("mx.example.com:2525", host("mx.example.com", 2525)),
            ("192.0.2.1", ProbeTarget::Address("192.0.2.1".parse().unwrap(), None)),
            ("::ffff:192.0.2.1", ProbeTarget::Address("192.0.2.1".parse().unwrap(), None)),
            ("[::ffff:192.0.2.1]:26", ProbeTarget::Address("192.0.2.1".parse().unwrap(), Some(26))),
            ("192.0.2.1:26", ProbeTarget::Address("192.0.2.1".parse().unwrap(), Some(26))),
            ("2001:db8::1", ProbeTarget::Address("2001:db8::1".parse().unwrap(), None)),
            ("[2001:db8::1]", ProbeTarget::Address("2001:db8::1".parse().unwrap(), None)),
            ("[2001:db8::1]:26", ProbeTarget::Address("2001:db8::1".parse().unwrap(), Some(26))),
        ] {
            assert_eq!(ProbeTarget::parse(text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            ProbeTarget::parse("[2001:db8::1]").unwrap(),
            ProbeTarget::Address("2001:db8::1".parse().unwrap(), None)
        );
        for text in [
            "[::1",
            "::1]",
            "[[::1]]",
            "[127.0.0.1",
            "",
            "a b.example",
            "mx.example.com:http",
            "user@example.com",
        ] {
            assert!(ProbeTarget::parse(text).is_err(), "{text}");
        }
        for (text, cause) in [
            ("192.0.2.300", "ends in a number, as IP addresses do; not a domain"),
            ("https://example.com", "a URL, not a domain"),
            ("mailto:bob@example.com", "a mail address, not a domain"),
        ] {
            let told = ProbeTarget::parse(text).unwrap_err().to_string();
            assert_eq!(told, format!("`{text}`: {cause}; try a DOMAIN, HOST:PORT or IP[:PORT]"));
        }
        for text in ["mx.example.com:0", "192.0.2.1:0", "[2001:db8::1]:0"] {
            let told = ProbeTarget::parse(text).unwrap_err().to_string();
            assert!(told.contains("no port between 1 and 65535"), "{told}");
        }
    }
}
