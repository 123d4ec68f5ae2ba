//! What becomes of a whole session.

use crate::model::inbound::{ClientChain, InboundSession, JudgedSession};
use crate::trust::Judge;
use jiff::Timestamp;

/// Judges sessions, each at the moment at which it began, or all at one.
#[derive(Debug)]
pub struct SessionJudge {
    judge: Judge,
    at: Option<Timestamp>,
}

impl SessionJudge {
    /// Judges certificates by the roots of `judge`; `at` stands in for the moment of every
    /// session.
    pub fn new(judge: Judge, at: Option<Timestamp>) -> Self {
        Self { judge, at }
    }

    /// Judges one session.
    pub fn judged(&self, session: &InboundSession) -> JudgedSession {
        let moment = self.at.unwrap_or(session.began);
        let assessed = session.tls.as_ref().and_then(|tls| self.judge.assess_at(&tls.chain, moment));
        let chain = assessed.as_ref().map(|assessed| &*assessed.assessment);
        JudgedSession { client_certificate: chain.map(ClientChain::from), verdicts: None }
    }
}
