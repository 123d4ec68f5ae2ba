//! What was seen of one sender over all of its sessions.

use super::certificates::{CertificateNamed, CertificateState};
use crate::model::inbound::{InboundSession, InboundVerdict, JudgedSession, SeenSender};
use crate::model::{CipherSuite, NamedGroup, ProtocolVersion, Sha256, SignatureCheck};
use std::collections::BTreeSet;

/// Fingerprints, certificates and codes of one sender that are kept.
pub const SENDER_VALUES_MAX: usize = 16;

/// A sender of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderFigures {
    /// What its sessions came to.
    pub seen: SeenSender,
    /// What they were made of.
    pub observed: ObservedSender,
}

impl SenderFigures {
    /// Its name and address, for people.
    pub fn title(&self) -> String {
        format!("{} {}", self.seen.name.as_deref().unwrap_or("(no EHLO)"), self.seen.address)
    }
}

/// What the sessions of one sender were made of. Each list has a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedSender {
    /// Versions that were agreed.
    pub versions: BTreeSet<ProtocolVersion>,
    /// Suites of them.
    pub suites: BTreeSet<CipherSuite>,
    /// Groups of them.
    pub groups: BTreeSet<NamedGroup>,
    /// Fingerprints of its ClientHellos, at most [`SENDER_VALUES_MAX`].
    pub fingerprints: BTreeSet<String>,
    /// Its certificates, at most [`SENDER_VALUES_MAX`].
    pub certificates: BTreeSet<Sha256>,
    /// Sessions in which it showed one.
    pub with_certificate: u64,
    /// Sessions in which the key of it was proven.
    pub key_proven: u64,
    /// The worst that was found of its certificates.
    pub certificate_state: Option<CertificateState>,
    /// Whether they are the one that the run was told to look for, the worst.
    pub certificate_named: Option<CertificateNamed>,
    /// Verdicts: accepted, rejected, not determined.
    pub verdicts: [u64; 3],
    /// Codes of refusals, at most [`SENDER_VALUES_MAX`].
    pub refusal_codes: BTreeSet<String>,
}

impl ObservedSender {
    /// Takes a session.
    pub(super) fn add(&mut self, session: &InboundSession, leaf: Option<Sha256>, judged: &JudgedSession) {
        if let Some(tls) = &session.tls {
            if let Some(offer) = &tls.offer {
                keep(&mut self.fingerprints, offer.fingerprint.clone());
            }
            if tls.is_agreed() {
                self.versions.extend(tls.version);
                self.suites.extend(tls.suite);
                self.groups.extend(tls.group);
            }
            self.certificate_state = self.certificate_state.max(CertificateState::of(tls, judged));
            self.key_proven += u64::from(leaf.is_some() && tls.signature == Some(SignatureCheck::Verified));
        }
        if let Some(leaf) = leaf {
            self.with_certificate += 1;
            keep(&mut self.certificates, leaf);
        }
        let named = judged.client_certificate.as_ref().and_then(CertificateNamed::of);
        self.certificate_named = self.certificate_named.max(named);
        let [accepted, rejected, not_determined] = &mut self.verdicts;
        for judged in judged.verdicts.iter().flatten() {
            match &judged.verdict {
                InboundVerdict::Accepted(_) => *accepted += 1,
                InboundVerdict::NotDetermined(_) => *not_determined += 1,
                InboundVerdict::Rejected(refusals) => {
                    *rejected += 1;
                    for refusal in refusals {
                        keep(&mut self.refusal_codes, refusal.code.to_string());
                    }
                }
            }
        }
    }
}

/// Keeps a value if there is room for it.
fn keep<T: Ord>(values: &mut BTreeSet<T>, value: T) {
    if values.len() < SENDER_VALUES_MAX {
        values.insert(value);
    }
}
