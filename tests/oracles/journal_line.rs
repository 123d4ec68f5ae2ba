//! A line of the journal: judged when it is read, written, read back and judged
//! again, it comes to the same line and the same verdict.

use super::x509_certificate::{INTERMEDIATE, ROOT, SERVER};
use super::{Seed, crl, message};
use jiff::Timestamp;
use mxray::internals::model::observation::CHAIN_CERTIFICATES_MAX;
use mxray::internals::model::{
    CipherSuite, Delivery, Deviation, Dialogue, DomainFacts, DomainName, Endpoint, EndpointRecord, Exchange,
    Failure, HelloEnd, HelloObservation, HelloPurpose, Kind, MxHost, Observation, Phase, ProbeKey,
    ProtocolVersion, Reply, Sha256, Subject, Target, TlsObservation, Verdict,
};
use mxray::internals::run_dir::read::JournalLine;
use mxray::internals::run_dir::{JOURNAL_LINE_BYTES_MAX, journal_line};
use mxray::internals::sender::Sender;
use mxray::internals::trust::{Judge, Roots, Store};
use mxray::internals::verdict::Policy;
use mxray::internals::x509::digest;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

/// All that there are; a digest that names none of them stands for one.
const CERTIFICATES: [&[u8]; 4] = [SERVER, INTERMEDIATE, ROOT, crl::LEAF];

pub fn check(input: &[u8]) {
    let any = |digest: &Sha256| CERTIFICATES[usize::from(digest.0[0]) % CERTIFICATES.len()];
    let seen = match read(input, any) {
        Ok(seen) => seen,
        Err(cause) => return message::check(&cause),
    };
    let chains = seen
        .tls
        .iter()
        .map(|tls| &tls.chain)
        .chain(seen.extra_client_hellos.iter().map(|hello| &hello.chain));
    if chains.into_iter().any(|chain| chain.len() > CHAIN_CERTIFICATES_MAX) {
        return;
    }
    let (record, verdict) = judge(seen);
    let written = journal_line(&record).expect("every record is JSON");
    assert!(written.len() <= JOURNAL_LINE_BYTES_MAX && !written.contains(&b'\n'), "one line");
    let named =
        |wanted: &Sha256| *CERTIFICATES.iter().find(|der| digest(der) == *wanted).expect("it was read");
    let again = read(&written, named).expect("what was written is read");
    assert_eq!(again, record.observation, "nothing is lost");
    let (record_again, verdict_again) = judge(again);
    assert_eq!(verdict_again, verdict, "the verdict is the same");
    assert_eq!(record_again, record);
    assert_eq!(journal_line(&record_again).unwrap(), written, "and written the same");
    check_verdict(&verdict);
}

fn read(line: &[u8], der: impl Fn(&Sha256) -> &'static [u8]) -> Result<Observation, String> {
    let placed = JournalLine::parse(line)?.with_certificates(|digest| {
        let certificate: Result<Option<Arc<[u8]>>, Infallible> = Ok(Some(der(digest).into()));
        certificate
    });
    let Ok(observation) = placed;
    Ok(observation.expect("none is missing"))
}

/// What the probe and a domain that rests on it come to.
fn judge(seen: Observation) -> (EndpointRecord, Verdict) {
    static RULES: OnceLock<(Roots, Sender)> = OnceLock::new();
    let (roots, sender) = RULES.get_or_init(|| {
        let mut store = Store::new("test");
        store.add_der(ROOT).unwrap();
        (Roots::new(vec![store]), Sender::named("exchange-online").unwrap())
    });
    let at: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let policy = Policy::new(Judge::new(roots.clone(), at), sender.clone());
    let facts = facts(&seen.key);
    let assessments = policy.assess(&seen);
    let (record, judged) = policy.endpoint(seen, &assessments);
    let verdict = policy.verdict(&facts, &[(0, Arc::new(judged))]);
    (record, verdict)
}

/// A domain whose one mail host was probed.
fn facts(key: &ProbeKey) -> DomainFacts {
    let exchange = Exchange::whole(10, key.sni.clone(), vec![key.endpoint.ip]);
    DomainFacts::whole(
        Target { line: 1, subject: Subject::Domain(DomainName::parse("mail.example").unwrap()) },
        vec![exchange],
    )
}

/// A verdict says yes, no or not determined, and why.
fn check_verdict(verdict: &Verdict) {
    let outcome = &verdict.outcome;
    assert_eq!(outcome.reason.is_none(), outcome.delivery == Delivery::Encrypted, "{outcome:?}");
    assert!(outcome.basis.is_some() || outcome.delivery == Delivery::Undetermined, "{outcome:?}");
    assert!(verdict.best.is_some(), "it rests on the one that was probed");
}

pub fn seeds() -> Vec<Seed> {
    let started: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    let key = ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) };
    let refused = Failure::new(Phase::Connect, Kind::Refused).with_detail("\\x00");
    let failed = Observation::failed(key, started, 2, refused);
    let shaken = |chain: &[&[u8]]| Observation {
        failure: None,
        dialogue: Dialogue {
            greeting: Some(Reply {
                code: 220,
                lines: vec!["mx \u{e9}".into()],
                deviations: vec![Deviation::EightBit],
            }),
            ..Dialogue::default()
        },
        tls: Some(TlsObservation {
            established: true,
            version: Some(ProtocolVersion::TLS12),
            suite: Some(CipherSuite(0xc02b)),
            chain: chain.iter().map(|der| Arc::from(*der)).collect(),
            ..TlsObservation::default()
        }),
        ..failed.clone()
    };
    let line = |seen: Observation| journal_line(&judge(seen).0).unwrap();
    vec![
        ("failed", line(failed.clone())),
        ("valid", line(shaken(&[SERVER, INTERMEDIATE]))),
        ("incomplete", line(shaken(&[SERVER]))),
        ("with-hellos", line(with_hellos(shaken(&[crl::LEAF]), started))),
    ]
}

/// The sender's own offer, refused, and an older version, agreed.
fn with_hellos(seen: Observation, started: Timestamp) -> Observation {
    let sender = Sender::named("exchange-online").unwrap();
    let spec = sender.offer().spec(HelloPurpose::Sender);
    let refused =
        HelloObservation { end: HelloEnd::Alert, ..HelloObservation::not_asked(&spec, started, None) };
    let agreed = HelloObservation {
        purpose: HelloPurpose::Version,
        offer: None,
        end: HelloEnd::Agreed,
        version: Some(ProtocolVersion::TLS10),
        suite: Some(CipherSuite(0x002f)),
        chain: vec![SERVER.into()],
        ..refused.clone()
    };
    Observation { extra_client_hellos: vec![refused, agreed], ..seen }
}
