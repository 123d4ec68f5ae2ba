//! What is kept of hosts that were asked: memory does not go by what they show.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use jiff::Timestamp;
use mxray::internals::engine::{Findings, KeptFinding};
use mxray::internals::model::{
    CipherSuite, Endpoint, HelloEnd, HelloObservation, HelloPurpose, JudgedEndpoint, MxHost, NamedGroup,
    Observation, ProbeKey, ProtocolVersion, SignatureCheck, SignatureScheme, TlsObservation,
};
use mxray::internals::sender::Sender;
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::{KeyContext, Policy};
use rcgen::{CertificateParams, KeyPair};
use std::sync::Arc;

fn policy() -> Policy {
    Policy::new(Judge::new(Roots::default(), Timestamp::UNIX_EPOCH), Sender::named("postfix-dane").unwrap())
}

fn chain(names: usize) -> Vec<Arc<[u8]>> {
    let names: Vec<String> = (0..names).map(|number| format!("mx{number}.host.example")).collect();
    let key = KeyPair::generate().unwrap();
    vec![CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().as_ref().into()]
}

/// A host that shows a leaf with so many names, and another one in an older version.
fn seen(names: usize) -> Observation {
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    let key = ProbeKey { endpoint, sni: Some(MxHost::new("mx0.host.example")) };
    let mut seen = Observation::not_asked(key, Timestamp::UNIX_EPOCH, None);
    (seen.failure, seen.inferred_from, seen.attempts) = (None, None, 1);
    seen.tls = Some(TlsObservation {
        established: true,
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1302)),
        group: Some(NamedGroup(29)),
        signature_scheme: Some(SignatureScheme(0x0403)),
        signature: Some(SignatureCheck::Verified),
        chain: chain(names),
        ..TlsObservation::default()
    });
    let (purpose, version) = (HelloPurpose::Version, ProtocolVersion::TLS12);
    let hello = HelloObservation::new(purpose, version, Timestamp::UNIX_EPOCH, HelloEnd::Agreed);
    let older = HelloObservation { version: Some(version), chain: chain(names), ..hello };
    seen.extra_client_hellos = vec![older];
    seen
}

fn judged(policy: &Policy, seen: &Observation, context: KeyContext<'_>) -> JudgedEndpoint {
    policy.endpoint_of_run(seen.clone(), &policy.assess(seen), context).1
}

#[test]
fn what_a_server_makes_large_goes_to_the_file_and_comes_back_as_it_was() {
    let (dir, policy) = (tempfile::tempdir().unwrap(), policy());
    let mut findings = Findings::new(Some(dir.path().to_path_buf()));
    let mut all = Vec::new();
    for (names, tlsa, is_large) in
        [(1, false, false), (600, false, true), (1, true, false), (1300, true, true)]
    {
        let (seen, context) = (seen(names), KeyContext { tlsa, ..KeyContext::default() });
        let found = judged(&policy, &seen, context);
        let kept = findings.keep(found.clone(), &seen, context);
        assert_eq!(matches!(kept, KeptFinding::InFile(_)), is_large, "{names}");
        all.push((kept, found));
    }
    for _ in 0..2 {
        for (kept, found) in &all {
            assert_eq!(*findings.whole(&policy, kept).unwrap(), *found);
        }
    }
}

#[test]
fn without_a_place_for_the_file_all_is_in_memory() {
    let (dir, policy) = (tempfile::tempdir().unwrap(), policy());
    for place in [None, Some(dir.path().join("gone"))] {
        let mut findings = Findings::new(place);
        let seen = seen(600);
        let found = judged(&policy, &seen, KeyContext::default());
        let kept = findings.keep(found.clone(), &seen, KeyContext::default());
        assert!(matches!(&kept, KeptFinding::Whole(whole) if **whole == found));
    }
}
