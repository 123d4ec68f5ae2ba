//! `mxray report` and `mxray diff` of runs of `mxray receive`.

use crate::command::{Folder, Ran};
use mxray::internals::model::inbound::{
    ClientName, InboundDialogue, InboundSession, InboundTls, InboundTlsFailure, JudgedSession, MailAttempt,
    MailSender, PathDomain,
};
use mxray::internals::model::{AlertDescription, CipherSuite, ProtocolVersion, SignatureCheck};
use mxray::internals::run_dir::{ReceiveDirectory, ReceiveInfo};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::sync::Arc;

/// A session that says this name and does nothing else.
fn session(number: u64, name: &str) -> InboundSession {
    InboundSession {
        number,
        began: format!("2026-11-28T08:00:{number:02}Z").parse().unwrap(),
        peer: ([192, 0, 2, 1], 4000).into(),
        dialogue: InboundDialogue {
            ehlo: Some(ClientName { text: name.to_string(), cut: false }),
            ..InboundDialogue::default()
        },
        tls: None,
        over_us: None,
        total_us: 1,
        bytes_in: 2,
        bytes_out: 3,
    }
}

fn with_mail(mut session: InboundSession) -> InboundSession {
    let sender = MailSender { domain: PathDomain::Null, requiretls: false, smtputf8: false };
    let in_tls = session.tls.is_some();
    let mail = MailAttempt { in_tls, sender, recipients: Vec::new(), more_recipients: false };
    session.dialogue.mail.push(mail);
    session
}

/// A handshake that was gone through, with a certificate of one's own.
fn with_tls(session: InboundSession, version: ProtocolVersion, der: &Arc<[u8]>) -> InboundSession {
    let tls = InboundTls {
        established: true,
        version: Some(version),
        suite: Some(CipherSuite(0x1302)),
        chain: vec![der.clone()],
        signature: Some(SignatureCheck::Verified),
        ..InboundTls::default()
    };
    InboundSession { tls: Some(tls), ..session }
}

fn with_alert(session: InboundSession) -> InboundSession {
    let failure = InboundTlsFailure::ClientAlert(AlertDescription(48));
    let tls = InboundTls { failure: Some(failure), ..InboundTls::default() };
    InboundSession { tls: Some(tls), ..session }
}

fn certificate(name: &str) -> Arc<[u8]> {
    rcgen::generate_simple_self_signed([name.to_string()]).unwrap().cert.der().to_vec().into()
}

/// Writes a run of these sessions; one that ended unless `is_open`.
fn write(folder: &Folder, name: &str, behave: Option<&str>, is_open: bool, sessions: &[InboundSession]) {
    let mut info = ReceiveInfo::new("127.0.0.1:25".into(), "mx.example".into());
    info.behave = behave.map(str::to_string);
    info.watch_s = Some(600);
    let mut directory = ReceiveDirectory::create(&folder.path().join(name), info, 1 << 20).unwrap();
    for session in sessions {
        directory.write(session, &JudgedSession::default()).unwrap();
    }
    if !is_open {
        directory.note_end(0, &["not read"]).unwrap();
        directory.finish(None).unwrap();
    }
}

/// A run of two senders that encrypt, and one that does not.
fn first(folder: &Folder, name: &str) {
    let der = certificate("out.partner.example");
    let sessions = [
        with_mail(with_tls(session(1, "out.partner.example"), ProtocolVersion::TLS13, &der)),
        with_mail(with_tls(session(2, "relay.example"), ProtocolVersion::TLS13, &certificate("r.example"))),
        with_alert(session(3, "<script>x")),
        with_mail(session(4, "<script>x")),
    ];
    write(folder, name, None, false, &sessions);
}

/// The same some time later: one sends in clear, one is gone, one is new.
fn second(folder: &Folder, name: &str) {
    let der = certificate("out.partner.example");
    let sessions = [
        with_mail(with_tls(session(1, "out.partner.example"), ProtocolVersion::TLS12, &der)),
        with_mail(session(2, "out.partner.example")),
        with_mail(session(3, "<script>x")),
        with_mail(session(4, "new.example")),
    ];
    write(folder, name, None, false, &sessions);
}

fn run(folder: &Folder, words: &str) -> Ran {
    folder.run(words.split(' '))
}

#[test]
fn the_report_of_a_listener_tells_who_came_and_what_they_did() {
    let folder = Folder::new();
    first(&folder, "run");
    let ran = run(&folder, "report run");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "written to run/report.html\n"), "{}", ran.stderr);
    let page = folder.read("run/report.html");
    assert!(page.contains("What clients did: 4 sessions of 3 senders"), "{page}");
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;x"), "{page}");
    let senders = folder.read("run/report-senders.csv");
    assert!(senders.contains("192.0.2.1,<script>x,2,0,1,0,1,"), "{senders}");
    assert!(senders.contains(",MAIL in clear 0 s later"), "{senders}");
    let certificates = folder.read("run/report-certificates.csv");
    assert_eq!(certificates.lines().count(), 3, "{certificates}");

    let ran = run(&folder, "report run -o - --format md");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for told in [
        "> **Note:** TLS encrypts the connection, not the message.",
        "- Listened on 127.0.0.1:25 as mx.example\n",
        "| MAIL inside TLS | 2 | 50.0 % |",
        "| the client | the client said unknown_ca | 1 | 100.0 % |",
        "| it came again, with MAIL in clear | 1 | 100.0 % |",
        "| On purpose | nothing |",
        "| Root certificates | none: chains were not judged |",
    ] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("has not come to its end"), "{}", ran.stdout);
    // A page of one's own name is never written over; that in the run directory is made anew.
    for (words, code) in [("report run", 0), ("report run -o page.html", 0), ("report run -o page.html", 2)] {
        assert_eq!(run(&folder, words).code, Some(code), "{words}");
    }
    assert_eq!(folder.read("page.html").replace("page-", "report-"), page);
}

/// What a run did wrong on purpose is told as its own doing, and what is cut as left out.
#[test]
fn the_report_of_a_run_that_goes_on_or_was_killed_says_so() {
    let folder = Folder::new();
    write(&folder, "run", Some("expired"), true, &[with_alert(session(1, "a.example"))]);
    let mut file = fs::File::options().append(true).open(folder.path().join("run/sessions.jsonl")).unwrap();
    file.write_all(b"{\"schema\":2,\"num").unwrap();
    let ran = run(&folder, "report run -o - --format md");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for told in [
        "> **Note:** The run has not come to its end: it goes on, or was killed.",
        "> **Note:** The last line of sessions.jsonl is cut short, and is left out.",
        "> **Note:** On purpose, to every client: expired. What was refused for that",
        "This run did something wrong on purpose.",
        "| not determined: the run ended before --watch was over | 1 |",
        "| Connections turned away | not known, the run has not ended |",
    ] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    fs::write(folder.path().join("run/sessions.jsonl"), "{\"schema\":9}\n").unwrap();
    let ran = run(&folder, "report run");
    assert_eq!(ran.code, Some(1));
    let told = "run/sessions.jsonl:1: written with schema 9; this mxray reads 1 to 2";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn two_runs_of_a_listener_are_compared_sender_by_sender() {
    let folder = Folder::new();
    first(&folder, "a");
    second(&folder, "b");
    let ran = run(&folder, "diff a b");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let worse = "\nWorse\n  out.partner.example 192.0.2.1\n      mail: in_tls -> in_clear\n      \
                 weakest_tls_version: TLSv1.3 -> TLSv1.2\n      certificate_changed\n";
    assert!(ran.stdout.contains(worse), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let ran = run(&folder, "diff a b --format json");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    for (change, count) in [("worse", 1), ("came", 1), ("went", 1), ("same", 1), ("better", 0)] {
        assert_eq!(told["counts"][change], count, "{change}: {}", ran.stdout);
    }
    assert_eq!(told["kind"], "receive");
    for (words, code) in [
        ("diff a b --fail-on worse", 6),
        ("diff b a --fail-on worse", 0),
        ("diff a b --fail-on plaintext", 6),
        ("diff b a --fail-on plaintext", 0),
        ("diff a b --fail-on came", 6),
        ("diff a b --fail-on went", 6),
        ("diff a b --fail-on undetermined", 0),
        ("diff a a --fail-on worse,plaintext,undetermined,came,went", 0),
        ("diff a b --format csv -o changes.csv", 0),
        ("diff a b --format html -o changes.html", 0),
        ("diff a b -o changes.csv", 2),
    ] {
        let ran = run(&folder, words);
        assert_eq!(ran.code, Some(code), "{words}: {}", ran.stderr);
    }
    assert_eq!(folder.read("changes.csv").lines().count(), 4, "a header, and what is not the same");
    assert!(folder.read("changes.html").contains("What changed at 4 senders"));
}

#[test]
fn runs_that_cannot_be_compared_are_refused() {
    let folder = Folder::new();
    first(&folder, "a");
    write(&folder, "b", Some("no-starttls"), false, &[session(1, "a.example")]);
    write(&folder, "open", None, true, &[]);
    let made = folder.run(["demo", "--domains", "2", "-o", "survey"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    for (words, told) in [
        (
            "diff a survey",
            "a and survey cannot be compared: one is a run of mxray receive, the other a survey",
        ),
        (
            "diff survey a",
            "survey and a cannot be compared: one is a run of mxray receive, the other a survey",
        ),
        (
            "diff a b",
            "a and b cannot be compared: the first did nothing wrong on purpose, the second did no-starttls on purpose",
        ),
    ] {
        let ran = run(&folder, words);
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{words}: {}", ran.stderr);
    }
    // Of a run that goes on nobody knows who will come.
    let ran = run(&folder, "diff a open --format json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["counts"]["not_reached"], &told["counts"]["went"]), (&3.into(), &0.into()));
    assert!(told["notes"].to_string().contains("open was killed, or still goes on"), "{}", ran.stdout);
}
