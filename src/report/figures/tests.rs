//! The figures by rows that are made up.

use super::*;
use std::collections::HashMap;

impl Cells for HashMap<&str, &str> {
    fn cell(&self, column: &str) -> &str {
        self.get(column).copied().unwrap_or_default()
    }
}

/// 2026-01-01.
const AT: i64 = 1_767_225_600;

fn counted(rows: &[&[(&'static str, &'static str)]]) -> (Figures, Vec<Vec<ConcernKind>>) {
    let mut figures = Figures::new(AT);
    let mut kinds = Vec::new();
    for row in rows {
        let row: HashMap<&str, &str> = row.iter().copied().collect();
        let concerns = figures.add_domain(&row);
        kinds.push(concerns.into_iter().map(|concern| concern.kind).collect());
    }
    (figures, kinds)
}

#[test]
fn strengths_are_counted_as_at_least() {
    let (figures, _) = counted(&[
        &[("encryption_only", "pass"), ("certificate_validation", "pass"), ("domain_validation", "pass")],
        &[
            ("encryption_only", "pass"),
            ("certificate_validation", "fail:expired"),
            ("domain_validation", "fail:expired"),
        ],
        &[
            ("encryption_only", "undetermined:not_asked"),
            ("certificate_validation", "undetermined:not_asked"),
            ("domain_validation", "undetermined:not_asked"),
        ],
        // It takes no mail, so it is no partner.
        &[("delivery", "undeliverable"), ("reason", "dns_null_mx"), ("encryption_only", "fail:dns_null_mx")],
        // This one has a host.
        &[
            ("delivery", "undeliverable"),
            ("reason", "dane_unusable_no_tls"),
            ("encryption_only", "fail:dane_unusable_no_tls"),
            ("certificate_validation", "fail:dane_unusable_no_tls"),
            ("domain_validation", "fail:dane_unusable_no_tls"),
        ],
    ]);
    let forced = &figures.domains.forced;
    assert_eq!(forced.partners, 4);
    let counts = forced.strengths.each_ref().map(|s| (s.pass, s.fail, s.undetermined));
    assert_eq!(counts, [(2, 1, 1), (1, 2, 1), (1, 2, 1)]);
    let stops = [("CertificateValidation: expired", 1), ("EncryptionOnly: dane_unusable_no_tls", 1)];
    assert_eq!(forced.stops.sorted(), stops);
    assert_eq!(forced.open.sorted(), [("EncryptionOnly: not_asked", 1)]);
}

#[test]
fn what_is_wrong_is_told_gravest_first_and_what_is_not_known_is_nobodys_fault() {
    use ConcernKind::*;
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [ConcernKind]);
    let cases: &[Case<'_>] = &[
        (&[("delivery", "encrypted"), ("delivery_tls_version", "TLSv1.3"), ("dane", "none")], &[]),
        (&[("delivery", "undetermined"), ("reason", "greeting_throttled")], &[]),
        (&[("delivery", "encrypted"), ("dane", "undetermined:tlsa_lookup_failed")], &[]),
        (
            &[
                ("delivery", "encrypted"),
                ("connector_delivery", "deferred"),
                ("connector_reason", "name_mismatch"),
            ],
            &[KeptByConnector],
        ),
        (&[("delivery", "encrypted"), ("connector_delivery", "undetermined")], &[]),
        (&[("delivery", "plaintext"), ("mta_sts", "policy_syntax")], &[InClear, PolicyBroken]),
        (&[("delivery", "deferred"), ("dane", "mismatch")], &[KeptBack, PolicyBroken]),
        (&[("delivery", "undeliverable"), ("reason", "dns_nxdomain")], &[NoMail]),
        (&[("delivery", "encrypted"), ("weakest_delivery", "plaintext")], &[OneHostInClear]),
        (&[("delivery", "encrypted"), ("delivery_tls_version", "TLSv1.0")], &[WeakTls]),
        (&[("encryption_only", "pass"), ("certificate_validation", "fail:expired")], &[Certificate]),
        (&[("encryption_only", "fail:tls_alert"), ("certificate_validation", "fail:tls_alert")], &[]),
    ];
    let rows: Vec<_> = cases.iter().map(|(row, _)| *row).collect();
    let (_, found) = counted(&rows);
    for ((row, expected), found) in cases.iter().zip(found) {
        assert_eq!(found, *expected, "{row:?}");
    }
}

#[test]
fn certificates_that_end_soon_are_counted_by_domain_and_told_once() {
    let mut figures = Figures::new(AT);
    let digest = |letter: &str| letter.repeat(64);
    for (letter, end) in [
        ("a", "2026-01-11T00:00:00Z"),
        ("b", "2026-03-01T00:00:00Z"),
        ("c", "2027-01-01T00:00:00Z"),
        ("d", "2025-12-31T00:00:00Z"),
    ] {
        let digest = digest(letter);
        let row: HashMap<&str, &str> = [("sha256", digest.as_str()), ("not_after", end)].into();
        figures.add_certificate(&row);
    }
    let mut ends_soon = Vec::new();
    for (domain, letter) in
        [("1.example", "a"), ("2.example", "a"), ("3.example", "b"), ("4.example", "c"), ("5.example", "d")]
    {
        let digest = digest(letter);
        let row: HashMap<&str, &str> = [("domain", domain), ("cert_sha256", digest.as_str())].into();
        ends_soon.push(figures.add_domain(&row).len());
    }
    assert_eq!(ends_soon, [1, 1, 0, 0, 0], "one that has ended is told as expired, not as ending");
    let found = &figures.certificates;
    assert_eq!((found.domains_soon, found.domains_very_soon), (3, 2));
    let expiring = found.expiring();
    // The one that has ended is written down as well.
    let told: Vec<_> = expiring.iter().map(|found| (found.domain.as_str(), found.domains)).collect();
    assert_eq!(told, [("5.example", 1), ("1.example", 2)]);
}

#[test]
fn the_page_has_the_gravest_partners_and_counts_all() {
    let mut figures = Figures::new(AT);
    for line in 1..=PARTNERS_SHOWN_MAX + 50 {
        let line = line.to_string();
        let delivery = if line.ends_with('0') { "plaintext" } else { "deferred" };
        let row: HashMap<&str, &str> = [("line", line.as_str()), ("delivery", delivery)].into();
        figures.add_domain(&row);
    }
    let partners = &figures.domains.partners;
    assert_eq!(partners.total, 250);
    let gravest = partners.gravest();
    assert_eq!(gravest.len(), PARTNERS_SHOWN_MAX);
    let lines: Vec<u64> = gravest.iter().map(|partner| partner.line).collect();
    assert_eq!((lines[0], lines[24], lines[25], lines[199]), (10, 250, 1, 194));
}

#[test]
fn an_operator_is_told_by_its_own_weakest_host() {
    let row = |host: &'static str, delivery: &'static str, version: &'static str| {
        vec![
            ("mx_operator", "op.example"),
            ("delivery", "encrypted"),
            ("weakest_mx_host", host),
            ("weakest_delivery", delivery),
            ("weakest_tls_version", version),
        ]
    };
    let rows = [
        row("b.op.example", "encrypted", "TLSv1.2"),
        row("a.op.example", "encrypted", "TLSv1.2"),
        row("c.op.example", "encrypted", "TLSv1.3"),
        row("mx.another.example", "plaintext", ""),
        row("mx.notop.example", "plaintext", ""),
    ];
    let (figures, _) = counted(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let top = figures.domains.operators.top(10, |row| row.domains);
    assert_eq!(top.len(), 1);
    assert_eq!(
        (top[0].1.domains, top[0].1.weakest.as_deref(), top[0].1.weakest_host.as_str()),
        (5, Some("TLSv1.2"), "a.op.example")
    );
}

#[test]
fn the_evidence_of_a_certificate_that_has_ended_says_which_and_when() {
    let mut figures = Figures::new(AT);
    let digest = "d".repeat(64);
    let row: HashMap<&str, &str> =
        [("sha256", digest.as_str()), ("not_after", "2025-12-31T00:00:00Z")].into();
    figures.add_certificate(&row);
    let row: HashMap<&str, &str> = [
        ("line", "7"),
        ("mx_host", "mx.example"),
        ("ip", "192.0.2.1"),
        ("cert_sha256", digest.as_str()),
        ("encryption_only", "pass"),
        ("certificate_validation", "fail:expired"),
        ("domain_validation", "fail:expired"),
    ]
    .into();
    let concerns = figures.add_domain(&row);
    let partner = PartnerRow::of(&row, &concerns).unwrap();
    let told = format!("mx.example (192.0.2.1): certificate {digest} ended 2025-12-31T00:00:00Z");
    assert_eq!((partner.evidence, partner.missed_strength), (told, "CertificateValidation"));
}

#[test]
fn partners_of_one_operator_stand_together() {
    let mut figures = Figures::new(AT);
    for (line, operator) in [("1", "b.example"), ("2", "a.example"), ("3", "b.example")] {
        let row: HashMap<&str, &str> =
            [("line", line), ("delivery", "plaintext"), ("mx_operator", operator)].into();
        figures.add_domain(&row);
    }
    let lines: Vec<u64> = figures.domains.partners.gravest().iter().map(|partner| partner.line).collect();
    assert_eq!(lines, [2, 1, 3]);
}
