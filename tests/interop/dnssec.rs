//! DANE from the signed zone to the verdict, beside Postfix: the same domains,
//! records and servers, asked over a resolver that validates, by
//! `posttls-finger -l dane` and by `mxray scan --sender postfix-dane`.

use super::dane::spoilt;
use super::dnssec_cases::{
    CASES, Certificates, Deferred, ELSEWHERE, Elsewhere, Encrypted, HOSTS, Host, Passage, Plaintext,
    Verified, certificates, of,
};
use super::mail_system::Root;
use super::signed_dns::{SignedDns, Validator, Zones, resolv_conf};
use super::smtp::{self, Comes};
use mxray::internals::lookup::{DnsLookup, LookupConfig};
use mxray::internals::model::tlsa::{Authenticity, TlsaOutcome};
use mxray::internals::model::{DomainFacts, DomainName, Subject, Target};
use mxray::internals::stage::Lookup;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

/// Speaks as `host` does to one client after the other, each in a thread.
fn serve(host: Host, certificates: &Certificates) {
    let chain = certificates.all[..certificates.sent].iter();
    let chain = chain.map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certificates.key.clone()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind((host.address(), 25)).unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let config = config.clone();
            thread::spawn(move || converse(client, host, config));
        }
    });
}

fn converse(mut client: TcpStream, host: Host, config: Arc<ServerConfig>) -> io::Result<()> {
    if host == Host::Clear {
        return answer(&mut client.try_clone()?, true);
    }
    let Comes::ToTls(lines) = smtp::speak(&mut client)? else { return Ok(()) };
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    answer(&mut StreamOwned::new(connection, lines.into_inner()), false)
}

/// A server without STARTTLS, or one inside TLS.
fn answer<S: io::Read + Write>(stream: &mut S, greets: bool) -> io::Result<()> {
    if greets {
        stream.write_all(b"220 mx ESMTP\r\n")?;
    }
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        let leaves = line.starts_with("QUIT");
        let reply: &[u8] = if leaves { b"221 bye\r\n" } else { b"250 mx\r\n" };
        stream.get_mut().write_all(reply)?;
        line.clear();
        if leaves {
            return Ok(());
        }
    }
    Ok(())
}

fn zones(certificates: &BTreeMap<Host, Certificates>) -> Zones {
    let whole = &certificates[&Host::Whole];
    let right = of(whole, (3, 1, 1), 0);
    let wrong = spoilt(right.clone());
    let anchor = of(&certificates[&Host::NextHop], (2, 1, 1), 2);
    let fill = |text: &str| {
        text.replace("{whole}", &Host::Whole.address().to_string())
            .replace("{hop}", &Host::NextHop.address().to_string())
            .replace("{anchor}", &anchor.to_string())
            .replace("{right}", &right.to_string())
            .replace("{wrong}", &wrong.to_string())
    };
    let join = |part: fn(&Elsewhere) -> &'static str| {
        ELSEWHERE.iter().map(|elsewhere| fill(part(elsewhere)) + "\n").collect::<String>()
    };
    let mut root = join(|elsewhere| elsewhere.root);
    for case in CASES {
        let (name, address) = (case.domain(), case.host.address());
        root += &format!("{name}. MX 10 mx.{name}.\nmx.{name}. A {address}\n");
        for record in (case.records)(&certificates[&case.host]) {
            root += &format!("_25._tcp.mx.{name}. TLSA {record}\n");
        }
    }
    Zones { root, insecure: join(|elsewhere| elsewhere.insecure), bogus: join(|elsewhere| elsewhere.bogus) }
}

/// What Postfix's own client comes to.
fn by_postfix(root: &Root, domain: &str) -> (Passage, String) {
    let finger =
        ["/usr/sbin/posttls-finger", "-c", "-l", "dane", "-t", "20", "-T", "20", "-L", "summary,verbose"];
    let mut command = root.command(&[&finger[..], &[domain]].concat());
    let output = command.env("MAIL_CONFIG", "/run/mxray/conf").stdin(Stdio::null()).output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    let established = |word: &str| told.contains(&format!(" {word} TLS connection established"));
    let has_records = told.contains("DNSSEC-signed TLSA record");
    let passage = if told.contains("TLS is required") || told.contains("lookup ") {
        Deferred
    } else if established("Verified") || (established("Trusted") && has_records) {
        Verified
    } else if established("Untrusted") && has_records && !told.contains("fallback to unauthenticated TLS") {
        // It goes on to tell of the server; Postfix itself does not.
        Deferred
    } else if ["Trusted", "Untrusted", "Anonymous"].into_iter().any(established) {
        Encrypted
    } else {
        Plaintext
    };
    (passage, told)
}

/// The cells of mxray's rows by domain.
fn by_mxray(names: &[&str], resolver: SocketAddr) -> BTreeMap<String, (String, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list"), names.join("\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.current_dir(&folder).args(["scan", "list", "-o", "run", "--sender", "postfix-dane"]);
    command.args(["--resolver", &resolver.to_string(), "--allow-private", "--no-mta-sts"]);
    command.args(["--ehlo", "scanner.example", "--rate", "0", "--per-ip-interval", "0"]);
    command.args(["--per-ip-connections", "0", "--retries", "0", "--second-look-delay", "100ms"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rows = csv::Reader::from_path(folder.path().join("run/domains.csv")).unwrap();
    let rows = rows.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    rows.map(|row| {
        let cells = (row["delivery"].clone(), row["authenticated"].clone(), row["reason"].clone());
        (row["domain"].clone(), cells)
    })
    .collect()
}

fn passage((delivery, authenticated, _): &(String, String, String)) -> Option<Passage> {
    match (delivery.as_str(), authenticated.as_str()) {
        ("encrypted", "dane") => Some(Verified),
        ("encrypted", "none") => Some(Encrypted),
        ("plaintext", _) => Some(Plaintext),
        ("deferred", _) => Some(Deferred),
        _ => None,
    }
}

#[test]
fn mail_passes_as_it_does_for_postfix() {
    let certificates: BTreeMap<Host, Certificates> =
        HOSTS.into_iter().map(|host| (host, certificates(host))).collect();
    let (Some(dns), Some(root)) =
        (SignedDns::start(&zones(&certificates), Validator::Unbound), Root::of("postfix"))
    else {
        return;
    };
    HOSTS.into_iter().for_each(|host| serve(host, &certificates[&host]));
    root.write("etc/resolv.conf", &resolv_conf());
    root.configure("compatibility_level = 3.6\nmyhostname = scanner.example\ninet_protocols = ipv4\n");
    let of_cases = CASES.iter().map(|case| (case.domain(), case.expected, None));
    let elsewhere = ELSEWHERE.iter().map(|it| (it.name.to_owned(), it.expected, it.told));
    let cases: Vec<(String, Passage, Option<Passage>)> = of_cases.chain(elsewhere).collect();
    let mut differences = Vec::new();
    // Of a host without STARTTLS its client says nothing.
    let in_clear = |name: &str| CASES.iter().any(|case| case.domain() == name && case.host == Host::Clear);
    for (name, expected, _) in cases.iter().filter(|(name, ..)| !in_clear(name)) {
        let (passage, told) = by_postfix(&root, name);
        if passage != *expected {
            differences.push(format!("{name}: {expected:?}, Postfix {passage:?}:\n{told}"));
        }
    }
    let names: Vec<&str> = cases.iter().map(|(name, ..)| name.as_str()).collect();
    let rows = by_mxray(&names, dns.resolver);
    for (name, expected, told) in &cases {
        if rows.get(name).and_then(passage) != Some(told.unwrap_or(*expected)) {
            differences.push(format!("{name}: {expected:?}, mxray {:?}", rows.get(name)));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What the lookup finds of a domain, in the words of [`Elsewhere::facts`].
fn found(facts: &DomainFacts) -> String {
    let mx = match facts.mx_authenticity {
        Some(Authenticity::Secure) => "secure MX",
        Some(Authenticity::Insecure) => "insecure MX",
        Some(Authenticity::Bogus) => return "bogus MX".into(),
        other => return format!("{other:?}"),
    };
    let Some(exchange) = facts.exchanges.first() else { return format!("{mx}; no host") };
    let Some(tlsa) = &exchange.tlsa else {
        let addresses = if exchange.addresses_bogus { "bogus addresses" } else { "no address" };
        return format!("{mx}; {addresses}");
    };
    let (count, base) = (tlsa.records.len(), tlsa.base.as_ref().map(ToString::to_string).unwrap_or_default());
    let records = match &tlsa.outcome {
        TlsaOutcome::Secure => format!("{count} of {base}"),
        TlsaOutcome::Insecure => "insecure records".into(),
        TlsaOutcome::Absent => "no records".into(),
        TlsaOutcome::InsecureAddresses => "insecure addresses".into(),
        TlsaOutcome::Bogus => "bogus records".into(),
        other => format!("{other:?}"),
    };
    format!("{mx}; {records}")
}

/// Whether anybody vouches for MX, addresses and records, and where the records
/// stand, as the zones were made, whoever validates.
#[tokio::test]
async fn the_lookup_finds_what_the_zones_have() {
    let certificates: BTreeMap<Host, Certificates> =
        HOSTS.into_iter().map(|host| (host, certificates(host))).collect();
    for validator in [Validator::Unbound, Validator::Bind] {
        let Some(dns) = SignedDns::start(&zones(&certificates), validator) else { continue };
        let differences = differ(&certificates, dns.resolver).await;
        drop(dns);
        assert!(differences.is_empty(), "{validator:?}: {}", differences.join("\n"));
    }
}

async fn differ(certificates: &BTreeMap<Host, Certificates>, resolver: SocketAddr) -> Vec<String> {
    let config = LookupConfig { nameservers: vec![resolver], ..LookupConfig::default() };
    let lookup = DnsLookup::new(config).unwrap();
    let of_cases = CASES.iter().map(|case| {
        let count = (case.records)(&certificates[&case.host]).len();
        let records =
            if count == 0 { "no records".into() } else { format!("{count} of mx.{}", case.domain()) };
        (case.domain(), format!("secure MX; {records}"))
    });
    let elsewhere = ELSEWHERE.iter().map(|elsewhere| (elsewhere.name.to_owned(), elsewhere.facts.to_owned()));
    let mut differences = Vec::new();
    for (name, expected) in of_cases.chain(elsewhere) {
        let subject = Subject::Domain(DomainName::parse(&name).unwrap());
        let facts = lookup.lookup(Target { line: 1, subject }).await;
        if found(&facts) != expected {
            differences.push(format!("{name}: {expected:?}, found {:?}: {facts:?}", found(&facts)));
        }
    }
    differences
}

/// The table in the documentation, which says of each case how mail passes.
#[test]
fn the_documentation_has_the_combinations() {
    // What it says was seen with these.
    if Root::of("dnssec").is_none() {
        return;
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dane-mta-sts.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let of_cases = CASES.iter().map(|case| (case.title, case.expected, None));
    let rows = of_cases.chain(ELSEWHERE.iter().map(|it| (it.title, it.expected, it.told)));
    let differs =
        |ours: Option<Passage>| ours.map_or(String::new(), |ours| format!("; mxray: {}", told(ours)));
    let row = |(title, expected, ours)| format!("| {title} | {}{} |\n", told(expected), differs(ours));
    let rows: String = rows.map(row).collect();
    let table = format!("{HEADER}{rows}");
    let (before, rest) = text.split_once(HEADER).expect("no table");
    let behind = rest.split_once("\n\n").map_or("", |(_, behind)| behind);
    let whole = format!("{before}{table}\n{behind}");
    if std::env::var_os("MXRAY_RENEW").is_some() {
        std::fs::write(&path, &whole).unwrap();
    }
    assert!(text == whole, "docs/dane-mta-sts.md: MXRAY_RENEW=1 writes the table anew");
}

const HEADER: &str = "| records of the host | mail |\n|---|---|\n";

fn told(passage: Passage) -> &'static str {
    match passage {
        Verified => "encrypted, authenticated",
        Encrypted => "encrypted",
        Plaintext => "in clear",
        Deferred => "kept",
    }
}
