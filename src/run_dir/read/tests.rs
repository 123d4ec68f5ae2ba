//! A run directory written and read back, and directories that are cut or broken.

use super::{Stored, StoredRun};
use crate::model::ClientCertificate;
use crate::model::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::model::{
    Assessment, CertificateFacts, ChainStatus, DateStatus, Delivery, Deviation, Dialogue, DomainFacts,
    DomainName, Endpoint, EndpointRecord, Exchange, Failure, HelloEnd, HelloObservation, HelloPurpose,
    KeyStatus, Kind, MxHost, Observation, Outcome, Phase, ProbeKey, Record, Rejected, Reply, SignatureCheck,
    SmtpCommand, Subject, Target, Timings, TlsObservation,
};
use crate::run_dir::directory::RunDirectory;
use crate::run_dir::run_info::{JudgedBy, RunCounts, RunInfo, RunLimits};
use crate::x509;
use jiff::Timestamp;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn moment() -> Timestamp {
    "2026-01-02T03:04:05.678901234Z".parse().unwrap()
}

fn info() -> RunInfo {
    RunInfo {
        sender: "exchange-online".into(),
        mxray: "0.1.0".into(),
        commit: None,
        host: None,
        command: vec!["mxray".into(), "scan".into()],
        input: "list".into(),
        resolver: "system".into(),
        resolvers: Vec::new(),
        ehlo_name: "scanner.example".into(),
        roots: vec!["mozilla".into()],
        port: 25,
        judged_by: JudgedBy { at: moment(), options: Default::default(), connectors_left_out: Vec::new() },
        asked_by: None,
        resumed: Vec::new(),
        shard: None,
        merged_from: Vec::new(),
        judged_from: None,
        compress: None,
        seed: None,
        limits: RunLimits::default(),
        started: moment(),
        ended: None,
        finished: None,
        interrupted: false,
        network_suspect: Some(Vec::new()),
        cool_downs: None,
        sample: None,
        blocklist: Vec::new(),
        canary_pauses: Vec::new(),
        error: None,
        counts: RunCounts::default(),
    }
}

fn key(sni: Option<&str>) -> ProbeKey {
    let endpoint = Endpoint { ip: "2001:db8::1".parse().unwrap(), port: 2525 };
    ProbeKey { endpoint, sni: sni.map(MxHost::new) }
}

fn reply(code: u16, lines: &[&str]) -> Option<Reply> {
    let lines = lines.iter().map(ToString::to_string).collect();
    Some(Reply { code, lines, deviations: vec![Deviation::BareLf, Deviation::OverlongLine] })
}

fn odd_dialogue() -> Dialogue {
    Dialogue {
        greeting: reply(220, &["mx \u{1f4e7} ready\\x07", ""]),
        ehlo: reply(250, &["mx", "SIZE 1000"]),
        helo: reply(502, &[]),
        starttls: reply(220, &["go"]),
        plaintext_after_starttls: "250 injected\\x0d\\x0a".into(),
        plaintext_after_starttls_cut: Some(true),
        ehlo_tls: reply(250, &["mx"]),
        quit: Some(Reply { code: 221, lines: vec!["bye".into()], deviations: vec![] }),
        unsolicited: reply(250, &["late", "\\\\x00"]).map(|reply| vec![reply]),
        unanswered: Some(SmtpCommand::EhloTls),
        broken_off: Some("250-mx\\x0d\\x0a250".into()),
        broken_off_deviations: Some(vec![Deviation::BareLf, Deviation::EmptyLine]),
        failure: Some(Failure::new(Phase::Starttls, Kind::Refused).with_reply(501)),
    }
}

/// As odd as can be; `der` are the chains of the handshake and of a hello.
fn odd(der: [&[&[u8]]; 2]) -> Observation {
    let [chain, hello_chain] = der.map(|chain| chain.iter().map(|der| Arc::from(*der)).collect());
    let alert =
        Failure::new(Phase::Tls, Kind::Alert).with_alert(AlertDescription(0x63)).with_detail("\\x00\"é");
    Observation {
        failure: Some(alert.clone()),
        dialogue: odd_dialogue(),
        tls: Some(TlsObservation {
            established: true,
            resumed: false,
            version: Some(ProtocolVersion(0x7f17)),
            suite: Some(CipherSuite(0xfafa)),
            group: Some(NamedGroup(4588)),
            signature_scheme: Some(SignatureScheme(0x0401)),
            signature: Some(SignatureCheck::Unverifiable("an odd key".into())),
            alpn: Some("smtp".into()),
            chain,
            chain_excess: 3,
            ocsp_stapled: true,
            client_certificate_requested: true,
            client_certificate: ClientCertificate::Refused(AlertDescription(42)),
            hello_retry: true,
            tickets: Some(2),
            session_id: Some(true),
            downgrade_mark: Some(crate::model::DowngradeMark::Tls12),
            renegotiation_info: Some(false),
            alert: Some(AlertDescription(0x63)),
        }),
        extra_client_hellos: vec![HelloObservation {
            offer: Some("0123456789abcdef".into()),
            offered_suites: 70_000,
            failure: Some(alert),
            version: Some(ProtocolVersion::SSL3),
            suite: Some(CipherSuite(0x0004)),
            dh_bits: Some(1024),
            renegotiation_info: Some(true),
            fault: Some("ServerHello: an odd one".into()),
            chain: hello_chain,
            client_certificate_requested: true,
            hello_retry: true,
            downgrade_mark: Some(crate::model::DowngradeMark::Tls11),
            total_us: u64::MAX,
            ..HelloObservation::new(
                HelloPurpose::Version,
                ProtocolVersion::TLS10,
                moment(),
                HelloEnd::NotAsked,
            )
        }],
        timings: Timings { connect_us: Some(u64::MAX), quit_us: Some(0), ..Timings::default() },
        bytes_in: u64::MAX,
        ..Observation::failed(
            key(Some("mx_1.example..")),
            moment(),
            3,
            Failure::new(Phase::Tls, Kind::Closed),
        )
    }
}

fn assessment(chain: &[Arc<[u8]>]) -> Option<Arc<Assessment>> {
    let certificates: Vec<Arc<CertificateFacts>> =
        chain.iter().map(|der| Arc::new(x509::read(der))).collect();
    let assessment = Assessment {
        certificates,
        ..Assessment::of_chain(ChainStatus::Invalid, DateStatus::Unreadable, KeyStatus::Unknown)
    };
    (!chain.is_empty()).then(|| Arc::new(assessment))
}

fn endpoint(observation: Observation) -> Record {
    let tls = observation.tls.as_ref();
    Record::Endpoint(Box::new(EndpointRecord {
        assessment: tls.and_then(|tls| assessment(&tls.chain)),
        hello_assessments: observation
            .extra_client_hellos
            .iter()
            .map(|hello| assessment(&hello.chain))
            .collect(),
        enumeration: None,
        name: None,
        outcome: Outcome::without_tls(Delivery::Undetermined, &Failure::new(Phase::Tls, Kind::Alert), None),
        observation,
    }))
}

fn observations() -> Vec<Observation> {
    let refused = Failure::new(Phase::Connect, Kind::Refused);
    vec![
        odd([&[b"leaf", b"above, \"it\""], &[b"old"]]),
        Observation { key: key(Some("mx_2.example..")), ..odd([&[], &[b"leaf"]]) },
        Observation::failed(key(None), moment(), 0, refused),
    ]
}

/// A run directory of these observations, killed before it could end.
fn written(dir: &Path, observations: &[Observation]) {
    let mut run = RunDirectory::create(dir, &info()).unwrap();
    for observation in observations {
        run.write(&endpoint(observation.clone())).unwrap();
    }
    let rejected = Rejected { line: 3, text: "a, \"b\" \\x00".into(), cause: "é".into() };
    run.write(&Record::Rejected(rejected)).unwrap();
    run.flush().unwrap();
}

/// All that is read, or the error.
fn read(dir: &Path) -> Result<Vec<Stored>, String> {
    let run = StoredRun::open(dir).map_err(|error| error.to_string())?;
    let mut observations = run.observations().map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    while let Some(stored) = observations.read_next().map_err(|error| error.to_string())? {
        all.push(stored);
    }
    Ok(all)
}

fn whole(observations: &[Observation]) -> Vec<Stored> {
    observations.iter().map(|observation| Stored::Whole(Box::new(observation.clone()))).collect()
}

#[test]
fn observations_are_read_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let observations = observations();
    written(dir.path(), &observations);
    assert_eq!(read(dir.path()).unwrap(), whole(&observations));
    let run = StoredRun::open(dir.path()).unwrap();
    assert_eq!((run.info(), run.was_killed(), run.cut().unwrap()), (&info(), true, vec![]));
    let mut rejects = run.rejects().unwrap();
    let rejected = rejects.read_next().unwrap().unwrap();
    assert_eq!((rejected.line, rejected.text.as_str(), rejected.cause.as_str()), (3, "a, \"b\" \\x00", "é"));
    assert!(rejects.read_next().unwrap().is_none());
}

#[test]
fn facts_are_read_back_as_they_were() {
    let exchange = |host: Option<&str>, addresses: &[&str], failure| Exchange {
        failure,
        ..Exchange::whole(
            65_535,
            host.map(MxHost::new),
            addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
        )
    };
    let listed = |port, name: Option<&str>| Subject::Endpoint {
        ip: "192.0.2.1".parse().unwrap(),
        port,
        name: name.map(MxHost::new),
    };
    let domain = Subject::Domain(DomainName::parse("bücher.example").unwrap());
    let dead = Failure::new(Phase::Dns, Kind::Nxdomain).with_detail("by \"192.0.2.53\"");
    for (subject, exchanges, failure) in [
        (domain.clone(), vec![], Some(dead.clone())),
        (
            domain,
            vec![
                exchange(Some("mx."), &["192.0.2.1", "::1"], None),
                exchange(Some("."), &[], Some(dead)),
                exchange(Some("odd host.."), &[], None),
            ],
            None,
        ),
        (listed(Some(25), Some("mx.example")), vec![exchange(None, &["192.0.2.1"], None)], None),
        (listed(None, None), vec![], None),
    ] {
        let target = Target { line: u64::MAX, subject };
        let facts = DomainFacts {
            implicit_mx: failure.is_none(),
            smart_hosts: true,
            failure,
            ..DomainFacts::whole(target, exchanges)
        };
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<DomainFacts>(&text).unwrap(), facts, "{text}");
    }
}

#[test]
fn what_is_no_name_or_digest_is_refused() {
    for text in [
        r#"{"line":1,"domain":"no domain","exchanges":[],"implicit_mx":false,"smart_hosts":false,"failure":null}"#,
        r#"{"line":1,"host":"a.example","exchanges":[],"implicit_mx":false,"smart_hosts":false,"failure":null}"#,
        r#"{"line":1,"domain":"a.example","implicit_mx":false,"smart_hosts":false,"failure":null}"#,
    ] {
        assert!(serde_json::from_str::<DomainFacts>(text).is_err(), "{text}");
    }
    assert!(serde_json::from_str::<MxHost>("\"MX.example\"").is_err());
    assert!(serde_json::from_str::<crate::model::Sha256>("\"5a\"").is_err());
}

#[test]
fn a_file_cut_at_any_byte_gives_what_is_whole_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let observations = observations();
    written(dir.path(), &observations);
    let path = dir.path().join("observations.jsonl");
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(7) {
        fs::write(&path, &bytes[..length]).unwrap();
        let lines = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(read(dir.path()).unwrap(), whole(&observations[..lines]), "{length}");
        let cut = bytes[..length].last().is_some_and(|byte| *byte != b'\n');
        let expected: &[&str] = if cut { &["observations.jsonl"] } else { &[] };
        assert_eq!(StoredRun::open(dir.path()).unwrap().cut().unwrap(), expected, "{length}");
    }
}

#[test]
fn a_probe_whose_certificate_was_not_written_is_incomplete() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &observations());
    let path = dir.path().join("certificates.csv");
    let text = fs::read_to_string(&path).unwrap();
    // Without its last row, and half of the one before.
    fs::write(&path, &text[..text.len() - text.lines().last().unwrap().len() - 9]).unwrap();
    let read = read(dir.path()).unwrap();
    assert_eq!(read[0], Stored::Incomplete);
    assert_eq!(read[1..], whole(&observations())[1..]);
    assert_eq!(StoredRun::open(dir.path()).unwrap().cut().unwrap(), ["certificates.csv"]);
}

/// What reading says once `change` was made to a file of a good run.
fn complaint(name: &str, change: impl Fn(String) -> String) -> String {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &observations());
    let path = dir.path().join(name);
    fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
    let told = read(dir.path()).unwrap_err();
    assert_eq!(told.lines().count(), 1, "{told}");
    told.replace(&dir.path().display().to_string(), "RUN")
}

#[test]
fn damage_is_told_in_one_line_with_its_place() {
    for (name, from, to, expected) in [
        (
            "observations.jsonl",
            "\"bytes_out\":0",
            "\"bytes_out\":",
            "RUN/observations.jsonl:1: expected value at ",
        ),
        (
            "observations.jsonl",
            "\"attempts\":3",
            "\"attempts\":-3",
            "RUN/observations.jsonl:1: invalid value: ",
        ),
        (
            "observations.jsonl",
            "\"extra_client_hello_chains\":[[",
            "\"extra_client_hello_chains\":[[],[",
            "RUN/observations.jsonl:1: not as many chains ",
        ),
        (
            "observations.jsonl",
            "\"schema\":2",
            "\"schema\":7",
            "RUN/observations.jsonl:1: written with schema 7; this mxray reads 1 to 2",
        ),
        ("observations.jsonl", "\"schema\":2,", "", "RUN/observations.jsonl:1: missing field `schema`"),
        ("certificates.csv", "b2xk", "b2xl", "RUN/certificates.csv:4: the certificate is not "),
        ("certificates.csv", "\n", "\nzz", "RUN/certificates.csv:2: does not begin with a SHA-256"),
        ("certificates.csv", "der_base64", "der", "RUN/certificates.csv:1: its first column "),
        ("run.json", "\"schema\": 2", "\"schema\": 9", "RUN/run.json: written with schema 9; "),
        ("run.json", "\"judged_by\"", "\"judged\"", "RUN/run.json: lacks what a judgement needs: "),
        ("run.json", "{", "", "RUN/run.json: not a run's: "),
    ] {
        let told = complaint(name, |text| {
            assert!(text.contains(from), "{name} without {from}");
            text.replacen(from, to, 1)
        });
        assert!(told.starts_with(expected), "{told}");
    }
}

/// What stands twice would be counted twice.
#[test]
fn what_stands_twice_is_told_with_its_place() {
    let last_again = |text: String| {
        let last = text.lines().last().unwrap().to_string();
        format!("{text}{last}\n")
    };
    let told = complaint("observations.jsonl", last_again);
    assert!(told.starts_with("RUN/observations.jsonl:4: ") && told.ends_with(" a second time"), "{told}");
    let dir = tempfile::tempdir().unwrap();
    let mut directory = RunDirectory::create(&dir.path().join("run"), &info()).unwrap();
    let rejected = Rejected { line: 7, text: "x".into(), cause: "y".into() };
    directory.write(&Record::Rejected(rejected.clone())).unwrap();
    directory.write(&Record::Rejected(rejected)).unwrap();
    directory.flush().unwrap();
    let mut rejects = StoredRun::open(&dir.path().join("run")).unwrap().rejects().unwrap();
    assert!(rejects.read_next().unwrap().is_some());
    let told = rejects.read_next().unwrap_err().to_string();
    assert!(told.ends_with("rejects.csv:3: line 7 of the list occurs a second time"), "{told}");
}

#[test]
fn facts_of_another_schema_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &[]);
    fs::write(dir.path().join("facts.jsonl"), "{\"schema\":7,\"line\":1}\n").unwrap();
    let told = StoredRun::open(dir.path()).unwrap().facts().unwrap().read_next().unwrap_err().to_string();
    assert!(told.ends_with("facts.jsonl:1: written with schema 7; this mxray reads 1 to 2"), "{told}");
}

#[test]
fn a_run_killed_before_its_first_header_has_no_certificates() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &observations());
    fs::write(dir.path().join("certificates.csv"), "").unwrap();
    let expected = [vec![Stored::Incomplete; 2], whole(&observations()[2..])].concat();
    assert_eq!(read(dir.path()).unwrap(), expected);
    // One that ended has written it.
    let run = RunDirectory::create(&dir.path().join("ended"), &info()).unwrap();
    run.finish(&RunInfo { finished: Some(true), ..info() }, &()).unwrap();
    fs::write(dir.path().join("ended/certificates.csv"), "").unwrap();
    assert!(read(&dir.path().join("ended")).unwrap_err().contains("its first column is not sha256, "));
}

#[test]
fn rows_are_counted_as_far_as_they_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &[]);
    let count = |text: &str| {
        fs::write(dir.path().join("domains.csv"), text).unwrap();
        StoredRun::open(dir.path()).unwrap().domain_rows().unwrap()
    };
    assert_eq!(["", "he", "header\n", "header\n1\n2", "header\n1\n2\n"].map(count), [0, 0, 0, 1, 2]);
    fs::remove_file(dir.path().join("domains.csv")).unwrap();
    assert_eq!(StoredRun::open(dir.path()).unwrap().domain_rows().unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused() {
    for name in ["run.json", "facts.jsonl", "observations.jsonl", "certificates.csv", "rejects.csv"] {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), &[]);
        fs::remove_file(dir.path().join(name)).unwrap();
        std::os::unix::fs::symlink("/dev/null", dir.path().join(name)).unwrap();
        let told = read(dir.path()).unwrap_err();
        assert!(told.ends_with(&format!("{name}: not a regular file")), "{told}");
    }
}

#[test]
fn a_line_without_end_is_refused() {
    let long = "x".repeat(crate::run_dir::journal::JOURNAL_LINE_BYTES_MAX + 1);
    let told = complaint("observations.jsonl", |text| format!("{text}{long}\n"));
    assert_eq!(told, "RUN/observations.jsonl:4: longer than 16777216 bytes");
}

#[test]
fn what_is_no_run_or_lacks_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let told = read(dir.path()).unwrap_err();
    assert!(told.ends_with(" is not a run directory: it has no run.json"), "{told}");
    written(&dir.path().join("run"), &[]);
    fs::remove_file(dir.path().join("run/facts.jsonl")).unwrap();
    let told = read(&dir.path().join("run")).unwrap_err();
    assert!(told.starts_with("cannot read ") && told.contains("facts.jsonl: No such file"), "{told}");
}

#[test]
fn a_reply_too_many_of_schema_1_makes_a_no_tls_not_determined() {
    let line = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs/schema1/observations.jsonl"),
    )
    .unwrap();
    let plain = line.lines().find(|line| line.contains("not_offered")).unwrap();
    let kind = |line: &str| {
        let read = super::JournalLine::parse(line.as_bytes())
            .unwrap()
            .with_certificates(|_| Ok::<_, super::StoreError>(None));
        let seen = read.unwrap().unwrap();
        assert_eq!(seen.failure, seen.dialogue.failure);
        seen.failure.unwrap().kind
    };
    assert_eq!(kind(plain), Kind::NotOffered);
    let shifted = plain.replacen(r#""quit":{"code":221"#, r#""quit":{"code":250"#, 1);
    assert_ne!(shifted, plain);
    assert_eq!(kind(&shifted), Kind::OutOfStep);
}
