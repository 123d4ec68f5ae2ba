//! Counts of a run of `mxray receive`, session by session.

use super::certificates::ReceivedCertificates;
use super::senders::{ObservedSender, SenderFigures};
use super::words::{
    comeback_kind, end_words, failure_side, failure_words, result_words, verdict_text, verdict_title,
    verdict_why,
};
use crate::model::CertificateFacts;
use crate::model::inbound::{
    InboundDialogue, InboundSession, InboundTls, InboundVerdict, JudgedSession, SENDERS_MAX, SeenSender,
    SenderKey, SessionResult,
};
use crate::report::tally::Tally;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// Ways of failing that are told apart.
const FAILURES_MAX: usize = 200;
/// Verdicts that are told apart; names of connectors are in them.
pub const VERDICTS_MAX: usize = 200;

/// A verdict that occurs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerdictKind {
    /// Accepted, rejected, or not determined.
    pub title: &'static str,
    /// By what, for what, or why not.
    pub why: String,
    /// The words behind the code of a refusal, as far as they are published.
    pub text: String,
}

/// Counts over all sessions.
#[derive(Debug)]
pub struct ReceivedFigures {
    /// Sessions that were counted.
    pub sessions: u64,
    /// Sessions that were left out, since the run lost their certificates.
    pub incomplete: u64,
    /// When the last session began.
    pub last_began: Option<Timestamp>,
    /// What they came to, by [`result_words`].
    pub results: Tally,
    /// The newest version of each ClientHello.
    pub offered: Tally,
    /// Versions that were agreed.
    pub versions: Tally,
    /// Suites of them.
    pub suites: Tally,
    /// Groups of them.
    pub groups: Tally,
    /// Handshakes that came to nothing: who ended it, and how.
    pub failures: Tally,
    /// What came after a session without MAIL.
    pub comebacks: Tally,
    /// How sessions ended.
    pub ends: Tally,
    /// What else was seen of clients.
    pub manners: Tally,
    /// Whether sessions were held against connectors.
    pub has_verdicts: bool,
    /// What connectors make of each MAIL to each recipient domain.
    pub verdicts: BTreeMap<VerdictKind, u64>,
    /// Verdicts beyond [`VERDICTS_MAX`] kinds.
    pub verdicts_not_kept: u64,
    /// Certificates of clients.
    pub certificates: ReceivedCertificates,
    /// Senders, the busiest first, once it was ended.
    pub senders: Vec<SenderFigures>,
    /// Sessions of senders that were too many to be told.
    pub senders_not_kept: u64,
    observed: HashMap<SenderKey, ObservedSender>,
}

impl Default for ReceivedFigures {
    fn default() -> Self {
        Self {
            sessions: 0,
            incomplete: 0,
            last_began: None,
            results: Tally::default(),
            offered: Tally::default(),
            versions: Tally::default(),
            suites: Tally::default(),
            groups: Tally::default(),
            failures: Tally::bounded(FAILURES_MAX),
            comebacks: Tally::default(),
            ends: Tally::default(),
            manners: Tally::default(),
            has_verdicts: false,
            verdicts: BTreeMap::new(),
            verdicts_not_kept: 0,
            certificates: ReceivedCertificates::default(),
            senders: Vec::new(),
            senders_not_kept: 0,
            observed: HashMap::new(),
        }
    }
}

impl ReceivedFigures {
    /// Counts a session; `leaf` is what its client certificate says.
    pub fn add(&mut self, session: &InboundSession, leaf: Option<&CertificateFacts>, judged: &JudgedSession) {
        self.sessions += 1;
        self.last_began = self.last_began.max(Some(session.began));
        self.results.add(result_words(SessionResult::of(session)).into());
        self.add_manners(&session.dialogue);
        if let Some(tls) = &session.tls {
            self.add_tls(tls);
            if let Some(leaf) = leaf {
                self.certificates.add(leaf, session, tls, judged);
            }
        }
        self.has_verdicts |= judged.verdicts.is_some();
        judged.verdicts.iter().flatten().for_each(|judged| self.add_verdict(&judged.verdict));
        let key = SenderKey::of(session);
        if self.observed.len() < SENDERS_MAX || self.observed.contains_key(&key) {
            let sender = self.observed.entry(key).or_default();
            sender.add(session, leaf.map(|leaf| leaf.sha256), judged);
        }
    }

    /// Counts a session whose certificates the run lost.
    pub fn add_incomplete(&mut self) {
        self.incomplete += 1;
    }

    /// Ends it with what each sender came to, the busiest first, and the sessions of those
    /// that were too many.
    pub fn end(&mut self, seen: Vec<SeenSender>, not_kept: u64) {
        self.senders_not_kept = not_kept;
        for seen in seen {
            for comeback in &seen.comebacks {
                self.comebacks.add(comeback_kind(comeback));
            }
            let key = SenderKey { address: seen.address, name: seen.name.clone() };
            let observed = self.observed.remove(&key).unwrap_or_default();
            self.senders.push(SenderFigures { seen, observed });
        }
    }

    fn add_tls(&mut self, tls: &InboundTls) {
        if let Some(offer) = &tls.offer {
            self.offered.add(offer.newest().name());
        }
        if tls.is_agreed() {
            let names = [
                (&mut self.versions, tls.version.map(|version| version.name())),
                (&mut self.suites, tls.suite.map(|suite| suite.name())),
                (&mut self.groups, tls.group.map(|group| group.name())),
            ];
            for (tally, name) in names {
                name.into_iter().for_each(|name| tally.add(name));
            }
        }
        if let Some(failure) = tls.failure.as_ref().filter(|_| !tls.established) {
            let told = format!("{}: {}", failure_side(failure), failure_words(failure));
            self.failures.add(told.into());
        }
    }

    fn add_manners(&mut self, dialogue: &InboundDialogue) {
        if let Some(end) = dialogue.end {
            self.ends.add(end_words(end).into());
        }
        for (is_so, words) in [
            (dialogue.spoke_first, "spoke before the greeting"),
            (dialogue.bare_lf, "ended lines by LF alone"),
            (dialogue.auth, "tried AUTH"),
            (dialogue.mail.iter().any(|mail| mail.sender.requiretls), "asked for REQUIRETLS"),
        ] {
            if is_so {
                self.manners.add(words.into());
            }
        }
    }

    fn add_verdict(&mut self, verdict: &InboundVerdict) {
        let kind = VerdictKind {
            title: verdict_title(verdict),
            why: verdict_why(verdict),
            text: verdict_text(verdict),
        };
        if self.verdicts.len() < VERDICTS_MAX || self.verdicts.contains_key(&kind) {
            *self.verdicts.entry(kind).or_default() += 1;
        } else {
            self.verdicts_not_kept += 1;
        }
    }
}
