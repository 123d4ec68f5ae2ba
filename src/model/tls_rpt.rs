//! Where a domain wants reports on TLS to go (RFC 8460 §3).

use serde::{Deserialize, Serialize};

/// The record at `_smtp._tls.DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsRptRecord {
    /// Where reports go, as it is written: `mailto:` and `https:`.
    pub rua: Vec<String>,
}

/// Why what stands at `_smtp._tls.DOMAIN` asks for no reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TlsRptFault {
    /// More than one record begins with the version.
    #[error("{0} records begin with v=TLSRPTv1; one may")]
    Several(usize),
    /// A record that is meant as one, and whose version is not `v=TLSRPTv1;`.
    #[error("the version is not v=TLSRPTv1 with a semicolon")]
    Version,
    /// A part that is no `name=value` as the grammar has it.
    #[error("`{0}` is no field")]
    Field(String),
    /// No `rua`.
    #[error("no rua")]
    NoRua,
    /// A `rua` that is neither `mailto:` with an address nor `https:` with a
    /// host, or has characters that a URI has not.
    #[error("`{0}` is no mailto or https URI")]
    Uri(String),
}
