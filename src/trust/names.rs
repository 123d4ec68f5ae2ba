//! Names of a certificate against names of a mail host (RFC 9525 §6).

use crate::model::{Leaf, MxHost, NameStatus, ProbeKey, Subject};

/// The name axis of a leaf for one endpoint of a target. The MX host wins
/// over the domain; for a bare endpoint its own name and address count.
pub fn status(leaf: &Leaf, subject: &Subject, host: Option<&MxHost>) -> NameStatus {
    if host.is_some_and(|host| covers(leaf, host.as_str())) {
        return NameStatus::MxHost;
    }
    match subject {
        Subject::Domain(domain) if covers(leaf, domain.as_str()) => NameStatus::Domain,
        Subject::Endpoint { ip, .. } if leaf.ip_addresses.contains(ip) => NameStatus::MxHost,
        _ => NameStatus::None,
    }
}

/// Which name a leaf carries, of one endpoint without a domain: that which was
/// asked for, or its address where no name was.
pub fn endpoint_status(leaf: &Leaf, key: &ProbeKey) -> NameStatus {
    let named = match &key.sni {
        Some(host) => covers(leaf, host.as_str()),
        None => leaf.ip_addresses.contains(&key.endpoint.ip),
    };
    if named { NameStatus::MxHost } else { NameStatus::None }
}

/// Whether one of the leaf's dNSName entries names this host.
pub fn covers(leaf: &Leaf, host: &str) -> bool {
    leaf.dns_names.iter().any(|presented| matches(presented, host))
}

/// Whether a dNSName, with or without a wildcard, names this host. `*` stands
/// for exactly one whole label, the leftmost (RFC 9525 §6.3).
fn matches(presented: &str, host: &str) -> bool {
    match presented.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && !parent.is_empty() && rest.eq_ignore_ascii_case(parent)
        }),
        None => !host.is_empty() && presented.eq_ignore_ascii_case(host),
    }
}

/// Whether two spellings name the same CA: only letters and digits count, in
/// either case. Microsoft writes `GlobalSign Root CA – R1`.
pub fn same_ca(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let one = plain(one);
    !one.is_empty() && one == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DomainName, Sha256};

    fn leaf(names: &[&str], addresses: &[&str]) -> Leaf {
        Leaf {
            key_algorithm: None,
            sha256: Sha256([0; 32]),
            dns_names: names.iter().map(|name| (*name).into()).collect(),
            common_name: None,
            subject: None,
            thumbprint: [0; 20],
            signed_with_sha1: None,
            ip_addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn wildcards_stand_for_one_whole_label() {
        for (presented, host, expected) in [
            ("mx.example.com", "mx.example.com", true),
            ("MX.Example.com", "mx.example.com", true),
            ("mx.example.com", "mx2.example.com", false),
            ("*.example.com", "mx.example.com", true),
            ("*.example.com", "xn--bcher-kva.example.com", true),
            ("*.example.com", "a.mx.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "mx.example.net", false),
            ("m*.example.com", "mx.example.com", false),
            ("mx.*.com", "mx.example.com", false),
            ("*", "mx", false),
            ("*.", "mx.", false),
            ("", "", false),
        ] {
            assert_eq!(matches(presented, host), expected, "{presented} {host}");
        }
    }

    #[test]
    fn the_mx_host_wins_over_the_domain() {
        let subject = Subject::Domain(DomainName::parse("example.com").unwrap());
        let host = MxHost::new("mx.example.net");
        for (names, expected) in [
            (&["example.com", "mx.example.net"][..], NameStatus::MxHost),
            (&["example.com"], NameStatus::Domain),
            (&["mx2.example.net"], NameStatus::None),
            (&[], NameStatus::None),
        ] {
            assert_eq!(status(&leaf(names, &[]), &subject, Some(&host)), expected, "{names:?}");
        }
    }

    #[test]
    fn addresses_count_for_bare_endpoints_only() {
        let bare = Subject::Endpoint { ip: "192.0.2.1".parse().unwrap(), port: None, name: None };
        let domain = Subject::Domain(DomainName::parse("example.com").unwrap());
        let with_address = leaf(&[], &["192.0.2.1"]);
        assert_eq!(status(&with_address, &bare, None), NameStatus::MxHost);
        assert_eq!(status(&leaf(&[], &["192.0.2.2"]), &bare, None), NameStatus::None);
        assert_eq!(status(&with_address, &domain, None), NameStatus::None);
        let name = MxHost::new("mx.example.com");
        assert_eq!(status(&leaf(&["*.example.com"], &[]), &bare, Some(&name)), NameStatus::MxHost);
    }
}
