//! What was made of one session, as its line in the journal has it.

use super::greeting::PathDomain;
use super::verdict::InboundVerdict;
use crate::model::{Assessment, ChainStatus, DateStatus, KeyStatus, TrustedRoot};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was made of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedSession {
    /// The client's chain; `None` of a client that showed none.
    pub client_certificate: Option<ClientChain>,
    /// What inbound connectors make of each MAIL to each recipient domain, in their order;
    /// `None` without connectors.
    pub verdicts: Option<Vec<MailVerdict>>,
}

/// The chain of a client, judged: the axes of a survey without that of the name, since
/// nobody knows beforehand what a client is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientChain {
    /// Trust.
    pub chain: ChainStatus,
    /// Why the chain is not valid, in words; see [`Assessment::chain_detail`].
    pub chain_detail: Option<String>,
    /// Where a valid chain ends.
    pub root: Option<Arc<TrustedRoot>>,
    /// Validity period of the leaf.
    pub dates: DateStatus,
    /// Strength of the leaf's key.
    pub key: KeyStatus,
    /// Whether it is the certificate that the run was told to look for
    /// ([`CertificateName`](super::CertificateName)); `None` if it was told none, and where
    /// that is not determined.
    #[serde(default)]
    pub named: Option<bool>,
    /// Why that is not determined.
    #[serde(default)]
    pub named_cause: Option<NamedCause>,
}

/// Why it is not determined whether a certificate is the one that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NamedCause {
    /// It has the names, and nothing proves that the client has its key.
    KeyNotProven,
    /// Its names cannot be read, or not whole.
    CertificateUnreadable,
}

/// Of how many sessions the certificate is the one that is named; sessions without a
/// certificate are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCounts {
    /// It is.
    pub yes: u64,
    /// It is another.
    pub no: u64,
    /// Not determined.
    pub not_determined: u64,
}

impl NamedCounts {
    /// Counts the certificate of one more session.
    pub fn add(&mut self, certificate: &ClientChain) {
        let count = match certificate.named {
            Some(true) => &mut self.yes,
            Some(false) => &mut self.no,
            None => &mut self.not_determined,
        };
        *count += 1;
    }
}

impl From<&Assessment> for ClientChain {
    fn from(assessment: &Assessment) -> Self {
        let Assessment { chain, chain_detail, root, dates, key, .. } = assessment;
        Self {
            chain: *chain,
            chain_detail: chain_detail.clone(),
            root: root.clone(),
            dates: *dates,
            key: *key,
            named: None,
            named_cause: None,
        }
    }
}

/// What inbound connectors make of one MAIL to one recipient domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailVerdict {
    /// Which MAIL of the session, from 1.
    pub mail: usize,
    /// Domain of the recipient.
    pub recipient: PathDomain,
    /// What they make of it.
    pub verdict: InboundVerdict,
}
