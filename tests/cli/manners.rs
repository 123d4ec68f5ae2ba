//! Where a scan must not go, and what its options make it do: told by the
//! fleet's own counters.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Runs a scan to JSON Lines; gives the rows by domain.
fn rows(folder: &Folder, args: Vec<String>) -> BTreeMap<String, Value> {
    let ran = folder.run(args.into_iter().chain(["--format".to_string(), "jsonl".to_string()]));
    rows_of(&ran)
}

fn rows_of(ran: &Ran) -> BTreeMap<String, Value> {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let rows = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["domain"].as_str().unwrap_or_default().to_string(), row)).collect()
}

fn outcome(row: &Value) -> String {
    format!("{}/{}", row["phase"].as_str().unwrap(), row["outcome"].as_str().unwrap())
}

fn outcomes(rows: &BTreeMap<String, Value>) -> Vec<String> {
    rows.values().map(outcome).collect()
}

#[test]
fn a_private_address_is_never_connected_to() {
    let lab = Lab::playing(&["tls13_ecdsa", "implicit_mx", "provider_pool"], 20);
    let rows = rows(&lab.folder, lab.args("scan list"));
    assert_eq!(outcomes(&rows), vec!["connect/private_address"; 20]);
    assert!(rows.values().all(|row| row["delivery"] == "undetermined"));
    assert_eq!(lab.connections(), 0);
    let ran = lab.folder.run(lab.args("probe d1.example"));
    assert!(
        ran.stdout.contains("outcome  connect: private_address: contacted with --allow-private only"),
        "{}",
        ran.stdout
    );
    assert_eq!(lab.connections(), 0);
}

#[test]
fn what_is_on_the_blocklist_is_left_alone() {
    let lab = Lab::playing(&["tls13_ecdsa"], 4);
    let of = |domain: &str| lab.fleet.endpoints().iter().find(|e| e.host.ends_with(domain)).unwrap().clone();
    lab.folder.write("one", "d1.example\n# hosts\nMX1.d2.example.\n");
    lab.folder.write("two", format!("{}/32\n", of("d3.example").ip));
    let found = rows(
        &lab.folder,
        lab.args("scan list --allow-private --blocklist one --blocklist two --extra-client-hellos 0"),
    );
    let shared = of("d4.example").ip == of("d3.example").ip;
    let last = if shared { "connect/blocklisted" } else { "after_tls/ok" };
    assert_eq!(outcomes(&found), ["input/blocklisted", "connect/blocklisted", "connect/blocklisted", last]);
    let ran = lab.folder.run(lab.args("probe d1.example --allow-private --blocklist one"));
    assert!(ran.stdout.contains("input: blocklisted"), "{}", ran.stdout);
    let ran = lab.folder.run(lab.args("probe mx1.d1.example:25 --allow-private --blocklist one"));
    assert!(ran.stdout.contains("input: blocklisted"), "{}", ran.stdout);
    let counters = lab.fleet.counters();
    let asked =
        |name: &str| counters.queries.keys().any(|(asked, _)| asked.trim_end_matches('.').ends_with(name));
    assert!(!asked("d1.example") && asked("d2.example"), "{:?}", counters.queries);
    assert_eq!(counters.connections(), u64::from(!shared));
}

#[test]
fn the_blocklist_is_not_gone_round_by_an_alias() {
    let lab = Lab::playing(&["mx_cname"], 2);
    lab.folder.write("block", "edge.d1.example\n");
    let found =
        rows(&lab.folder, lab.args("scan list --allow-private --blocklist block --extra-client-hellos 0"));
    assert_eq!(outcomes(&found), ["connect/blocklisted", "after_tls/ok"]);
    let row = &found["d1.example"];
    assert_eq!((&row["delivery"], &row["reason"]), (&"undetermined".into(), &"connect_blocklisted".into()));
    assert_eq!(row["detail"], "mx1.d1.example is an alias of edge.d1.example");
    assert_eq!(lab.connections(), 1);
}

#[test]
fn one_family_alone_means_nothing_over_the_other() {
    let lab = Lab::playing(&["dual_stack"], 1);
    if !lab.fleet.left_out().is_empty() {
        return;
    }
    let families = |option: &str, run: &str| {
        let ran = lab.folder.run(lab.args(&format!("scan list --allow-private {option} -o {run}")));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let edges = lab.folder.read(&format!("{run}/mx.csv"));
        (edges.contains(",127."), edges.contains(",::1"))
    };
    assert_eq!(families("--ipv4", "four"), (true, false));
    assert_eq!(families("--ipv6", "six"), (false, true));
    assert_eq!(families("--ipv4 --ipv6", "both"), (true, true));
}

#[test]
fn retries_are_counted_as_attempts() {
    let lab = Lab::playing(&["greeting_421"], 1);
    let words = "scan list --allow-private -o run --retries 2 --retry-delay 10ms";
    assert_eq!(lab.folder.run(lab.args(words)).code, Some(0));
    let endpoints = lab.folder.read("run/endpoints.csv");
    let mut reader = csv::Reader::from_reader(endpoints.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "attempts").unwrap();
    let attempts: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_string()).collect();
    assert_eq!((attempts, lab.connections()), (vec!["3".to_string()], 3));
}

#[test]
fn root_stores_add_up() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let chain = |roots: &[&str]| {
        let mut args = lab.args("scan list --allow-private");
        let at = args.iter().position(|word| word == "--roots").unwrap();
        args.drain(at..at + 2);
        args.extend(roots.iter().flat_map(|store| ["--roots".to_string(), (*store).to_string()]));
        rows(&lab.folder, args)["d1.example"]["cert_chain"].clone()
    };
    assert_eq!(chain(&[]), "incomplete_chain");
    assert_eq!(chain(&["mozilla"]), "incomplete_chain");
    assert_eq!(chain(&["mozilla", "roots.pem"]), "valid");
}

#[test]
fn verbose_says_more_but_not_on_standard_output() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let told = |verbose: &str| {
        let options = format!("scan list --allow-private --format jsonl {verbose}");
        let ran = lab.folder.run(lab.args(options.trim_end()));
        assert_eq!(rows_of(&ran).len(), 1);
        assert!(!ran.stderr.contains('\u{1b}'), "no colours where there is no terminal: {}", ran.stderr);
        ran.stderr
    };
    let said = |text: &str, level: &str| text.lines().any(|line| line.trim_start().starts_with(level));
    // Each says what the one before does not: what becomes of a domain, and what the libraries do.
    for (verbose, expected) in [("", [false, false]), ("-v", [true, false]), ("-vv", [true, true])] {
        let text = told(verbose);
        assert_eq!(["INFO ", "DEBUG "].map(|level| said(&text, level)), expected, "{verbose}: {text}");
    }
}

#[test]
fn endpoints_are_asked_without_dns() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let port = lab.fleet.smtp_port();
    let place = lab.fleet.endpoints()[0].clone();
    let (ip, host) = (place.ip, place.host);
    for (list, lines) in [
        (format!("{ip}\n{ip},{host}\n{ip},{host},,{port}\nnot an address\n"), 3),
        (format!("saddr,name,port\n{ip},{host},{port}\n"), 1),
        (format!("\u{feff}ip,port\r\n{ip},{port}\r\n"), 1),
    ] {
        lab.folder.write("endpoints", list);
        let ran = lab.folder.run(lab.args("scan endpoints --input endpoints --allow-private --format jsonl"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), lines);
        assert!(rows.iter().all(|row| outcome(row) == "after_tls/ok"), "{}", ran.stdout);
    }
    assert!(lab.fleet.counters().queries.is_empty(), "nothing was asked of the DNS");
}

#[test]
fn the_server_hears_the_name_that_was_given() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut heard = Vec::new();
        // What says "no TLS" is looked at twice.
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"220 mx.example\r\n").unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while let Some(Ok(line)) = lines.next() {
                stream
                    .write_all(if line == "QUIT" { b"221 bye\r\n" } else { b"250 mx.example\r\n" })
                    .unwrap();
                heard.push(line);
            }
        }
        heard
    });
    let folder = Folder::new();
    let target = format!("127.0.0.1:{port}");
    let ran = folder.run([
        "probe",
        &target,
        "--allow-private",
        "--ehlo",
        "survey.example",
        "--second-look-delay",
        "0",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let dialogue = ["EHLO survey.example", "QUIT"];
    assert_eq!(server.join().unwrap(), [dialogue, dialogue].concat());
}

/// What `run.json` says of the one resolver, and the warnings of the scan.
fn believed(lab: &Lab, options: &str) -> (Value, Vec<String>) {
    let run = format!("run-{}", options.len());
    let ran = lab.folder.run(lab.args(format!("scan list -o {run} --allow-private {options}").trim_end()));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let file: Value = serde_json::from_str(&lab.folder.read(&format!("{run}/run.json"))).unwrap();
    let warnings = ran.stderr.lines().filter(|line| line.contains("DANE")).map(str::to_owned).collect();
    (file["resolvers"][0].clone(), warnings)
}

#[test]
fn who_is_believed_is_written_down_and_that_nobody_is_is_told() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let (resolver, warnings) = believed(&lab, "");
    assert_eq!(resolver["ad_believed"], true, "{resolver}");
    assert_eq!(resolver["because"], "on loopback, and `. DNSKEY` came with AD");
    assert_eq!(warnings, [""; 0]);
    let asked = |kind: &str| lab.fleet.counters().queries.keys().filter(|(_, asked)| asked == kind).count();
    assert_eq!((asked("DNSKEY"), asked("TXT")), (1, 2));
}

#[test]
fn what_is_not_wanted_is_not_asked_for() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let (resolver, warnings) = believed(&lab, "--no-dane --no-mta-sts");
    assert_eq!((&resolver["ad_believed"], warnings.len()), (&Value::Null, 0), "{resolver}");
    let asked: Vec<String> = lab.fleet.counters().queries.keys().map(|(_, kind)| kind.clone()).collect();
    assert!(
        !asked.is_empty() && asked.iter().all(|kind| ["NS", "MX", "A", "AAAA"].contains(&&**kind)),
        "{asked:?}"
    );
}
