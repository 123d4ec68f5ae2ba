//! What a verdict needs of an observation, cut out of it.

use super::attempt::{judged, judged_open};
use super::looks;
use super::profile::SenderProfile;
use crate::ask::enumeration;
use crate::model::{
    EndpointRecord, Enumerated, Failure, Finding, HelloEnd, HelloFinding, HelloObservation, HelloPurpose,
    JudgedEndpoint, Kind, Observation, Phase, Reason, SecondHandshake, Sha256, TlsFinding,
};
use crate::smtp::{keyword_forms, reply_forms};
use crate::trust::names;
use crate::trust::pkix::{Assessed, Assessments};
use std::sync::Arc;

/// What a probe comes to by itself: its record, and what verdicts of domains
/// rest on. Where this machine's own network is `suspect`, that TCP does not
/// open says nothing of the host.
pub fn endpoint(
    profile: &SenderProfile,
    observation: Observation,
    assessments: &Assessments,
    suspect: bool,
) -> (EndpointRecord, JudgedEndpoint) {
    let assessed = assessments.handshake.as_deref();
    let found = finding(&observation, assessments);
    let closed = suspect && observation.failure.as_ref().is_some_and(Failure::opens_for_nobody);
    let open = closed
        .then_some(Reason::NetworkSuspect)
        .or_else(|| gave_up_early(&observation).or(shut_to_us(&observation)).map(Reason::from))
        .or_else(|| looks::open(profile, &observation));
    let mut judged = match open {
        Some(reason) => judged_open(profile, found, reason),
        None => judged(profile, found),
    };
    judged.stand_in = observation.inferred_key().map(Box::new);
    let record = EndpointRecord {
        name: assessed.map(|assessed| names::endpoint_status(&assessed.leaf, &observation.key)),
        assessment: assessed.map(|assessed| assessed.assessment.clone()),
        hello_assessments: assessments
            .hellos
            .iter()
            .map(|assessed| assessed.as_ref().map(|assessed| assessed.assessment.clone()))
            .collect(),
        enumeration: judged.finding.enumerated.as_ref().map(|enumerated| Box::new(enumerated.found.clone())),
        observation,
        outcome: judged.outcome.clone(),
    };
    (record, judged)
}

/// Time after which it is believed that TCP does not open, in microseconds: by
/// then a SYN was sent three times (RFC 6298 §2).
const CONNECT_PATIENCE_US: u64 = 4_000_000;

/// A connection that was given too little time says nothing of the host.
fn gave_up_early(observation: &Observation) -> Option<&Failure> {
    let timed_out = |failure: &&Failure| (failure.phase, failure.kind) == (Phase::Connect, Kind::Timeout);
    let inferred_from = observation.inferred_from.as_ref();
    let waited_us = inferred_from.map_or(observation.timings.total_us, |other| other.total_us);
    let early = waited_us < CONNECT_PATIENCE_US;
    observation.failure.as_ref().filter(timed_out).filter(|_| early)
}

/// TCP that opened for this run and then opens no more has to do with the run, and
/// not with who else may come.
fn shut_to_us(observation: &Observation) -> Option<&Failure> {
    let opened = observation.opened_at_address == Some(true);
    observation.failure.as_ref().filter(|failure| opened && failure.opens_for_nobody())
}

/// A chain by the digest of its leaf.
pub(super) type ChainByLeaf = (Sha256, Box<[Arc<[u8]>]>);

/// The chains that were seen, each with its leaf: first that of the scanner's
/// first handshake, then those of the further hellos.
pub(super) fn chains(observation: &Observation, assessments: &Assessments) -> Vec<ChainByLeaf> {
    let first = observation.tls.as_ref().map(|tls| &tls.chain).zip(assessments.handshake.as_ref());
    let hellos = observation.extra_client_hellos.iter().map(|hello| &hello.chain);
    let further =
        hellos.zip(&assessments.hellos).filter_map(|(chain, assessed)| Some((chain, assessed.as_ref()?)));
    let all = first.into_iter().chain(further);
    all.map(|(chain, assessed)| (assessed.leaf.sha256, chain.clone().into_boxed_slice())).collect()
}

/// Of these the one that the sender is shown.
pub(super) fn chain_shown(endpoint: &JudgedEndpoint, chains: Vec<ChainByLeaf>) -> Option<Box<[Arc<[u8]>]>> {
    let leaf = endpoint.presented.as_ref()?.leaf.sha256;
    chains.into_iter().find(|(shown, _)| *shown == leaf).map(|(_, chain)| chain)
}

/// Reduces an observation and its assessed chains to what verdicts rest on.
pub fn finding(observation: &Observation, assessments: &Assessments) -> Finding {
    let tls = observation.tls.as_ref().map(|tls| TlsFinding {
        version: tls.version,
        suite: tls.suite,
        group: tls.group,
        signature_scheme: tls.signature_scheme,
        signature: tls.signature.clone(),
        downgrade_mark: tls.downgrade_mark,
        renegotiation_info: tls.renegotiation_info,
        client_certificate: tls.client_certificate,
        ..of_chain(assessments.handshake.as_deref())
    });
    Finding {
        key: observation.key.clone(),
        failure: observation.failure.clone(),
        tls,
        extra_client_hellos: hellos(observation, assessments),
        enumerated: enumerated(observation).map(Box::new),
        starttls_forms: observation.dialogue.ehlo.as_ref().map(keyword_forms).unwrap_or_default(),
        reply_forms: reply_forms(&observation.dialogue),
    }
}

/// What a chain comes to, of a handshake of which nothing else is known.
fn of_chain(assessed: Option<&Assessed>) -> TlsFinding {
    TlsFinding {
        chain: assessed.map(|assessed| assessed.assessment.chain),
        root: assessed.and_then(|assessed| assessed.assessment.root.clone()),
        dates: assessed.map(|assessed| assessed.assessment.dates),
        key: assessed.map(|assessed| assessed.assessment.key),
        expectations: assessed.map(|assessed| assessed.assessment.expectations.clone()).unwrap_or_default(),
        leaf: assessed.map(|assessed| assessed.leaf.clone()),
        disputed: assessed.is_some_and(|assessed| assessed.disputed),
        ..TlsFinding::default()
    }
}

/// A whole handshake made once more; `None` of a hello that was none, or never
/// came to TLS.
fn second(hello: &HelloObservation, assessed: Option<&Assessed>) -> Option<Box<SecondHandshake>> {
    let shaken = hello.purpose == HelloPurpose::Handshake && hello.end != HelloEnd::NotAsked;
    let tls = shaken.then(|| TlsFinding {
        version: hello.version,
        suite: hello.suite,
        group: hello.group,
        signature_scheme: hello.signature_scheme,
        signature: hello.signature.clone(),
        downgrade_mark: hello.downgrade_mark,
        renegotiation_info: hello.renegotiation_info,
        client_certificate: hello.client_certificate.unwrap_or_default(),
        ..of_chain(assessed)
    })?;
    let reply_forms = hello.dialogue.as_deref().map(reply_forms).unwrap_or_default();
    Some(Box::new(SecondHandshake { failure: hello.failure.clone(), tls, reply_forms }))
}

/// What an enumeration found. All its hellos have one form.
fn enumerated(observation: &Observation) -> Option<Enumerated> {
    let found = enumeration::of(observation)?;
    let first = observation.extra_client_hellos.iter().find(|hello| !hello.purpose.is_judged());
    let names_host = first.and_then(|hello| hello.names_host).unwrap_or(true);
    Some(Enumerated { found, names_host })
}

/// What verdicts rest on of the further hellos.
fn hellos(observation: &Observation, assessments: &Assessments) -> Arc<[HelloFinding]> {
    let chains = assessments.hellos.iter().map(Option::as_deref).chain(std::iter::repeat(None));
    let kept =
        observation.extra_client_hellos.iter().zip(chains).filter(|(hello, _)| hello.purpose.is_judged());
    kept.map(|(hello, assessed)| HelloFinding {
        purpose: hello.purpose,
        offer: hello.offer.clone(),
        offered_version: hello.offered_version,
        offered_suites: hello.offered_suites,
        end: hello.end,
        hello_retry: hello.hello_retry,
        alert: hello.alert,
        version: hello.version,
        suite: hello.suite,
        group: hello.group,
        signature_scheme: hello.signature_scheme,
        signature: hello.signature.clone(),
        presented: assessed.map(Assessed::presented),
        downgrade_mark: hello.downgrade_mark,
        dh_bits: hello.dh_bits,
        renegotiation_info: hello.renegotiation_info,
        client_certificate_requested: hello.client_certificate_requested,
        names_host: hello.names_host.unwrap_or(true),
        handshake: second(hello, assessed),
    })
    .collect()
}
