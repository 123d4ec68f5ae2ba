//! The name that a connector expects against the names on a certificate.
//!
//! Other than on the `pkix` axis, the subject's common name counts beside any
//! subject alternative name (Microsoft, New-OutboundConnector).

use crate::model::{DomainName, Leaf, TlsDomain};
use std::fmt;

/// The name that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceIdentifier<'a> {
    /// The connector's TlsDomain.
    Agreed(&'a TlsDomain),
    /// The recipient's domain, where no TlsDomain says otherwise. For
    /// connectors of the cloud this is an assumption: it is published for
    /// Set-SendConnector on premises only.
    Recipient(&'a DomainName),
}

impl fmt::Display for ReferenceIdentifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReferenceIdentifier::Agreed(tls_domain) => tls_domain.fmt(f),
            ReferenceIdentifier::Recipient(domain) => domain.fmt(f),
        }
    }
}

/// Whether a leaf bears the expected name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bears {
    /// None of its names is that one.
    No,
    /// One is, but only by a wildcard over a public suffix (`*.com`). Microsoft
    /// does not say what becomes of those, RFC 9525 §7.1 leaves it open, and
    /// clients differ.
    BySuffix,
    /// A name on the leaf is the one that is expected.
    Yes,
}

/// Whether one of the leaf's names is the expected one.
pub fn bears(leaf: &Leaf, expected: ReferenceIdentifier<'_>, wildcard_covers_apex: bool) -> Bears {
    let presented = leaf.common_name.iter().chain(leaf.dns_names.iter());
    let each = presented.map(|name| match expected {
        ReferenceIdentifier::Recipient(domain) | ReferenceIdentifier::Agreed(TlsDomain::Exact(domain)) => {
            is_name(name, domain.as_str(), wildcard_covers_apex)
        }
        ReferenceIdentifier::Agreed(TlsDomain::Below(parent)) => is_below(name, parent),
    });
    each.max().unwrap_or(Bears::No)
}

/// Names that a wildcard over `parent` stands for, if it does.
fn by_wildcard(stands: bool, parent: &str) -> Bears {
    match stands {
        false => Bears::No,
        true if is_public_suffix(parent) => Bears::BySuffix,
        true => Bears::Yes,
    }
}

/// Whether everybody may register names below this one: a suffix of a
/// registry, or only one label. Suffixes of private parties
/// (`azurewebsites.net`) have certificates of their own.
fn is_public_suffix(parent: &str) -> bool {
    let lower = parent.to_ascii_lowercase();
    psl::suffix(lower.as_bytes()).is_some_and(|suffix| {
        suffix.as_bytes() == lower.as_bytes() && suffix.typ() != Some(psl::Type::Private)
    })
}

/// Whether a presented name is `expected`. A wildcard on the certificate
/// stands for exactly one label (RFC 9525 §6.3), and for none where the sender
/// takes it for the apex, too.
fn is_name(presented: &str, expected: &str, wildcard_covers_apex: bool) -> Bears {
    match presented.strip_prefix("*.") {
        Some(parent) => {
            let child = expected.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent));
            let apex = wildcard_covers_apex && expected.eq_ignore_ascii_case(parent);
            by_wildcard(child || apex, parent)
        }
        None if presented.eq_ignore_ascii_case(expected) => Bears::Yes,
        None => Bears::No,
    }
}

/// Whether a presented name, wildcard or not, is below `parent` at any depth.
/// The parent itself is not ("all subdomains", New-OutboundConnector).
fn is_below(presented: &str, parent: &str) -> Bears {
    let Some(split) = presented.len().checked_sub(parent.len() + 1) else { return Bears::No };
    let (Some(head), Some(tail)) = (presented.get(..split), presented.get(split + 1..)) else {
        return Bears::No;
    };
    let dotted = presented.as_bytes().get(split) == Some(&b'.');
    let is_below = dotted && !head.is_empty() && !head.contains(' ') && tail.eq_ignore_ascii_case(parent);
    by_wildcard(is_below, parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sha256;

    fn leaf(common_name: &str, names: &[&str]) -> Leaf {
        Leaf {
            sha256: Sha256([0; 32]),
            dns_names: names.iter().map(|name| (*name).into()).collect(),
            ip_addresses: Box::new([]),
            common_name: (!common_name.is_empty()).then(|| common_name.into()),
            subject: None,
            key_algorithm: None,
            thumbprint: [0; 20],
            signed_with_sha1: Some(false),
        }
    }

    #[test]
    fn any_name_or_the_common_name_may_be_the_expected_one() {
        for (common_name, names, expected, passes) in [
            ("contoso.com", &[] as &[&str], "contoso.com", true),
            ("Contoso.COM", &["mx.example.net"], "contoso.com", true),
            ("mx.example.net", &["mx1.example.net", "contoso.com"], "contoso.com", true),
            ("mx.contoso.com", &[], "contoso.com", false),
            ("", &[], "contoso.com", false),
            ("Contoso mail", &[], "*.contoso.com", false),
            ("*.contoso.com", &[], "mail.contoso.com", true),
            ("*.contoso.com", &[], "a.mail.contoso.com", false),
            ("mail.contoso.com", &[], "*.contoso.com", true),
            ("a.b.contoso.com", &[], "*.contoso.com", true),
            ("*.contoso.com", &[], "*.contoso.com", true),
            ("*.mail.contoso.com", &[], "*.contoso.com", true),
            ("contoso.com", &[], "*.contoso.com", false),
            ("xcontoso.com", &[], "*.contoso.com", false),
            (".contoso.com", &[], "*.contoso.com", false),
            ("é.contoso.com", &[], "*.xcontoso.com", false),
            ("mail.contoso.net", &["MAIL.Contoso.com"], "*.contoso.com", true),
        ] {
            let tls_domain = TlsDomain::parse(expected).unwrap();
            let found = bears(&leaf(common_name, names), ReferenceIdentifier::Agreed(&tls_domain), false);
            let passes = if passes { Bears::Yes } else { Bears::No };
            assert_eq!(found, passes, "{common_name} {names:?} {expected}");
        }
    }

    #[test]
    fn a_wildcard_over_a_public_suffix_is_nobodys_rule() {
        use Bears::{BySuffix, No, Yes};
        for (names, expected, found) in [
            (&["*.t"][..], "n06.t", BySuffix),
            (&["*.com"], "contoso.com", BySuffix),
            (&["*.COM"], "contoso.com", BySuffix),
            (&["*.com", "contoso.com"], "contoso.com", Yes),
            (&["*.co.uk"], "contoso.co.uk", BySuffix),
            (&["*.com"], "mail.contoso.com", No),
            (&["*.com"], "*.contoso.com", No),
            (&["*.azurewebsites.net"], "contoso.azurewebsites.net", Yes),
            (&["*.contoso.co.uk"], "mail.contoso.co.uk", Yes),
            // The same on the connector's side.
            (&["mail.contoso.com"], "*.com", BySuffix),
            (&["mail.contoso.co.uk"], "*.co.uk", BySuffix),
            (&["*.contoso.com"], "*.com", BySuffix),
            (&["mail.contoso.net"], "*.com", No),
            (&["*"], "*.t", No),
        ] {
            let tls_domain = TlsDomain::parse(expected).unwrap();
            let told = bears(&leaf("", names), ReferenceIdentifier::Agreed(&tls_domain), true);
            assert_eq!(told, found, "{names:?} {expected}");
        }
    }

    #[test]
    fn whether_a_wildcard_covers_the_apex_is_the_senders_business() {
        let domain = DomainName::parse("contoso.com").unwrap();
        for covers in [false, true] {
            let found = bears(&leaf("", &["*.contoso.com"]), ReferenceIdentifier::Recipient(&domain), covers);
            assert_eq!(found, if covers { Bears::Yes } else { Bears::No });
        }
    }
}
