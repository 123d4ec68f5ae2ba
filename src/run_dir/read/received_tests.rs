//! Tests of reading a run of `mxray receive`.

use super::*;
use crate::model::inbound::SessionResult::{HandshakeFailed, MailInClear, MailInTls};
use crate::model::inbound::fixtures::session;
use crate::model::inbound::{InboundAcceptance, InboundCause, InboundRefusal, PathDomain, UnmetDemand};
use crate::model::{Assessment, ChainStatus, DateStatus, KeyStatus};
use crate::run_dir::ReceiveDirectory;
use crate::x509;
use std::fs;
use std::io::Write;

const ONE: [u8; 4] = [192, 0, 2, 1];

/// Three sessions, two of them with the same certificate.
fn sessions() -> Vec<InboundSession> {
    let der: Arc<[u8]> = Arc::from(*b"no certificate that can be read");
    let results = [MailInTls, MailInClear, HandshakeFailed];
    let numbered = (1..).zip(results).map(|(number, result)| {
        let mut session = InboundSession { number, ..session(number as i64, ONE, "a.example", result) };
        if let Some(tls) = &mut session.tls {
            tls.chain = vec![der.clone()];
        }
        session
    });
    numbered.collect()
}

/// What was made of each of them, of every kind.
fn judged() -> JudgedSession {
    use crate::model::inbound::InboundVerdict::{Accepted, NotDetermined, Rejected};
    let refusal = InboundRefusal::new(UnmetDemand::Certificate, Some("In".into()));
    let verdicts = [
        Accepted(InboundAcceptance::Ordinary),
        Accepted(InboundAcceptance::Connectors(vec!["In".into()])),
        Rejected(vec![refusal]),
        NotDetermined(InboundCause::KeyNotProven),
    ];
    let of_mail = |verdict| MailVerdict { mail: 1, recipient: PathDomain::Missing, verdict };
    let axes = Assessment::of_chain(ChainStatus::UntrustedRoot, DateStatus::Expired, KeyStatus::Weak);
    JudgedSession {
        client_certificate: Some(ClientChain::from(&axes)),
        verdicts: Some(verdicts.map(of_mail).to_vec()),
    }
}

/// A run that has written them, and ended if `ends`.
fn run(ends: bool) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let info = ReceiveInfo::new("127.0.0.1:25".into(), "mx.example".into());
    let mut directory = ReceiveDirectory::create(&dir, info, 1 << 20).unwrap();
    sessions().iter().for_each(|session| directory.write(session, &judged()).unwrap());
    if ends {
        directory.note_end(0, &["none"]).unwrap();
        directory.finish(None).unwrap();
    }
    (folder, dir)
}

fn read(dir: &Path) -> Result<Vec<StoredSession>, String> {
    let read = |dir| {
        let mut stored = StoredReceiveRun::open(dir)?.sessions()?;
        std::iter::from_fn(|| stored.read_next().transpose()).collect::<Result<Vec<_>, StoreError>>()
    };
    let told = |error: StoreError| error.to_string().replace(&dir.display().to_string(), "RUN");
    read(dir).map_err(told)
}

fn change(dir: &Path, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(dir.join(name)).unwrap();
    assert!(text.contains(from), "{name}: {from}");
    fs::write(dir.join(name), text.replacen(from, to, 1)).unwrap();
}

#[test]
fn what_was_written_is_read_with_its_certificates() {
    let (_folder, dir) = run(true);
    let expected: Vec<StoredSession> = sessions()
        .into_iter()
        .map(|session| {
            let ders = session.tls.iter().flat_map(|tls| &tls.chain);
            let chain = ders.map(|der| x509::digest(der)).collect();
            StoredSession::Whole(Box::new(ReceivedSession { session, chain, judged: judged() }))
        })
        .collect();
    assert_eq!(read(&dir), Ok(expected));
    let stored = StoredReceiveRun::find(&dir).unwrap().unwrap();
    assert_eq!((stored.info().sessions, stored.is_open(), stored.is_cut().unwrap()), (Some(3), false, false));
}

/// A line that a killed run left cut short is no error and no session.
#[test]
fn a_killed_run_is_read_as_far_as_it_is_whole() {
    let (_folder, dir) = run(false);
    let mut file = fs::File::options().append(true).open(dir.join(SESSIONS_NAME)).unwrap();
    file.write_all(b"{\"schema\":2,\"number\":4,").unwrap();
    let stored = StoredReceiveRun::open(&dir).unwrap();
    assert!(stored.is_open() && stored.is_cut().unwrap());
    assert_eq!(read(&dir).unwrap().len(), 3);
    // What a session rests on is written first; a system that went down may have lost it.
    let header = fs::read_to_string(dir.join("certificates.csv")).unwrap();
    fs::write(dir.join("certificates.csv"), header.lines().next().unwrap()).unwrap();
    let read = read(&dir).unwrap();
    let is_whole = |session: &StoredSession| matches!(session, StoredSession::Whole(_));
    assert_eq!(read.iter().map(is_whole).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn damage_is_told_with_its_place() {
    let digest = x509::digest(b"no certificate that can be read").to_string();
    for (name, from, to, told) in [
        (
            "run.json",
            "\"receive\"",
            "\"probe\"",
            "RUN/run.json: a run of mxray probe, which this command does not read",
        ),
        ("run.json", "\"receive\"", "null", "RUN/run.json: a survey, which this command does not read"),
        (
            "run.json",
            "\"schema\": 2",
            "\"schema\": 9",
            "RUN/run.json: written with schema 9; this mxray reads 1 to 2",
        ),
        ("run.json", "\"listen\"", "\"listens\"", "RUN/run.json: lacks what a reader of sessions needs: "),
        (
            "run.json",
            "\"sessions\": 3",
            "\"sessions\": 4",
            "RUN/sessions.jsonl: it has 3 whole lines, where run.json counted 4",
        ),
        (
            "sessions.jsonl",
            "\"schema\":2",
            "\"schema\":9",
            "RUN/sessions.jsonl:1: written with schema 9; this mxray reads 1 to 2",
        ),
        (
            "sessions.jsonl",
            "\"number\":2",
            "\"number\":1",
            "RUN/sessions.jsonl:2: session 1 occurs a second time",
        ),
        ("sessions.jsonl", "\"peer\"", "\"pear\"", "RUN/sessions.jsonl:1: missing field `peer`"),
        (
            "sessions.jsonl",
            "\"chain\":[]",
            &format!("\"chain\":[\"{digest}\"]"),
            "RUN/sessions.jsonl:2: it has certificates, and no TLS",
        ),
        (
            "certificates.csv",
            &digest,
            &"0".repeat(64),
            "RUN/sessions.jsonl:1: certificates.csv has no certificate ",
        ),
    ] {
        let (_folder, dir) = run(true);
        change(&dir, name, from, to);
        let found = read(&dir).unwrap_err();
        assert!(found.starts_with(told), "{name} {from}: {found}");
    }
}

#[test]
fn a_survey_is_none_of_these_runs() {
    let (_folder, dir) = run(true);
    change(&dir, "run.json", "\"receive\"", "null");
    assert!(StoredReceiveRun::find(&dir).unwrap().is_none());
    let told = StoreError::NoRun { dir: dir.join("nothing") }.to_string();
    assert_eq!(StoredReceiveRun::find(&dir.join("nothing")).unwrap_err().to_string(), told);
}
