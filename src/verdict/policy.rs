//! What a run is judged by: everything a verdict depends on besides what was
//! seen, in one place, so that the engine, `probe` and `judge` judge alike.

use super::profile::SenderProfile;
use super::{domain_verdict, finding, looks};
use crate::ask::enumeration::{self, EnumerationPlan};
use crate::ask::step_down::{self, HelloPlan};
use crate::model::{
    ClientHelloSpec, DomainFacts, EndpointRecord, HelloPurpose, JudgedEndpoint, Observation, Reason, Verdict,
};
use crate::sender::Sender;
use crate::sender::connector::Connectors;
use crate::trust::pkix::{Assessed, Assessments, Judge};
use std::sync::Arc;

/// The rules of a run.
#[derive(Debug)]
pub struct Policy {
    judge: Judge,
    profile: SenderProfile,
    connectors: Arc<Connectors>,
    /// The sender's offer as a hello, made once.
    sender_hello: ClientHelloSpec,
    hellos: HelloPlan,
    enumeration: Option<EnumerationPlan>,
}

impl Policy {
    /// Judges chains by `judge`, for mail that `sender` sends.
    pub fn new(judge: Judge, sender: Sender) -> Self {
        let mut sender_hello = sender.offer().spec(HelloPurpose::Sender);
        sender_hello.shows_certificate = sender.may_show_certificate();
        Self {
            judge,
            profile: SenderProfile::new(sender),
            connectors: Arc::default(),
            sender_hello,
            hellos: HelloPlan::default(),
            enumeration: None,
        }
    }

    /// The same, for mail that goes under the connector that takes it.
    pub fn with_connectors(self, connectors: Arc<Connectors>) -> Self {
        Self { connectors, ..self }
    }

    /// The same, with another plan for further hellos.
    pub fn with_hellos(self, hellos: HelloPlan) -> Self {
        Self { hellos, ..self }
    }

    /// The same, with an enumeration of every host that comes to TLS.
    pub fn with_enumeration(self, enumeration: Option<EnumerationPlan>) -> Self {
        Self { enumeration, ..self }
    }

    /// Whom verdicts are for.
    pub fn sender(&self) -> &Sender {
        &self.profile.sender
    }

    /// Judges every chain of an observation.
    pub fn assess(&self, observation: &Observation) -> Assessments {
        self.judge.assess_all(observation)
    }

    /// Judges one chain; `None` for an empty one.
    pub fn assess_chain(&self, chain: &[Arc<[u8]>]) -> Option<Arc<Assessed>> {
        self.judge.assess(chain)
    }

    /// Why connections to a host leave it open what it gives: they differ, or there
    /// was one only where it takes two.
    pub fn looks(&self, observation: &Observation) -> Option<Reason> {
        looks::open(&self.profile, observation)
    }

    /// The next hello that a host is worth, by what it said so far.
    pub fn next_hello(&self, observation: &Observation) -> Option<ClientHelloSpec> {
        step_down::next(&self.hellos, &self.sender_hello, observation)
            .or_else(|| self.next_of_enumeration(observation))
    }

    /// The same of an enumeration, which names the host if the sender does.
    fn next_of_enumeration(&self, observation: &Observation) -> Option<ClientHelloSpec> {
        let spec = enumeration::next_to(self.enumeration.as_ref()?, observation)?;
        Some(ClientHelloSpec { names_host: self.sender_hello.names_host, ..spec })
    }

    /// What a probe comes to by itself: its record, and what verdicts of domains
    /// rest on.
    pub fn endpoint(
        &self,
        observation: Observation,
        assessments: &Assessments,
    ) -> (EndpointRecord, JudgedEndpoint) {
        finding::endpoint(&self.profile, observation, assessments, false)
    }

    /// The same in a run of which `suspect` says whether this machine's own
    /// network lets nothing out over that family of addresses, as
    /// [`Reach`](super::Reach) has it.
    pub fn endpoint_of_run(
        &self,
        observation: Observation,
        assessments: &Assessments,
        suspect: bool,
    ) -> (EndpointRecord, JudgedEndpoint) {
        finding::endpoint(&self.profile, observation, assessments, suspect)
    }

    /// The answer for one domain, as [`super::verdict`].
    pub fn verdict(&self, facts: &DomainFacts, probes: &[(usize, Arc<JudgedEndpoint>)]) -> Verdict {
        domain_verdict::verdict(&self.profile, &self.connectors, facts, probes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Failure, Kind, Phase, ProbeKey, TlsObservation};
    use crate::trust::Roots;
    use jiff::Timestamp;

    #[test]
    fn an_enumeration_names_the_host_if_the_sender_does() {
        let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
        let failure = Failure::new(Phase::Tls, Kind::BadCertificate);
        let mut seen = Observation::failed(key, Timestamp::UNIX_EPOCH, 1, failure);
        seen.tls =
            Some(TlsObservation { suite: Some(crate::model::CipherSuite(0x1302)), ..Default::default() });
        for (sender, names_host) in [("exchange-online", true), ("postfix-may", false)] {
            let judge = Judge::new(Roots::default(), Timestamp::UNIX_EPOCH);
            let policy = Policy::new(judge, Sender::named(sender).unwrap())
                .with_enumeration(Some(EnumerationPlan::default()));
            let spec = policy.next_hello(&seen).unwrap();
            assert_eq!((spec.purpose, spec.names_host), (HelloPurpose::Suites, names_host), "{sender}");
        }
    }
}
