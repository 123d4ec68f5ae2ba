//! What an enumeration found out: which suites and groups a server takes.

use super::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use serde::Serialize;

/// Whose order of suites decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// The server's.
    Server,
    /// The client's: the order found is that of the offer.
    Client,
    /// Neither by the one question asked, or it was not answered.
    Undetermined,
}

impl Preference {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Preference::Server => "server",
            Preference::Client => "client",
            Preference::Undetermined => "undetermined",
        }
    }
}

/// Why a list may lack something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Gap {
    /// The server asked us to go away (421).
    Throttled,
    /// It did not answer in time.
    Timeout,
    /// It hung up, and on what it had agreed to before as well, or hangs up at
    /// one time and answers the same at another.
    HangUp,
    /// It refused by an alert that does not say "none of these".
    Alert,
    /// It said what cannot be read, or chose what was not offered.
    Unreadable,
    /// The dialogue did not come to the hello any more.
    NotAsked,
    /// The limit of connections was reached.
    Budget,
    /// All suites left need a certificate of ECDSA, whose own curve has to be
    /// among the groups offered (RFC 8422 §5.1): what is beyond it cannot be
    /// asked one by one.
    CertificateCurve,
}

impl Gap {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Gap::Throttled => "throttled",
            Gap::Timeout => "timeout",
            Gap::HangUp => "hang_up",
            Gap::Alert => "alert",
            Gap::Unreadable => "unreadable",
            Gap::NotAsked => "not_asked",
            Gap::Budget => "budget",
            Gap::CertificateCurve => "certificate_curve",
        }
    }
}

/// One suite that the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedSuite {
    /// The suite that the server agreed to.
    pub suite: CipherSuite,
    /// Length of the server's own Diffie-Hellman prime, in bits.
    pub dh_bits: Option<usize>,
}

/// The groups that a server takes in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedGroups {
    /// In the order in which the server chose them.
    pub groups: Vec<NamedGroup>,
    /// Why there may be more; `None` if there are not.
    pub gap: Option<Gap>,
}

/// What a server takes in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionSuites {
    /// The version in which the server was asked.
    pub version: ProtocolVersion,
    /// The suites, in the order in which the server chose them. None, and no
    /// gap: it does not speak this version.
    pub suites: Vec<AcceptedSuite>,
    /// Whose order that is; `None` with less than two suites.
    pub preference: Option<Preference>,
    /// Why there may be more; `None` if there are not.
    pub gap: Option<Gap>,
    /// The groups, where they were asked for: in TLS 1.3, and in the newest
    /// version before it that has suites of ECDHE.
    pub groups: Option<AcceptedGroups>,
}

/// What a server takes, version by version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enumeration {
    /// Every version asked for, newest first.
    pub versions: Vec<VersionSuites>,
    /// Whether a hello was answered in SSLv2.
    pub sslv2: bool,
    /// Connections used.
    pub connections: usize,
}

impl Enumeration {
    /// Whether nothing is lacking.
    pub fn is_complete(&self) -> bool {
        self.versions.iter().all(|found| {
            found.gap.is_none() && found.groups.as_ref().is_none_or(|groups| groups.gap.is_none())
        })
    }
}
