//! DANE from the signed zone to the verdict, beside Postfix: the same domains,
//! records and servers, asked over a resolver that validates, by
//! `posttls-finger -l dane` and by `mxray scan --sender postfix-dane`.

use super::dane::{record, spoilt};
use super::mail_system::Root;
use super::signed_dns::{SignedDns, Zones, resolv_conf};
use super::smtp::{self, Comes};
use mxray::internals::lookup::{DnsLookup, LookupConfig};
use mxray::internals::model::tlsa::{AssociationData, Authenticity, TlsaOutcome, TlsaRecord};
use mxray::internals::model::{DomainFacts, DomainName, Subject, Target};
use mxray::internals::stage::Lookup;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

/// What becomes of mail to a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    /// Through TLS with a server that TLSA records vouch for.
    Verified,
    /// Through TLS with whomever.
    Encrypted,
    /// In clear.
    Plaintext,
    /// It is kept.
    Deferred,
}
use Passage::{Deferred, Encrypted, Plaintext, Verified};

/// Which server a domain's host is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Host {
    /// Shows leaf, intermediate and root.
    Whole,
    /// The same without the root.
    WithoutRoot,
    /// Its certificate bears another name.
    OtherName,
    /// Its certificate has expired.
    Expired,
    /// It offers no STARTTLS.
    Clear,
}
const HOSTS: [Host; 5] = [Host::Whole, Host::WithoutRoot, Host::OtherName, Host::Expired, Host::Clear];

impl Host {
    /// An address of this test's alone: its root is locked meanwhile.
    fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(127, 53, 26, 1 + self as u8)
    }
}

/// Certificates of a host, leaf first, and what is above them sent or not.
struct Certificates {
    all: Vec<Vec<u8>>,
    sent: usize,
    key: Vec<u8>,
}

fn authority(title: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, title);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

fn certificates(host: Host) -> Certificates {
    let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap();
    let middle =
        CertifiedIssuer::signed_by(authority("intermediate"), KeyPair::generate().unwrap(), &root).unwrap();
    let names = match host {
        Host::OtherName => vec!["mx.other".to_owned()],
        _ => CASES.iter().map(|case| format!("mx.{}", case.domain())).collect(),
    };
    let mut leaf = CertificateParams::new(names).unwrap();
    if host == Host::Expired {
        leaf.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let leaf = leaf.signed_by(&key, &middle).unwrap();
    let all = [leaf.der().to_vec(), middle.der().to_vec(), root.der().to_vec()];
    let sent = if host == Host::WithoutRoot { 2 } else { 3 };
    Certificates { all: all.to_vec(), sent, key: key.serialize_der() }
}

/// Records by the certificate they are of: 0 the leaf, 1 its issuer, 2 the root.
type Records = fn(&Certificates) -> Vec<TlsaRecord>;

struct Case {
    name: &'static str,
    /// What is odd about it, as the documentation has it.
    title: &'static str,
    host: Host,
    records: Records,
    expected: Passage,
}

impl Case {
    fn domain(&self) -> String {
        format!("{}.example", self.name)
    }
}

fn of(certificates: &Certificates, (usage, selector, matching): (u8, u8, u8), depth: usize) -> TlsaRecord {
    record(usage, selector, matching, &certificates.all[depth])
}

const fn case(
    name: &'static str,
    title: &'static str,
    host: Host,
    expected: Passage,
    records: Records,
) -> Case {
    Case { name, title, host, records, expected }
}

/// RFC 7671 §5, RFC 7672 §3.1, and the combinations of Postfix's `tls_dane.sh`.
const CASES: &[Case] = &[
    case("none", "no records", Host::Whole, Encrypted, |_| Vec::new()),
    case("none-clear", "no records, no STARTTLS", Host::Clear, Plaintext, |_| Vec::new()),
    case("ee300", "`3 0 0` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 0, 0), 0)]),
    case("ee301", "`3 0 1` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 0, 1), 0)]),
    case("ee302", "`3 0 2` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 0, 2), 0)]),
    case("ee310", "`3 1 0` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 1, 0), 0)]),
    case("ee311", "`3 1 1` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 1, 1), 0)]),
    case("ee312", "`3 1 2` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 1, 2), 0)]),
    case("ee311-clear", "`3 1 1` of the leaf, no STARTTLS", Host::Clear, Deferred, |c| {
        vec![of(c, (3, 1, 1), 0)]
    }),
    case("ee311-name", "`3 1 1` of the leaf, which bears another name", Host::OtherName, Verified, |c| {
        vec![of(c, (3, 1, 1), 0)]
    }),
    case("ee311-dates", "`3 1 1` of the leaf, which has expired", Host::Expired, Verified, |c| {
        vec![of(c, (3, 1, 1), 0)]
    }),
    case("ee311-issuer", "`3 1 1` of the issuer", Host::Whole, Deferred, |c| vec![of(c, (3, 1, 1), 1)]),
    case("ee311-wrong", "`3 1 1` of another certificate", Host::Whole, Deferred, |c| {
        vec![spoilt(of(c, (3, 1, 1), 0))]
    }),
    case("ee-one-of-two", "`3 1 1` of the leaf and of another", Host::Whole, Verified, |c| {
        vec![spoilt(of(c, (3, 1, 1), 0)), of(c, (3, 1, 1), 0)]
    }),
    case("agility-wrong", "`3 1 1` of the leaf, `3 1 2` of another", Host::Whole, Deferred, |c| {
        vec![spoilt(of(c, (3, 1, 2), 0)), of(c, (3, 1, 1), 0)]
    }),
    case("agility-right", "`3 1 2` of the leaf, `3 1 1` of another", Host::Whole, Verified, |c| {
        vec![of(c, (3, 1, 2), 0), spoilt(of(c, (3, 1, 1), 0))]
    }),
    case("ta200", "`2 0 0` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 0, 0), 2)]),
    case("ta201", "`2 0 1` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 0, 1), 2)]),
    case("ta202", "`2 0 2` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 0, 2), 2)]),
    case("ta210", "`2 1 0` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 1, 0), 2)]),
    case("ta211", "`2 1 1` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 1, 1), 2)]),
    case("ta212", "`2 1 2` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 1, 2), 2)]),
    case("ta211-issuer", "`2 1 1` of the intermediate", Host::Whole, Verified, |c| vec![of(c, (2, 1, 1), 1)]),
    case("ta211-leaf", "`2 1 1` of the leaf", Host::Whole, Deferred, |c| vec![of(c, (2, 1, 1), 0)]),
    case("ta200-unsent", "`2 0 0` of the root, which is not sent", Host::WithoutRoot, Verified, |c| {
        vec![of(c, (2, 0, 0), 2)]
    }),
    case("ta210-unsent", "`2 1 0` of the root, which is not sent", Host::WithoutRoot, Verified, |c| {
        vec![of(c, (2, 1, 0), 2)]
    }),
    case("ta201-unsent", "`2 0 1` of the root, which is not sent", Host::WithoutRoot, Deferred, |c| {
        vec![of(c, (2, 0, 1), 2)]
    }),
    case("ta211-name", "`2 1 1` of the root, the leaf bears another name", Host::OtherName, Deferred, |c| {
        vec![of(c, (2, 1, 1), 2)]
    }),
    case("ta211-dates", "`2 1 1` of the root, the leaf has expired", Host::Expired, Deferred, |c| {
        vec![of(c, (2, 1, 1), 2)]
    }),
    case("mixed-ta", "`3 1 1` of another, `2 1 1` of the root", Host::Whole, Verified, |c| {
        vec![spoilt(of(c, (3, 1, 1), 0)), of(c, (2, 1, 1), 2)]
    }),
    case(
        "mixed-ee",
        "`3 1 1` of the leaf, `2 1 1` of the root, the leaf bears another name",
        Host::OtherName,
        Verified,
        |c| vec![of(c, (3, 1, 1), 0), of(c, (2, 1, 1), 2)],
    ),
    case("unusable-usage", "`1 1 1` and `0 0 1`", Host::Whole, Encrypted, |c| {
        vec![of(c, (1, 1, 1), 0), of(c, (0, 0, 1), 2)]
    }),
    case("unusable-matching", "`3 1 9`", Host::Whole, Encrypted, |c| {
        vec![with_matching(of(c, (3, 1, 1), 0), 9)]
    }),
    case("unusable-length", "`3 1 1` of 20 octets", Host::Whole, Encrypted, |c| {
        vec![shortened(of(c, (3, 1, 1), 0))]
    }),
    case("unusable-clear", "`1 1 1`, no STARTTLS", Host::Clear, Deferred, |c| vec![of(c, (1, 1, 1), 0)]),
    case("unusable-and-good", "`1 1 1`, and `3 1 1` of the leaf", Host::Whole, Verified, |c| {
        vec![of(c, (1, 1, 1), 0), of(c, (3, 1, 1), 0)]
    }),
    case("unusable-and-wrong", "`1 1 1`, and `3 1 1` of another", Host::Whole, Deferred, |c| {
        vec![of(c, (1, 1, 1), 0), spoilt(of(c, (3, 1, 1), 0))]
    }),
];

fn with_matching(record: TlsaRecord, matching_type: u8) -> TlsaRecord {
    TlsaRecord { matching_type, ..record }
}

fn shortened(record: TlsaRecord) -> TlsaRecord {
    TlsaRecord { data: AssociationData(record.data.0[..20].to_vec()), ..record }
}

/// Where it is the DNS that decides, beside the table: name, host, what the
/// zones hold, what comes of it.
struct Elsewhere {
    name: &'static str,
    title: &'static str,
    /// What the lookup finds.
    facts: &'static str,
    root: &'static str,
    insecure: &'static str,
    bogus: &'static str,
    expected: Passage,
}

const ELSEWHERE: &[Elsewhere] = &[
    // All of it insecure: nobody asks for records.
    Elsewhere {
        name: "all.insecure",
        title: "nothing is signed",
        facts: "insecure MX; insecure addresses",
        root: "",
        insecure: "all MX 10 mx.all\nmx.all A {whole}\n_25._tcp.mx.all TLSA {wrong}",
        bogus: "",
        expected: Encrypted,
    },
    // RFC 7672 §2.2.1 leaves it to the sender: Postfix uses the records.
    Elsewhere {
        name: "mx.insecure",
        title: "the MX records are not signed, wrong `3 1 1`",
        facts: "insecure MX; 1 of mx.ee311-wrong.example",
        root: "",
        insecure: "mx MX 10 mx.ee311-wrong.example.",
        bogus: "",
        expected: Deferred,
    },
    // The records stand where the alias leads, or at the alias.example.
    Elsewhere {
        name: "alias.example",
        title: "the MX host is an alias, the records stand where it leads",
        facts: "secure MX; 1 of mx.ee311.example",
        root: "alias.example. MX 10 mx.alias.example.\nmx.alias.example. CNAME mx.ee311.example.",
        insecure: "",
        bogus: "",
        expected: Verified,
    },
    Elsewhere {
        name: "alias-own.example",
        title: "the same, they stand at the alias",
        facts: "secure MX; 1 of mx.alias-own.example",
        root: "alias-own.example. MX 10 mx.alias-own.example.\nmx.alias-own.example. CNAME mx.none.example.\n_25._tcp.mx.alias-own.example. TLSA {right}",
        insecure: "",
        bogus: "",
        expected: Verified,
    },
    Elsewhere {
        name: "alias-out.example",
        title: "an alias to an unsigned host, they stand at the alias",
        facts: "secure MX; 1 of mx.alias-out.example",
        root: "alias-out.example. MX 10 mx.alias-out.example.\nmx.alias-out.example. CNAME mx.all.insecure.\n_25._tcp.mx.alias-out.example. TLSA {right}",
        insecure: "",
        bogus: "",
        expected: Verified,
    },
    Elsewhere {
        name: "alias-of-records.example",
        title: "the record's own name is an alias",
        facts: "secure MX; 1 of mx.alias-of-records.example",
        root: "alias-of-records.example. MX 10 mx.alias-of-records.example.\nmx.alias-of-records.example. A {whole}\n\
               _25._tcp.mx.alias-of-records.example. CNAME _25._tcp.mx.ee311.example.",
        insecure: "",
        bogus: "",
        expected: Verified,
    },
    Elsewhere {
        name: "records-insecure.example",
        title: "the same, to an unsigned record",
        facts: "secure MX; insecure records",
        root: "records-insecure.example. MX 10 mx.records-insecure.example.\nmx.records-insecure.example. A {whole}\n\
               _25._tcp.mx.records-insecure.example. CNAME _25._tcp.mx.all.insecure.",
        insecure: "",
        bogus: "",
        expected: Encrypted,
    },
    // What cannot be validated is an error, and no host without records.
    Elsewhere {
        name: "records-bogus.example",
        title: "the same, to a bogus one",
        facts: "secure MX; bogus records",
        root: "records-bogus.example. MX 10 mx.records-bogus.example.\nmx.records-bogus.example. A {whole}\n\
               _25._tcp.mx.records-bogus.example. CNAME records.bogus.",
        insecure: "",
        bogus: "records TLSA {right}",
        expected: Deferred,
    },
    Elsewhere {
        name: "address-bogus.example",
        title: "the address of the host is bogus",
        facts: "secure MX; bogus addresses",
        root: "address-bogus.example. MX 10 mx.bogus.",
        insecure: "",
        bogus: "mx A {whole}",
        expected: Deferred,
    },
    Elsewhere {
        name: "mx.bogus",
        title: "the MX record is bogus",
        facts: "bogus MX",
        root: "",
        insecure: "",
        bogus: "mx MX 10 mx.ee311.example.",
        expected: Deferred,
    },
];

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
    let fill = |text: &str| {
        text.replace("{whole}", &Host::Whole.address().to_string())
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
fn by_mxray(names: &[&str]) -> BTreeMap<String, (String, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list"), names.join("\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.current_dir(&folder).args(["scan", "list", "-o", "run", "--sender", "postfix-dane"]);
    command.args(["--resolver", &SignedDns::resolver().to_string(), "--allow-private", "--no-mta-sts"]);
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
    let (Some(_dns), Some(root)) = (SignedDns::start(&zones(&certificates)), Root::of("postfix")) else {
        return;
    };
    HOSTS.into_iter().for_each(|host| serve(host, &certificates[&host]));
    root.write("etc/resolv.conf", &resolv_conf());
    root.configure("compatibility_level = 3.6\nmyhostname = scanner.example\ninet_protocols = ipv4\n");
    let cases: Vec<(String, Passage)> = CASES
        .iter()
        .map(|case| (case.domain(), case.expected))
        .chain(ELSEWHERE.iter().map(|elsewhere| (elsewhere.name.to_owned(), elsewhere.expected)))
        .collect();
    let mut differences = Vec::new();
    // Of a host without STARTTLS its client says nothing.
    let in_clear = |name: &str| CASES.iter().any(|case| case.domain() == name && case.host == Host::Clear);
    for (name, expected) in cases.iter().filter(|(name, _)| !in_clear(name)) {
        let (passage, told) = by_postfix(&root, name);
        if passage != *expected {
            differences.push(format!("{name}: {expected:?}, Postfix {passage:?}:\n{told}"));
        }
    }
    let names: Vec<&str> = cases.iter().map(|(name, _)| name.as_str()).collect();
    let rows = by_mxray(&names);
    for (name, expected) in &cases {
        if rows.get(name).and_then(passage) != Some(*expected) {
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
/// stand, as the zones were made.
#[tokio::test]
async fn the_lookup_finds_what_the_zones_have() {
    let certificates: BTreeMap<Host, Certificates> =
        HOSTS.into_iter().map(|host| (host, certificates(host))).collect();
    let Some(_dns) = SignedDns::start(&zones(&certificates)) else { return };
    let config = LookupConfig { nameservers: vec![SignedDns::resolver()], ..LookupConfig::default() };
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
    assert!(differences.is_empty(), "{}", differences.join("\n"));
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
    let of_cases = CASES.iter().map(|case| (case.title, case.expected));
    let rows = of_cases.chain(ELSEWHERE.iter().map(|elsewhere| (elsewhere.title, elsewhere.expected)));
    let rows: String = rows.map(|(title, expected)| format!("| {title} | {} |\n", told(expected))).collect();
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
