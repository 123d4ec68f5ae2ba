//! Enumeration against servers that are functions of the question: it must
//! find what they are made of, whatever that is, and end.

use super::*;
use crate::model::{
    AlertDescription, CipherSuite, Failure, Gap, HelloEnd, Kind, NamedGroup, Phase, Preference,
    ProtocolVersion, VersionSuites,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// How a simulated server says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefusedBy {
    Alert(u8),
    HangUp,
}

#[derive(Clone, Debug)]
struct SuiteServer {
    /// Suites by version, in the server's order.
    suites: BTreeMap<ProtocolVersion, Vec<CipherSuite>>,
    groups: Vec<NamedGroup>,
    server_order: bool,
    refusal: RefusedBy,
    /// Longest list of suites that it stands; it hangs up on longer ones.
    suites_max: usize,
    /// Connections after which it asks us to go away.
    connections_max: usize,
    dh_bits: usize,
}

impl SuiteServer {
    fn new(version: ProtocolVersion, suites: &[u16]) -> Self {
        let suites = suites.iter().copied().map(CipherSuite).collect();
        Self {
            suites: BTreeMap::from([(version, suites)]),
            groups: vec![NamedGroup(4588), NamedGroup(29), NamedGroup(23)],
            server_order: true,
            refusal: RefusedBy::Alert(40),
            suites_max: usize::MAX,
            connections_max: usize::MAX,
            dh_bits: 2048,
        }
    }

    fn answer(&self, spec: &ClientHelloSpec, connection: usize) -> HelloObservation {
        let mut hello = blank(spec);
        if connection >= self.connections_max {
            hello.end = HelloEnd::NotAsked;
            hello.failure = Some(Failure::new(Phase::Greeting, Kind::Throttled));
            return hello;
        }
        let known = self.suites.get(&spec.version());
        let mine: Vec<_> = known.into_iter().flatten().copied().filter(|s| self.can(*s, spec)).collect();
        let yours = spec.suites.iter().find(|suite| mine.contains(suite));
        let server = mine.iter().find(|suite| spec.suites.contains(suite));
        let chosen = if self.server_order { server } else { yours };
        match chosen {
            Some(suite) if spec.suites.len() <= self.suites_max => {
                hello.end = HelloEnd::Agreed;
                hello.version = Some(spec.version());
                hello.suite = Some(*suite);
                let facts = suite.facts().unwrap();
                if facts.is_ecdhe() || facts.is_tls13() {
                    hello.group = self.group(spec);
                }
                hello.dh_bits = (facts.key_exchange == "DHE").then_some(self.dh_bits);
            }
            _ => self.refuse(&mut hello, spec.suites.len() > self.suites_max),
        }
        hello
    }

    fn refuse(&self, hello: &mut HelloObservation, too_long: bool) {
        match self.refusal {
            RefusedBy::Alert(code) if !too_long => {
                hello.end = HelloEnd::Alert;
                hello.alert = Some(AlertDescription(code));
            }
            _ => hello.end = HelloEnd::Closed,
        }
    }

    fn can(&self, suite: CipherSuite, spec: &ClientHelloSpec) -> bool {
        let facts = suite.facts().unwrap();
        !(facts.is_ecdhe() || facts.is_tls13()) || self.group(spec).is_some()
    }

    fn group(&self, spec: &ClientHelloSpec) -> Option<NamedGroup> {
        self.groups.iter().copied().find(|group| spec.groups.contains(group))
    }
}

fn blank(spec: &ClientHelloSpec) -> HelloObservation {
    HelloObservation {
        offered_suites: spec.suites.len(),
        ..HelloObservation::new(spec.purpose, spec.version(), Timestamp::UNIX_EPOCH, HelloEnd::Closed)
    }
}

fn enumerate(plan: &EnumerationPlan, server: &SuiteServer) -> Enumeration {
    let mut history = Vec::new();
    while let Some(spec) = next(plan, &history) {
        assert!(!spec.suites.is_empty(), "{spec:?}");
        let connection = history.len();
        history.push(server.answer(&spec, connection));
        assert!(history.len() <= plan.connections_max);
    }
    summary(plan, &history)
}

fn of(enumeration: &Enumeration, version: ProtocolVersion) -> &VersionSuites {
    enumeration.versions.iter().find(|found| found.version == version).unwrap()
}

fn suites(found: &VersionSuites) -> Vec<u16> {
    found.suites.iter().map(|accepted| accepted.suite.0).collect()
}

fn groups(found: &VersionSuites) -> Vec<u16> {
    found.groups.iter().flat_map(|found| &found.groups).map(|group| group.0).collect()
}

const TLS12: ProtocolVersion = ProtocolVersion::TLS12;

#[test]
fn a_server_is_found_in_its_own_order() {
    let server = SuiteServer::new(TLS12, &[0x009c, 0xc02f, 0x0033, 0x000a]);
    let found = enumerate(&EnumerationPlan::default(), &server);
    let tls12 = of(&found, TLS12);
    assert_eq!(suites(tls12), [0x009c, 0xc02f, 0x0033, 0x000a]);
    assert_eq!(tls12.preference, Some(Preference::Server));
    assert_eq!(tls12.suites[2].dh_bits, Some(2048));
    assert_eq!(groups(tls12), [29, 23]);
    assert!(found.is_complete(), "{found:?}");
    assert_eq!(suites(of(&found, ProtocolVersion::TLS13)), [0; 0]);
    // Four versions refused; four suites, a refusal, the order; one group
    // beside that seen before, and a refusal.
    assert_eq!(found.connections, 4 + 4 + 1 + 1 + 2);
}

#[test]
fn the_order_of_the_client_is_told_from_that_of_the_server() {
    let server = SuiteServer { server_order: false, ..SuiteServer::new(TLS12, &[0x009c, 0xc02f, 0x0033]) };
    let found = enumerate(&EnumerationPlan::default(), &server);
    assert_eq!(of(&found, TLS12).preference, Some(Preference::Client));
    let one = enumerate(&EnumerationPlan::default(), &SuiteServer::new(TLS12, &[0x009c]));
    assert_eq!(of(&one, TLS12).preference, None);
}

#[test]
fn tls13_names_its_groups_by_retries() {
    let server = SuiteServer::new(ProtocolVersion::TLS13, &[0x1302, 0x1301]);
    let found = enumerate(&EnumerationPlan::default(), &server);
    let tls13 = of(&found, ProtocolVersion::TLS13);
    assert_eq!((suites(tls13), groups(tls13)), (vec![0x1302, 0x1301], vec![4588, 29, 23]));
    assert!(found.is_complete());
}

#[test]
fn a_hang_up_is_a_refusal_if_the_control_is_answered() {
    let server = SuiteServer { refusal: RefusedBy::HangUp, ..SuiteServer::new(TLS12, &[0xc02f, 0x009c]) };
    let found = enumerate(&EnumerationPlan::default(), &server);
    assert_eq!(suites(of(&found, TLS12)), [0xc02f, 0x009c]);
    assert_eq!(of(&found, TLS12).gap, None);
    assert_eq!(of(&found, ProtocolVersion::TLS10).gap, None, "{found:?}");
    // Nothing was agreed to before TLS 1.3 was asked for, so nothing speaks
    // for its hang-up.
    assert_eq!(of(&found, ProtocolVersion::TLS13).gap, Some(Gap::HangUp));
}

/// Every so many connections it hangs up, whatever is asked, as where one of
/// several servers behind an address is ill.
#[test]
fn a_hang_up_now_and_then_is_no_refusal() {
    let server = SuiteServer::new(TLS12, &[0xc02f, 0x009c, 0x0033, 0x000a, 0x002f]);
    let true_groups = [29, 23];
    for every in 2..=9 {
        for at in 0..every {
            let plan = EnumerationPlan::default();
            let mut history = Vec::new();
            while let Some(spec) = next(&plan, &history) {
                let connection = history.len();
                let ill = connection % every == at;
                history.push(if ill { blank(&spec) } else { server.answer(&spec, connection) });
            }
            let found = summary(&plan, &history);
            let tls12 = of(&found, TLS12);
            let all = suites(tls12).len() == 5 && groups(tls12) == true_groups;
            assert!(all || !found.is_complete(), "every {every} at {at}: {found:?}");
        }
    }
}

#[test]
fn a_server_that_only_hangs_up_is_not_said_to_refuse() {
    let mut server = SuiteServer::new(TLS12, &[]);
    server.refusal = RefusedBy::HangUp;
    let found = enumerate(&EnumerationPlan::default(), &server);
    assert!(found.versions.iter().all(|found| found.gap == Some(Gap::HangUp)), "{found:?}");
}

#[test]
fn a_list_too_long_for_the_server_is_cut_and_ranked() {
    let order = [0x000a, 0xc02f, 0x0033, 0x0005, 0xc013];
    let server = SuiteServer { suites_max: offer::CHUNK_SUITES, ..SuiteServer::new(TLS12, &order) };
    let found = enumerate(&EnumerationPlan::default(), &server);
    assert_eq!(suites(of(&found, TLS12)), order);
    assert_eq!(of(&found, TLS12).preference, Some(Preference::Server));
    assert_eq!(of(&found, TLS12).gap, None);
}

#[test]
fn throttling_ends_it_and_names_the_cause() {
    let server = SuiteServer { connections_max: 3, ..SuiteServer::new(TLS12, &[0xc02f, 0x009c, 0x0033]) };
    let found = enumerate(&EnumerationPlan::default(), &server);
    assert_eq!(found.connections, 4);
    assert_eq!(of(&found, ProtocolVersion::TLS13).gap, None);
    assert_eq!((suites(of(&found, TLS12)).len(), of(&found, TLS12).gap), (2, Some(Gap::Throttled)));
    assert_eq!(of(&found, ProtocolVersion::SSL3).gap, Some(Gap::Throttled));
}

#[test]
fn the_budget_holds_and_is_named() {
    let plan = EnumerationPlan { connections_max: 3, ..EnumerationPlan::default() };
    let found = enumerate(&plan, &SuiteServer::new(TLS12, &[0xc02f, 0x009c, 0x0033]));
    assert_eq!(found.connections, 3);
    assert_eq!((suites(of(&found, TLS12)).len(), of(&found, TLS12).gap), (2, Some(Gap::Budget)));
}

/// What is found where the first question of `purpose` and all after it end in
/// the same way.
fn broken_off(purpose: HelloPurpose, end: HelloEnd, kind: Option<Kind>, server: &SuiteServer) -> Enumeration {
    let (plan, mut history, mut broken) = (EnumerationPlan::default(), Vec::new(), false);
    while let Some(spec) = next(&plan, &history) {
        broken |= spec.purpose == purpose;
        let failure = kind.map(|kind| Failure::new(Phase::Greeting, kind));
        let answer = server.answer(&spec, history.len());
        let answer = if broken { HelloObservation { end, failure, ..blank(&spec) } } else { answer };
        history.push(answer);
    }
    summary(&plan, &history)
}

#[test]
fn each_gap_names_its_cause() {
    let server = SuiteServer::new(TLS12, &[0xc02f, 0xc030, 0x0033]);
    for (end, kind, gap) in [
        (HelloEnd::NotAsked, Some(Kind::Throttled), Gap::Throttled),
        (HelloEnd::Timeout, None, Gap::Timeout),
        (HelloEnd::Closed, None, Gap::HangUp),
        (HelloEnd::Alert, None, Gap::Alert),
        (HelloEnd::Malformed, None, Gap::Unreadable),
        (HelloEnd::NotAsked, Some(Kind::Tempfail), Gap::NotAsked),
    ] {
        let found = broken_off(HelloPurpose::Suites, end, kind, &server);
        assert_eq!(of(&found, TLS12).gap, Some(gap), "{found:?}");
        let found = broken_off(HelloPurpose::Order, end, kind, &server);
        assert_eq!(of(&found, TLS12).preference, Some(Preference::Undetermined), "{found:?}");
        let found = broken_off(HelloPurpose::Groups, end, kind, &server);
        assert_eq!(of(&found, TLS12).groups.as_ref().unwrap().gap, Some(gap), "{found:?}");
    }
}

#[test]
fn the_budget_may_end_among_the_groups() {
    let server = SuiteServer::new(TLS12, &[0xc02f, 0xc030]);
    let gap = |connections_max| {
        let found = enumerate(&EnumerationPlan { connections_max, ..EnumerationPlan::default() }, &server);
        of(&found, TLS12).groups.as_ref().and_then(|groups| groups.gap)
    };
    assert!((1..20).any(|connections| gap(connections) == Some(Gap::Budget)));
}

#[test]
fn every_version_with_groups_has_its_own() {
    for (version, name, suite) in [
        (ProtocolVersion::TLS13, "TLSv1.3", 0x1301),
        (ProtocolVersion::TLS12, "TLSv1.2", 0xc02f),
        (ProtocolVersion::TLS11, "TLSv1.1", 0xc013),
        (ProtocolVersion::TLS10, "TLSv1.0", 0xc013),
        (ProtocolVersion::SSL3, "SSLv3", 0xc013),
    ] {
        let found = enumerate(&EnumerationPlan::default(), &SuiteServer::new(version, &[suite]));
        assert!(groups(of(&found, version)).ends_with(&[29, 23]), "{name}: {found:?}");
        assert_eq!(version.name(), name);
    }
}

#[test]
fn other_alerts_are_no_refusal() {
    for (code, gap) in [(40, None), (70, None), (71, None), (80, Some(Gap::Alert)), (50, Some(Gap::Alert))] {
        let server = SuiteServer { refusal: RefusedBy::Alert(code), ..SuiteServer::new(TLS12, &[0xc02f]) };
        let found = enumerate(&EnumerationPlan::default(), &server);
        assert_eq!(of(&found, TLS12).gap, gap, "alert {code}");
    }
}

/// Every end of every hello, in any order: it goes on within the budget.
#[test]
fn nonsense_comes_to_an_end() {
    for end in [HelloEnd::Agreed, HelloEnd::NotTls, HelloEnd::Malformed, HelloEnd::TooLong, HelloEnd::Timeout]
    {
        let plan = EnumerationPlan::default();
        let mut history = Vec::new();
        while let Some(spec) = next(&plan, &history) {
            let version = (end == HelloEnd::Agreed).then_some(spec.version());
            let suite = version.map(|_| CipherSuite(0x5a5a));
            history.push(HelloObservation { end, version, suite, ..blank(&spec) });
        }
        assert!(history.len() <= 30, "{end:?} took {}", history.len());
        assert!(!summary(&plan, &history).is_complete());
    }
}

#[test]
fn an_ecdsa_certificate_leaves_the_groups_open() {
    let found = enumerate(&EnumerationPlan::default(), &SuiteServer::new(TLS12, &[0xc02b, 0xc02c]));
    assert_eq!(of(&found, TLS12).groups.as_ref().unwrap().gap, Some(Gap::CertificateCurve));
}

fn any_server() -> impl Strategy<Value = SuiteServer> {
    let subset = |version| {
        let all = offer::suites(version).to_vec();
        prop::sample::subsequence(all, 0..=11).prop_shuffle()
    };
    let versions = EnumerationPlan::default().versions;
    let suites: Vec<_> = versions.iter().map(|version| subset(*version)).collect();
    let groups = prop::sample::subsequence(vec![4588u16, 29, 23, 24, 25, 30], 1..=6).prop_shuffle();
    let limit = prop_oneof![Just(usize::MAX), Just(offer::CHUNK_SUITES)];
    (suites, groups, any::<bool>(), limit).prop_map(move |(suites, groups, server_order, suites_max)| {
        SuiteServer {
            suites: versions.iter().copied().zip(suites).collect(),
            groups: groups.into_iter().map(NamedGroup).collect(),
            server_order,
            suites_max,
            ..SuiteServer::new(TLS12, &[])
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// It finds each version exactly, in the server's order where that is one,
    /// within the bound: a hello a suite, twice where lists are cut, and few
    /// besides.
    #[test]
    fn every_server_is_found_exactly(server in any_server()) {
        let plan = EnumerationPlan::default();
        let found = enumerate(&plan, &server);
        let mut bound = 0;
        for (version, suites) in &server.suites {
            // TLS 1.2 has no group for a server that only knows the hybrid.
            let groups: Vec<_> = server.groups.iter().filter(|group| offer::groups(*version).contains(group)).collect();
            let usable = |suite: &&CipherSuite| {
                let facts = suite.facts().unwrap();
                !(facts.is_ecdhe() || facts.is_tls13()) || !groups.is_empty()
            };
            let mut expected: Vec<_> = suites.iter().filter(usable).map(|suite| suite.0).collect();
            let this = of(&found, *version);
            let mut actual: Vec<_> = this.suites.iter().map(|accepted| accepted.suite.0).collect();
            if expected.len() > 1 {
                let by = if server.server_order { Preference::Server } else { Preference::Client };
                prop_assert_eq!(this.preference, Some(by));
            }
            if !server.server_order {
                expected.sort_unstable();
                actual.sort_unstable();
            }
            bound += expected.len() * 2 + groups.len() + 16;
            prop_assert_eq!(actual, expected);
            prop_assert_eq!(this.gap, None);
            if let Some(accepted) = this.groups.as_ref().filter(|accepted| accepted.gap.is_none()) {
                let expected: Vec<_> = groups.into_iter().copied().collect();
                prop_assert_eq!(&accepted.groups, &expected);
            }
        }
        prop_assert!(found.connections <= bound, "{} of {bound}", found.connections);
    }
}
