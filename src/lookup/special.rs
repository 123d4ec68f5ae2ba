//! Names that the resolver here does not ask for, since they are in no DNS (RFC
//! 6761, RFC 7686). What it says of them is ours, and no answer of the DNS.

use crate::dns::Name;
use crate::model::{Failure, Kind, MxHost, Phase};

/// The last label of such names, and who says that they are not asked for.
/// `.test` and `.example` are asked for like any other (RFC 6761 §6.2, §6.5).
const RULES: [(&str, &str); 3] =
    [("localhost", "RFC 6761 §6.3"), ("invalid", "RFC 6761 §6.4"), ("onion", "RFC 7686 §2")];

/// Names of addresses of this machine backwards, which are not asked for either
/// (RFC 6761 §6.3).
const LOOPBACK_BACKWARDS: [&str; 2] =
    ["127.in-addr.arpa", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"];

/// Why a name is not asked for; `None` where it is.
pub(super) fn failure(name: &Name) -> Option<Failure> {
    let why = why(&MxHost::new(&name.to_ascii()))?;
    Some(Failure::new(Phase::Dns, Kind::SpecialUseName).with_detail(why))
}

/// The same in words.
pub(super) fn why(name: &MxHost) -> Option<String> {
    let below = |zone: &str| {
        name.as_str().strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let rule = RULES.iter().find(|(zone, _)| below(zone));
    let told = |zone: &str, source: &str| format!("names under {zone} are not asked for ({source})");
    match rule {
        Some((zone, source)) => Some(told(&format!(".{zone}"), source)),
        None => LOOPBACK_BACKWARDS.iter().find(|zone| below(zone)).map(|zone| told(zone, "RFC 6761 §6.3")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_in_no_dns_are_told_with_their_source() {
        for (name, source) in [
            ("localhost", Some("RFC 6761 §6.3")),
            ("mx.LocalHost.", Some("RFC 6761 §6.3")),
            ("a.invalid", Some("RFC 6761 §6.4")),
            ("a.onion", Some("RFC 7686 §2")),
            ("1.0.0.127.in-addr.arpa", Some("RFC 6761 §6.3")),
            ("a.test", None),
            ("a.example", None),
            ("a.local", None),
            ("a.alt", None),
            ("notlocalhost", None),
            ("a.invalid.example", None),
            ("", None),
        ] {
            let told = failure(&Name::from_ascii(name).unwrap());
            let detail = told.map(|failure| {
                assert_eq!((failure.phase, failure.kind), (Phase::Dns, Kind::SpecialUseName));
                failure.detail.unwrap_or_default().to_string()
            });
            assert_eq!(detail.is_some(), source.is_some(), "{name}");
            assert!(
                detail.unwrap_or_default().ends_with(&source.map(|it| format!("({it})")).unwrap_or_default())
            );
        }
    }
}
