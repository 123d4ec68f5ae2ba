//! A line of what the DNS said: what is read of it is written as what is read
//! again, the same.

use super::Seed;
use mxray::internals::model::{
    DomainFacts, DomainName, Exchange, Failure, Kind, MxHost, Phase, Subject, Target,
};

pub fn check(input: &[u8]) {
    let Ok(facts) = serde_json::from_slice::<DomainFacts>(input) else { return };
    let written = serde_json::to_vec(&facts).expect("all facts are JSON");
    let again: DomainFacts = serde_json::from_slice(&written).expect("what was written is read");
    assert_eq!(again, facts);
    let keys = |facts: &DomainFacts| facts.probe_keys(25).collect::<Vec<_>>();
    assert_eq!(keys(&again), keys(&facts));
    assert!(keys(&facts).iter().all(|(exchange, _)| *exchange < facts.exchanges.len()));
}

pub fn seeds() -> Vec<Seed> {
    let domain = |name| Target { line: 1, subject: Subject::Domain(DomainName::parse(name).unwrap()) };
    let failed = DomainFacts::failed(domain("a.example"), Failure::new(Phase::Dns, Kind::Nxdomain));
    let exchange = |preference, addresses: &[&str], failure| Exchange {
        failure,
        ..Exchange::whole(
            preference,
            Some(MxHost::new("mx.a.example")),
            addresses.iter().map(|address| address.parse().unwrap()).collect(),
        )
    };
    let dead = Failure::new(Phase::Dns, Kind::Servfail).with_detail("\\x00");
    let whole = DomainFacts {
        exchanges: vec![exchange(10, &["192.0.2.1", "2001:db8::1"], None), exchange(20, &[], Some(dead))],
        failure: None,
        ..failed.clone()
    };
    let subject = Subject::Endpoint { ip: [192, 0, 2, 1].into(), port: Some(2525), name: None };
    let endpoint = DomainFacts {
        target: Target { line: 2, subject },
        exchanges: vec![Exchange { host: None, ..exchange(0, &["192.0.2.1"], None) }],
        ..whole.clone()
    };
    let line = |facts: &DomainFacts| serde_json::to_vec(facts).unwrap();
    vec![("failed", line(&failed)), ("two-exchanges", line(&whole)), ("endpoint", line(&endpoint))]
}
