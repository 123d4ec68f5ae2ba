//! What is better, what is worse, and how that is told.

use super::*;
use ComparedColumn as Column;

const BOTH: Finished = Finished { before: true, after: true };

/// A row with these cells, as `delivery=encrypted mx_host=a`.
fn row<'a>(cells: &'a str) -> ComparedRow<'a> {
    let mut all = vec![""; Column::ALL.len()];
    for pair in cells.split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        let place = Column::NAMES.iter().position(|known| *known == name);
        all[place.unwrap_or_else(|| panic!("{name}"))] = value;
    }
    ComparedRow::new(1, all)
}

/// What became of a domain, by which column, and the signs.
fn compared(before: &str, after: &str) -> (&'static str, &'static str, String) {
    let same_key = |one: &str, other: &str| Some(one.starts_with('k') && other.starts_with('k'));
    let comparison = compare(Some(&row(before)), Some(&row(after)), BOTH, same_key).unwrap();
    let signs: Vec<String> = comparison.signs.iter().map(ToString::to_string).collect();
    let decided_by = comparison.decided_by.map_or("", ComparedColumn::name);
    (comparison.change.name(), decided_by, signs.join(" "))
}

/// Values of each line of the order, the best first; those in one group are alike.
const BEST_FIRST: &[(&str, &[&[&str]])] = &[
    ("delivery", &[&["encrypted"], &["plaintext"], &["deferred"], &["undeliverable"]]),
    ("connector_delivery", &[&["delivered"], &["deferred"], &["undeliverable"]]),
    ("weakest_delivery", &[&["encrypted"], &["plaintext"]]),
    ("authenticated", &[&["dane"], &["sts"], &["none"]]),
    ("encryption_only", &[&["pass"], &["fail:starttls_not_offered", "fail:tls_alert"]]),
    ("certificate_validation", &[&["pass"], &["fail:expired", "fail:untrusted_root"]]),
    ("domain_validation", &[&["pass"], &["fail:name_mismatch"]]),
    ("weakest_tls_version", &[&["TLSv1.3"], &["TLSv1.2"], &["TLSv1.1"], &["TLSv1.0"], &["SSLv3"]]),
    ("delivery_tls_version", &[&["TLSv1.3"], &["TLSv1.2"], &["TLSv1.1"], &["TLSv1.0"], &["SSLv3"]]),
    ("weakest_cipher_suite", SUITES),
    ("delivery_cipher_suite", SUITES),
    ("weakest_cert_chain", CHAINS),
    ("weakest_cert_dates", &[&["valid"], &["expired", "not_yet_valid"]]),
    ("weakest_cert_name", &[&["mx_host", "domain"], &["none"]]),
    ("weakest_cert_key", &[&["strong"], &["weak"]]),
    ("cert_chain", CHAINS),
    ("cert_dates", &[&["valid"], &["expired", "not_yet_valid"]]),
    ("cert_name", &[&["mx_host", "domain"], &["none"]]),
    ("cert_key", &[&["strong"], &["weak"]]),
    ("delivery_key_exchange_group", &[&["X25519MLKEM768"], &["x25519", "secp256r1"]]),
];

const SUITES: &[&[&str]] = &[
    &["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    &["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"],
    &["TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"],
    &["TLS_RSA_WITH_RC4_128_SHA"],
];

const CHAINS: &[&[&str]] =
    &[&["valid"], &["self_signed", "untrusted_root", "incomplete_chain", "expired_root", "invalid"]];

#[test]
fn every_line_of_the_order_tells_better_from_worse() {
    let lines: Vec<&str> = ORDER.iter().map(|line| line.column.name()).collect();
    assert_eq!(lines, BEST_FIRST.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (column, groups) in BEST_FIRST {
        let values =
            || groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |value| (at, value)));
        for (place, value) in values() {
            for (other_place, other) in values() {
                let (before, after) = (format!("{column}={value}"), format!("{column}={other}"));
                let (change, decided_by, signs) = compared(&before, &after);
                let expected = match other_place.cmp(&place) {
                    std::cmp::Ordering::Less => ("better", *column, format!("{column}_better")),
                    std::cmp::Ordering::Greater => ("worse", *column, format!("{column}_worse")),
                    // Another suite or group may still be told.
                    std::cmp::Ordering::Equal => {
                        assert!(["same", "changed"].contains(&change), "{before} {after}: {change}");
                        continue;
                    }
                };
                assert_eq!((change, decided_by), (expected.0, expected.1), "{before} {after}");
                assert!(signs.starts_with(&expected.2), "{before} {after}: {signs}");
            }
        }
    }
}

#[test]
fn what_is_not_determined_is_no_change() {
    let open = [
        ("delivery", "encrypted", "undetermined"),
        ("connector_delivery", "deferred", "undetermined"),
        ("authenticated", "dane", "undetermined:not_asked"),
        ("encryption_only", "fail:tls_alert", "undetermined:network_suspect"),
        ("weakest_cert_chain", "valid", "unverifiable"),
        ("cert_dates", "expired", "unreadable"),
        ("cert_key", "weak", "unknown"),
    ];
    for (column, known, open) in open {
        let (known, open) = (format!("{column}={known}"), format!("{column}={open}"));
        let now = ("now_undetermined", column, format!("{column}_now_undetermined"));
        assert_eq!(compared(&known, &open), now);
        let determined = ("determined_now", column, format!("{column}_determined_now"));
        assert_eq!(compared(&open, &known), determined);
        assert_ne!(compared(&open, &open).0, "changed");
        // And what does not apply or was not asked says nothing at all.
        assert_eq!(compared(&known, "").0, "same", "{known}");
        assert_eq!(compared("", &known).0, "same", "{known}");
    }
    assert_eq!(compared("delivery=undetermined", "delivery=undetermined").0, "still_undetermined");
    // Another cause of not knowing is no change, either.
    let causes =
        ("delivery=undetermined reason=connect_timeout", "delivery=undetermined reason=network_suspect");
    assert_eq!(compared(causes.0, causes.1), ("still_undetermined", "", String::new()));
}

#[test]
fn the_first_line_that_differs_decides_and_the_others_are_told() {
    assert_eq!(
        compared(
            "delivery=encrypted authenticated=none weakest_tls_version=TLSv1.3",
            "delivery=encrypted authenticated=dane weakest_tls_version=TLSv1.2"
        ),
        ("better", "authenticated", "authenticated_better weakest_tls_version_worse".to_string())
    );
    // What is less important is no answer to what is not known.
    assert_eq!(
        compared(
            "delivery=encrypted authenticated=sts weakest_tls_version=TLSv1.3",
            "delivery=encrypted authenticated=undetermined:not_asked weakest_tls_version=TLSv1.2"
        ),
        (
            "now_undetermined",
            "authenticated",
            "authenticated_now_undetermined weakest_tls_version_worse".to_string()
        )
    );
    assert_eq!(
        compared("delivery=encrypted authenticated=dane", "delivery=plaintext reason=starttls_not_offered"),
        ("worse", "delivery", "delivery_worse".to_string())
    );
}

#[test]
fn what_a_delivery_rests_on_is_no_change_of_the_domain() {
    assert_eq!(
        compared(
            "delivery=encrypted basis=observed",
            "delivery=encrypted basis=inferred inferred_from=mx.other.example"
        ),
        ("same", "", String::new())
    );
}

#[test]
fn what_is_neither_better_nor_worse_is_told() {
    let host = "delivery=encrypted mx_operator=a.example mx_host=mx1.a.example";
    for (before, after, sign) in [
        (
            "mx_operator=a.example mx_host=mx.a.example",
            "mx_operator=b.example mx_host=mx.b.example",
            "operator_moved",
        ),
        (
            "mx_operator=a.example mx_host=mx1.a.example",
            "mx_operator=a.example mx_host=mx2.a.example",
            "host_moved",
        ),
        (
            "mx_host=mx1.a.example cert_sha256=k1",
            "mx_host=mx1.a.example cert_sha256=k2",
            "certificate_renewed key_reused",
        ),
        (
            "mx_host=mx1.a.example cert_sha256=k1",
            "mx_host=mx1.a.example cert_sha256=c2",
            "certificate_renewed",
        ),
        // That of another host is none renewed.
        ("mx_host=mx1.a.example cert_sha256=k1", "mx_host=mx2.a.example cert_sha256=k2", "host_moved"),
        // What was not asked was not replaced.
        ("mx_host=mx1.a.example cert_sha256=k1", "mx_host=mx1.a.example", ""),
        (
            "delivery=plaintext reason=tls_alert",
            "delivery=plaintext reason=starttls_not_offered",
            "reason_changed",
        ),
        (
            "delivery_cipher_suite=TLS_AES_256_GCM_SHA384",
            "delivery_cipher_suite=TLS_AES_128_GCM_SHA256",
            "suite_changed",
        ),
        ("delivery_key_exchange_group=x25519", "delivery_key_exchange_group=secp256r1", "group_changed"),
        ("dane=none", "dane=matched", "dane_appeared"),
        ("dane=mismatch", "dane=none", "dane_gone"),
        ("dane=matched", "dane=mismatch", "dane_changed"),
        // Where nobody vouches for the addresses nobody asks for records.
        ("dane=matched", "dane=insecure_addresses", ""),
        ("dane=undetermined:tlsa_lookup_failed", "dane=matched", ""),
        ("mta_sts=none", "mta_sts=valid mta_sts_mode=testing", "mta_sts_appeared"),
        ("mta_sts=valid mta_sts_mode=testing", "mta_sts=none", "mta_sts_gone"),
        ("mta_sts=valid mta_sts_mode=testing", "mta_sts=valid mta_sts_mode=enforce", "mta_sts_mode_changed"),
        ("mta_sts=valid", "mta_sts=http_status", "mta_sts_changed"),
        ("tls_rpt=none", "tls_rpt=faulty_uri", "tls_rpt_appeared"),
        ("tls_rpt=yes", "tls_rpt=none", "tls_rpt_gone"),
        ("tls_rpt=yes", "tls_rpt=faulty_uri", "tls_rpt_changed"),
        ("", "connector=To+A", "connector_changed"),
    ] {
        let (change, _, signs) = compared(before, after);
        assert_eq!(signs, sign, "{before} {after}");
        assert_eq!(change, if sign.is_empty() { "same" } else { "changed" }, "{before} {after}");
    }
    assert_eq!(compared(host, host).0, "same");
}

#[test]
fn a_domain_of_one_run_came_or_went_only_where_the_other_came_to_its_end() {
    let row = row("delivery=encrypted");
    let change = |before: bool, after: bool, finished: [bool; 2]| {
        let finished = Finished { before: finished[0], after: finished[1] };
        compare(before.then_some(&row), after.then_some(&row), finished, |_, _| None)
            .map(|told| told.change.name())
    };
    assert_eq!(change(true, false, [true, true]), Some("went"));
    assert_eq!(change(false, true, [true, true]), Some("came"));
    assert_eq!(change(true, false, [true, false]), Some("not_reached"));
    assert_eq!(change(false, true, [false, true]), Some("not_reached"));
    // What the finished run lacks is not on its list, whatever the other is.
    assert_eq!(change(true, false, [false, true]), Some("went"));
    assert_eq!(change(false, true, [true, false]), Some("came"));
    assert_eq!(change(false, false, [true, true]), None);
}

fn head() -> DiffHead {
    let run = |run: &str, started: &str, domains| DiffedRun {
        run: run.to_string(),
        started: started.parse().unwrap(),
        domains,
        finished: true,
    };
    DiffHead {
        before: run("october", "2026-10-01T00:00:00Z", 1000),
        after: run(&"november/".repeat(20), "2026-11-01T00:00:00Z", 1),
        sender: "exchange-online".to_string(),
        notes: vec![format!(
            "{} was stopped before the end of its list: a domain that it lacks is told.",
            "x".repeat(30)
        )],
    }
}

/// Some domains of every kind, written by `writer`.
fn written(writer: &mut dyn DiffWriter) {
    let long =
        format!("delivery=plaintext reason=tls_client_certificate_required mx_operator={}", "o".repeat(90));
    let name = "a-domain-with-a-long-name.".repeat(5) + "example";
    let cases = [
        (
            name.as_str(),
            Some("delivery=encrypted authenticated=undetermined:no_validating_resolver"),
            Some(long.as_str()),
        ),
        (
            "aa.example",
            Some("delivery=encrypted weakest_cert_dates=valid cert_dates=valid cert_key=strong"),
            Some("delivery=encrypted weakest_cert_dates=expired cert_dates=expired cert_key=weak"),
        ),
        ("b.example", Some("delivery=plaintext"), Some("delivery=encrypted inferred_from=mx.b.example")),
        ("c.example", Some("tls_rpt=none mx_host=a"), Some("tls_rpt=yes mx_host=b")),
        ("d.example", Some("delivery=encrypted"), Some("delivery=undetermined reason=network_suspect")),
        ("e.example", None, Some("delivery=encrypted")),
        ("f.example", Some("delivery=encrypted"), None),
        ("g.example", Some("delivery=encrypted"), Some("delivery=encrypted")),
    ];
    let mut totals = DiffTotals::default();
    let repeated = (0..25).map(|_| ("w.example", Some("delivery=undetermined"), Some("delivery=encrypted")));
    for (domain, before, after) in cases.into_iter().chain(repeated) {
        let (before, after) = (before.map(row), after.map(row));
        let comparison = compare(before.as_ref(), after.as_ref(), BOTH, |_, _| None).unwrap();
        let domain = ComparedDomain {
            domain,
            before: before.as_ref(),
            after: after.as_ref(),
            comparison: &comparison,
        };
        totals.add(&comparison, domain.is_inferred(), (domain.before, domain.after));
        if comparison.change.is_told() {
            writer.domain(&domain).unwrap();
        }
    }
    writer.finish(&totals).unwrap();
}

#[test]
fn the_text_fits_a_terminal_and_ends_with_the_counts() {
    let mut out = Vec::new();
    written(&mut TextDiff::new(&mut out, &head()).unwrap());
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn csv_has_a_row_for_each_domain_that_is_told() {
    let mut out = Vec::new();
    written(&mut CsvDiff::new(&mut out).unwrap());
    let mut reader = ::csv::Reader::from_reader(&*out);
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 32);
    let told = |row: usize| {
        ["domain", "change", "decided_by", "signs", "inferred", "line_before"]
            .map(|name| &rows[row][place(name)])
    };
    assert_eq!(told(2), ["b.example", "better", "delivery", "delivery_better", "yes", "1"]);
    assert_eq!(told(3), ["c.example", "changed", "", "host_moved tls_rpt_appeared", "no", "1"]);
    assert_eq!(told(5), ["e.example", "came", "", "", "no", ""]);
    assert_eq!(
        (&rows[2][place("delivery_before")], &rows[2][place("delivery_after")]),
        ("plaintext", "encrypted")
    );
}

#[test]
fn json_is_one_document() {
    let mut out = Vec::new();
    written(&mut JsonDiff::new(&mut out, &head()).unwrap());
    let told: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&told["schema_version"], &told["before"]["run"]), (&1.into(), &"october".into()));
    assert_eq!(told["domains"].as_array().unwrap().len(), 32);
    assert_eq!(told["domains"][2]["after"]["inferred_from"], "mx.b.example");
    assert_eq!(told["domains"][5]["before"], serde_json::Value::Null);
    assert_eq!((&told["counts"]["worse"], &told["counts"]["same"]), (&2.into(), &1.into()));
    assert_eq!((&told["inferred"]["better"], &told["signs"]["host_moved"]), (&1.into(), &1.into()));
    let mut out = Vec::new();
    JsonDiff::new(&mut out, &head()).unwrap().finish(&DiffTotals::default()).unwrap();
    let told: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(told["domains"], serde_json::json!([]));
}

#[test]
fn the_page_names_what_became_worse_first_and_takes_names_as_text() {
    let mut out = Vec::new();
    written(&mut HtmlDiff::new(&mut out, head()));
    let page = String::from_utf8(out).unwrap();
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(place("id=\"worse\"") < place("id=\"better\"") && place("id=\"better\"") < place("id=\"went\""));
    assert!(page.contains("plaintext: tls_client_certificate_required"), "{page}");
    assert!(page.contains("b.example<small>inferred: its own name was not asked</small>"), "{page}");
    // The demo has no more than the page takes.
    assert!(!page.contains("are shown"), "{page}");

    let mut out = Vec::new();
    let mut writer = HtmlDiff::new(&mut out, head());
    let (before, after) = (row("delivery=encrypted"), row("delivery=plaintext reason=<script>"));
    let comparison = compare(Some(&before), Some(&after), BOTH, |_, _| None).unwrap();
    let mut totals = DiffTotals::default();
    for _ in 0..1001 {
        let domain = "\"><script>alert(1)</script>";
        let (before, after) = (Some(&before), Some(&after));
        let domain = ComparedDomain { domain, before, after, comparison: &comparison };
        totals.add(&comparison, domain.is_inferred(), (domain.before, domain.after));
        writer.domain(&domain).unwrap();
    }
    writer.finish(&totals).unwrap();
    let page = String::from_utf8(out).unwrap();
    assert!(!page.contains("<script") && page.matches("&lt;script&gt;").count() >= 2000);
    assert!(
        page.contains("1,000 of 1,001 domains are shown. mxray diff --format csv has them all."),
        "{page}"
    );
}
