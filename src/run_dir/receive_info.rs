//! What `run.json` says of a run of `mxray receive`.

use super::SCHEMA_VERSION;
use super::run_info::{JudgedFrom, OptionValue};
use crate::model::inbound::{InboundVerdictCounts, NamedCounts};
use crate::model::{CertificateFacts, Sha256};
use crate::x509;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `kind` in the `run.json` of such a run.
pub const RECEIVE_KIND: &str = "receive";

/// The certificate that clients were shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownCertificate {
    /// SHA-256 of its DER.
    pub sha256: Sha256,
    /// Its subject, as text.
    pub subject: Option<String>,
    /// Start of its validity.
    pub not_before: Option<Timestamp>,
    /// End of its validity.
    pub not_after: Option<Timestamp>,
}

impl ShownCertificate {
    /// Reads it off the DER.
    pub fn read(der: &[u8]) -> Self {
        let CertificateFacts { sha256, subject, not_before, not_after, .. } = x509::read(der);
        Self { sha256, subject, not_before, not_after }
    }
}

/// What was run, and how it ended: `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveInfo {
    /// [`RECEIVE_KIND`].
    pub kind: String,
    /// Version of the files.
    pub schema: u32,
    /// Version of mxray.
    pub mxray: String,
    /// The commit that it was built from; `None` where the build did not tell.
    pub commit: Option<String>,
    /// Name of the machine.
    pub host: Option<String>,
    /// The command line, program first.
    pub command: Vec<String>,
    /// The address and port that it listened on.
    pub listen: String,
    /// The name in the greeting.
    pub name: String,
    /// What it did on purpose: a word of `--behave`; `None` where it behaved.
    pub behave: Option<String>,
    /// The certificate that clients were shown; `None` where none was, and of a run of an
    /// older version, which did not record it.
    #[serde(default)]
    pub certificate: Option<ShownCertificate>,
    /// How long a sender was waited for that had no TLS, in seconds (`--watch`); `None` of a
    /// run of an older version, which did not record it.
    #[serde(default)]
    pub watch_s: Option<u64>,
    /// Root stores that client certificates were judged by; empty in a run of an older
    /// version, which judged none.
    #[serde(default)]
    pub roots: Vec<String>,
    /// What sessions were judged by, so that the same can be done again.
    #[serde(default)]
    pub judged_by: SessionsJudgedBy,
    /// The run of whose sessions these are new verdicts; `None` where they were made as the
    /// sessions came. When it listened is as it was there.
    #[serde(default)]
    pub judged_from: Option<JudgedFrom>,
    /// When it began to listen.
    pub started: Timestamp,
    /// When it ended; `None` as long as it has not, hence also after it was killed.
    pub ended: Option<Timestamp>,
    /// What broke it off, as a disk that is full.
    pub error: Option<String>,
    /// Sessions that have their line; `None` as long as it has not ended.
    pub sessions: Option<u64>,
    /// Connections that were turned away because there were too many at once; `None` as
    /// long as it has not ended.
    pub turned_away: Option<u64>,
    /// What became of each MAIL to each recipient domain; `None` without connectors, and as
    /// long as it has not ended.
    #[serde(default)]
    pub verdicts: Option<InboundVerdictCounts>,
    /// Of how many sessions the certificate is the one that was named; `None` where none was,
    /// and as long as it has not ended.
    #[serde(default)]
    pub named: Option<NamedCounts>,
    /// What each sender did, the busiest first; `None` as long as it has not ended.
    pub senders: Option<serde_json::Value>,
}

/// What sessions were judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsJudgedBy {
    /// The moment at which certificates were judged; `None` where each session was judged
    /// at the moment at which it began.
    pub at: Option<Timestamp>,
    /// What the command line named or left to its default, by option without the dashes.
    pub options: BTreeMap<String, OptionValue>,
    /// Connectors of the file that are disabled, by name.
    #[serde(default)]
    pub connectors_left_out: Vec<String>,
}

impl ReceiveInfo {
    /// A run that begins now.
    pub fn new(listen: String, name: String) -> Self {
        Self {
            kind: RECEIVE_KIND.to_string(),
            schema: SCHEMA_VERSION,
            mxray: String::new(),
            commit: None,
            host: None,
            command: Vec::new(),
            listen,
            name,
            behave: None,
            certificate: None,
            watch_s: None,
            roots: Vec::new(),
            judged_by: SessionsJudgedBy::default(),
            judged_from: None,
            started: Timestamp::now(),
            ended: None,
            error: None,
            sessions: None,
            turned_away: None,
            verdicts: None,
            named: None,
            senders: None,
        }
    }
}
