//! The fold adds up, however it is split, and the table is what it was.

use super::*;
use crate::model::expectation::AppliesTo;
use crate::model::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::model::{
    AcceptedGroups, AcceptedSuite, Assessment, Basis, ChainStatus, Check, CheckCause, CheckFailure,
    ConnectorDelivery, ConnectorVerdict, DateStatus, Delivery, DomainFacts, DomainName, DomainRecord,
    Endpoint, EndpointRecord, Enumeration, Expectation, ExpectationMatch, ExpectationStatus, Failure,
    Finding, ForcedTls, Gap, JudgedEndpoint, KeyStatus, Kind, Logged, MxHost, NameStatus, NegotiatedTls,
    Observation, Outcome, Phase, Preference, ProbeKey, Reason, Record, Rejected, Subject, Target, TlsFinding,
    TlsObservation, Verdict, VersionSuites, View,
};
use jiff::Timestamp;
use std::sync::Arc;

fn key(n: usize) -> ProbeKey {
    let endpoint = Endpoint { ip: [192, 0, 2, n as u8].into(), port: 25 };
    ProbeKey { endpoint, sni: None }
}

fn tls13() -> TlsFinding {
    TlsFinding {
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1301)),
        group: Some(NamedGroup(4588)),
        chain: Some(ChainStatus::Valid),
        dates: Some(DateStatus::Expired),
        key: Some(KeyStatus::Strong),
        ..TlsFinding::default()
    }
}

fn domain(line: usize, verdict: Verdict, failure: Option<Failure>) -> Record {
    let name = DomainName::parse(&format!("d{line}.example")).unwrap();
    let target = Target { line: line as u64, subject: Subject::Domain(name) };
    let facts =
        DomainFacts { failure, ..DomainFacts::failed(target, Failure::new(Phase::Dns, Kind::Timeout)) };
    Record::Domain(Box::new(DomainRecord { facts, verdict }))
}

fn probed(line: usize, host: &str, failure: Option<Failure>) -> Record {
    let tls = failure.is_none().then(tls13);
    let delivery = if failure.is_none() { Delivery::Encrypted } else { Delivery::Plaintext };
    let outcome = match &failure {
        None => Outcome::encrypted(
            Basis::Observed,
            NegotiatedTls {
                version: Some(ProtocolVersion::TLS13),
                steps_down: Some(1),
                ..NegotiatedTls::default()
            },
        ),
        Some(failure) => Outcome::without_tls(delivery, failure, Some(Basis::Inferred)),
    };
    let name = tls.as_ref().map(|_| NameStatus::MxHost);
    let view = View {
        preference: 10,
        host: Some(MxHost::new(host)),
        endpoint: Arc::new(JudgedEndpoint::of_outcome(Finding::of(key(line), failure, tls), outcome.clone())),
        name,
    };
    let forced = if view.finding().failure.is_none() {
        ForcedTls { encryption_only: Check::Pass, ..ForcedTls::all(Check::Fail(CheckFailure::Expired)) }
    } else {
        let reason = outcome.reason;
        ForcedTls::all(reason.map_or(Check::Pass, |reason| Check::Fail(CheckFailure::NoTls(reason))))
    };
    let verdict =
        Verdict { best: Some(view.clone()), weakest: Some(view), ..Verdict::of_outcome(outcome, forced) };
    domain(line, verdict, None)
}

fn dead(line: usize) -> Record {
    let failure = Failure::new(Phase::Dns, Kind::Nxdomain);
    let outcome = Outcome::without_tls(Delivery::Undeliverable, &failure, None);
    let forced = ForcedTls::all(Check::Fail(CheckFailure::NoTls(Reason::from(&failure))));
    let verdict = Verdict::of_outcome(outcome, forced);
    domain(line, verdict, Some(failure))
}

fn endpoint(n: usize) -> Record {
    let mut observation =
        Observation::failed(key(n), Timestamp::UNIX_EPOCH, 1, Failure::new(Phase::Tls, Kind::Alert));
    let mut assessment = None;
    if n.is_multiple_of(2) {
        let version = Some(ProtocolVersion::TLS12);
        observation.failure = None;
        observation.tls =
            Some(TlsObservation { version, suite: Some(CipherSuite(0x009c)), ..Default::default() });
        assessment = Some(Assessment::of_chain(ChainStatus::SelfSigned, DateStatus::Valid, KeyStatus::Weak));
    }
    Record::Endpoint(Box::new(EndpointRecord {
        observation,
        assessment: assessment.map(std::sync::Arc::new),
        hello_assessments: Vec::new(),
        enumeration: None,
        name: None,
        outcome: Outcome::undetermined(&Failure::new(Phase::Tls, Kind::Alert)),
    }))
}

fn records() -> Vec<Record> {
    let mut records: Vec<Record> = (1..=5).map(|line| probed(line, "mx.mail.hoster.example", None)).collect();
    let refused = || Some(Failure::new(Phase::Starttls, Kind::NotOffered));
    records.extend((6..=7).map(|line| probed(line, "a.b.co.uk", refused())));
    records.push(dead(8));
    records.extend((1..=3).map(endpoint));
    records.push(Record::Rejected(Rejected { line: 9, text: "x".into(), cause: "y".into() }));
    records
}

fn folded(records: &[Record]) -> Summary {
    let mut summary = Summary::default();
    records.iter().for_each(|record| summary.add(record));
    summary
}

#[test]
fn every_domain_has_one_outcome_and_one_delivery() {
    let summary = folded(&records());
    assert_eq!(summary.domains.total, 8);
    assert_eq!(summary.domains.outcomes.total(), 8);
    assert_eq!(summary.deliveries.total(), 8);
    assert_eq!(
        summary.domains.outcomes.sorted(),
        [("ok", 5), ("starttls_not_offered", 2), ("dns_nxdomain", 1)]
    );
    assert_eq!((summary.endpoints.total, summary.endpoints.outcomes.total()), (3, 3));
    assert_eq!(summary.mx_operators.top(10), (vec![("hoster.example", 5), ("b.co.uk", 2)], 0));
    assert_eq!(summary.rejected, 1);
}

#[test]
fn parts_merge_into_the_whole_wherever_they_are_split() {
    let records = records();
    let whole = folded(&records);
    for at in 0..=records.len() {
        let (first, second) = records.split_at(at);
        let mut merged = folded(first);
        merged.merge(&folded(second));
        assert_eq!(merged, whole, "split at {at}");
    }
}

#[test]
fn what_has_no_place_is_counted_as_other() {
    let mut tally = Tally::bounded(2);
    for name in ["b", "a", "c", "a", "d", "b"] {
        tally.add_borrowed(name);
    }
    assert_eq!(tally.sorted(), [("(other)", 2), ("a", 2), ("b", 2)]);
    assert_eq!(tally.total(), 6);
}

#[test]
fn the_table_is_stable_and_fits_a_terminal() {
    let summary = folded(&records());
    let text = summary.render_totals() + &summary.render_tables();
    assert!(text.lines().all(|line| line.chars().count() <= 80 && !line.ends_with(' ')));
    insta::assert_snapshot!(text);
    assert_eq!(Summary::default().render_totals(), "0 domains, 0 endpoints, 0 rejected lines\n");
    assert_eq!(Summary::default().render_tables() + &Summary::default().brief().render(), "");
}

/// TLS 1.2 with two suites, one of them twice broken, and TLS 1.1 with one.
fn enumerated() -> Enumeration {
    let version = |version, suites: &[u16], gap| VersionSuites {
        version,
        suites: suites
            .iter()
            .map(|code| AcceptedSuite { suite: CipherSuite(*code), dh_bits: None })
            .collect(),
        preference: (suites.len() > 1).then_some(Preference::Server),
        gap,
        groups: None,
    };
    let mut tls12 = version(ProtocolVersion::TLS12, &[0xc02f, 0x0004], None);
    tls12.groups = Some(AcceptedGroups { groups: vec![NamedGroup(23)], gap: Some(Gap::CertificateCurve) });
    let versions = vec![
        version(ProtocolVersion::TLS13, &[], None),
        tls12,
        version(ProtocolVersion::TLS11, &[0x0004], Some(Gap::Budget)),
    ];
    Enumeration { versions, sslv2: true, connections: 9 }
}

#[test]
fn an_endpoint_that_takes_much_is_counted_once_by_each() {
    let mut records = records();
    for record in &mut records {
        if let Record::Endpoint(record) = record {
            record.enumeration = Some(Box::new(enumerated()));
        }
    }
    let summary = folded(&records);
    let found = &summary.enumerated;
    assert_eq!((found.total, found.connections), (3, 27));
    assert_eq!(found.versions.sorted(), [("SSLv2", 3), ("TLSv1.1", 3), ("TLSv1.2", 3)]);
    let table = summary.render_tables();
    let table = &table[table.find("\nEnumerated").unwrap()..table.find("\nMX operators").unwrap()];
    insta::assert_snapshot!(table, @r"
    Enumerated                                        endpoints       %
      incomplete: budget                                      3   100.0
      incomplete: certificate_curve                           3   100.0

    Enumerated: versions taken                        endpoints       %
      SSLv2                                                   3   100.0
      TLSv1.1                                                 3   100.0
      TLSv1.2                                                 3   100.0

    Enumerated: classes of suites taken               endpoints       %
      broken                                                  3   100.0
      recommended                                             3   100.0

    Enumerated: suites taken                          endpoints       %
      TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256                   3   100.0
      TLS_RSA_WITH_RC4_128_MD5                                3   100.0

    Enumerated: groups taken                          endpoints       %
      secp256r1                                               3   100.0

    Enumerated: whose order decides                   endpoints       %
      server                                                  3   100.0
    ");
}

#[test]
fn a_leaf_is_counted_by_the_expectation_about_its_host() {
    let mut record = probed(1, "a.mx.microsoft", None);
    let Record::Domain(domain) = &mut record else { unreachable!() };
    let expected = |name: &str, mx: &str, status| ExpectationMatch {
        expectation: Arc::new(Expectation {
            name: name.into(),
            applies_to: AppliesTo { mx: vec![mx.into()], domains: Vec::new() },
            certificates: Vec::new(),
        }),
        status,
        detail: String::new(),
    };
    let judged = [
        expected("other", "other.example", ExpectationStatus::Current),
        expected("exchange-online", "mx.microsoft", ExpectationStatus::Unexpected),
    ];
    let endpoint = &mut domain.verdict.best.as_mut().unwrap().endpoint;
    Arc::make_mut(endpoint).finding.tls.as_mut().unwrap().expectations = Arc::new(judged);
    let summary = folded(&[record]);
    assert_eq!(summary.domains.cert_expectation.sorted(), [("exchange-online: unexpected", 1)]);
    assert!(summary.render_tables().contains("\n  exchange-online: unexpected "));
}

#[test]
fn a_name_too_long_for_its_column_takes_room_of_the_number_or_has_a_line_of_its_own() {
    let mut summary = Summary::default();
    let long = "CertificateValidation: tls_client_certificate_required";
    let longer = format!("{}.example", "a".repeat(60));
    let stops = &mut summary.forced_tls.stops;
    [long, &longer].iter().for_each(|name| stops.add(name.to_string().into()));
    let table = summary.render_tables();
    assert!(table.contains(&format!("\n  {long}  1    50.0\n")), "{table}");
    assert!(table.contains(&format!("\n  {longer}\n{}1    50.0\n", " ".repeat(58))), "{table}");
}

#[test]
fn codes_are_counted_as_they_are_logged() {
    let mut sending = SendingTally::default();
    for code in ["450 4.4.317", "450 4.4.316", "450 4.4.317"] {
        let mut outcome = Outcome::undetermined(&Failure::new(Phase::Tls, Kind::Alert));
        outcome.logged = Some(Logged { code: code.into(), text: "".into() });
        // What is not determined may not be logged at all.
        sending.add(&outcome);
        outcome.delivery = Delivery::Deferred;
        sending.add(&outcome);
    }
    assert_eq!(sending.codes.sorted(), [("450 4.4.317", 2), ("450 4.4.316", 1)]);
    assert_eq!(sending.reasons.sorted(), [("deferred: tls_alert", 3), ("undetermined: tls_alert", 3)]);
    assert_eq!((sending.basis.total(), sending.encrypted_with.total()), (0, 0));
}

#[test]
fn what_is_not_determined_does_not_stop() {
    let record = probed(1, "mx.hoster.example", None);
    let Record::Domain(mut record) = record else { unreachable!() };
    let timeout = Reason::from(&Failure::new(Phase::Connect, Kind::Timeout));
    record.verdict.forced.certificate_validation = Check::Undetermined(CheckCause::NoAnswer(timeout));
    let forced = folded(&[Record::Domain(record)]).forced_tls;
    assert_eq!(forced.strengths.sorted(), [("EncryptionOnly", 1)]);
    assert_eq!(forced.open.sorted(), [("CertificateValidation: connect_timeout", 1)]);
    assert_eq!(forced.stops.total(), 0);
}

#[test]
fn the_json_holds_the_commonest_first() {
    let json = serde_json::to_string(&folded(&records())).unwrap();
    let outcomes = r#""outcomes":{"ok":5,"starttls_not_offered":2,"dns_nxdomain":1}"#;
    assert!(json.contains(outcomes), "{json}");
    assert!(json.contains(r#""mx_operators":{"hoster.example":5,"b.co.uk":2}"#), "{json}");
}

#[test]
fn the_largest_operators_are_listed_and_it_is_said_how_many_there_are() {
    let mut summary = Summary::default();
    for name in ["a.example", "b.example"] {
        summary.mx_operators.0.add_borrowed(name);
    }
    let rows = |summary: &Summary| -> Vec<String> {
        let table = summary.render_tables();
        table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let expected = ["MX operators (all 2) domains %", "a.example 1 50.0", "b.example 1 50.0"];
    assert_eq!(rows(&summary), expected, "those of one domain, too");
    for number in 0..11 {
        summary.mx_operators.0.add_borrowed(&format!("hoster{number:02}.example"));
    }
    let rows = rows(&summary);
    assert_eq!((rows.len(), rows[0].as_str()), (12, "MX operators (top 10 of 13) domains %"));
    assert_eq!(rows[11], "(other) 3 23.1");
}

#[test]
fn the_json_has_a_thousand_operators_and_says_how_many_there_are() {
    let mut summary = Summary::default();
    (0..OPERATORS_TOLD_MAX + 7)
        .for_each(|number| summary.mx_operators.0.add_borrowed(&format!("o{number:04}.example")));
    let json = serde_json::to_value(summary.told()).unwrap();
    let told = json["mx_operators"].as_object().unwrap();
    assert_eq!((told.len(), &told["(other)"]), (OPERATORS_TOLD_MAX + 1, &7.into()));
    assert_eq!(json["mx_operators_told_apart"], OPERATORS_TOLD_MAX + 7);
}

/// As `mxray scan` prints it.
fn brief(summary: &Summary) -> String {
    format!("{}{}", summary.brief().render(), summary.headline().render("exchange-online"))
}

#[test]
fn the_brief_summary_fits_a_terminal_and_ends_with_the_headline() {
    let mut records = records();
    for (line, record) in records.iter_mut().enumerate().take(7) {
        let Record::Domain(domain) = record else { unreachable!() };
        let is_kept = line > 4;
        domain.verdict.connector = Some(ConnectorVerdict {
            name: "to-hoster".into(),
            delivery: if is_kept { ConnectorDelivery::Deferred } else { ConnectorDelivery::Delivered },
            reason: is_kept.then(|| "starttls_not_offered".to_string()),
            logged: None,
        });
    }
    let text = brief(&folded(&records));
    assert!(text.lines().all(|line| line.chars().count() <= 80 && !line.ends_with(' ')), "{text}");
    assert!(text.lines().count() <= 40, "{text}");
    insta::assert_snapshot!(text);
    let one = folded(&records[..1]).headline().render("exchange-online");
    assert!(one.starts_with("Mail of exchange-online to 1 domain:\n"), "{one}");
    assert!(one.contains(", of 1 partner:\n"), "{one}");
}

#[test]
fn every_number_of_the_brief_summary_is_in_the_json() {
    let summary = folded(&records());
    let json = serde_json::to_value(summary.told()).unwrap();
    let mut told = 0;
    for line in summary.brief().render().lines() {
        for item in line.get(17..).filter(|_| !line.starts_with("  d")).unwrap_or_default().split("; ") {
            let (name, count) = item.trim_end_matches(';').rsplit_once(' ').unwrap();
            let lines = json["brief"].as_object().unwrap().values();
            assert!(
                lines.into_iter().any(|line| line[name] == count.parse::<u64>().unwrap()),
                "{item}: {json}"
            );
            told += 1;
        }
    }
    assert!(told > 8, "{told}");
    assert_eq!(json["headline"]["mail"]["plaintext"], 2);
    assert_eq!(json["headline"]["partners"], 7);
}

#[test]
fn whoever_passes_a_strength_counts_for_those_before_it() {
    let forced = folded(&records()).forced_tls;
    let counts: Vec<_> = forced.at_least.iter().map(|(_, count)| (count.pass, count.fail)).collect();
    assert_eq!((forced.partners, counts), (7, vec![(5, 2), (0, 7), (0, 7)]));
}

#[test]
fn partners_under_connectors_are_told_worst_first_and_within_a_limit() {
    let under = |line: usize, delivery| {
        let Record::Domain(mut record) = probed(line, "mx.hoster.example", None) else { unreachable!() };
        let name = "to\u{202e}contoso".into();
        record.verdict.connector = Some(ConnectorVerdict { name, delivery, reason: None, logged: None });
        Record::Domain(record)
    };
    let mut records: Vec<Record> =
        (1..=CONNECTOR_PARTNERS_MAX).map(|line| under(line, ConnectorDelivery::Delivered)).collect();
    records.push(under(999, ConnectorDelivery::Deferred));
    let whole = folded(&records);
    let found = &whole.under_connectors;
    assert_eq!((found.partners, found.shown().len()), (101, CONNECTOR_PARTNERS_MAX));
    let first = found.shown().next().unwrap().to_string();
    assert_eq!(first, r"d999.example by to\xe2\x80\xaecontoso: deferred");
    records.reverse();
    assert_eq!(folded(&records), whole, "whatever the order");
    assert!(whole.render_tables().contains("\nUnder connectors: partners (24 of 101)\n  d999.example by "));
}
