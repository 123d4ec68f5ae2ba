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
