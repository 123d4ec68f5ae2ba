//! Certificates and plain TLS as Postfix's own client finds them: the lab's servers,
//! asked by `posttls-finger` at its security levels and by `mxray scan`.

use super::mail_system::Root;
use mxray::internals::lab::{self, Fleet, FleetOptions};
use mxray::internals::model::DomainName;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::{Command, Stdio};

/// What is asked: what a certificate is, by whom it was issued, whose name it bears, and
/// whether there is TLS at all.
const SCENARIOS: &[&str] = &[
    "cert_by_sni",
    "cert_expired",
    "cert_expired_root",
    "cert_missing_intermediate",
    "cert_not_yet_valid",
    "cert_self_signed",
    "cert_untrusted_root",
    "cert_wildcard",
    "cert_with_root",
    "cert_wrong_name",
    "starttls_absent",
    "tls12_ecdsa",
    "tls12_rsa",
    "tls13_ecdsa",
    "tls13_rsa",
];

/// What a session comes to, in Postfix's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    /// By a chain that is trusted, and the name of the host.
    Verified,
    /// By a chain that is trusted.
    Trusted,
    /// Neither.
    Untrusted,
    /// In clear.
    Clear,
}

use Session::{Clear, Trusted, Untrusted, Verified};

/// Postfix's client at a level, before a host of the lab.
fn by_postfix(root: &Root, level: &str, (ip, port, host): (IpAddr, u16, &str)) -> (Session, String) {
    let server = format!("[{ip}]:{port}");
    let finger = ["/usr/sbin/posttls-finger", "-c", "-l", level, "-F", "/run/mxray/conf/lab.pem", "-s", host];
    let rest = ["-t", "20", "-T", "20", "-L", "summary", &server];
    // At these levels the names are given, for `[address]` has none.
    let names: &[&str] = if matches!(level, "verify" | "secure") { &[host] } else { &[] };
    let mut command = root.command(&[&finger[..], &rest[..], names].concat());
    let output = command.env("MAIL_CONFIG", "/run/mxray/conf").stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let words = [("Verified", Verified), ("Trusted", Trusted), ("Untrusted", Untrusted)];
    let established = |word: &str| told.contains(&format!("{word} TLS connection established"));
    let found = words.into_iter().find(|(word, _)| established(&format!(" {word}")));
    (found.map_or(Clear, |(_, session)| session), told)
}

type Row = BTreeMap<String, String>;

fn session(row: &Row) -> Session {
    let cell = |name: &str| row[name].as_str();
    match (cell("tls_version"), cell("cert_chain"), cell("cert_dates"), cell("cert_name")) {
        ("", ..) => Clear,
        (_, "valid", "valid", "mx_host") => Verified,
        (_, "valid", "valid", _) => Trusted,
        _ => Untrusted,
    }
}

/// The rows of mxray, by address and name.
fn by_mxray(fleet: &Fleet) -> BTreeMap<(String, String), Row> {
    let folder = tempfile::tempdir().unwrap();
    let list: String = fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect();
    std::fs::write(folder.path().join("list"), list).unwrap();
    std::fs::write(folder.path().join("roots.pem"), fleet.root_pem()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.current_dir(&folder).args([
        "scan",
        "list",
        "-o",
        "run",
        "--roots",
        "roots.pem",
        "--allow-private",
    ]);
    command.args(["--resolver", &fleet.dns_addr().to_string(), "--port", &fleet.smtp_port().to_string()]);
    command.args(["--ehlo", "scanner.example", "--rate", "0", "--per-ip-interval", "0", "--retries", "0"]);
    let output = command.args(["--second-look-delay", "0"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rows = csv::Reader::from_path(folder.path().join("run/endpoints.csv")).unwrap();
    let rows = rows.deserialize::<Row>().map(Result::unwrap);
    rows.map(|row| ((row["ip"].clone(), row["sni"].clone()), row)).collect()
}

/// At each level Postfix's client finds in a session what mxray finds there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_to_mxray_what_they_are_to_postfix() {
    let Some(root) = Root::of("postfix") else { return };
    let mut scenarios = lab::scenarios().unwrap();
    scenarios.retain(|scenario| SCENARIOS.contains(&scenario.name.as_str()));
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    assert_eq!(scenarios.len(), SCENARIOS.len());
    let domains =
        (0..SCENARIOS.len() * 12).map(|number| DomainName::parse(&format!("d{number}.example")).unwrap());
    let fleet = Fleet::start(FleetOptions { scenarios, ..FleetOptions::new(domains.collect()).unwrap() })
        .await
        .unwrap();
    root.configure("compatibility_level = 3.6\nmyhostname = scanner.example\ninet_protocols = ipv4\n");
    root.write("run/mxray/conf/lab.pem", fleet.root_pem());
    let compared = tokio::task::spawn_blocking(move || compare(&root, &fleet)).await.unwrap();
    let (played, differences) = compared;
    assert_eq!(played, SCENARIOS.len(), "not every scenario is played");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// How many scenarios were played, and where somebody disagrees.
fn compare(root: &Root, fleet: &Fleet) -> (usize, Vec<String>) {
    let rows = by_mxray(fleet);
    let mut hosts = BTreeMap::new();
    for endpoint in fleet.endpoints().iter().filter(|endpoint| endpoint.ip.is_ipv4()) {
        hosts.entry(endpoint.scenario.name.clone()).or_insert(endpoint);
    }
    let mut differences = Vec::new();
    for (scenario, endpoint) in &hosts {
        let row = &rows[&(endpoint.ip.to_string(), endpoint.host.clone())];
        let server = (endpoint.ip, fleet.smtp_port(), endpoint.host.as_str());
        let found = session(row);
        // A name that does not fit leaves a certificate untrusted where one is asked for;
        // where none is, it is trusted at best.
        let named = if found == Trusted { Untrusted } else { found };
        let nameless = if found == Verified { Trusted } else { found };
        for (level, expected) in
            [("may", nameless), ("encrypt", nameless), ("verify", named), ("secure", named)]
        {
            let (postfix, told) = by_postfix(root, level, server);
            if postfix != expected {
                differences.push(format!("{scenario}: {found:?} to mxray, at {level} {postfix:?}:\n{told}"));
            }
        }
    }
    (hosts.len(), differences)
}
