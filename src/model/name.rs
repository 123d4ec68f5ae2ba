//! Names, parsed once at the edge and never a bare `String` again.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Longest domain name in octets, without the trailing dot (RFC 1035 §2.3.4:
/// 255 octets on the wire are 253 in text).
pub const NAME_BYTES_MAX: usize = 253;
/// Longest label in octets (RFC 1035 §2.3.4).
pub const LABEL_BYTES_MAX: usize = 63;

/// Why a text is not a mail domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing is left once blanks and the trailing dot are gone.
    #[error("empty")]
    Empty,
    /// Over [`NAME_BYTES_MAX`] octets.
    #[error("longer than 253 octets")]
    TooLong,
    /// A label that is empty or over [`LABEL_BYTES_MAX`] octets.
    #[error("a label is empty or longer than 63 octets")]
    BadLabel,
    /// A character outside letters, digits and inner hyphens (RFC 5321 §2.3.5).
    #[error("a character that is not allowed in a domain name")]
    BadCharacter,
    /// One label only: a host on the local net, not a mail domain.
    #[error("only one label")]
    SingleLabel,
    /// An IP address where a name was expected.
    #[error("an IP address, not a domain")]
    Address,
    /// The last label is a number, which no top-level domain is (RFC 1123 §2.1).
    #[error("ends in a number, as IP addresses do; not a domain")]
    EndsInNumber,
    /// A mail address where its domain was expected.
    #[error("a mail address, not a domain")]
    MailAddress,
    /// A URL where a name was expected.
    #[error("a URL, not a domain")]
    Url,
    /// Not convertible to A-labels (UTS 46).
    #[error("not a valid internationalised name")]
    Idna,
}

/// A mail domain: lower case, A-labels, no trailing dot, at least two labels.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(Arc<str>);

impl DomainName {
    /// Reads one name as people write them: any case, with or without the
    /// trailing dot, in Unicode or A-labels.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with the text.
    ///
    /// ```
    /// use mxray::DomainName;
    /// assert_eq!(DomainName::parse("Bücher.Example.").unwrap().as_str(), "xn--bcher-kva.example");
    /// assert!(DomainName::parse("192.0.2.1").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        reject_lookalikes(text)?;
        let bare = text.strip_suffix('.').unwrap_or(text);
        if bare.is_empty() {
            return Err(NameError::Empty);
        }
        let ascii = to_a_labels(bare)?;
        // The dot at the end may be one that is mapped to it (UTS 46), but not a
        // second one.
        let dotless = ascii.strip_suffix('.').filter(|_| bare.len() == text.len());
        let ascii = dotless.unwrap_or(&ascii);
        check_labels(ascii)?;
        Ok(Self(ascii.into()))
    }

    /// The name in lower-case A-labels without the trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn reject_lookalikes(text: &str) -> Result<(), NameError> {
    if text.contains("://") {
        return Err(NameError::Url);
    }
    if text.contains('@') {
        return Err(NameError::MailAddress);
    }
    let bracketless = text.trim_start_matches('[').trim_end_matches(']');
    if bracketless.parse::<IpAddr>().is_ok() {
        return Err(NameError::Address);
    }
    Ok(())
}

fn to_a_labels(bare: &str) -> Result<String, NameError> {
    if bare.len() > 4 * NAME_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    if bare.is_ascii() {
        if bare.bytes().any(|b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'.')) {
            return Err(NameError::BadCharacter);
        }
        let lower = bare.to_ascii_lowercase();
        if !lower.split('.').any(|label| label.starts_with("xn--")) {
            return Ok(lower);
        }
    }
    idna::domain_to_ascii_cow(bare.as_bytes(), idna::AsciiDenyList::STD3)
        .map(|name| name.into_owned())
        .map_err(|_| NameError::Idna)
}

fn check_labels(ascii: &str) -> Result<(), NameError> {
    if ascii.is_empty() {
        return Err(NameError::Empty);
    }
    if ascii.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    let mut labels = 0;
    for label in ascii.split('.') {
        labels += 1;
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return Err(NameError::BadLabel);
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(NameError::BadCharacter);
        }
    }
    if labels < 2 {
        return Err(NameError::SingleLabel);
    }
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NameError::EndsInNumber);
    }
    Ok(())
}

/// The registrable domain of a name (Public Suffix List); the name itself where
/// it has none, as an address or a public suffix, and `None` for the root.
pub fn registrable(name: &str) -> Option<&str> {
    let registrable = psl::domain_str(name).filter(|_| name.parse::<IpAddr>().is_err());
    Some(registrable.unwrap_or(name)).filter(|name| !name.is_empty())
}

/// The name that an MX record (or an endpoint list) gives for a host: lower
/// case, no trailing dot. Not checked for being usable, because what the DNS
/// says is evidence: see [`MxHost::is_usable`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MxHost(Arc<str>);

impl MxHost {
    /// Takes a name in presentation form as it is, but for case and the
    /// trailing dot.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        Self(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase().into())
    }

    /// The name without the trailing dot; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Who runs the host, by its registrable domain (Public Suffix List); the
    /// name itself where it has none, as an address or a public suffix, and
    /// `None` for the root.
    pub fn operator(&self) -> Option<&str> {
        registrable(self.as_str())
    }

    /// Whether the name is the root, which in an MX record of preference 0
    /// that stands alone means "no mail" (RFC 7505 §3).
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a sender can look this up and connect: a host name of letters,
    /// digits, hyphens and (seen in practice) underscores that is neither an
    /// IP address (RFC 5321 §5.1) nor `localhost` (RFC 6761 §6.3).
    pub fn is_usable(&self) -> bool {
        let name = self.as_str();
        let host_like = name.len() <= NAME_BYTES_MAX
            && name.split('.').all(|label| {
                (1..=LABEL_BYTES_MAX).contains(&label.len())
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            });
        let local = name == "localhost" || name.ends_with(".localhost");
        host_like && !local && name.parse::<IpAddr>().is_err()
    }
}

impl From<&DomainName> for MxHost {
    /// A domain as its own mail host (implicit MX, RFC 5321 §5.1).
    fn from(domain: &DomainName) -> Self {
        Self(domain.0.clone())
    }
}

macro_rules! text_like {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
text_like!(DomainName);
text_like!(MxHost);

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| D::Error::custom(format_args!("no domain `{text}`: {error}")))
    }
}

impl<'de> Deserialize<'de> for MxHost {
    /// Takes the name as it was written down: to normalise it once more would
    /// alter one that ends in two dots.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(D::Error::custom(format_args!("no host name as mxray writes them: `{text}`")));
        }
        Ok(Self((*text).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        for (given, expected) in [
            ("Example.COM", "example.com"),
            (" example.com. ", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("例え.テスト\u{3002}", "xn--r8jz45g.xn--zckzah"),
            ("a-b.c-d.example", "a-b.c-d.example"),
        ] {
            assert_eq!(DomainName::parse(given).map(|d| d.to_string()), Ok(expected.to_string()));
        }
    }

    #[test]
    fn hosts_are_run_by_their_registrable_domain() {
        for (host, operator) in [
            ("mx1.example.com", Some("example.com")),
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("example.com", Some("example.com")),
            ("co.uk", Some("co.uk")),
            ("localhost", Some("localhost")),
            ("192.0.2.1", Some("192.0.2.1")),
            (".", None),
        ] {
            assert_eq!(MxHost::new(host).operator(), operator, "{host}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused_with_its_cause() {
        let long = format!("{}.example", "a.".repeat(130));
        let long_label = format!("{}.example", "a".repeat(64));
        for (given, expected) in [
            ("", NameError::Empty),
            (".", NameError::Empty),
            ("a..b", NameError::BadLabel),
            ("a.example..", NameError::BadLabel),
            ("a.example\u{3002}.", NameError::BadLabel),
            (long_label.as_str(), NameError::BadLabel),
            (long.as_str(), NameError::TooLong),
            ("-a.example", NameError::BadCharacter),
            ("a_b.example", NameError::BadCharacter),
            ("a b.example", NameError::BadCharacter),
            ("localhost", NameError::SingleLabel),
            ("192.0.2.1", NameError::Address),
            ("[2001:db8::1]", NameError::Address),
            ("1.2.3.4.5", NameError::EndsInNumber),
            ("user@example.com", NameError::MailAddress),
            ("https://example.com/", NameError::Url),
            ("xn--a.example", NameError::Idna),
        ] {
            assert_eq!(DomainName::parse(given), Err(expected), "{given}");
        }
    }

    #[test]
    fn unusable_mx_hosts_are_told_apart() {
        for usable in ["mx.example.com", "mx_1.example.com", "MX.Example.com."] {
            assert!(MxHost::new(usable).is_usable(), "{usable}");
        }
        for unusable in ["", ".", "localhost", "mx.localhost.", "192.0.2.1", "2001:db8::1", "a b.c"] {
            assert!(!MxHost::new(unusable).is_usable(), "{unusable}");
        }
        assert!(MxHost::new(".").is_root());
    }
}
