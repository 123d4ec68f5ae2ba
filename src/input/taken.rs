//! Mail addresses and URLs that stand where a domain was expected. Their
//! domain is taken, and the rest is written nowhere: the local part of an
//! address is a person's.

use crate::model::{DomainName, NameError};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a domain was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DomainSource {
    /// It stood there as such.
    Plain,
    /// A URL (RFC 3986 §3).
    Url,
    /// A mail address (RFC 5321 §4.1.2), bare, behind `mailto:` or `smtp:`, or
    /// in angle brackets behind a name.
    MailAddress,
}

/// How many domains were taken from what.
#[derive(Debug, Default)]
pub struct TakenCounts {
    urls: AtomicU64,
    mail_addresses: AtomicU64,
}

impl TakenCounts {
    pub(super) fn add(&self, source: DomainSource) {
        let counter = match source {
            DomainSource::Plain => return,
            DomainSource::Url => &self.urls,
            DomainSource::MailAddress => &self.mail_addresses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Domains taken from URLs so far.
    pub fn urls(&self) -> u64 {
        self.urls.load(Ordering::Relaxed)
    }

    /// Domains taken from mail addresses so far.
    pub fn mail_addresses(&self) -> u64 {
        self.mail_addresses.load(Ordering::Relaxed)
    }
}

/// The domain that a text names, and what it was taken from.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn domain(text: &str) -> Result<(DomainName, DomainSource), String> {
    let text = text.trim();
    let (name, source) = if let Some(host) = host_of_url(text) {
        (host, DomainSource::Url)
    } else if let Some(domain) = domain_of_address(text) {
        (domain, DomainSource::MailAddress)
    } else {
        (text, DomainSource::Plain)
    };
    DomainName::parse(name).map(|domain| (domain, source)).map_err(|error| cause(error, source))
}

/// What is wrong with a name, told so that a person sees of what part of the
/// line it is.
fn cause(error: NameError, source: DomainSource) -> String {
    match (source, error) {
        (DomainSource::MailAddress, _) => format!("the part of a mail address behind @: {error}"),
        (DomainSource::Url, _) => format!("the host of a URL: {error}"),
        (DomainSource::Plain, NameError::MailAddress) => {
            "not one complete mail address, NAME@DOMAIN".to_string()
        }
        (DomainSource::Plain, NameError::Url) => "not one complete URL".to_string(),
        (DomainSource::Plain, NameError::Address) => {
            format!("{error} (--input endpoints is for lists of IP addresses)")
        }
        (DomainSource::Plain, _) => error.to_string(),
    }
}

/// The host of a URL with `//` before it, or of one without a scheme that has
/// a path: without user information and port.
fn host_of_url(text: &str) -> Option<&str> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let behind = match text.split_once("://") {
        Some((scheme, behind)) => is_scheme(scheme).then_some(behind)?,
        // The local part of an address may have slashes, too.
        None => (text.contains('/') && !text.contains('@')).then_some(text)?,
    };
    let authority = behind.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    Some(bare.map_or(host, |(host, _)| host))
}

/// RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The domain of one mail address; `None` where there is none, or several.
fn domain_of_address(text: &str) -> Option<&str> {
    let text = match text.split_once('<') {
        Some((_, behind)) => behind.strip_suffix('>')?,
        None => text,
    };
    let bare = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(MAILTO) => rest.split('?').next()?,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(PROXY_ADDRESS) => rest,
        _ => text,
    };
    let (local, domain) = bare.rsplit_once('@')?;
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    let dots = |character: char| {
        character.is_whitespace() || character.is_control() || "@,;:<>()[]/\\\"".contains(character)
    };
    (quoted || !(local.is_empty() || local.contains(dots))).then_some(domain)
}

/// RFC 6068.
const MAILTO: &str = "mailto";

/// Before a mail address in Exchange's lists of addresses.
const PROXY_ADDRESS: &str = "smtp";

/// Forms by which an address is known, in lower case: the sign itself, what
/// URLs and HTML write for it, the characters that are mapped to it (UTS 46),
/// and what stands in its place where mail is routed by hand (RFC 1123 §5.2.16).
const SIGNS: [&str; 11] =
    ["@", "%", "%40", "%2540", "=40", "\u{ff20}", "\u{fe6b}", "&#64;", "&#x40;", "&commat;", "\\u0040"];

/// The word for it, as people write it against those who gather addresses.
const WORD: &str = "at";

/// Stands for what may be a local part.
pub(super) const HIDDEN: &str = "…";

/// A text of which no local part of a mail address is left: all that stands
/// before the last sign of one. Of a text that was cut nothing is left: the
/// sign may have stood behind.
pub(super) fn without_local_parts(text: &str, cut: bool) -> String {
    match text.get(end_of_last_sign(text)..) {
        _ if cut => HIDDEN.to_string(),
        Some(behind) if behind.len() == text.len() => text.to_string(),
        Some(behind) => format!("{HIDDEN}@{behind}"),
        None => HIDDEN.to_string(),
    }
}

/// Whether the local part of an address in `line` is in `text`.
pub(super) fn has_local_part_of(text: &str, line: &str) -> bool {
    let mut parts = line.split('@').peekable();
    let mut found = false;
    while let Some(part) = parts.next() {
        let local = part.rsplit(ends_local_part).find(|local| !local.is_empty());
        // Behind the last sign there is none.
        found |= parts.peek().is_some() && local.is_some_and(|local| has_word(text, local));
    }
    found
}

fn has_word(text: &str, word: &str) -> bool {
    let ends = |character| character == '@' || ends_local_part(character);
    text.split(ends).any(|part| part.eq_ignore_ascii_case(word))
}

/// What a local part without quotes has not in it, or what most likely is the
/// separator of a list.
fn ends_local_part(character: char) -> bool {
    character.is_whitespace() || character.is_control() || ",;:<>()[]\\\"|".contains(character)
}

/// Where the last sign ends; 0 where there is none.
fn end_of_last_sign(text: &str) -> usize {
    // Of the same length, byte by byte.
    let lower = text.to_ascii_lowercase();
    let signs = SIGNS.iter().filter_map(|sign| Some(lower.rfind(sign)? + sign.len()));
    let words = lower.match_indices(WORD).filter_map(|(at, _)| end_of_word(&lower, at));
    signs.chain(words).max().unwrap_or(0)
}

/// Where the sign ends whose word begins at `at`: it stands apart from what is
/// around it, by blanks or in brackets of whatever kind.
fn end_of_word(text: &str, at: usize) -> Option<usize> {
    let (before, behind) = (text.get(..at)?, text.get(at + WORD.len()..)?);
    let local = before.trim_end_matches(stands_apart);
    let domain = behind.trim_start_matches(stands_apart);
    let apart = local.len() < before.len() && domain.len() < behind.len();
    (apart && !local.is_empty() && !domain.is_empty()).then(|| text.len() - domain.len())
}

/// What people put around the word: all that no name has in it.
fn stands_apart(character: char) -> bool {
    !character.is_alphanumeric() && !".\"'\\/".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_taken_of_what_has_one() {
        for (text, name, source) in [
            ("a.example", "a.example", DomainSource::Plain),
            ("bob@a.example", "a.example", DomainSource::MailAddress),
            ("Bob <bob@b.example>", "b.example", DomainSource::MailAddress),
            ("\"x@y\" <bob@b.example>", "b.example", DomainSource::MailAddress),
            ("MAILTO:bob@a.example?subject=x@y", "a.example", DomainSource::MailAddress),
            ("SMTP:bob@a.example", "a.example", DomainSource::MailAddress),
            ("\"bob smith@x\"@a.example", "a.example", DomainSource::MailAddress),
            ("bob+tag@B\u{fc}cher.example.", "xn--bcher-kva.example", DomainSource::MailAddress),
            ("https://c.example/x", "c.example", DomainSource::Url),
            ("HTTP://bob:pw@C.example:8080?q=a@b#f", "c.example", DomainSource::Url),
            ("https://c.example", "c.example", DomainSource::Url),
            ("c.example/", "c.example", DomainSource::Url),
            ("www.c.example/path?x=1", "www.c.example", DomainSource::Url),
        ] {
            let expected = (DomainName::parse(name).unwrap(), source);
            assert_eq!(domain(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_is_not_taken() {
        for text in [
            "bob@a.example, eve@b.example",
            "bob@a.example eve@b.example",
            "bob eve@b.example",
            "@a.example",
            "bob@",
            // A path, or a local part with a slash in it.
            "c.example/?from=bob@a.example",
            "https://c.example/x y",
            "bob@localhost",
            "bob@[192.0.2.1]",
            "Bob <bob@b.example> x",
            "https://192.0.2.1/x",
            "https://[2001:db8::1]/x",
            "https:///x",
            "1://c.example",
            "192.0.2.0/31",
            "c.example:25",
            "*.d.example",
        ] {
            assert!(domain(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_cause_says_which_part_is_wrong() {
        for (text, expected) in [
            ("bob@localhost", "the part of a mail address behind @: only one label"),
            ("bob@", "the part of a mail address behind @: empty"),
            ("bob@192.0.2.1", "the part of a mail address behind @: an IP address, not a domain"),
            ("@a.example", "not one complete mail address, NAME@DOMAIN"),
            ("bob@a.example, eve@b.example", "not one complete mail address, NAME@DOMAIN"),
            ("https://192.0.2.1/x", "the host of a URL: an IP address, not a domain"),
            ("https://c.example/x y", "not one complete URL"),
            ("192.0.2.1", "an IP address, not a domain (--input endpoints is for lists of IP addresses)"),
            ("localhost", "only one label"),
        ] {
            assert_eq!(domain(text), Err(expected.to_string()), "{text}");
        }
    }

    #[test]
    fn no_local_part_is_left() {
        for (text, expected) in [
            ("a b.example", "a b.example"),
            ("bob@a..example", "…@a..example"),
            ("bob@a.example, eve@b.example", "…@b.example"),
            ("\"bob smith\"@[192.0.2.1]", "…@[192.0.2.1]"),
            ("x%40a.example", "…@a.example"),
            ("bob\u{ff20}a.example", "…@a.example"),
            ("secret(at)d.example", "…@d.example"),
            ("secret (AT) d.example", "…@d.example"),
            ("secret at d.example", "…@d.example"),
            ("secret\tat\td.example", "…@d.example"),
            ("secret[at]d.example", "…@d.example"),
            ("secret{at}d.example", "…@d.example"),
            ("secret<at>d.example", "…@d.example"),
            ("secret_at_d.example", "…@d.example"),
            ("secret-at-d.example", "…@d.example"),
            ("secret \u{ff08}at\u{ff09} d.example", "…@d.example"),
            ("secret%2540d.example", "…@d.example"),
            ("secret%d.example", "…@d.example"),
            ("secret&commat;d.example", "…@d.example"),
            ("secret&#X40;d.example", "…@d.example"),
            ("secret@d.example at noon", "…@noon"),
            // No sign: part of a name, or at an end.
            ("a..cat.example", "a..cat.example"),
            ("at d.example", "at d.example"),
            ("d.example at", "d.example at"),
            ("data center..example", "data center..example"),
        ] {
            assert_eq!(without_local_parts(text, false), expected, "{text}");
        }
        assert_eq!(without_local_parts("bob@a.example,ev", true), "…");
        assert_eq!(without_local_parts("a.example,b", true), "…");
        for (text, line, expected) in [
            ("bob", "bob,bob@a.example", true),
            ("…@a.example,Bob", "bob@a.example,Bob", true),
            ("…@bob.example", "bob@bob.example", false),
            ("x bob y", "x bob y;\"bob\"@a.example", true),
            ("a_.example", "a_.example,bob@a.example", false),
            ("a_.example", "a_.example", false),
            ("a_.example", "a_.example,@", true),
        ] {
            assert_eq!(has_local_part_of(text, line), expected, "{text} of {line}");
        }
    }
}
