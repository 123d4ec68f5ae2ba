//! What the client says: four commands, and the name that it gives itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Longest [`EhloName`] in octets: a domain name (RFC 1035 §2.3.4).
pub const EHLO_NAME_BYTES_MAX: usize = 253;
/// Longest label of an [`EhloName`] in octets (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Why a text cannot stand after EHLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EhloNameError {
    /// Nothing, or over [`EHLO_NAME_BYTES_MAX`] octets.
    #[error("an EHLO name has 1 to 253 octets")]
    Length,
    /// An address that is no address literal.
    #[error("an IP address stands in brackets: [192.0.2.1], [IPv6:2001:db8::1] (RFC 5321 section 4.1.3)")]
    Address,
    /// Neither a domain name nor an address literal.
    #[error("an EHLO name is a domain name (mail.example.com) or an address literal ([192.0.2.1])")]
    Syntax,
}

/// The name that a client gives after EHLO and HELO: a domain name or an
/// address literal (RFC 5321 §4.1.1.1, §4.1.3). Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EhloName(Arc<str>);

impl EhloName {
    /// Takes a name as it will be sent.
    ///
    /// # Errors
    /// [`EhloNameError`], also for everything that could end the command line
    /// early: a space, CR, LF or any other control character.
    ///
    /// ```
    /// use mxray::scan::EhloName;
    /// assert!(EhloName::new("scan.example.org").is_ok());
    /// assert!(EhloName::new("[IPv6:2001:db8::1]").is_ok());
    /// assert!(EhloName::new("scan.example.org\r\nQUIT").is_err());
    /// ```
    pub fn new(text: &str) -> Result<Self, EhloNameError> {
        if text.is_empty() || text.len() > EHLO_NAME_BYTES_MAX {
            return Err(EhloNameError::Length);
        }
        if is_address_literal(text) || is_domain(text) {
            return Ok(Self(text.into()));
        }
        Err(if is_address(text) { EhloNameError::Address } else { EhloNameError::Syntax })
    }

    /// The name as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EhloName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for EhloName {
    type Err = EhloNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// Whether somebody means an address, and does not write it as a literal.
fn is_address(text: &str) -> bool {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.get(5..).filter(|_| bare.to_ascii_lowercase().starts_with("ipv6:")).unwrap_or(bare);
    bare.parse::<IpAddr>().is_ok()
}

/// The last label of a domain name is not all digits (RFC 1123 §2.1), which
/// tells it from an address.
fn is_domain(text: &str) -> bool {
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    if text.rsplit_once('.').is_some_and(|(_, last)| is_number(last)) {
        return false;
    }
    text.split('.').all(|label| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

fn is_address_literal(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    match inner.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().is_ok(),
        _ => inner.parse::<Ipv4Addr>().is_ok(),
    }
}

/// One command of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandLine<'a> {
    /// RFC 5321 §4.1.1.1.
    Ehlo(&'a EhloName),
    /// RFC 5321 §4.1.1.1, for servers that refuse EHLO.
    Helo(&'a EhloName),
    /// RFC 3207 §4.
    Starttls,
    /// RFC 5321 §4.1.1.10.
    Quit,
}

impl CommandLine<'_> {
    /// Appends the command line, CRLF included.
    pub fn write(self, line: &mut Vec<u8>) {
        let (verb, name) = match self {
            CommandLine::Ehlo(name) => ("EHLO ", name.as_str()),
            CommandLine::Helo(name) => ("HELO ", name.as_str()),
            CommandLine::Starttls => ("STARTTLS", ""),
            CommandLine::Quit => ("QUIT", ""),
        };
        line.extend_from_slice(verb.as_bytes());
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fit_are_taken_as_they_are() {
        for name in [
            "mx.example.com",
            "localhost",
            "xn--bcher-kva.example",
            "[192.0.2.1]",
            "[IPv6:::1]",
            "[ipv6:::1]",
        ] {
            assert_eq!(EhloName::new(name).map(|n| n.to_string()), Ok(name.to_string()));
        }
    }

    #[test]
    fn names_that_would_break_the_line_are_refused() {
        let long = format!("{}.example", "a.".repeat(130));
        for (name, expected) in [
            ("", EhloNameError::Length),
            (long.as_str(), EhloNameError::Length),
            ("a b", EhloNameError::Syntax),
            ("a\r\nQUIT", EhloNameError::Syntax),
            ("a\n", EhloNameError::Syntax),
            ("a..b", EhloNameError::Syntax),
            ("-a.example", EhloNameError::Syntax),
            ("bücher.example", EhloNameError::Syntax),
            ("[]", EhloNameError::Syntax),
            ("[é:::]", EhloNameError::Syntax),
            ("[192.0.2.1", EhloNameError::Address),
            ("[IPv6:192.0.2.1]", EhloNameError::Address),
            ("[2001:db8::1]", EhloNameError::Address),
            ("192.0.2.1", EhloNameError::Address),
            ("2001:db8::1", EhloNameError::Address),
            ("127.1", EhloNameError::Syntax),
        ] {
            assert_eq!(EhloName::new(name), Err(expected), "{name}");
        }
    }

    #[test]
    fn commands_end_in_crlf() {
        let name = EhloName::new("a.example").unwrap();
        for (command, expected) in [
            (CommandLine::Ehlo(&name), "EHLO a.example\r\n"),
            (CommandLine::Helo(&name), "HELO a.example\r\n"),
            (CommandLine::Starttls, "STARTTLS\r\n"),
            (CommandLine::Quit, "QUIT\r\n"),
        ] {
            let mut line = Vec::new();
            command.write(&mut line);
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }
}
