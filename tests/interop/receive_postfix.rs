//! Postfix at each of its levels before each fault of `mxray receive`: what becomes of the
//! mail is what the level is documented to do, and what is written of it is what Postfix's
//! own log says.

use super::listening::{Listening, Negotiated, Passage, assert_certificate, negotiated, passage};
use super::mail_system::{Root, postfix_that};
use super::signed_dns::{SignedDns, Validator, Zones, resolv_conf};
use mxray::internals::sender::Sender;
use mxray::internals::x509;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// How long Postfix may take for all of it, and how often its log is looked at.
const DONE_MAX: Duration = Duration::from_secs(90);
const DONE_INTERVAL: Duration = Duration::from_millis(100);
/// Attempts after which a message that was not sent counts as kept: Postfix at `may` goes on
/// in clear with the second.
const KEPT_ATTEMPTS: usize = 3;

/// Postfix's log.
const LOG: &str = "var/log/postfix-sender";
/// What Postfix logs once a recipient was refused, as each is here.
const REFUSED: &str = "said: 451 4.7.1 This is a test by mxray";

/// A way to send, told apart by the address that it sends from.
struct Level {
    name: &'static str,
    address: &'static str,
    /// Options of Postfix's client.
    options: &'static str,
    shows_certificate: bool,
}

impl Level {
    const fn new(name: &'static str, address: &'static str, options: &'static str) -> Self {
        Self { name, address, options, shows_certificate: false }
    }

    const fn with_certificate(mut self) -> Self {
        self.shows_certificate = true;
        self
    }
}

use Passage::{InClear, InTls, Kept};

/// A fault, and what each level does then.
struct Case<const N: usize> {
    /// The word of `--behave`; `none` for a listener without fault.
    behave: &'static str,
    passages: [Passage; N],
}

const fn case<const N: usize>(behave: &'static str, passages: [Passage; N]) -> Case<N> {
    Case { behave, passages }
}

const VERIFY: &str = "-o smtp_tls_security_level=verify -o smtp_tls_verify_cert_match=front.example";
const SECURE: &str = "-o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match=front.example";

const LEVELS: [Level; 4] = [
    Level::new("may", "127.25.0.1", "-o smtp_tls_security_level=may"),
    Level::new("encrypt", "127.25.0.2", "-o smtp_tls_security_level=encrypt").with_certificate(),
    Level::new("verify", "127.25.0.3", VERIFY),
    Level::new("secure", "127.25.0.4", SECURE).with_certificate(),
];

const CASES: [Case<4>; 12] = [
    case("none", [InTls, InTls, InTls, InTls]),
    case("no-starttls", [InClear, Kept, Kept, Kept]),
    case("mangled", [InClear, Kept, Kept, Kept]),
    case("454", [InClear, Kept, Kept, Kept]),
    case("handshake-failure", [InClear, Kept, Kept, Kept]),
    case("tls12-only", [InTls, InTls, InTls, InTls]),
    case("tls10-only", [InClear, Kept, Kept, Kept]),
    case("expired", [InTls, InTls, Kept, Kept]),
    case("wrong-name", [InTls, InTls, Kept, Kept]),
    case("self-signed", [InTls, InTls, Kept, Kept]),
    case("ecdsa-only", [InTls, InTls, InTls, InTls]),
    case("421", [Kept, Kept, Kept, Kept]),
];

/// One that does not wait as long as RFC 5321 has it wait.
const HURRIED: [Level; 1] =
    [Level::new("hurried", "127.25.0.5", "-o smtp_tls_security_level=may -o smtp_helo_timeout=2s")];
const SLOW: [Case<1>; 1] = [case("slow", [Kept])];

const DANE: &str = "-o smtp_tls_security_level=dane -o smtp_dns_support_level=dnssec -o smtp_host_lookup=dns";
const DANE_ONLY: &str =
    "-o smtp_tls_security_level=dane-only -o smtp_dns_support_level=dnssec -o smtp_host_lookup=dns";

/// Before hosts with TLSA records of the authority above the listener's certificate, and
/// before the same without records.
const DANE_LEVELS: [Level; 4] = [
    Level::new("dane", "127.25.0.6", DANE),
    Level::new("dane-only", "127.25.0.7", DANE_ONLY).with_certificate(),
    Level::new("dane-bare", "127.25.0.8", DANE),
    Level::new("dane-only-bare", "127.25.0.9", DANE_ONLY),
];

const DANE_CASES: [Case<4>; 10] = [
    case("none", [InTls, InTls, InTls, Kept]),
    case("no-starttls", [Kept, Kept, InClear, Kept]),
    case("454", [Kept, Kept, InClear, Kept]),
    case("handshake-failure", [Kept, Kept, InClear, Kept]),
    case("tls12-only", [InTls, InTls, InTls, Kept]),
    case("expired", [Kept, Kept, InTls, Kept]),
    case("wrong-name", [Kept, Kept, InTls, Kept]),
    case("self-signed", [Kept, Kept, InTls, Kept]),
    case("ecdsa-only", [InTls, InTls, InTls, Kept]),
    case("421", [Kept, Kept, Kept, Kept]),
];

#[test]
fn each_fault_does_to_postfix_what_its_level_says() {
    let Some(root) = Root::of("postfix") else { return };
    let [may, encrypt, ..] = &LEVELS;
    let falls_back = |behave| matches!(behave, "handshake-failure" | "454");
    let listening = listen(&CASES, |behave| if falls_back(behave) { may } else { encrypt });
    let listening = hold(&root, &LEVELS, &CASES, listening, |_, port| format!("[127.0.0.1]:{port}"));
    let learnt = |behave| learnt(&CASES, &listening, behave);
    let known = Sender::named("postfix-encrypt").unwrap();
    assert_eq!(learnt("none").offer(), known.offer());
    // That mail is kept is not to be seen by who does not get it.
    assert!(learnt("no-starttls").after_tls_failure.is_assumed());
    let known = Sender::named("postfix-may").unwrap();
    let (failed, refused) = (learnt("handshake-failure"), learnt("454"));
    assert_eq!(failed.offer(), known.offer());
    assert_eq!(failed.after_tls_failure.value, known.after_tls_failure.value);
    assert_eq!(refused.after_starttls_4xx.value, known.after_starttls_4xx.value);
    assert!(!failed.after_tls_failure.is_assumed() && !refused.after_starttls_4xx.is_assumed());
    assert_eq!(refused.requires_tls.value, known.requires_tls.value);
    let run = of_case(&CASES, &listening, "handshake-failure").run();
    let senders = run["senders"].as_array().unwrap();
    let may = senders.iter().find(|sender| sender["address"] == may.address).unwrap();
    let comebacks = may["comebacks"].as_array().unwrap();
    assert!(comebacks.iter().any(|came| came["again"]["result"] == "mail_in_clear"), "{may}");
}

#[test]
fn postfix_that_is_in_a_hurry_does_not_wait_for_a_slow_server() {
    let Some(root) = Root::of("postfix") else { return };
    let [hurried] = &HURRIED;
    let listening = listen(&SLOW, |_| hurried);
    hold(&root, &HURRIED, &SLOW, listening, |_, port| format!("[127.0.0.1]:{port}"));
}

#[test]
fn each_fault_does_to_postfix_with_dane_what_its_records_say() {
    let [.., bare, _] = &DANE_LEVELS;
    let listening = listen(&DANE_CASES, |_| bare);
    let zones = Zones { root: records(&listening), insecure: String::new(), bogus: String::new() };
    // In the order in which other tests take them.
    let (Some(_dns), Some(root)) = (SignedDns::start(&zones, Validator::Unbound), Root::of("postfix")) else {
        return;
    };
    root.write("etc/resolv.conf", &resolv_conf());
    let listening = hold(&root, &DANE_LEVELS, &DANE_CASES, listening, |level, port| {
        let host = if level.name.ends_with("bare") { "bare" } else { "front" };
        format!("[{host}.example]:{port}")
    });
    let (learnt, known) =
        (|behave| learnt(&DANE_CASES, &listening, behave), Sender::named("postfix-dane").unwrap());
    assert_eq!(learnt("none").offer(), known.offer());
    let [failed, refused] = ["handshake-failure", "454"].map(learnt);
    assert_eq!(failed.after_tls_failure.value, known.after_tls_failure.value);
    assert_eq!(refused.after_starttls_4xx.value, known.after_starttls_4xx.value);
    assert!(!failed.after_tls_failure.is_assumed() && !refused.after_starttls_4xx.is_assumed());
}

/// A listener for each case, and the level that it learns.
fn listen<'l, const N: usize>(
    cases: &[Case<N>],
    learns: impl Fn(&'static str) -> &'l Level,
) -> Vec<Listening> {
    let start = |case: &Case<N>| {
        let words = ["--quiet", "--learn", "learnt", "--learn-of", learns(case.behave).address];
        Listening::that(case.behave, &words)
    };
    cases.iter().map(start).collect()
}

fn of_case<'l, const N: usize>(cases: &[Case<N>], listening: &'l [Listening], behave: &str) -> &'l Listening {
    let (_, listening) = cases.iter().zip(listening).find(|(case, _)| case.behave == behave).unwrap();
    listening
}

/// What was learnt before a fault.
fn learnt<const N: usize>(cases: &[Case<N>], listening: &[Listening], behave: &str) -> Sender {
    of_case(cases, listening, behave).learnt()
}

/// A host with records of each listener's port (RFC 7672 §3.1.2), and one without.
fn records(listening: &[Listening]) -> String {
    let mut zone = "front.example. A 127.0.0.1\nbare.example. A 127.0.0.1\n".to_string();
    // A certificate that signs itself has none above it: the records name another's.
    let others = listening.iter().find_map(Listening::authority).unwrap();
    for listening in listening {
        let pem = listening.authority().unwrap_or_else(|| others.clone());
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(zone, "_{}._tcp.front.example. TLSA 2 0 0 {hex}", listening.port).unwrap();
    }
    zone
}

/// Has Postfix send a message by each level to each listener, and holds what is written of
/// that against its log, and both against the cases.
fn hold<const N: usize>(
    root: &Root,
    levels: &[Level; N],
    cases: &[Case<N>],
    mut listening: Vec<Listening>,
    next_hop: impl Fn(&Level, u16) -> String,
) -> Vec<Listening> {
    let authorities: String = listening.iter().filter_map(Listening::authority).collect();
    // Above a leaf that signs itself there is none; Postfix has to have some.
    let made = rcgen::generate_simple_self_signed(["out.partner.example".to_string()]).unwrap();
    root.write("tmp/authorities.pem", &(authorities + &made.cert.pem()));
    root.write("tmp/client.pem", &(made.signing_key.serialize_pem() + &made.cert.pem()));
    let certificate = x509::digest(made.cert.der()).to_string();
    let (mut routes, mut messages) = (String::new(), Vec::new());
    for (case, listening) in cases.iter().zip(&listening) {
        let behave = case.behave;
        for level in levels {
            let (name, next_hop) = (level.name, next_hop(level, listening.port));
            write!(routes, " {{ {name}.{behave}.example = {name}:{next_hop} }}").unwrap();
        }
        messages.push(levels.iter().map(|level| recipient(level, behave)).collect());
    }
    let main = format!(
        "transport_maps = inline:{{{routes} }}\nmax_use = 1\nmaximal_backoff_time = 1s\n\
         smtp_tls_loglevel = 1\nsmtp_tls_CAfile = /tmp/authorities.pem\nmaillog_file = /{LOG}\n"
    );
    let _ = fs::remove_file(root.file(LOG));
    let running = postfix_that(root, &main, &services(levels), &messages);
    let log = await_all(root, levels, cases);
    drop(running);
    for (case, listening) in cases.iter().zip(&mut listening) {
        let port = listening.port;
        listening.end();
        let sessions = listening.written();
        for (level, expected) in levels.iter().zip(case.passages) {
            let what = format!("{} before {}", level.name, case.behave);
            let of_level: Vec<&Value> = sessions.iter().filter(|session| is_of(session, level)).collect();
            assert_eq!(logged_passage(&log, level, case.behave), Some(expected), "{what}, by the log");
            assert_eq!(passage(&of_level), expected, "{what}: {of_level:?}");
            assert_eq!(negotiated(&of_level), logged(&log, level, port), "{what}: {of_level:?}");
            let shown = Some(certificate.as_str()).filter(|_| level.shows_certificate);
            for session in of_level {
                assert_certificate(session, shown, &what);
                assert_domains(session, level, case.behave);
            }
        }
    }
    listening
}

fn recipient(level: &Level, behave: &str) -> String {
    format!("b@{}.{behave}.example", level.name)
}

/// A client of Postfix for each level.
fn services(levels: &[Level]) -> String {
    let mut services = String::new();
    for Level { name, address, options, shows_certificate } in levels {
        let certificate = if *shows_certificate { " -o smtp_tls_chain_files=/tmp/client.pem" } else { "" };
        let own = format!("-o syslog_name=postfix/{name} -o smtp_bind_address={address}{certificate}");
        writeln!(services, "{name} unix - - n - - smtp {own} {options}").unwrap();
    }
    services
}

/// Postfix's log, once each message has come to what is expected of it, or has had its time.
fn await_all<const N: usize>(root: &Root, levels: &[Level; N], cases: &[Case<N>]) -> String {
    let begun = Instant::now();
    loop {
        let log = root.log(LOG);
        let is_done = |case: &Case<N>| {
            let mut each = levels.iter().zip(case.passages);
            each.all(|(level, expected)| logged_passage(&log, level, case.behave) == Some(expected))
        };
        if cases.iter().all(is_done) || begun.elapsed() > DONE_MAX {
            return log;
        }
        thread::sleep(DONE_INTERVAL);
    }
}

/// What became of a message, by Postfix's log; `None` as long as that is open. Each attempt
/// is a process of its own.
fn logged_passage(log: &str, level: &Level, behave: &str) -> Option<Passage> {
    let to = format!("to=<{}>", recipient(level, behave));
    let attempts: Vec<&str> = log.lines().filter(|line| line.contains(&to)).collect();
    let Some(sent) = attempts.iter().find(|line| line.contains(REFUSED)) else {
        return (attempts.len() >= KEPT_ATTEMPTS).then_some(Kept);
    };
    let process = sent.split_ascii_whitespace().find(|word| word.starts_with("postfix/")).unwrap();
    let is_secured = |line: &str| line.contains(process) && line.contains("TLS connection established to");
    Some(if log.lines().any(is_secured) { InTls } else { InClear })
}

fn is_of(session: &Value, level: &Level) -> bool {
    session["peer"].as_str().unwrap().starts_with(&format!("{}:", level.address))
}

/// What was negotiated, by Postfix's log.
fn logged(log: &str, level: &Level, port: u16) -> Negotiated {
    let process = format!("postfix/{}/smtp[", level.name);
    let mut found = Negotiated::new();
    for line in log.lines().filter(|line| line.contains(&process)) {
        let Some((_, told)) = line.split_once(&format!("[127.0.0.1]:{port}: ")) else { continue };
        if let Some((version, rest)) = told.split_once(" with cipher ") {
            found.insert((version.to_string(), rest.split(' ').next().unwrap().to_string()));
        }
    }
    found
}

/// Names and domains of a session are those that Postfix was given.
fn assert_domains(session: &Value, level: &Level, behave: &str) {
    for mail in session["dialogue"]["mail"].as_array().unwrap() {
        assert_eq!(session["dialogue"]["ehlo"]["text"], "scanner.example", "{session}");
        assert_eq!(mail["sender"]["domain"]["domain"], "scanner.example", "{session}");
        let recipient = format!("{}.{behave}.example", level.name);
        assert_eq!(mail["recipients"][0]["domain"], recipient.as_str(), "{session}");
    }
}
