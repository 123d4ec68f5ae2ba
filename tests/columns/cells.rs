//! No cell holds what its column does not admit, whatever a server says: every
//! number that comes from the network (versions, suites, groups, schemes, alerts,
//! reply codes) is drawn at random, and all that a verdict makes of it is looked
//! at.

use super::weakest::table;
use jiff::Timestamp;
use mxray::internals::model::{
    AlertDescription, CipherSuite, ClientCertificate, ClientHelloSpec, Delivery, Deviation, Dialogue,
    DomainFacts, DomainName, DomainRecord, DowngradeMark, Endpoint, EndpointRecord, Exchange, Failure,
    HelloEnd, HelloObservation, HelloPurpose, Kind, MxHost, NamedGroup, Observation, OtherAttempt, Phase,
    ProbeKey, ProtocolVersion, Reply, SignatureCheck, SignatureScheme, Subject, Target, TlsObservation,
};
use mxray::internals::run_dir::{Column, DOMAINS, ENDPOINTS};
use mxray::internals::sender::Sender;
use mxray::internals::trust::{Assessments, Judge, Roots};
use mxray::internals::verdict::Policy;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::{Arc, LazyLock};

const ENDS: [HelloEnd; 11] = [
    HelloEnd::Agreed,
    HelloEnd::Alert,
    HelloEnd::Closed,
    HelloEnd::Timeout,
    HelloEnd::Sslv2,
    HelloEnd::BadCertificate,
    HelloEnd::NotTls,
    HelloEnd::IllegalParameter,
    HelloEnd::Malformed,
    HelloEnd::TooLong,
    HelloEnd::NotAsked,
];

const DEVIATIONS: [Deviation; 8] = [
    Deviation::BareLf,
    Deviation::BareCr,
    Deviation::NulByte,
    Deviation::ControlCharacter,
    Deviation::EightBit,
    Deviation::OverlongLine,
    Deviation::EmptyLine,
    Deviation::UnsolicitedReply,
];

/// A file of a sender with another list under a key.
fn with_list(file: &str, key: &str, list: &str) -> String {
    let (before, rest) = file.split_once(&format!("[{key}]\nvalue = [")).unwrap();
    let (_, after) = rest.split_once(']').unwrap();
    format!("{before}[{key}]\nvalue = {list}{after}")
}

/// One that offers SSLv3 and nothing newer.
fn old_sender() -> Sender {
    let file = Sender::built_in_file("rfc9325").unwrap().replace("rfc9325", "old");
    let file = with_list(&file, "versions", r#"["SSLv3"]"#);
    let file = with_list(&file, "suites_tls13", "[]");
    let suites = r#"["TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"]"#;
    Sender::parse(&with_list(&file, "suites", suites)).unwrap()
}

fn policy(sender: Sender) -> Policy {
    Policy::new(Judge::new(Roots::default(), Timestamp::UNIX_EPOCH), sender)
}

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let senders = Sender::names().into_iter().map(|name| Sender::named(name).unwrap());
    senders.chain([old_sender()]).map(policy).collect()
});

/// What a server said to one hello; of a whole handshake what rustls lets pass.
#[derive(Clone, Debug)]
struct Said {
    end: HelloEnd,
    version: u16,
    handshake_version: ProtocolVersion,
    suite: Option<u16>,
    group: Option<u16>,
    scheme: Option<u16>,
    signature: SignatureCheck,
    alert: u8,
    renegotiation_info: Option<bool>,
    mark: Option<DowngradeMark>,
    client_certificate: ClientCertificate,
}

/// Mostly a code point with a name, and any other.
fn code(known: &'static [u16]) -> impl Strategy<Value = u16> {
    prop_oneof![3 => select(known), 1 => any::<u16>()]
}

fn versions() -> impl Strategy<Value = u16> {
    code(&[0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x0002, 0x0305, 0x7f1c, 0xfeff])
}

fn suites() -> impl Strategy<Value = Option<u16>> {
    proptest::option::of(code(&[0x0005, 0x002f, 0x0034, 0x009c, 0x1301, 0x1302, 0xc013, 0xc02b, 0xc030]))
}

fn signatures() -> impl Strategy<Value = SignatureCheck> {
    prop_oneof![
        2 => Just(SignatureCheck::Verified),
        1 => Just(SignatureCheck::NotOffered),
        1 => Just(SignatureCheck::Failed),
        1 => Just(SignatureCheck::Unverifiable("a curve".into())),
    ]
}

fn certificates() -> impl Strategy<Value = ClientCertificate> {
    prop_oneof![
        3 => Just(ClientCertificate::NeverAsked),
        1 => Just(ClientCertificate::NotShown),
        1 => Just(ClientCertificate::Shown),
        1 => Just(ClientCertificate::Accepted),
        1 => any::<u8>().prop_map(|alert| ClientCertificate::Refused(AlertDescription(alert))),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let marks = select(
        &[None, Some(DowngradeMark::None), Some(DowngradeMark::Tls12), Some(DowngradeMark::Tls11)][..],
    );
    let whole = select(&[ProtocolVersion::TLS12, ProtocolVersion::TLS13][..]);
    let ends = prop_oneof![2 => Just(HelloEnd::Agreed), 1 => select(&ENDS[..])];
    let groups = proptest::option::of(code(&[23, 24, 25, 29, 4588]));
    let schemes = proptest::option::of(code(&[0x0403, 0x0503, 0x0804, 0x0807]));
    let chosen = (ends, versions(), whole, suites(), groups, schemes);
    let rest = (signatures(), any::<u8>(), any::<Option<bool>>(), marks, certificates());
    (chosen, rest).prop_map(|(chosen, rest)| {
        let (end, version, handshake_version, suite, group, scheme) = chosen;
        let (signature, alert, renegotiation_info, mark, client_certificate) = rest;
        Said {
            end,
            version,
            handshake_version,
            suite,
            group,
            scheme,
            signature,
            alert,
            renegotiation_info,
            mark,
            client_certificate,
        }
    })
}

impl Said {
    fn to_hello(&self, spec: &ClientHelloSpec) -> HelloObservation {
        let mut hello = HelloObservation::not_asked(spec, Timestamp::UNIX_EPOCH, None);
        let whole = spec.purpose == HelloPurpose::Handshake;
        hello.end = self.end;
        hello.alert = (self.end == HelloEnd::Alert).then_some(AlertDescription(self.alert));
        hello.version = Some(if whole { self.handshake_version } else { ProtocolVersion(self.version) });
        hello.suite = self.suite.map(CipherSuite);
        hello.group = self.group.map(NamedGroup);
        hello.signature_scheme = self.scheme.map(SignatureScheme);
        hello.signature = Some(self.signature.clone());
        hello.renegotiation_info = self.renegotiation_info;
        hello.downgrade_mark = self.mark;
        hello.client_certificate = whole.then_some(self.client_certificate);
        hello
    }

    /// The same as the scanner's own handshake.
    fn to_handshake(&self, established: bool) -> TlsObservation {
        let version = Some(self.handshake_version);
        TlsObservation {
            established,
            version,
            suite: self.suite.map(CipherSuite),
            group: self.group.map(NamedGroup),
            signature_scheme: self.scheme.map(SignatureScheme),
            signature: Some(self.signature.clone()),
            client_certificate: self.client_certificate,
            downgrade_mark: self.mark,
            renegotiation_info: self.renegotiation_info,
            ..TlsObservation::default()
        }
    }
}

/// How a probe ended, with a code and an alert that nobody has heard of.
fn ends() -> impl Strategy<Value = Option<Failure>> {
    let known: Vec<(Phase, Kind)> =
        table().into_iter().filter(|(phase, _)| *phase >= Phase::Connect).collect();
    proptest::option::weighted(
        0.8,
        (select(known), any::<u16>(), any::<u8>()).prop_map(|((phase, kind), code, alert)| {
            Failure::new(phase, kind).with_reply(code).with_alert(AlertDescription(alert))
        }),
    )
}

/// Replies of odd forms, and of odd codes.
fn dialogue() -> impl Strategy<Value = Dialogue> {
    let deviations = proptest::collection::vec(select(&DEVIATIONS[..]), 0..4);
    let words = select(&["starttls", "STARTTLS=1", "STARTTLS\\x00", "SIZE", "250"][..]);
    (any::<u16>(), words, deviations).prop_map(|(code, word, deviations)| {
        let reply = Reply { code, lines: vec!["mx".into(), word.into()], deviations };
        let ehlo = Some(Reply { code: 250, ..reply.clone() });
        Dialogue { greeting: Some(reply), ehlo, ..Dialogue::default() }
    })
}

fn key() -> ProbeKey {
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    ProbeKey { endpoint, sni: Some(MxHost::new("mx.example.com")) }
}

/// A probe that ended so, twice where `again`.
fn seen(end: Option<Failure>, first: &Said, again: bool, dialogue: Dialogue) -> Observation {
    let phase = end.as_ref().map_or(Phase::AfterTls, |failure| failure.phase);
    let unused = Failure::new(Phase::Connect, Kind::Refused);
    let mut seen = Observation::failed(key(), Timestamp::UNIX_EPOCH, 1 + u32::from(again), unused);
    let attempt = OtherAttempt {
        number: 1,
        started: Timestamp::UNIX_EPOCH,
        failure: end.clone(),
        total_us: 10_000_000,
    };
    seen.other_attempts = Some(if again { vec![attempt] } else { Vec::new() });
    seen.failure = end;
    seen.dialogue = dialogue;
    seen.tls = (phase >= Phase::Tls).then(|| first.to_handshake(phase > Phase::Tls));
    seen
}

/// Both rows that an observation comes to.
fn judged(policy: &Policy, seen: Observation) -> (EndpointRecord, DomainRecord) {
    let (record, judged) = policy.endpoint(seen, &Assessments::default());
    let domain = Subject::Domain(DomainName::parse("example.com").unwrap());
    let exchange =
        Exchange::whole(10, Some(MxHost::new("mx.example.com")), vec![record.observation.key.endpoint.ip]);
    let facts = DomainFacts::whole(Target { line: 1, subject: domain }, vec![exchange]);
    let verdict = policy.verdict(&facts, &[(0, Arc::new(judged))]);
    (record, DomainRecord { facts, verdict })
}

fn cell<R>(columns: &[Column<R>], row: &R, name: &str) -> String {
    let column = columns.iter().find(|column| column.name == name).unwrap();
    let mut cell = String::new();
    (column.value)(row).write_text(&mut cell);
    cell
}

fn foreign<R>(columns: &[Column<R>], row: &R) -> Vec<String> {
    let cells = columns.iter().map(|column| (column, cell(columns, row, column.name)));
    let foreign = cells.filter(|(column, cell)| !column.admits(cell));
    foreign.map(|(column, cell)| format!("{} is {cell}", column.name)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_cell_holds_what_its_column_does_not_admit(
        end in ends(),
        again in any::<bool>(),
        dialogue in dialogue(),
        first in said(),
        hellos in proptest::collection::vec(said(), 8),
    ) {
        for policy in POLICIES.iter() {
            let mut seen = seen(end.clone(), &first, again, dialogue.clone());
            let mut answers = hellos.iter();
            while let Some((spec, said)) = policy.next_hello(&seen).zip(answers.next()) {
                seen.extra_client_hellos.push(said.to_hello(&spec));
            }
            let (endpoint, domain) = judged(policy, seen);
            let found = [foreign(ENDPOINTS, &endpoint), foreign(DOMAINS, &domain)].concat();
            prop_assert!(found.is_empty(), "{found:?}");
        }
    }
}

/// A server that has nothing else for a sender that has nothing else.
#[test]
fn a_sender_that_offers_sslv3_may_get_it() {
    let policy = policy(old_sender());
    let end = Some(Failure::new(Phase::Tls, Kind::NoCommonVersion));
    let first = Said {
        end: HelloEnd::Agreed,
        version: 0x0300,
        handshake_version: ProtocolVersion::TLS12,
        suite: Some(0x002f),
        group: None,
        scheme: None,
        signature: SignatureCheck::None,
        alert: 70,
        renegotiation_info: Some(true),
        mark: None,
        client_certificate: ClientCertificate::NeverAsked,
    };
    let mut seen = seen(end, &first, false, Dialogue::default());
    seen.tls = Some(TlsObservation::default());
    while let Some(spec) = policy.next_hello(&seen) {
        seen.extra_client_hellos.push(first.to_hello(&spec));
    }
    let (_, domain) = judged(&policy, seen);
    assert_eq!(domain.verdict.outcome.delivery, Delivery::Encrypted, "{:?}", domain.verdict.outcome);
    for name in ["delivery_tls_version", "weakest_tls_version"] {
        assert_eq!(cell(DOMAINS, &domain, name), "SSLv3");
    }
}
