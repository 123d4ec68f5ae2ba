//! Where a domain wants reports on TLS to go (RFC 8460 §3).

use super::name::MxHost;
use super::policy_verdict::TlsRptResult;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

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

impl TlsRptFault {
    /// Stable snake_case name.
    pub const fn name(&self) -> &'static str {
        match self {
            TlsRptFault::Several(_) => "several",
            TlsRptFault::Version => "version",
            TlsRptFault::Field(_) => "field",
            TlsRptFault::NoRua => "no_rua",
            TlsRptFault::Uri(_) => "uri",
        }
    }
}

/// What a report says of a domain, and what it cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedSessions {
    /// Sessions by policy; that there is none only where that is known.
    pub policies: Vec<PolicySessions>,
    /// What is not known of its policies, a plain sentence each.
    pub not_determined: Vec<String>,
}

/// Sessions with the hosts of a domain under one of its policies, as a report
/// groups them (RFC 8460 §4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicySessions {
    /// Which policy.
    pub policy: ReportedPolicy,
    /// Sessions that were as it demands.
    pub successful: u64,
    /// Sessions that were not.
    pub failed: Vec<FailedSession>,
}

/// A policy in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedPolicy {
    /// Of which kind.
    pub kind: PolicyKind,
    /// The records of a host, or the lines of a policy.
    pub text: Vec<String>,
    /// The TLSA base domain, or the domain of the policy or of the mail.
    pub domain: String,
    /// The host, or the patterns of the policy.
    pub mx: Vec<String>,
}

/// Kinds of policies (RFC 8460 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PolicyKind {
    /// TLSA records.
    #[serde(rename = "tlsa")]
    Tlsa,
    /// MTA-STS.
    #[serde(rename = "sts")]
    Sts,
    /// None.
    #[serde(rename = "no-policy-found")]
    None,
}

/// A session, or the fetching of a policy, that was not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedSession {
    /// What it is called.
    pub result: TlsRptResult,
    /// With which host; `None` of a policy that was not to be had.
    pub host: Option<MxHost>,
    /// At which address.
    pub ip: Option<IpAddr>,
    /// Why, in words.
    pub reason: String,
}
