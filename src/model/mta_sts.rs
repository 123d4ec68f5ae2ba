//! MTA-STS as a domain publishes it: the record that announces a policy, and
//! the policy (RFC 8461 §3).

use super::failure::Failure;
use super::name::MxHost;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The record at `_mta-sts.DOMAIN` (RFC 8461 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsRecord {
    /// Changes with the policy; 1 to 32 letters and digits.
    pub id: String,
}

/// Why what stands at `_mta-sts.DOMAIN` announces no policy (RFC 8461 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StsRecordFault {
    /// More than one record begins with the version.
    #[error("{0} records begin with v=STSv1; one may")]
    Several(usize),
    /// A record that is meant as one, and whose version is not `v=STSv1;`.
    #[error("the version is not v=STSv1 with a semicolon")]
    Version,
    /// A part that is no `name=value` as the grammar has it.
    #[error("`{0}` is no field")]
    Field(String),
    /// No `id`.
    #[error("no id")]
    NoId,
    /// An `id` that is not 1 to 32 letters and digits.
    #[error("the id `{0}` is not 1 to 32 letters and digits")]
    Id(String),
}

/// Whether fetches of policies begin to connect: they go to machines of others, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fetching {
    /// They do.
    #[default]
    Begins,
    /// They wait until they may.
    Waits,
    /// They do no more; those that wait end, and say so.
    Ends,
}

/// What a sender does where no host fits the policy (RFC 8461 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StsMode {
    /// It does not deliver to hosts that fail.
    Enforce,
    /// It delivers, and reports.
    Testing,
    /// There is no policy any more.
    None,
}

impl StsMode {
    /// As the policy has it.
    pub fn name(self) -> &'static str {
        match self {
            StsMode::Enforce => "enforce",
            StsMode::Testing => "testing",
            StsMode::None => "none",
        }
    }

    /// The mode of this name; letters count in their case (RFC 8461 §3.2).
    pub fn named(text: &str) -> Option<Self> {
        [StsMode::Enforce, StsMode::Testing, StsMode::None].into_iter().find(|mode| mode.name() == text)
    }
}

/// A name that MX hosts may have: a host, or `*.` and a domain, where `*`
/// stands for one label (RFC 8461 §4.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MxPattern {
    any_label: bool,
    name: MxHost,
}

/// What stands for one label.
const WILDCARD: &str = "*.";

impl MxPattern {
    /// Takes a pattern as it is written, in any case. Whether it is one, who
    /// reads the policy has seen.
    pub fn new(text: &str) -> Self {
        let parent = text.strip_prefix(WILDCARD);
        Self { any_label: parent.is_some(), name: MxHost::new(parent.unwrap_or(text)) }
    }

    /// Whether it is the name of this host.
    pub fn covers(&self, host: &MxHost) -> bool {
        if !self.any_label {
            return self.name == *host;
        }
        let below = host.as_str().split_once('.');
        below.is_some_and(|(label, parent)| !label.is_empty() && parent == self.name.as_str())
    }
}

impl fmt::Display for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wildcard = if self.any_label { WILDCARD } else { "" };
        write!(f, "{wildcard}{}", self.name)
    }
}

impl fmt::Debug for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MxPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MxPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&Cow::<str>::deserialize(deserializer)?))
    }
}

/// A policy (RFC 8461 §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsPolicy {
    /// What is done where no host fits.
    pub mode: StsMode,
    /// How long a sender may keep it, in seconds.
    pub max_age_s: u32,
    /// Names that MX hosts may have; none only under [`StsMode::None`].
    pub mx: Vec<MxPattern>,
}

/// What a TXT record that announces something comes to: `R` as it should be,
/// `F` what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Published<R, F> {
    /// None is meant as such a record.
    Absent,
    /// It is there.
    Record(R),
    /// One is meant, and is none.
    Faulty(F),
    /// The DNS gave no answer; why.
    Failed(Failure),
}

impl<R, F> Published<R, F> {
    /// Why the DNS gave no answer.
    pub fn unanswered(&self) -> Option<&Failure> {
        match self {
            Published::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// MTA-STS of a domain, as a sender finds it that has no cached policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsFacts {
    /// The policy domain: that of the mail, or a smart host's name (RFC 8461
    /// §3.4).
    pub domain: MxHost,
    /// What stands at `_mta-sts.DOMAIN`.
    pub record: Published<StsRecord, StsRecordFault>,
    /// What the policy host gave; `None` where no record announces a policy.
    pub fetch: Option<Arc<StsFetch>>,
}

impl StsFetch {
    /// Whether it tells more of the host than `other`: what the host has, before what
    /// it did at one time, before that nobody came to it.
    pub fn tells_more_than(&self, other: &StsFetch) -> bool {
        use StsFetchFailure::{NotAllowed, OtherShard, Unfinished, Unresolved};
        let rank = |fetch: &StsFetch| match &fetch.failure {
            Some(OtherShard) => 3,
            Some(NotAllowed(_) | Unfinished(_)) => 2,
            Some(failure @ Unresolved(_)) if failure.may_pass() => 2,
            Some(failure) if failure.may_pass() => 1,
            _ => 0,
        };
        rank(self) < rank(other)
    }

    /// About what it takes of memory, in octets.
    pub fn octets(&self) -> usize {
        let chain: usize = self.chain.iter().map(|certificate| certificate.len()).sum();
        // The policy that was read in it takes about as much as its text.
        chain + 2 * self.body.as_ref().map_or(0, String::len)
    }
}

/// Longest policy that is read, in bytes (the advice of RFC 8461 §3.3).
pub const POLICY_BYTES_MAX: usize = 64 * 1024;

/// What a policy host gave, whatever its certificate is worth: that is judged
/// apart, by whoever has the roots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsFetch {
    /// The chain that the host showed, leaf first; empty where it came to none.
    #[serde(skip)]
    pub chain: Vec<Arc<[u8]>>,
    /// HTTP status; `None` where it came to none.
    pub status: Option<u16>,
    /// Media type of the body; senders do not have to look at it (RFC 8461 §3.2).
    pub content_type: Option<String>,
    /// The body of an answer of status 200, at most [`POLICY_BYTES_MAX`].
    pub body: Option<String>,
    /// The policy in the body, or what is wrong with it; `None` without a body.
    /// Whether anybody vouches for the host is not looked at here.
    #[serde(default)]
    pub policy: Option<Result<StsPolicy, StsPolicyFault>>,
    /// Why there is no body.
    pub failure: Option<StsFetchFailure>,
}

/// Why a policy was not to be had (RFC 8461 §3.3), by how far it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StsFetchFailure {
    /// The DNS gives no address of the host; why. Whether it says that there is
    /// none, or says nothing, is in the kind.
    #[error("{0}")]
    Unresolved(Failure),
    /// This program was told not to go there, or cannot: nothing that the host
    /// did.
    #[error("{0}")]
    NotAllowed(String),
    /// This program did not get to it, and may later; why. Nothing that the host
    /// did.
    #[error("{}", .0.detail.as_deref().unwrap_or("not fetched"))]
    Unfinished(Failure),
    /// Its addresses lie in another shard of the run, which fetches it.
    #[error("left to another shard of the run, to which its addresses belong")]
    OtherShard,
    /// TCP did not open.
    #[error("{0}")]
    Connect(String),
    /// The TLS handshake failed.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection ended within the handshake, without an alert.
    #[error("TLS: {0}")]
    TlsClosed(String),
    /// What came is no HTTP.
    #[error("HTTP: {0}")]
    Http(String),
    /// The connection ended before the answer was whole.
    #[error("HTTP: {0}")]
    HttpClosed(String),
    /// Sent elsewhere, which no sender follows.
    #[error("HTTP status {0}: redirects are not followed")]
    Redirect(u16),
    /// A status other than 200.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The body is longer than is read, in bytes.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// The body is no UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// All of it took longer than a sender waits, in seconds.
    #[error("no answer within {0} s")]
    Timeout(u64),
}

/// Too Many Requests (RFC 6585 §4).
const TOO_MANY_REQUESTS: u16 = 429;

impl StsFetchFailure {
    /// Whether it is something that the host did, and not the DNS or this program.
    pub fn is_of_host(&self) -> bool {
        use StsFetchFailure::{NotAllowed, OtherShard, Unfinished, Unresolved};
        !matches!(self, NotAllowed(_) | OtherShard | Unfinished(_) | Unresolved(_))
    }

    /// Whether the host is to be left alone for a while: it says nothing, or that it
    /// is asked too often.
    pub fn wants_rest(&self) -> bool {
        matches!(self, StsFetchFailure::Timeout(_) | StsFetchFailure::Status(TOO_MANY_REQUESTS))
    }

    /// Whether the host, or the DNS, may do otherwise a while later: a sender that
    /// comes at another time may get the policy.
    pub fn may_pass(&self) -> bool {
        use StsFetchFailure::{
            Connect, Encoding, Http, HttpClosed, NotAllowed, OtherShard, Redirect, Status, Timeout, Tls,
            TlsClosed, TooLong, Unfinished, Unresolved,
        };
        match self {
            Unresolved(failure) | Unfinished(failure) => failure.kind.is_transient(),
            Connect(_) | TlsClosed(_) | HttpClosed(_) | Timeout(_) => true,
            Status(code) => *code == TOO_MANY_REQUESTS || (500..=599).contains(code),
            NotAllowed(_) | OtherShard | Tls(_) | Http(_) | Redirect(_) | TooLong(_) | Encoding => false,
        }
    }
}

/// Why a text is no policy (RFC 8461 §3.2). Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StsPolicyFault {
    /// It is longer than is read, in bytes.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// It is no UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// A line without anything on it.
    #[error("line {0} is empty")]
    EmptyLine(usize),
    /// A line that is no `name: value` as the grammar has it.
    #[error("line {0} is no field: `{1}`")]
    Field(usize, String),
    /// No `version`.
    #[error("no version")]
    NoVersion,
    /// A version other than `STSv1`.
    #[error("the version `{0}` is not STSv1")]
    Version(String),
    /// No `mode`.
    #[error("no mode")]
    NoMode,
    /// A mode other than `enforce`, `testing` and `none`.
    #[error("the mode `{0}` is not enforce, testing or none")]
    Mode(String),
    /// No `max_age`.
    #[error("no max_age")]
    NoMaxAge,
    /// A `max_age` that is not 1 to 10 digits, or over a year.
    #[error("the max_age `{0}` is not a number of seconds up to 31557600")]
    MaxAge(String),
    /// No `mx` where the mode is `enforce` or `testing`.
    #[error("no mx")]
    NoMx,
    /// An `mx` that is neither a host name nor `*.` and a domain.
    #[error("line {0}: the mx `{1}` is no host name, and no domain behind `*.`")]
    Mx(usize, String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        for (pattern, host, expected) in [
            ("mx.example.com", "mx.example.com", true),
            ("MX.Example.Com", "mx.example.com", true),
            ("mx.example.com", "mx2.example.com", false),
            ("*.example.com", "mx.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.mx.example.com", false),
            ("*.example.com", ".example.com", false),
            // Microsoft's DNSSEC hosts have a label more than the pattern.
            ("*.mx.microsoft", "contoso-com.e-v1.mx.microsoft", false),
            ("*.e-v1.mx.microsoft", "contoso-com.e-v1.mx.microsoft", true),
        ] {
            assert_eq!(MxPattern::new(pattern).covers(&MxHost::new(host)), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn a_pattern_is_written_down_and_read_back() {
        for text in ["mx.example.com", "*.example.com"] {
            let json = serde_json::to_string(&MxPattern::new(text)).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<MxPattern>(&json).unwrap(), MxPattern::new(text));
        }
    }
}
