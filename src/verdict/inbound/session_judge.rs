//! What becomes of a whole session.

use super::attribution::verdict;
use super::case::InboundCase;
use crate::model::Assessment;
use crate::model::inbound::{ClientChain, InboundSession, JudgedSession, MailVerdict};
use crate::sender::inbound_connector::InboundConnectorList;
use crate::trust::Judge;
use jiff::Timestamp;

/// Judges sessions, each at the moment at which it began, or all at one.
#[derive(Debug)]
pub struct SessionJudge {
    judge: Judge,
    at: Option<Timestamp>,
    organisation: Option<InboundConnectorList>,
}

impl SessionJudge {
    /// Judges certificates by the roots of `judge`; `at` stands in for the moment of every
    /// session.
    pub fn new(judge: Judge, at: Option<Timestamp>) -> Self {
        Self { judge, at, organisation: None }
    }

    /// Judges every MAIL by these connectors, too.
    #[must_use]
    pub fn with_connectors(self, organisation: InboundConnectorList) -> Self {
        Self { organisation: Some(organisation), ..self }
    }

    /// Judges one session.
    pub fn judged(&self, session: &InboundSession) -> JudgedSession {
        let moment = self.at.unwrap_or(session.began);
        let assessed = session.tls.as_ref().and_then(|tls| self.judge.assess_client(&tls.chain, moment));
        let chain = assessed.as_ref().map(|assessed| &*assessed.assessment);
        let of = |organisation| verdicts(organisation, session, chain);
        JudgedSession {
            client_certificate: chain.map(ClientChain::from),
            verdicts: self.organisation.as_ref().map(of),
        }
    }
}

/// What becomes of each MAIL to each recipient domain, in their order.
fn verdicts(
    organisation: &InboundConnectorList,
    session: &InboundSession,
    chain: Option<&Assessment>,
) -> Vec<MailVerdict> {
    let mut verdicts = Vec::new();
    for (mail, number) in session.dialogue.mail.iter().zip(1..) {
        for recipient in &mail.recipients {
            let case = InboundCase { organisation, session, chain, mail, recipient };
            verdicts.push(MailVerdict {
                mail: number,
                recipient: recipient.clone(),
                verdict: verdict(&case),
            });
        }
    }
    verdicts
}
