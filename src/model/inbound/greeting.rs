//! Names that a client gives, without the local part of any address.

use crate::model::DomainName;
use serde::{Deserialize, Serialize};

/// The name after EHLO or HELO (RFC 5321 §4.1.1.1), escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientName {
    /// As it came in, escaped; without what stood before an `@`, which no name has.
    pub text: String,
    /// Whether there was more of it than is kept.
    pub cut: bool,
}

/// The domain of a path (RFC 5321 §4.1.2). The local part is kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathDomain {
    /// `<>`, as notifications of delivery have it.
    Null,
    /// A mailbox without a domain, as `<postmaster>`.
    Missing,
    /// Behind the `@` stands no domain name: an address literal, or nothing that can
    /// be read.
    Unreadable,
    /// The domain.
    Domain(DomainName),
}

/// What MAIL says (RFC 5321 §4.1.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSender {
    /// The domain of the reverse path.
    pub domain: PathDomain,
    /// `REQUIRETLS` (RFC 8689 §2).
    pub requiretls: bool,
    /// `SMTPUTF8` (RFC 6531 §3.4).
    pub smtputf8: bool,
}
