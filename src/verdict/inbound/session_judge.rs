//! What becomes of a whole session.

use super::attribution::verdict;
use super::case::InboundCase;
use super::named::is_named;
use crate::model::Assessment;
use crate::model::inbound::{CertificateName, ClientChain, InboundSession, JudgedSession, MailVerdict};
use crate::sender::inbound_connector::InboundConnectorList;
use crate::trust::Judge;
use jiff::Timestamp;

/// Judges sessions, each at the moment at which it began, or all at one.
#[derive(Debug)]
pub struct SessionJudge {
    judge: Judge,
    at: Option<Timestamp>,
    organisation: Option<InboundConnectorList>,
    certificate_name: Option<CertificateName>,
}

impl SessionJudge {
    /// Judges certificates by the roots of `judge`; `at` stands in for the moment of every
    /// session.
    pub fn new(judge: Judge, at: Option<Timestamp>) -> Self {
        Self { judge, at, organisation: None, certificate_name: None }
    }

    /// Judges every MAIL by these connectors, too.
    #[must_use]
    pub fn with_connectors(self, organisation: InboundConnectorList) -> Self {
        Self { organisation: Some(organisation), ..self }
    }

    /// Says of every client certificate whether it is this one, too.
    #[must_use]
    pub fn with_certificate_name(self, name: CertificateName) -> Self {
        Self { certificate_name: Some(name), ..self }
    }

    /// Judges one session.
    pub fn judged(&self, session: &InboundSession) -> JudgedSession {
        let moment = self.at.unwrap_or(session.began);
        let assessed = session.tls.as_ref().and_then(|tls| self.judge.assess_client(&tls.chain, moment));
        let chain = assessed.as_ref().map(|assessed| &*assessed.assessment);
        let of = |organisation| verdicts(organisation, session, chain);
        JudgedSession {
            client_certificate: chain.map(|chain| self.client_chain(session, chain)),
            verdicts: self.organisation.as_ref().map(of),
        }
    }

    fn client_chain(&self, session: &InboundSession, chain: &Assessment) -> ClientChain {
        let mut client = ClientChain::from(chain);
        if let (Some(name), Some(leaf)) = (&self.certificate_name, chain.certificates.first()) {
            let signature = session.tls.as_ref().and_then(|tls| tls.signature.as_ref());
            match is_named(name, leaf, signature) {
                Ok(named) => client.named = Some(named),
                Err(cause) => client.named_cause = Some(cause),
            }
        }
        client
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
