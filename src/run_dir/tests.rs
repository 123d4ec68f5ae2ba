//! What is written, read back; and what happens when it cannot be written.

use super::files::CsvFile;
use super::fixtures::{DIGEST, alerted, domain, endpoint, missing_domain, rejected, run_info};
use super::*;
use crate::model::{DomainRecord, EndpointRecord, Failure, HelloObservation, Kind, Phase, Record};
use crate::packing::{Packing, file_name};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

type Row = BTreeMap<String, String>;

fn rows(bytes: &[u8]) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(bytes);
    let rows: Vec<Row> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), rows.len() + 1, "a row is one line");
    rows
}

fn csv_rows<R>(columns: &'static [Column<R>], records: &[R]) -> Vec<Row> {
    let mut bytes = Vec::new();
    let mut table = CsvTable::new(columns, &mut bytes).unwrap();
    for record in records {
        table.write(record).unwrap();
    }
    table.flush().unwrap();
    drop(table);
    rows(&bytes)
}

fn cells<'a>(row: &'a Row, names: &[&str]) -> Vec<&'a str> {
    names.iter().map(|name| row[*name].as_str()).collect()
}

fn names<R>(columns: &[Column<R>]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

#[test]
fn headers_are_stable() {
    insta::assert_snapshot!(names(DOMAINS), @"line, domain, tld, mx_host, mx_operator, mx_preference, implicit_mx, ip, port, sni, inferred_from, phase, outcome, reply_code, alert, starttls_offered, sender, delivery, reason, basis, delivery_also, otherwise, enhanced_code, enhanced_text, delivery_tls_version, delivery_cipher_suite, delivery_key_exchange_group, delivery_forward_secrecy, steps_down, declined_suites, authenticated, dane, dane_detail, tlsa_records, dnssec_mx, mta_sts, mta_sts_mode, mta_sts_detail, tls_rpt, tls_rpt_result, server_best_version, server_best_suite, exchange_online_promise, tls_version, cipher_suite, key_exchange_group, forward_secrecy, cert_chain, cert_trusted_by, cert_root, cert_root_sha256, cert_dates, cert_name, cert_key, cert_sha256, cert_expectation, cert_expectation_detail, mx_count, mx_excess, address_excess, weakest_mx_host, weakest_mx_preference, weakest_ip, weakest_port, weakest_sni, weakest_phase, weakest_outcome, weakest_reply_code, weakest_alert, weakest_delivery, weakest_reason, weakest_tls_version, weakest_cipher_suite, weakest_key_exchange_group, weakest_forward_secrecy, weakest_cert_chain, weakest_cert_dates, weakest_cert_name, weakest_cert_key, weakest_cert_sha256, smart_hosts, encryption_only, encryption_only_basis, certificate_validation, certificate_validation_basis, domain_validation, domain_validation_basis, connector, connector_delivery, connector_reason, connector_code, connector_detail, detail");
    insta::assert_snapshot!(names(ENDPOINTS), @"ip, port, sni, started, attempts, other_attempts, inferred_from, phase, outcome, reply_code, alert, delivery, reason, starttls_offered, tls_version, cipher_suite, cipher_suite_class, key_exchange_group, forward_secrecy, signature_scheme, signature, signature_detail, alpn, hello_retry, ocsp_stapled, client_certificate_requested, client_certificate, tickets, session_id, cert_chain, cert_chain_detail, cert_trusted_by, cert_root, cert_root_sha256, cert_dates, cert_name, cert_key, cert_sha256, cert_expectation, cert_expectation_detail, chain_length, extra_client_hellos, server_best_version, server_best_suite, server_best_group, server_best_dh_bits, greeting, ehlo_keywords, ehlo_tls_keywords, plaintext_after_starttls, deviations, connect_us, greeting_us, ehlo_us, starttls_us, handshake_us, ehlo_tls_us, quit_us, total_us, bytes_in, bytes_out, detail");
    insta::assert_snapshot!(names(CERTIFICATES), @"sha256, spki_sha256, version, subject, issuer, common_name, dns_names, ip_addresses, serial, not_before, not_after, key_algorithm, key_bits, signature_algorithm, is_ca, self_signed, ocsp_urls, issuer_urls, crl_urls, parse_error, der_base64, extended_key_usages");
    insta::assert_snapshot!(names(MX), @"line, domain, preference, mx_host, ip, sni, address_excess, phase, outcome");
    insta::assert_snapshot!(names(REJECTS), @"line, text, cause");
}

#[test]
fn a_trusted_chain_tells_its_root_and_who_trusts_it() {
    let root = std::sync::Arc::new(crate::model::TrustedRoot {
        subject: Some("C=US, CN=Root".into()),
        common_name: Some("Root".into()),
        sha256: Some(DIGEST),
        trusted_by: vec!["mozilla".into(), "microsoft".into()],
    });
    let mut row = endpoint(1);
    std::sync::Arc::make_mut(row.assessment.as_mut().unwrap()).root = Some(root.clone());
    let names = ["cert_trusted_by", "cert_root", "cert_root_sha256"];
    let told = format!("mozilla microsoft|C=US, CN=Root|{DIGEST}");
    assert_eq!(cells(&csv_rows(ENDPOINTS, &[row])[0], &names).join("|"), told);
    let mut record = domain();
    let best = record.verdict.best.as_mut().unwrap();
    std::sync::Arc::make_mut(&mut best.endpoint).finding.tls.as_mut().unwrap().root = Some(root);
    assert_eq!(cells(&csv_rows(DOMAINS, &[record])[0], &names).join("|"), told);
}

#[test]
fn a_domain_row_holds_the_best_and_the_weakest() {
    let row = &csv_rows(DOMAINS, &[domain()])[0];
    let sides = |names: &[&str]| {
        let weakest: Vec<String> = names.iter().map(|name| format!("weakest_{name}")).collect();
        let weakest: Vec<&str> = weakest.iter().map(String::as_str).collect();
        (cells(row, names).join(" "), cells(row, &weakest).join(" "))
    };
    let text = |best: &str, weakest: &str| (best.to_string(), weakest.to_string());
    let where_ = sides(&["mx_host", "mx_preference", "ip", "port"]);
    assert_eq!(where_, text("mx1.a.example 10 192.0.2.1 25", "mx2.a.example 20 192.0.2.2 25"));
    let how = sides(&["phase", "outcome", "reply_code", "alert", "delivery", "reason"]);
    assert_eq!(
        how,
        text("after_tls ok   encrypted ", "starttls not_offered 250  plaintext starttls_not_offered")
    );
    let tls = sides(&["tls_version", "cipher_suite", "key_exchange_group", "forward_secrecy"]);
    assert_eq!(tls, text("TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768 yes", "   "));
    let cert = sides(&["cert_chain", "cert_dates", "cert_name", "cert_key", "cert_sha256"]);
    let digest = "5a".repeat(32);
    assert_eq!(cert, text(&format!("untrusted_root valid mx_host strong {digest}"), "    "));
    assert_eq!(
        cells(row, &["line", "domain", "implicit_mx", "mx_count", "detail"]),
        ["7", "a.example", "no", "3", ""]
    );
}

#[test]
fn an_endpoint_row_tells_the_best_of_all_hellos() {
    let names = ["extra_client_hellos", "server_best_version", "server_best_suite", "server_best_dh_bits"];
    let rows = csv_rows(ENDPOINTS, &[alerted(1), endpoint(1)]);
    let old = ["2", "TLSv1.0", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "1024"];
    assert_eq!(cells(&rows[0], &names), old);
    assert_eq!(cells(&rows[1], &names), ["0", "TLSv1.3", "TLS_AES_128_GCM_SHA256", ""]);
}

#[test]
fn a_domain_row_says_whether_tls_can_be_forced_and_what_the_connector_does() {
    let row = &csv_rows(DOMAINS, &[domain()])[0];
    assert_eq!(
        cells(row, &["encryption_only", "certificate_validation", "domain_validation"]),
        ["pass", "fail:untrusted_root", "fail:untrusted_root"]
    );
    let connector =
        ["connector", "connector_delivery", "connector_reason", "connector_code", "connector_detail"];
    assert_eq!(
        cells(row, &connector),
        ["To A", "deferred", "untrusted_root", "450 4.7.320", "Certificate validation failed"]
    );
    let row = &csv_rows(DOMAINS, &[missing_domain()])[0];
    assert_eq!(cells(row, &["encryption_only", "connector"]), ["fail:dns_nxdomain", ""]);
}

#[test]
fn a_domain_that_ends_in_the_dns_has_the_failure_of_its_facts() {
    let row = &csv_rows(DOMAINS, &[missing_domain()])[0];
    let filled: Vec<&str> =
        row.iter().filter(|(_, cell)| !cell.is_empty()).map(|(name, _)| name.as_str()).collect();
    let expected = [
        "address_excess",
        "basis",
        "certificate_validation",
        "delivery",
        "detail",
        "domain",
        "domain_validation",
        "encryption_only",
        "implicit_mx",
        "line",
        "mx_count",
        "mx_excess",
        "outcome",
        "phase",
        "reason",
        "sender",
        "smart_hosts",
        "tld",
    ];
    assert_eq!(filled, expected);
    assert_eq!(
        cells(row, &["phase", "outcome", "delivery", "reason", "detail"]),
        ["dns", "nxdomain", "undeliverable", "dns_nxdomain", "NXDOMAIN from 192.0.2.53"]
    );
}

/// Of a host of which one family is unknown, that one decides.
#[test]
fn a_host_of_which_half_is_unknown_tells_why() {
    let mut record = domain();
    let failure = Failure::new(Phase::Dns, Kind::Servfail).with_detail("SERVFAIL from 192.0.2.53");
    record.facts.exchanges[1].unresolved = Some(failure.clone());
    (record.verdict.best, record.verdict.unresolved) = (None, Some(1));
    record.verdict.outcome = crate::model::Outcome::undetermined(&failure);
    let row = &csv_rows(DOMAINS, &[record])[0];
    let told = cells(row, &["mx_host", "mx_preference", "ip", "phase", "outcome", "detail"]);
    assert_eq!(told, ["mx1.a.example", "10", "", "dns", "servfail", "SERVFAIL from 192.0.2.53"]);
}

#[test]
fn what_a_server_said_stays_data_on_one_line() {
    let mut record = domain();
    record.verdict.best = record.verdict.weakest.clone();
    assert_eq!(csv_rows(DOMAINS, &[record])[0]["detail"], "=1+1\\x0d\\x0a");
}

#[test]
fn an_endpoint_row_holds_what_was_seen() {
    let row = &csv_rows(ENDPOINTS, &[endpoint(1)])[0];
    for (name, expected) in [
        ("ip", "192.0.2.1"),
        ("sni", "mx1.a.example"),
        ("started", "2026-03-01T12:00:00.123Z"),
        ("phase", "after_tls"),
        ("outcome", "ok"),
        ("delivery", "encrypted"),
        ("cert_name", "mx_host"),
        ("starttls_offered", "yes"),
        ("key_exchange_group", "0xfafa"),
        ("signature_scheme", "ecdsa_secp256r1_sha256"),
        ("signature", "unverifiable"),
        ("hello_retry", "no"),
        ("tickets", "2"),
        ("cert_chain_detail", "unknown issuer"),
        ("chain_length", "3"),
        ("greeting", "mx1.a.example ESMTP, ready | second"),
        ("ehlo_keywords", "SIZE STARTTLS"),
        ("ehlo_tls_keywords", "AUTH"),
        ("plaintext_after_starttls", "250 injected\\x0d\\x0a"),
        ("deviations", "bare_lf eight_bit"),
        ("connect_us", "120"),
        ("quit_us", ""),
        ("total_us", "4000"),
        ("bytes_out", "900"),
    ] {
        assert_eq!(row[name], expected, "{name}");
    }
}

#[test]
fn whether_starttls_is_offered_is_told_only_once_ehlo_was_answered() {
    for (phase, kind, expected) in [
        (Phase::Connect, Kind::Timeout, ""),
        (Phase::Greeting, Kind::Throttled, ""),
        (Phase::Ehlo, Kind::Throttled, ""),
        (Phase::Ehlo, Kind::HeloOnly, "no"),
        (Phase::Starttls, Kind::NotOffered, "no"),
        (Phase::Starttls, Kind::KeywordMangled, "no"),
        (Phase::Starttls, Kind::RefusedTemporarily, "yes"),
        (Phase::Tls, Kind::Alert, "yes"),
        (Phase::AfterTls, Kind::Timeout, "yes"),
    ] {
        let mut record = alerted(1);
        record.observation.failure = Some(Failure::new(phase, kind));
        assert_eq!(csv_rows(ENDPOINTS, &[record])[0]["starttls_offered"], expected, "{phase} {kind}");
    }
}

#[test]
fn json_rows_are_typed_and_named_like_the_columns() {
    let mut bytes = Vec::new();
    let mut stream = DomainStream::new(StreamFormat::Jsonl, &mut bytes).unwrap();
    stream.write(&domain()).unwrap();
    stream.write(&missing_domain()).unwrap();
    stream.flush().unwrap();
    drop(stream);
    let text = String::from_utf8(bytes).unwrap();
    let rows: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert!(DOMAINS.iter().all(|column| rows[0].get(column.name).is_some()));
    assert_eq!(rows[0]["mx_preference"], json!(10));
    assert_eq!(rows[0]["forward_secrecy"], json!(true));
    assert_eq!(rows[0]["alert"], Json::Null);
    assert_eq!(rows[1]["reason"], json!("dns_nxdomain"));
    assert!(text.starts_with("{\"line\":7,\"domain\":\"a.example\",\"tld\":\"example\",\"mx_host\":"));
}

fn written_run(dir: &Path) {
    let mut run = RunDirectory::create(dir, &run_info()).unwrap();
    let at_start: Json = read_json(&dir.join("run.json"));
    assert_eq!((&at_start["finished"], &at_start["summary"]), (&Json::Null, &Json::Null));
    for record in [
        Record::Rejected(rejected()),
        Record::Endpoint(Box::new(endpoint(1))),
        Record::Endpoint(Box::new(endpoint(3))),
        Record::Endpoint(Box::new(alerted(2))),
        Record::Domain(Box::new(domain())),
        Record::Domain(Box::new(missing_domain())),
    ] {
        run.write(&record).unwrap();
    }
    let info = RunInfo { finished: Some(true), ..run_info() };
    run.finish(&info, &json!({ "domains": 2 })).unwrap();
}

fn read_json(path: &Path) -> Json {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A run that has every file.
fn enumerating() -> RunInfo {
    let mut info = run_info();
    info.limits.enumeration_connections = 1;
    info
}

#[test]
fn a_run_does_not_finish_without_one_of_its_files() {
    let names = [
        "certificates.csv",
        "observations.jsonl",
        "suites.csv",
        "groups.csv",
        "endpoints.csv",
        "rejects.csv",
        "facts.jsonl",
        "mx.csv",
        "domains.csv",
    ];
    for name in names {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("run");
        let run = RunDirectory::create(&dir, &enumerating()).unwrap();
        assert!(run.check_place().is_ok());
        fs::remove_file(dir.join(name)).unwrap();
        let told = format!("{} is gone, or moved", dir.join(name).display());
        let ended = RunInfo { finished: Some(true), ..run_info() };
        assert_eq!(run.finish(&ended, &()).unwrap_err().to_string(), told);
        let file: Json = serde_json::from_slice(&fs::read(dir.join("run.json")).unwrap()).unwrap();
        assert_eq!(file["finished"], Json::Null, "{name}");
        assert_eq!(file["error"], format!("cannot write the results: {told}"));
    }
}

/// Bytes that are in no file yet when the power is cut are not told as written.
#[test]
fn a_run_says_that_it_ended_once_the_disk_has_every_file() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDirectory::create(dir.path(), &fixtures::run_info()).unwrap();
    super::durable::tests::take_synced();
    run.finish(&fixtures::run_info(), &()).unwrap();
    let synced = super::durable::tests::take_synced();
    let mut files: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "run.json")
        .collect();
    files.sort();
    let (run, tables) = synced.split_at_checked(synced.len() - 2).map(|(tables, run)| (run, tables)).unwrap();
    let mut tables = tables.to_vec();
    tables.sort();
    assert_eq!(tables, files);
    assert_eq!(run, ["run.json.new", "."]);
}

#[test]
fn each_record_reaches_its_files() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("runs/first");
    written_run(&dir);
    let table = |name: &str| rows(&fs::read(dir.join(name)).unwrap());

    assert_eq!(table("domains.csv").len(), 2);
    assert_eq!(table("endpoints.csv").len(), 3);
    let certificates = table("certificates.csv");
    assert_eq!(certificates.len(), 2, "a certificate seen twice has one row, one of a hello too");
    assert_eq!(certificates[1]["der_base64"], "BAUG");
    assert_eq!(
        cells(&certificates[0], &["issuer", "dns_names", "ip_addresses", "not_after", "der_base64"]),
        ["CN=Lab, O=\"Lab\"", "mx1.a.example *.a.example", "192.0.2.1", "2026-12-31T23:59:59Z", "AQID"]
    );
    assert_eq!(certificates[0]["extended_key_usages"], "serverAuth 1.3.6.1.5.5.7.3.3");
    let edges: Vec<String> = table("mx.csv")
        .iter()
        .map(|row| cells(row, &["line", "domain", "preference", "mx_host", "ip", "outcome"]).join(" "))
        .collect();
    assert_eq!(
        edges,
        [
            "7 a.example 5 mx0.a.example  nxdomain",
            "7 a.example 10 mx1.a.example 192.0.2.1 ",
            "7 a.example 10 mx1.a.example 192.0.2.3 ",
            "7 a.example 20 mx2.a.example 192.0.2.2 "
        ]
    );
    assert_eq!(cells(&table("rejects.csv")[0], &["line", "text"]), ["3", "a b, \"c\""]);

    let run = read_json(&dir.join("run.json"));
    assert_eq!((&run["finished"], &run["summary"]["domains"]), (&json!(true), &json!(2)));
    assert!(!dir.join("run.json.new").exists());
}

#[test]
fn the_journal_holds_everything_but_the_bytes_of_certificates() {
    let parent = tempfile::tempdir().unwrap();
    written_run(parent.path());
    let text = fs::read_to_string(parent.path().join("observations.jsonl")).unwrap();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let first = &lines[0];
    assert_eq!(first["schema"], json!(SCHEMA_VERSION));
    assert_eq!(first["key"], json!({"ip": "192.0.2.1", "port": 25, "sni": "mx1.a.example"}));
    assert_eq!(first["chain"], json!(["5a".repeat(32)]));
    assert_eq!(first["assessment"]["chain"], json!("untrusted_root"));
    assert_eq!(first["dialogue"]["ehlo"]["lines"][1], json!("SIZE 1000"));
    assert_eq!(first["tls"]["suite"], json!("TLS_AES_128_GCM_SHA256"));
    assert_eq!((&lines[2]["chain"], &lines[2]["assessment"]), (&json!([]), &Json::Null));
    assert_eq!(lines[2]["failure"]["alert"], json!("handshake_failure"));
    assert_eq!(lines[2]["extra_client_hello_chains"], json!([[], ["5b".repeat(32)]]));
    let hellos: Vec<HelloObservation> =
        serde_json::from_value(lines[2]["extra_client_hellos"].clone()).unwrap();
    let mut expected = alerted(2).observation.extra_client_hellos;
    expected[1].chain.clear();
    assert_eq!(hellos, expected, "all but the bytes of certificates is read back");
}

#[test]
fn a_directory_in_use_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("note"), "mine").unwrap();
    let error = RunDirectory::create(parent.path(), &run_info()).err().unwrap();
    let expected = format!("the directory {} is not empty; choose another with -o", parent.path().display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);

    let file = parent.path().join("note");
    let error = RunDirectory::create(&file, &run_info()).err().unwrap();
    assert!(matches!(error, OutputError::Create { .. }));
}

/// Whoever is killed before there is a `run.json` leaves a folder with which nobody
/// can go on: the next run takes it.
#[test]
fn what_was_killed_before_it_began_is_no_hindrance() {
    let parent = tempfile::tempdir().unwrap();
    let begun = parent.path().join("begun");
    drop(RunDirectory::create(&begun, &enumerating()).unwrap());
    let run_json = fs::read(begun.join("run.json")).unwrap();
    for made in 0..=NAMES.len() {
        for (with_headers, json_bytes) in [(false, None), (true, None), (true, Some(run_json.len() / 2))] {
            let dir = parent.path().join("run");
            fs::create_dir(&dir).unwrap();
            for name in &NAMES[..made] {
                let text = fs::read(begun.join(name)).unwrap();
                fs::write(dir.join(name), if with_headers { &text[..] } else { b"" }).unwrap();
            }
            if let Some(bytes) = json_bytes {
                fs::write(dir.join("run.json.new"), &run_json[..bytes]).unwrap();
            }
            drop(RunDirectory::create(&dir, &run_info()).unwrap());
            assert!(read::StoredRun::open(&dir).is_ok());
            fs::remove_dir_all(&dir).unwrap();
        }
    }
}

#[test]
fn what_was_killed_before_it_began_is_no_hindrance_where_it_is_packed() {
    for packing in Packing::ALL {
        let parent = tempfile::tempdir().unwrap();
        let info = RunInfo { compress: Some(packing), ..enumerating() };
        drop(RunDirectory::create(parent.path(), &info).unwrap());
        fs::remove_file(parent.path().join("run.json")).unwrap();
        let header = parent.path().join(file_name("mx.csv", Some(packing)));
        let length = fs::metadata(&header).unwrap().len();
        fs::File::options().write(true).open(&header).unwrap().set_len(length / 2).unwrap();
        drop(RunDirectory::create(parent.path(), &run_info()).unwrap());
        assert!(!header.exists() && parent.path().join("mx.csv").exists());
        fs::remove_file(parent.path().join("run.json")).unwrap();
        fs::write(&header, packing.pack(b"line,domain\n1,a.example\n").unwrap()).unwrap();
        let refused = RunDirectory::create(parent.path(), &info).err().unwrap();
        assert!(matches!(refused, OutputError::NotEmpty { .. }), "{refused}");
        assert!(header.exists());
    }
}

#[test]
fn what_may_hold_a_record_is_left_as_it_is() {
    let parent = tempfile::tempdir().unwrap();
    for (name, text) in
        [("facts.jsonl", "{"), ("domains.csv", "line,domain\n1"), ("run.json", ""), ("domains.csv.new", "")]
    {
        let dir = parent.path().join("run");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("certificates.csv"), "sha256").unwrap();
        fs::write(dir.join(name), text).unwrap();
        let refused = RunDirectory::create(&dir, &run_info()).err().unwrap();
        assert!(matches!(refused, OutputError::NotEmpty { .. }), "{name}: {refused}");
        assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), text);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "{name}");
        fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn a_run_that_is_dropped_never_says_that_it_ended() {
    let parent = tempfile::tempdir().unwrap();
    drop(RunDirectory::create(parent.path(), &run_info()).unwrap());
    assert_eq!(read_json(&parent.path().join("run.json"))["finished"], Json::Null);
}

/// Whole lines of a file of a run.
fn lines(dir: &Path, name: &str) -> usize {
    fs::read_to_string(dir.join(name)).unwrap().matches('\n').count()
}

/// As a process that is killed leaves it: what waits in memory is gone.
#[test]
fn a_run_killed_at_any_record_has_no_row_without_what_it_rests_on() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = RunDirectory::create(parent.path(), &run_info()).unwrap();
    let records = [
        Record::Rejected(rejected()),
        Record::Endpoint(Box::new(endpoint(1))),
        Record::Domain(Box::new(domain())),
        Record::Domain(Box::new(missing_domain())),
    ];
    for name in ["domains.csv", "certificates.csv", "mx.csv", "rejects.csv"] {
        assert_eq!(lines(parent.path(), name), 1, "{name} has its header from the start");
    }
    for round in 0..600 {
        for record in &records {
            run.write(record).unwrap();
        }
        let (rows, facts) = (lines(parent.path(), "domains.csv") - 1, lines(parent.path(), "facts.jsonl"));
        assert!(rows <= facts, "{rows} rows, {facts} facts");
        let probes = lines(parent.path(), "observations.jsonl");
        assert!(rows <= 2 * probes, "{rows} rows, {probes} probes");
        assert!(lines(parent.path(), "endpoints.csv") - 1 <= probes);
        assert!(probes == 0 || lines(parent.path(), "certificates.csv") == 2, "{probes} probes");
        assert!(round < 599 || rows > 0, "nothing was written");
    }
    run.flush().unwrap();
    assert_eq!((lines(parent.path(), "domains.csv") - 1, lines(parent.path(), "facts.jsonl")), (1200, 1200));
}

/// Takes so many bytes, then fails.
struct Bounded {
    room: usize,
    kind: io::ErrorKind,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(self.kind.into());
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_reported_with_the_name_of_the_file() {
    let disk = Bounded { room: 100_000, kind: io::ErrorKind::StorageFull };
    let mut file: CsvFile<EndpointRecord, _> = CsvFile::new("endpoints.csv".into(), ENDPOINTS, disk).unwrap();
    let record = endpoint(1);
    let error = (0..10_000).find_map(|_| file.write(&record).err()).unwrap();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().starts_with("cannot write endpoints.csv: "), "{error}");
    assert!(file.flush().is_err(), "what was not written is not forgotten");
}

#[test]
fn a_reader_that_went_away_is_a_broken_pipe() {
    for format in [StreamFormat::Csv, StreamFormat::Jsonl] {
        let pipe = Bounded { room: 100_000, kind: io::ErrorKind::BrokenPipe };
        let mut stream = DomainStream::new(format, pipe).unwrap();
        let record: DomainRecord = domain();
        let error = (0..10_000).find_map(|_| stream.write(&record).err()).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format:?}");
    }
}
