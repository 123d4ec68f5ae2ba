//! The part of an observation and its assessment that verdicts rest on.
//!
//! An engine keeps one of these for every probed key of a run, so that a
//! domain read later still gets its row: it is kept small on purpose.

use super::assessment::{ChainStatus, DateStatus, KeyStatus, TrustedRoot};
use super::certificate::Sha256;
use super::endpoint::ProbeKey;
use super::expectation::Expected;
use super::failure::Failure;
use super::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use std::net::IpAddr;

/// The names of a leaf certificate; shared by all findings that saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256 of the certificate.
    pub sha256: Sha256,
    /// dNSName entries, lower case.
    pub dns_names: Box<[Box<str>]>,
    /// iPAddress entries.
    pub ip_addresses: Box<[IpAddr]>,
    /// The subject's last common name.
    pub common_name: Option<Box<str>>,
    /// The subject as text, cut to [`SUBJECT_BYTES_MAX`].
    pub subject: Option<Box<str>>,
    /// SHA-1 of the certificate, by which Windows names it.
    pub thumbprint: [u8; 20],
    /// Whether the leaf is signed with SHA-1; `None` where the algorithm
    /// cannot be read.
    pub signed_with_sha1: Option<bool>,
}

/// Longest [`Leaf::subject`], in bytes.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// What was negotiated, and the axes of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFinding {
    /// Negotiated version.
    pub version: Option<ProtocolVersion>,
    /// Negotiated suite.
    pub suite: Option<CipherSuite>,
    /// Key exchange group.
    pub group: Option<NamedGroup>,
    /// Trust axis; `None` where no certificate was seen.
    pub chain: Option<ChainStatus>,
    /// The root that a valid chain ends in; shared by all findings of it.
    pub root: Option<std::sync::Arc<TrustedRoot>>,
    /// Date axis.
    pub dates: Option<DateStatus>,
    /// Key axis.
    pub key: Option<KeyStatus>,
    /// What the leaf is by each expectation; shared by all findings of it.
    pub expectations: std::sync::Arc<[Expected]>,
    /// The leaf's names.
    pub leaf: Option<std::sync::Arc<Leaf>>,
}

impl TlsFinding {
    /// Whether a recorded session stays secret when the server's long-term
    /// key is lost; `None` where version and suite do not tell.
    pub fn forward_secrecy(&self) -> Option<bool> {
        self.suite.and_then(CipherSuite::forward_secrecy)
    }
}

/// What a verdict needs to know of one probed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who was asked.
    pub key: ProbeKey,
    /// The terminal outcome; `None` means `ok`.
    pub failure: Option<Failure>,
    /// What was seen of TLS.
    pub tls: Option<TlsFinding>,
}
