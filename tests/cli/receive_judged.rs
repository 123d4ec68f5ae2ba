//! `mxray receive` judges: client certificates by roots, mail by inbound connectors. The
//! client is one of rustls, and proves what it shows.

use crate::command::Folder;
use crate::receive::{code, start};
use crate::streams::end;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

const CONNECTORS: &str = r#"
accepted_domains = ["contoso.example"]
reject_direct_send = true

[[inbound_connector]]
name = "Named"
connector_type = "Partner"
sender_domains = ["named.example"]
require_tls = true
restrict_domains_to_certificate = true
tls_sender_certificate_name = "*.named.example"

[[inbound_connector]]
name = "Elsewhere"
connector_type = "Partner"
sender_domains = ["elsewhere.example"]
require_tls = false
restrict_domains_to_ip_addresses = true
sender_ip_addresses = ["192.0.2.0/24"]

[[inbound_connector]]
name = "Here"
connector_type = "Partner"
sender_domains = ["here.example"]
require_tls = false
restrict_domains_to_ip_addresses = true
sender_ip_addresses = ["127.0.0.0/24"]

[[inbound_connector]]
name = "Hybrid"
connector_type = "OnPremises"
tls_sender_certificate_name = "mail.contoso.example"

[[inbound_connector]]
name = "Old"
enabled = false
connector_type = "Partner"
sender_domains = ["*"]
require_tls = true
"#;

type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A client certificate and the key that is used with it.
#[derive(Clone, Debug)]
pub struct Shown(Arc<CertifiedKey>);

impl Shown {
    /// A certificate of this name, with its key.
    pub fn issued(by: &Authority, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = Self::certificate(by, name, &key);
        Self::with_key(certificate, &key)
    }

    /// A certificate of this name, with a key that is not its own.
    fn stolen(from: &Authority, name: &str) -> Self {
        let certificate = Self::certificate(from, name, &KeyPair::generate().unwrap());
        Self::with_key(certificate, &KeyPair::generate().unwrap())
    }

    fn certificate(by: &Authority, name: &str, key: &KeyPair) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([name.to_string()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(2300, 1, 1);
        params.signed_by(key, by).unwrap().into()
    }

    fn with_key(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        Self(Arc::new(CertifiedKey::new(vec![certificate], key)))
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// One message that a client offers.
pub struct Mail<'a> {
    pub from: &'a str,
    pub to: &'a str,
    /// In clear, inside TLS, or inside TLS with a certificate.
    pub by: By<'a>,
}

pub enum By<'a> {
    Clear,
    Tls,
    Certificate(&'a Shown),
}

/// Offers it, as far as the listener lets.
pub fn offer(folder: &Folder, at: SocketAddr, mail: &Mail<'_>) {
    let mut stream = BufReader::new(TcpStream::connect(at).unwrap());
    assert_eq!(code(&mut stream), "220");
    let lines = [
        "EHLO out.partner.example".to_string(),
        format!("MAIL FROM:<a@{}>", mail.from),
        format!("RCPT TO:<b@{}>", mail.to),
        "QUIT".to_string(),
    ];
    let shown = match mail.by {
        By::Clear => return say(&mut stream, &lines),
        By::Tls => None,
        By::Certificate(shown) => Some(shown.clone()),
    };
    say(&mut stream, &["EHLO out.partner.example".to_string(), "STARTTLS".to_string()]);
    let tls = StreamOwned::new(client(folder, shown), stream.into_inner());
    say(&mut BufReader::new(tls), &lines);
}

/// Says the lines until the listener is gone.
fn say<S: Read + Write>(stream: &mut BufReader<S>, lines: &[String]) {
    for line in lines {
        if stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).is_err() {
            return;
        }
        let mut answer = String::new();
        while answer.as_bytes().get(3) != Some(&b' ') {
            answer.clear();
            if std::io::BufRead::read_line(stream, &mut answer).unwrap_or(0) == 0 {
                return;
            }
        }
    }
}

fn client(folder: &Folder, shown: Option<Shown>) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    let pem = folder.read("run/test-authority.pem");
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        Some(shown) => config.with_client_cert_resolver(Arc::new(shown)),
        None => config.with_no_client_auth(),
    };
    ClientConnection::new(Arc::new(config), "mx.example".try_into().unwrap()).unwrap()
}

/// The sessions of a run, by their number.
pub fn sessions(folder: &Folder, run: &str) -> Vec<Value> {
    let text = folder.read(&format!("{run}/sessions.jsonl"));
    let mut all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    all.sort_by_key(|session| session["number"].as_u64());
    all
}

/// What the line of the session says of its one verdict, in a few words.
fn told(session: &Value) -> String {
    let verdicts = session["verdicts"].as_array().unwrap();
    let [of_mail] = verdicts.as_slice() else { return format!("{} verdicts", verdicts.len()) };
    assert_eq!(of_mail["mail"], 1);
    assert_eq!(of_mail["recipient"], session["dialogue"]["mail"][0]["recipients"][0]);
    let verdict = &of_mail["verdict"];
    if let Some(refusals) = verdict["rejected"].as_array() {
        let text = |refusal: &Value, key| refusal[key].as_str().unwrap_or("-").to_string();
        let one = |refusal| {
            format!("{} {} {}", text(refusal, "code"), text(refusal, "why"), text(refusal, "connector"))
        };
        return refusals.iter().map(one).collect::<Vec<_>>().join(" + ");
    }
    match (&verdict["accepted"], &verdict["not_determined"]) {
        (Value::Null, cause) => format!("? {}", cause.as_str().unwrap()),
        (Value::String(how), _) => how.clone(),
        (taken, _) => taken["connectors"][0].as_str().unwrap().to_string(),
    }
}

#[test]
fn each_mail_is_judged_by_the_connectors_and_told() {
    let (known, stranger) = (authority("Known"), authority("Stranger"));
    let named = Shown::issued(&known, "out.named.example");
    let forged = Shown::issued(&stranger, "out.named.example");
    let stolen = Shown::stolen(&known, "mail.contoso.example");
    let hybrid = Shown::issued(&known, "mail.contoso.example");
    let contoso = "contoso.example";
    let cases = [
        ("named.example", contoso, By::Certificate(&named), "Named"),
        ("named.example", contoso, By::Clear, "451 5.7.3 tls Named + 550 5.7.51 certificate Named"),
        ("named.example", contoso, By::Tls, "550 5.7.51 certificate Named"),
        ("named.example", contoso, By::Certificate(&hybrid), "? on_premises_and_partner"),
        ("named.example", contoso, By::Certificate(&forged), "? certificate_not_trusted"),
        // Its handshake comes to no end, and so no MAIL.
        ("named.example", contoso, By::Certificate(&stolen), "0 verdicts"),
        ("elsewhere.example", contoso, By::Tls, "550 5.7.51 address Elsewhere"),
        ("here.example", contoso, By::Clear, "Here"),
        ("stranger.example", contoso, By::Clear, "ordinary"),
        ("stranger.example", "b.example", By::Tls, "550 5.7.64 relay -"),
        ("contoso.example", contoso, By::Tls, "550 5.7.68 direct_send -"),
        ("contoso.example", "b.example", By::Certificate(&hybrid), "Hybrid"),
    ];
    let folder = Folder::new().with("in.toml", CONNECTORS).with("known.pem", known.pem());
    let named = "--tls-certificate-name <i>CN=known<s>CN=mail.contoso.example";
    let words = format!("--sessions {} --connectors in.toml --roots known.pem {named}", cases.len());
    let (child, at) = start(&folder, &words);
    let expected: Vec<&str> = cases.iter().map(|(.., expected)| *expected).collect();
    for (from, to, by, _) in cases {
        offer(&folder, at, &Mail { from, to, by });
    }
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let sessions = sessions(&folder, "run");
    assert_eq!(sessions.iter().map(told).collect::<Vec<_>>(), expected);

    let axes = |number: usize| {
        let certificate = &sessions[number]["client_certificate"];
        (certificate["chain"].as_str(), certificate["dates"].as_str(), certificate["key"].as_str())
    };
    assert_eq!(axes(0), (Some("valid"), Some("valid"), Some("strong")));
    assert_eq!(sessions[0]["client_certificate"]["root"]["trusted_by"], serde_json::json!(["known.pem"]));
    assert_eq!(axes(2), (None, None, None), "no certificate was shown");
    assert_eq!(axes(4).0, Some("incomplete_chain"));
    assert_eq!((axes(5).0, &sessions[5]["tls"]["established"]), (Some("valid"), &false.into()));
    assert_eq!(sessions[5]["tls"]["signature"], "failed");

    for words in [
        "(key proven; chain valid, dates valid; not the one that is named); MAIL from named.example inside TLS, recipients refused; to contoso.example: \
        accepted by Named\n",
        "to contoso.example: rejected: 451 5.7.3 (RequireTls of Named) or 550 5.7.51 (RestrictDomainsToCertificate \
        of Named)\n",
        "not determined: the certificate bears the name, and its chain or its dates do not hold\n",
        "accepted as ordinary mail\n",
        "rejected: 550 5.7.64 (no connector of type OnPremises fits, and the recipient is not the \
        organisation's)\n",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("--connectors in.toml: disabled, so left out: Old\n"), "{}", ran.stderr);
    let totals = "mxray: by the inbound connectors: 4 accepted, 5 rejected, 2 not determined\n";
    assert!(ran.stderr.contains(totals), "{}", ran.stderr);
    let named = |number: usize| {
        let certificate = &sessions[number]["client_certificate"];
        (certificate["named"].as_bool(), certificate["named_cause"].as_str())
    };
    assert_eq!(
        (named(0), named(3), named(4)),
        ((Some(false), None), (Some(true), None), (Some(false), None))
    );
    assert_eq!(named(5), (None, Some("key_not_proven")));
    let totals = "mxray: client certificates, the one that is named: 2; another: 2; not determined: 1\n";
    assert!(ran.stderr.contains(totals), "{}", ran.stderr);
    let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    assert_eq!(run["named"], serde_json::json!({"yes": 2, "no": 2, "not_determined": 1}));
    let counts = serde_json::json!({"accepted": 4, "rejected": 5, "not_determined": 2});
    assert_eq!((&run["verdicts"], &run["roots"]), (&counts, &serde_json::json!(["known.pem"])));
    let file = &run["judged_by"]["options"]["connectors"];
    assert_eq!(file["words"], serde_json::json!(["in.toml"]));
    assert!(file["files"]["in.toml"].as_str().unwrap().starts_with('/'));
    assert_eq!(run["judged_by"]["connectors_left_out"], serde_json::json!(["Old"]));
}

const CSV: &str = "Name,ConnectorType,SenderDomains,AssociatedAcceptedDomains,RequireTls,TlsSenderCertificateName,\
    RestrictDomainsToCertificate,RestrictDomainsToIPAddresses,SenderIPAddresses\n\
    Mine,Partner,smtp:*;1,contoso.example,True,,False,False,\n";

#[test]
fn accepted_domains_stand_beside_an_export() {
    let folder = Folder::new().with("in.csv", CSV);
    let (child, at) =
        start(&folder, "--sessions 2 --connectors in.csv --accepted-domain a.example,contoso.example");
    for (from, by) in [("contoso.example", By::Clear), ("a.example", By::Clear)] {
        offer(&folder, at, &Mail { from, to: "contoso.example", by });
    }
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told: Vec<String> = sessions(&folder, "run").iter().map(told).collect();
    assert_eq!(told, ["451 5.7.3 tls Mine", "? associated_domain"]);
    assert!(!ran.stderr.contains("no accepted domains are told"), "{}", ran.stderr);
}

#[test]
fn an_export_without_accepted_domains_is_warned_of_and_steers_no_terminal() {
    let folder = Folder::new()
        .with("in.csv", CSV.replace("contoso.example", "").replace("Mine", "A\u{202e}\u{1b}[2J"));
    let (child, at) = start(&folder, "--sessions 2 --connectors in.csv");
    for from in ["contoso.example", "a.example"] {
        offer(&folder, at, &Mail { from, to: "contoso.example", by: By::Tls });
    }
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("--connectors in.csv: no accepted domains are told"), "{}", ran.stderr);
    assert!(!ran.stdout.contains(['\u{202e}', '\u{1b}']), "{}", ran.stdout);
    let expected = "to contoso.example: accepted by A\\xe2\\x80\\xae\\x1b[2J";
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
}

#[test]
fn a_file_that_cannot_be_used_is_refused_before_anybody_is_heard() {
    let outbound = "[[connector]]\nname = 'C'\n";
    let folder = Folder::new()
        .with("in.toml", CONNECTORS)
        .with("in.csv", CSV)
        .with("outbound.toml", outbound)
        .with("wrong.toml", CONNECTORS.replace("\"Partner\"", "\"Foo\""))
        .with("wrong.csv", "Name,Enabled\nC,True\n")
        .with("utf16.toml", b"\xff\xfea\0");
    let before = folder.names();
    for (words, told) in [
        ("--connectors none.toml", "--connectors none.toml: "),
        ("--connectors outbound.toml", "--connectors outbound.toml: line 1: unknown key `connector`"),
        (
            "--connectors wrong.toml",
            "connector `Named`: ConnectorType `Foo` is neither Partner nor OnPremises",
        ),
        ("--connectors wrong.csv", "--connectors wrong.csv: line 1: no column "),
        ("--connectors utf16.toml", "not UTF-8 text; a CSV needs a name that ends in .csv"),
        ("--connectors in.csv --accepted-domain a_b", "--accepted-domain `a_b`: "),
        (
            "--connectors in.csv --accepted-domain a.example",
            "--connectors in.csv: connector `Mine`: AssociatedAcceptedDomains `contoso.example` is none of",
        ),
        ("--accepted-domain a.example", "--connectors"),
        ("--roots none.pem", "--roots none.pem: "),
        ("--tls-certificate-name CN=a", "--tls-certificate-name `CN=a`: not `<I>ISSUER<S>SUBJECT`"),
        ("--connectors in.toml --cert in.toml --key in.toml", "--cert in.toml: it holds no certificate"),
    ] {
        let ran = folder.run(format!("receive --listen 127.0.0.1:0 -o run {words}").split_whitespace());
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{words}: {}", ran.stderr);
        assert!(!ran.stderr.contains("listening"), "{words}: {}", ran.stderr);
        assert_eq!(folder.names(), before, "{words}: something is left");
    }
}

/// A run without connectors: a certificate and none, inside TLS.
fn run_without_connectors(folder: &Folder, known: &Authority) {
    let named = Shown::issued(known, "out.named.example");
    let (child, at) = start(folder, "--sessions 3");
    for by in [By::Certificate(&named), By::Tls, By::Clear] {
        offer(folder, at, &Mail { from: "named.example", to: "contoso.example", by });
    }
    assert_eq!(end(child).code, Some(0));
}

#[test]
fn stored_sessions_are_judged_again_by_other_roots_and_connectors() {
    let known = authority("Known");
    let folder = Folder::new().with("in.toml", CONNECTORS).with("known.pem", known.pem());
    run_without_connectors(&folder, &known);
    let before = sessions(&folder, "run");
    assert!(before.iter().all(|session| session["verdicts"].is_null()));
    assert_eq!(before[0]["client_certificate"]["chain"], "incomplete_chain");

    let name = "<I>CN=Known<S>CN=out.named.example";
    let words = ["judge", "run", "-o", "again", "--connectors", "in.toml", "--roots", "known.pem"];
    let ran = folder.run(words.into_iter().chain(["--tls-certificate-name", name]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let after = sessions(&folder, "again");
    assert_eq!(
        after.iter().map(told).collect::<Vec<_>>(),
        ["Named", "550 5.7.51 certificate Named", "451 5.7.3 tls Named + 550 5.7.51 certificate Named"]
    );
    assert_eq!(after[0]["client_certificate"]["chain"], "valid");
    assert_eq!(after[0]["client_certificate"]["named"], true);
    for (before, after) in before.iter().zip(&after) {
        for key in ["number", "began", "dialogue", "tls", "chain"] {
            assert_eq!(before[key], after[key], "{key}");
        }
    }
    assert!(ran.stdout.contains("to contoso.example: accepted by Named\n"), "{}", ran.stdout);
    let totals = "mxray: by the inbound connectors: 1 accepted, 2 rejected, 0 not determined\n";
    assert!(ran.stderr.contains(totals), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("mxray: 3 sessions judged again, written to again\n"), "{}", ran.stderr);

    let run =
        |name: &str| -> Value { serde_json::from_str(&folder.read(&format!("{name}/run.json"))).unwrap() };
    let (old, new) = (run("run"), run("again"));
    for key in ["listen", "started", "ended", "senders", "sessions", "turned_away"] {
        assert_eq!(old[key], new[key], "{key}");
    }
    assert_eq!((&new["judged_from"]["run"], &old["judged_from"]), (&"run".into(), &Value::Null));

    // What is not named is kept.
    let ran = folder.run("judge again -o third".split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for file in ["sessions.jsonl", "certificates.csv"] {
        assert_eq!(folder.read(&format!("third/{file}")), folder.read(&format!("again/{file}")), "{file}");
    }
    assert_eq!(run("third")["judged_by"], new["judged_by"]);

    let ran = folder.run("judge again -o late --at 2999-01-01".split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let late = sessions(&folder, "late");
    assert_eq!(told(&late[0]), "? certificate_not_trusted");
    assert_eq!(late[0]["client_certificate"]["dates"], "expired");
}

#[test]
fn of_a_killed_run_what_is_whole_is_judged() {
    let folder = Folder::new().with("in.toml", CONNECTORS);
    run_without_connectors(&folder, &authority("Known"));
    let mut run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    for key in ["ended", "sessions", "senders", "turned_away"] {
        run[key] = Value::Null;
    }
    folder.write("run/run.json", run.to_string());
    let whole = folder.read("run/sessions.jsonl");
    folder.write("run/sessions.jsonl", format!("{whole}{}", whole.split_at(40).0));
    let ran = folder.run("judge run -o again --connectors in.toml".split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("mxray: 1 session left out: "), "{}", ran.stderr);
    assert_eq!(sessions(&folder, "again").len(), 3);
    let again: Value = serde_json::from_str(&folder.read("again/run.json")).unwrap();
    assert_eq!((&again["ended"], &again["sessions"]), (&Value::Null, &Value::Null));
    assert_eq!(again["verdicts"]["rejected"], 2);
}

#[test]
fn what_means_nothing_for_sessions_is_refused_by_judge() {
    let folder = Folder::new().with("in.toml", CONNECTORS);
    let (child, at) = start(&folder, "--sessions 1 --connectors in.toml");
    offer(&folder, at, &Mail { from: "a.example", to: "contoso.example", by: By::Clear });
    assert_eq!(end(child).code, Some(0));
    folder.write("in.toml", format!("{CONNECTORS}# Another line.\n"));
    let before = folder.names();
    for (words, told) in [
        ("--sender postfix-may", "--sender: run is a run of mxray receive, for which judge takes --roots, "),
        ("--expect exchange-online", "--expect: run is a run of mxray receive"),
        ("--after-tls-failure defer", "--after-tls-failure: run is a run of mxray receive"),
        ("--earlier run", "--earlier: run is a run of mxray receive"),
        ("--format json", "--format json: run is a run of mxray receive"),
        ("--summary full", "--summary full: run is a run of mxray receive"),
        ("--tls-certificate-name x", "--tls-certificate-name `x`: not `<I>ISSUER<S>SUBJECT`"),
        ("--roots mozilla", "--connectors in.toml: changed since mxray "),
    ] {
        let ran = folder.run(format!("judge run -o again {words}").split(' '));
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{words}: {}", ran.stderr);
        assert_eq!(folder.names(), before, "{words}: something is left");
    }
    let ran = folder.run("judge run -o again --connectors in.toml".split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}
