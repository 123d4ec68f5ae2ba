//! The certificate that a hybrid's server is told to present, by issuer and subject
//! (`TlsCertificateName` of Set-SendConnector and Set-ReceiveConnector).

use crate::model::CertificateFacts;
use crate::model::text::ELLIPSIS;

/// Longest value that is read, in bytes.
pub const CERTIFICATE_NAME_BYTES_MAX: usize = 8192;

/// Attribute types by the name that they have here, and what others write for it: Windows
/// (`S`, `E`, `G`, `T`), OpenSSL, and dotted numbers (RFC 4519, RFC 4514 §3).
const TYPES: &[(&str, &[&str])] = &[
    ("CN", &["2.5.4.3", "COMMONNAME"]),
    ("SN", &["2.5.4.4", "SURNAME"]),
    ("SERIALNUMBER", &["2.5.4.5"]),
    ("C", &["2.5.4.6", "COUNTRYNAME"]),
    ("L", &["2.5.4.7", "LOCALITYNAME"]),
    ("ST", &["2.5.4.8", "S", "STATEORPROVINCENAME"]),
    ("STREET", &["2.5.4.9", "STREETADDRESS"]),
    ("O", &["2.5.4.10", "ORGANIZATIONNAME"]),
    ("OU", &["2.5.4.11", "ORGANIZATIONALUNITNAME"]),
    ("TITLE", &["2.5.4.12", "T"]),
    ("POSTALCODE", &["2.5.4.17"]),
    ("GN", &["2.5.4.42", "G", "GIVENNAME"]),
    ("UID", &["0.9.2342.19200300.100.1.1", "USERID"]),
    ("DC", &["0.9.2342.19200300.100.1.25", "DOMAINCOMPONENT"]),
    ("EMAILADDRESS", &["1.2.840.113549.1.9.1", "E", "EMAIL"]),
];

/// Issuer and subject of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateName {
    issuer: ComparedName,
    subject: ComparedName,
}

/// Why a text names no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateNameError {
    /// It has not both parts.
    #[error("not `<I>ISSUER<S>SUBJECT`")]
    Form,
    /// It is too long.
    #[error("longer than {CERTIFICATE_NAME_BYTES_MAX} bytes")]
    TooLong,
    /// A part of a name is no attribute.
    #[error(
        "`{0}` is not TYPE=VALUE; a value with a comma or plus sign stands in quotes, as O=\"Example, Inc.\""
    )]
    Attribute(String),
    /// A quote is not closed, or something follows it.
    #[error("a quoted value does not end with its quote")]
    Quote,
}

impl CertificateName {
    /// Reads `<I>CN=CA, O=Example<S>CN=mail.contoso.com`.
    ///
    /// # Errors
    /// [`CertificateNameError`] for what is not of that form.
    pub fn parse(text: &str) -> Result<Self, CertificateNameError> {
        if text.len() > CERTIFICATE_NAME_BYTES_MAX {
            return Err(CertificateNameError::TooLong);
        }
        let text = text.trim();
        let rest = without_prefix(text, "<I>").ok_or(CertificateNameError::Form)?;
        let marks = rest.match_indices('<').map(|(place, _)| place);
        let mut splits = marks.filter_map(|place| {
            let (issuer, subject) = rest.split_at_checked(place)?;
            Some((issuer, without_prefix(subject, "<S>")?))
        });
        let (issuer, subject) = splits.next().ok_or(CertificateNameError::Form)?;
        if issuer.trim().is_empty() || subject.trim().is_empty() {
            return Err(CertificateNameError::Form);
        }
        Ok(Self { issuer: ComparedName::read(issuer, true)?, subject: ComparedName::read(subject, true)? })
    }

    /// Whether it names this certificate; `None` where the names of that are not told whole.
    pub fn names(&self, certificate: &CertificateFacts) -> Option<bool> {
        let issuer = ComparedName::told(certificate.issuer.as_deref()?)?;
        let subject = ComparedName::told(certificate.subject.as_deref()?)?;
        Some(self.issuer.is(&issuer) && self.subject.is(&subject))
    }
}

/// The common names of a subject as [`CertificateFacts`] tells it, in small letters; `None`
/// where it is not told whole.
pub fn common_names(subject: &str) -> Option<Vec<String>> {
    let name = ComparedName::read(subject, false).ok().filter(|_| !subject.ends_with(ELLIPSIS))?;
    let attributes = name.0.into_iter().flatten();
    Some(attributes.filter(|(kind, _)| kind == "CN").map(|(_, value)| value).collect())
}

/// The rest behind a mark, in either case.
fn without_prefix<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(mark.len())?;
    head.eq_ignore_ascii_case(mark).then_some(rest)
}

/// A distinguished name: its parts in order, the attributes of each in no order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ComparedName(Vec<Vec<Attribute>>);

/// Type and value, as they are compared.
type Attribute = (String, String);

impl ComparedName {
    /// Whether both are one name. Windows writes the last part first, certificates and
    /// OpenSSL the first.
    fn is(&self, other: &Self) -> bool {
        self == other || self.0.iter().rev().eq(&other.0)
    }

    /// A name as [`CertificateFacts`] tells it; `None` where that is not all of it.
    fn told(text: &str) -> Option<Self> {
        let is_whole = !text.ends_with(ELLIPSIS) && !text.contains("\\x");
        if is_whole { Self::read(text, false).ok() } else { None }
    }

    /// Reads a name. In quotes a value may hold what else would end it; where
    /// `quotes` do not do that, a backslash does.
    fn read(text: &str, quotes: bool) -> Result<Self, CertificateNameError> {
        let mut parts = vec![Vec::new()];
        let mut rest = text;
        while !rest.trim().is_empty() {
            let taken = AttributeText::take(rest, quotes)?;
            if let Some(part) = parts.last_mut() {
                part.push((compared_type(taken.kind), compared_value(&taken.value)));
            }
            if taken.ended_by == Some(',') {
                parts.push(Vec::new());
            }
            rest = taken.rest;
        }
        parts.retain(|part| !part.is_empty());
        parts.iter_mut().for_each(|part| part.sort());
        Ok(Self(parts))
    }
}

/// One attribute of a text, and what follows.
struct AttributeText<'a> {
    kind: &'a str,
    value: String,
    ended_by: Option<char>,
    rest: &'a str,
}

impl<'a> AttributeText<'a> {
    fn take(text: &'a str, quotes: bool) -> Result<Self, CertificateNameError> {
        let none = || CertificateNameError::Attribute(text.trim().to_string());
        let (kind, after) = text.split_once('=').ok_or_else(none)?;
        let kind = kind.trim();
        let is_type = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
        if kind.is_empty() || !kind.bytes().all(is_type) {
            return Err(none());
        }
        match after.trim_start().strip_prefix('"').filter(|_| quotes) {
            Some(quoted) => Self::quoted(kind, quoted),
            None => Ok(Self::plain(kind, after)),
        }
    }

    /// A value up to a comma or plus sign that has no backslash before it.
    fn plain(kind: &'a str, text: &'a str) -> Self {
        let mut value = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                ',' | '+' => {
                    return Self { kind, value, ended_by: Some(character), rest: characters.as_str() };
                }
                '\\' => value.push(escaped(&mut characters)),
                _ => value.push(character),
            }
        }
        Self { kind, value, ended_by: None, rest: "" }
    }

    /// A value up to its quote; a quote in it is doubled.
    fn quoted(kind: &'a str, text: &'a str) -> Result<Self, CertificateNameError> {
        let (mut value, mut rest) = (String::new(), text);
        loop {
            let (before, after) = rest.split_once('"').ok_or(CertificateNameError::Quote)?;
            value.push_str(before);
            match after.strip_prefix('"') {
                Some(further) => {
                    value.push('"');
                    rest = further;
                }
                None => {
                    let mut characters = after.trim_start().chars();
                    let ended_by = characters.next();
                    if !matches!(ended_by, None | Some(',' | '+')) {
                        return Err(CertificateNameError::Quote);
                    }
                    return Ok(Self { kind, value, ended_by, rest: characters.as_str() });
                }
            }
        }
    }
}

/// What a backslash stands before; one before anything else stands for itself.
fn escaped(characters: &mut std::str::Chars<'_>) -> char {
    match characters.clone().next() {
        Some(next) if matches!(next, ',' | '+' | '\\' | '"' | '=' | ';' | '<' | '>' | '#') => {
            characters.next();
            next
        }
        _ => '\\',
    }
}

fn compared_type(given: &str) -> String {
    let upper = given.to_ascii_uppercase();
    let bare = upper.strip_prefix("OID.").unwrap_or(&upper);
    let known = TYPES.iter().find(|(name, others)| *name == bare || others.contains(&bare));
    known.map_or(bare, |(name, _)| name).to_string()
}

/// Without difference of case and of the number of blanks (RFC 5280 §7.1).
fn compared_value(given: &str) -> String {
    given.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "certificate_name_tests.rs"]
mod tests;
