//! Exim, OpenSMTPD, Sendmail, msmtp and swaks before each fault of `mxray receive`: what is
//! written of them is what they themselves say.

use super::listening::{Listening, Passage, assert_certificate, negotiated, passage};
use super::sending::{Exim, Identity, Msmtp, OpenSmtpd, Sendmail, Swaks, System};
use mxray::internals::sender::Sender;
use mxray::internals::x509;
use serde_json::Value;
use std::fs;

use Passage::{InClear, InTls, Kept};

/// A word of `--behave`, `none` for a listener without fault, and what Exim, OpenSMTPD and
/// Sendmail do then, none of which demands TLS; what msmtp does, which verifies; and swaks,
/// which does not.
const CASES: [(&str, [Passage; 5]); 12] = [
    ("none", [InTls, InTls, InTls, InTls, InTls]),
    ("no-starttls", [InClear, InClear, InClear, Kept, Kept]),
    ("mangled", [InClear, InClear, InClear, Kept, Kept]),
    ("454", [InClear, InClear, InClear, Kept, Kept]),
    // Sendmail keeps what it could not encrypt, and tries TLS again.
    ("handshake-failure", [InClear, InClear, Kept, Kept, Kept]),
    ("tls12-only", [InTls, InTls, InTls, InTls, InTls]),
    ("tls10-only", [InClear, InClear, Kept, Kept, Kept]),
    ("expired", [InTls, InTls, InTls, Kept, InTls]),
    ("wrong-name", [InTls, InTls, InTls, Kept, InTls]),
    ("self-signed", [InTls, InTls, InTls, Kept, InTls]),
    ("ecdsa-only", [InTls, InTls, InTls, InTls, InTls]),
    ("421", [Kept, Kept, Kept, Kept, Kept]),
];

fn identity() -> (Identity, String) {
    let made = rcgen::generate_simple_self_signed(["out.partner.example".to_string()]).unwrap();
    let sha256 = x509::digest(made.cert.der()).to_string();
    (Identity { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }, sha256)
}

/// Sends by a system to a listener with this fault, and holds what is written against what
/// the system says, and both against what is expected; `None` where it is not there.
fn hold(system: System, behave: &str, expected: Passage) -> Option<Listening> {
    hold_with(system, behave, expected, &["--quiet", "--learn", "learnt"])
}

/// The same, with these words for the listener.
fn hold_with(system: System, behave: &str, expected: Passage, words: &[&str]) -> Option<Listening> {
    let (identity, sha256) = identity();
    let mut listening = Listening::that(behave, words);
    let log = system.send(&listening, &identity)?;
    listening.end();
    let sessions = listening.written();
    let sessions: Vec<&Value> = sessions.iter().collect();
    let what = format!("{system:?} before {behave}");
    assert!(!sessions.is_empty(), "{what} never came:\n{log}");
    assert_eq!(system.passage(&log), expected, "{what}, by what it says:\n{log}");
    assert_eq!(passage(&sessions), expected, "{what}: {sessions:?}");
    if let Some(said) = system.negotiated(&log) {
        assert_eq!(negotiated(&sessions), said, "{what}: {sessions:?}\n{log}");
    }
    let shown = Some(sha256.as_str()).filter(|_| system.shows_certificate());
    sessions.iter().for_each(|session| assert_certificate(session, shown, &what));
    Some(listening)
}

fn hold_all(system: System, place: usize) {
    for (behave, passages) in CASES {
        if hold(system, behave, passages[place]).is_none() {
            return;
        }
    }
}

/// What is learnt of a system before three faults is what its file says.
fn hold_learnt(system: System, name: &str) {
    let known = Sender::named(name).unwrap();
    let Some(listening) = hold(system, "none", InTls) else { return };
    assert_eq!(listening.learnt().offer(), known.offer(), "{name}");
    let failed = hold(system, "handshake-failure", InClear).unwrap().learnt();
    assert_eq!(failed.after_tls_failure.value, known.after_tls_failure.value, "{name}");
    let refused = hold(system, "454", InClear).unwrap().learnt();
    assert_eq!(refused.after_starttls_4xx.value, known.after_starttls_4xx.value, "{name}");
    assert!(!failed.after_tls_failure.is_assumed() && !refused.after_starttls_4xx.is_assumed(), "{name}");
}

/// What was learnt in one run stays learnt in the next, and nothing else is.
#[test]
fn runs_add_up_to_one_file_of_a_sender() {
    let known = Sender::named("exim").unwrap();
    let mut template = "rfc9325".to_string();
    let mut runs = Vec::new();
    for (behave, expected) in [("handshake-failure", InClear), ("454", InClear), ("none", InTls)] {
        let words = ["--quiet", "--learn", "learnt", "--learn-from", &template];
        let Some(listening) = hold_with(Exim, behave, expected, &words) else { return };
        template = listening.path("run/learnt.toml").display().to_string();
        runs.push(listening);
    }
    let seen = runs.last().unwrap().learnt();
    assert_eq!(seen.offer(), known.offer());
    assert_eq!(seen.after_tls_failure.value, known.after_tls_failure.value);
    assert_eq!(seen.after_starttls_4xx.value, known.after_starttls_4xx.value);
    assert_eq!(seen.requires_tls.value, known.requires_tls.value);
    // This one was given a certificate.
    assert!(seen.shows_client_certificate.as_ref().is_some_and(|shows| shows.value));
    let learnt = [
        seen.versions.is_assumed(),
        seen.after_tls_failure.is_assumed(),
        seen.after_starttls_4xx.is_assumed(),
        seen.requires_tls.is_assumed(),
    ];
    assert_eq!(learnt, [false; 4], "{}", fs::read_to_string(&template).unwrap());
    assert!(seen.retry_hours.is_assumed() && seen.dane.is_assumed());
}

#[test]
fn each_fault_does_to_exim_what_it_says_itself() {
    hold_all(Exim, 0);
}

#[test]
fn each_fault_does_to_opensmtpd_what_it_says_itself() {
    hold_all(OpenSmtpd, 1);
    hold_learnt(OpenSmtpd, "opensmtpd");
}

#[test]
fn each_fault_does_to_sendmail_what_it_says_itself() {
    hold_all(Sendmail, 2);
}

#[test]
fn each_fault_does_to_msmtp_what_it_says_itself() {
    hold_all(Msmtp, 3);
    hold(Msmtp, "slow", Kept);
}

#[test]
fn each_fault_does_to_swaks_what_it_says_itself() {
    hold_all(Swaks, 4);
    hold(Swaks, "slow", Kept);
}
