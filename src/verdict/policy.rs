//! What a run is judged by: everything a verdict depends on besides what was
//! seen, in one place, so that the engine, `probe` and `judge` judge alike.

use super::domain::Domain;
use super::profile::SenderProfile;
use super::{domain_verdict, finding, inferred, looks, requirement, sessions};
use crate::ask::enumeration::{self, EnumerationPlan};
use crate::ask::step_down::{self, HelloPlan};
use crate::model::mta_sts::Published;
use crate::model::tls_rpt::ReportedSessions;
use crate::model::{
    ClientHelloSpec, DomainFacts, EndpointRecord, Exchange, HelloPurpose, JudgedEndpoint, Observation,
    Reason, Verdict,
};
use crate::sender::connector::Connectors;
use crate::sender::{DaneUse, Sender};
use crate::trust::pkix::{Assessed, Assessments, Judge};
use std::sync::Arc;

/// The rules of a run.
#[derive(Debug)]
pub struct Policy {
    judge: Judge,
    usual: AsMet,
    /// The same of a host with TLSA records, where the sender does otherwise
    /// there.
    with_tlsa: Option<AsMet>,
    connectors: Arc<Connectors>,
    hellos: HelloPlan,
    enumeration: Option<EnumerationPlan>,
}

/// The sender as one host meets it.
#[derive(Debug)]
struct AsMet {
    profile: SenderProfile,
    /// Its offer as a hello, made once.
    hello: ClientHelloSpec,
}

impl AsMet {
    fn new(sender: Sender) -> Self {
        let mut hello = sender.offer().spec(HelloPurpose::Sender);
        hello.shows_certificate = sender.may_show_certificate();
        Self { profile: SenderProfile::new(sender), hello }
    }

    /// One that uses TLSA records names the host in its hello there, whatever it
    /// does elsewhere (RFC 7672 §8.1).
    fn with_tlsa(sender: &Sender) -> Option<Self> {
        let differs = sender.dane.value != DaneUse::No && !sender.sends_sni.value;
        differs.then(|| {
            let mut sender = sender.clone();
            sender.sends_sni.value = true;
            Self::new(sender)
        })
    }
}

/// What is known of a key beside what it said.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyContext<'a> {
    /// Whether this machine's own network lets nothing out over that family of
    /// addresses, as [`Reach`](super::Reach) has it.
    pub network_suspect: bool,
    /// Whether a domain that waits for it holds its certificate against TLSA
    /// records ([`Exchange::may_have_tlsa`](crate::model::Exchange::may_have_tlsa)): the
    /// chain is kept then.
    pub tlsa: bool,
    /// What was found of the key that stands for it ([`Observation::stand_in`]), where
    /// it was not asked itself.
    pub stand_in: Option<&'a JudgedEndpoint>,
}

impl Policy {
    /// Judges chains by `judge`, for mail that `sender` sends.
    pub fn new(judge: Judge, sender: Sender) -> Self {
        Self {
            judge,
            with_tlsa: AsMet::with_tlsa(&sender),
            usual: AsMet::new(sender),
            connectors: Arc::default(),
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
        &self.usual.profile.sender
    }

    fn as_met(&self, tlsa: bool) -> &AsMet {
        self.with_tlsa.as_ref().filter(|_| tlsa).unwrap_or(&self.usual)
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
    /// was one only where it takes two. `tlsa` as in [`KeyContext`].
    pub fn looks(&self, observation: &Observation, tlsa: bool) -> Option<Reason> {
        looks::open(&self.as_met(tlsa).profile, observation)
    }

    /// The next hello that a host is worth, by what it said so far.
    pub fn next_hello(&self, observation: &Observation) -> Option<ClientHelloSpec> {
        self.next_hello_at(observation, false)
    }

    /// The same; `tlsa` as in [`KeyContext`].
    pub fn next_hello_at(&self, observation: &Observation, tlsa: bool) -> Option<ClientHelloSpec> {
        let sender_hello = &self.as_met(tlsa).hello;
        step_down::next(&self.hellos, sender_hello, observation)
            .or_else(|| self.next_of_enumeration(observation, sender_hello))
    }

    /// The same of an enumeration, which names the host if the sender does.
    fn next_of_enumeration(
        &self,
        observation: &Observation,
        sender_hello: &ClientHelloSpec,
    ) -> Option<ClientHelloSpec> {
        let spec = enumeration::next_to(self.enumeration.as_ref()?, observation)?;
        Some(ClientHelloSpec { names_host: sender_hello.names_host, ..spec })
    }

    /// What a probe comes to by itself: its record, and what verdicts of domains
    /// rest on.
    pub fn endpoint(
        &self,
        observation: Observation,
        assessments: &Assessments,
    ) -> (EndpointRecord, JudgedEndpoint) {
        self.endpoint_of_run(observation, assessments, KeyContext::default())
    }

    /// The same in a run that knows more of the key.
    pub fn endpoint_of_run(
        &self,
        observation: Observation,
        assessments: &Assessments,
        context: KeyContext<'_>,
    ) -> (EndpointRecord, JudgedEndpoint) {
        if observation.stand_in().is_some() {
            return inferred::endpoint(observation, context.stand_in);
        }
        let profile = &self.as_met(context.tlsa).profile;
        let chains = if context.tlsa { Some(finding::chains(&observation, assessments)) } else { None };
        let (record, mut judged) =
            finding::endpoint(profile, observation, assessments, context.network_suspect);
        if let Some(chains) = chains {
            judged.chain = finding::chain_shown(&judged, chains);
        }
        (record, judged)
    }

    /// Whether the certificate of a host decides what becomes of mail to this domain: by
    /// its TLSA records, a policy of MTA-STS, or a connector.
    pub fn hangs_on_certificate(&self, facts: &DomainFacts, exchange: usize) -> bool {
        let has_tlsa = facts.exchanges.get(exchange).is_some_and(Exchange::may_have_tlsa);
        let has_policy = facts.mta_sts.as_ref().is_some_and(|sts| !matches!(sts.record, Published::Absent));
        let domain = requirement::domain(facts);
        has_tlsa || has_policy || domain.is_some_and(|domain| self.connectors.choose(domain).is_some())
    }

    /// The answer for one domain, as [`super::verdict`].
    pub fn verdict(&self, facts: &DomainFacts, probes: &[(usize, Arc<JudgedEndpoint>)]) -> Verdict {
        domain_verdict::verdict(&self.usual.profile, &self.judge, &self.connectors, facts, probes)
    }

    /// What was found at the addresses of a domain, as a report on TLS groups it
    /// (RFC 8460 §4.4).
    pub fn policy_sessions(
        &self,
        facts: &DomainFacts,
        probes: &[(usize, Arc<JudgedEndpoint>)],
    ) -> ReportedSessions {
        sessions::of(&Domain::new(&self.usual.profile, &self.judge, facts, probes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Failure, Kind, Phase, ProbeKey, TlsObservation};
    use crate::trust::Roots;
    use jiff::Timestamp;

    /// What a host said that came to TLS in its first handshake, which names it.
    fn seen_with(chain: Vec<Arc<[u8]>>) -> Observation {
        let sni = Some(crate::model::MxHost::new("mx.example.com"));
        let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni };
        let mut seen =
            Observation::failed(key, Timestamp::UNIX_EPOCH, 1, Failure::new(Phase::Tls, Kind::Closed));
        seen.failure = None;
        seen.tls = Some(TlsObservation {
            version: Some(crate::model::ProtocolVersion::TLS13),
            suite: Some(crate::model::CipherSuite(0x1302)),
            group: Some(crate::model::NamedGroup(29)),
            signature_scheme: Some(crate::model::SignatureScheme(0x0804)),
            signature: Some(crate::model::SignatureCheck::Verified),
            established: true,
            chain,
            ..Default::default()
        });
        seen
    }

    #[test]
    fn a_sender_with_dane_names_hosts_with_tlsa_records_and_their_chains_are_kept() {
        let policy = |sender: &str| {
            Policy::new(Judge::new(Roots::default(), Timestamp::UNIX_EPOCH), Sender::named(sender).unwrap())
        };
        let chain = crate::verdict::policy_fixtures::PKI.host.clone();
        let seen = seen_with(chain.clone());
        // Postfix names nobody but where it uses TLSA records: there the first
        // handshake has its form, and no second one is made.
        let nameless = |policy: &Policy, tlsa| {
            policy.next_hello_at(&seen, tlsa).is_some_and(|spec| spec.purpose == HelloPurpose::Handshake)
        };
        let dane = policy("postfix-dane");
        assert!(nameless(&dane, false) && !nameless(&dane, true));
        assert!(nameless(&policy("postfix-may"), true));
        for tlsa in [false, true] {
            let assessments = dane.assess(&seen);
            let context = KeyContext { tlsa, ..KeyContext::default() };
            let (_, judged) = dane.endpoint_of_run(seen.clone(), &assessments, context);
            assert_eq!(judged.chain.as_deref(), tlsa.then_some(&chain[..]), "{tlsa}");
        }
    }

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
