//! What whoever studies mail wants of a run.

use super::counts::{CountedUnits, counts};
use super::elements::{CaptionedTable, DocumentBlock, ReportCell, Section, Tone, paragraph, per_cent};
use crate::model::text::grouped;
use crate::report::figures::{Figures, TIMED};
use crate::report::render::counted;
use crate::report::tally::Tally;

/// Operators that stand on the page.
const OPERATORS_SHOWN_MAX: usize = 20;

pub(super) fn sections(figures: &Figures) -> Vec<Section> {
    vec![
        handshake(figures),
        certificates(figures),
        operators(figures),
        policies(figures),
        failures(figures),
        timings(figures),
    ]
}

fn section(id: &'static str, title: &str, lead: String, tables: Vec<Option<DocumentBlock>>) -> Section {
    let blocks = std::iter::once(paragraph(lead)).chain(tables.into_iter().flatten()).collect();
    Section { id, part: None, title: title.to_string(), blocks }
}

/// Whether the key exchange of a group withstands a quantum computer: those with
/// ML-KEM in them (FIPS 203).
fn is_post_quantum(group: &str) -> bool {
    group.contains("MLKEM")
}

fn handshake(figures: &Figures) -> Section {
    let (domains, endpoints) = (&figures.domains, &figures.endpoints);
    let (own, theirs) = (&domains.handshake, &endpoints.handshake);
    let post_quantum = |groups: &Tally| -> u64 {
        groups.sorted().iter().filter(|(name, _)| is_post_quantum(name)).map(|(_, count)| count).sum()
    };
    let lead = format!(
        "What the scanner's own handshake met, which offers TLS 1.3 and 1.2 with modern suites. Domains are counted by \
         their best host; an endpoint is counted once, however many domains it serves. Post-quantum key exchange (groups \
         with ML-KEM): {} of the domains whose group is known, {} of the endpoints.",
        per_cent(post_quantum(&own.groups), own.groups.total()),
        per_cent(post_quantum(&theirs.groups), theirs.groups.total()),
    );
    let tables = met(figures).into_iter().chain(sent(figures)).collect();
    section("handshake", "TLS: versions, suites, groups", lead, tables)
}

/// What the scanner's own handshake met.
fn met(figures: &Figures) -> Vec<Option<DocumentBlock>> {
    let (own, theirs) = (&figures.domains.handshake, &figures.endpoints.handshake);
    let endpoints = &figures.endpoints;
    vec![
        counts(
            "TLS versions",
            "Version",
            &CountedUnits::Both(&own.versions, &theirs.versions),
            "endpoints.csv: tls_version",
        ),
        counts(
            "Cipher suites",
            "Suite",
            &CountedUnits::Both(&own.suites, &theirs.suites),
            "endpoints.csv: cipher_suite",
        ),
        counts(
            "Key exchange groups",
            "Group",
            &CountedUnits::Both(&own.groups, &theirs.groups),
            "endpoints.csv: key_exchange_group",
        ),
        counts(
            "Forward secrecy of the best that the server agreed to",
            "Ephemeral",
            &CountedUnits::Both(&own.forward_secrecy, &theirs.forward_secrecy),
            "endpoints.csv: forward_secrecy",
        ),
        counts(
            "Classes of suites",
            "Class",
            &CountedUnits::Endpoints(&endpoints.suite_classes),
            "endpoints.csv: cipher_suite_class",
        ),
        counts(
            "Schemes of the server's handshake signature",
            "Scheme",
            &CountedUnits::Endpoints(&endpoints.signature_schemes),
            "endpoints.csv: signature_scheme",
        ),
    ]
}

/// What the sender would get.
fn sent(figures: &Figures) -> Vec<Option<DocumentBlock>> {
    let domains = &figures.domains;
    vec![
        counts(
            "Version that the sender would get",
            "Version",
            &CountedUnits::Domains(&domains.sent_versions),
            "domains.csv: delivery_tls_version",
        ),
        counts(
            "Suite that the sender would get",
            "Suite",
            &CountedUnits::Domains(&domains.sent_suites),
            "domains.csv: delivery_cipher_suite",
        ),
        counts(
            "Group that the sender would get",
            "Group",
            &CountedUnits::Domains(&domains.sent_groups),
            "domains.csv: delivery_key_exchange_group",
        ),
    ]
}

fn certificates(figures: &Figures) -> Section {
    let (own, theirs) = (&figures.domains.handshake, &figures.endpoints.handshake);
    let found = &figures.certificates;
    let unreadable = match found.unreadable {
        0 => String::new(),
        count => format!(" Of {} not all could be read.", counted(count, "certificate")),
    };
    let lead = format!(
        "Chain, dates, name and key are judged apart: a certificate may be good in one and bad in another. {} were seen, \
         {} of them no authority's.{unreadable}",
        counted(found.total, "distinct certificate"),
        grouped(found.leaves),
    );
    let tables = vec![
        counts("Chain", "Chain", &CountedUnits::Both(&own.chain, &theirs.chain), "endpoints.csv: cert_chain"),
        counts("Dates", "Dates", &CountedUnits::Both(&own.dates, &theirs.dates), "endpoints.csv: cert_dates"),
        counts(
            "Name: whether the certificate bears that of the MX host, else the domain's",
            "Name",
            &CountedUnits::Both(&own.name, &theirs.name),
            "domains.csv: cert_name",
        ),
        counts(
            "Key (RFC 9325 §4.5)",
            "Key",
            &CountedUnits::Both(&own.key, &theirs.key),
            "endpoints.csv: cert_key",
        ),
        counts(
            "Keys, by distinct certificate",
            "Key",
            &CountedUnits::Certificates(&found.keys),
            "certificates.csv: key_algorithm, key_bits",
        ),
        counts(
            "Signed with, by distinct certificate",
            "Algorithm",
            &CountedUnits::Certificates(&found.signatures),
            "certificates.csv: signature_algorithm",
        ),
        counts(
            "Issuers, by distinct certificate",
            "Issuer",
            &CountedUnits::Certificates(&found.issuers),
            "certificates.csv: issuer",
        ),
    ];
    section("certificates", "Certificates", lead, tables)
}

fn operators(figures: &Figures) -> Section {
    let found = &figures.domains.operators;
    let top = found.top(OPERATORS_SHOWN_MAX, |row| row.domains);
    let rows: Vec<Vec<ReportCell>> = top
        .iter()
        .map(|(name, row)| {
            let weakest = match &row.weakest {
                Some(weakest) => ReportCell::Titled(weakest.clone(), row.weakest_host.clone()),
                None => ReportCell::text("–"),
            };
            vec![
                ReportCell::text(*name),
                ReportCell::Count(row.domains),
                ReportCell::Share(row.encrypted, row.domains, Tone::Good),
                ReportCell::Count(row.in_clear),
                ReportCell::Count(row.undetermined),
                weakest,
            ]
        })
        .collect();
    let lead = format!(
        "An operator is the registrable domain of the host that decides; there are {}. {} no host with a name{}. The \
         weakest host is the weakest of the operator's own that take mail, by what the sender would get.",
        grouped(found.count() as u64),
        match found.without {
            1 => "1 domain has".to_string(),
            count => format!("{} domains have", grouped(count)),
        },
        match found.beyond {
            0 => String::new(),
            count => format!(", and {} belong to operators beyond those that are told apart", grouped(count)),
        },
    );
    let note = (found.count() > rows.len()).then(|| {
        format!(
            "The {} largest of {} are shown. All of them are in domains.csv: mx_operator.",
            rows.len(),
            counted(found.count() as u64, "operator")
        )
    });
    let table = (!rows.is_empty()).then(|| {
        DocumentBlock::Table(CaptionedTable {
            caption: "MX operators and their weakest host".to_string(),
            columns: vec![
                "MX operator",
                "Domains",
                "Encrypted",
                "In clear",
                "Not determined",
                "Weakest host",
            ],
            rows,
            note,
            wordy: true,
        })
    });
    section("operators", "Operators", lead, vec![table])
}

fn policies(figures: &Figures) -> Section {
    let domains = &figures.domains;
    let all = [
        (
            "By what the sender knows the host, of mail that goes through TLS",
            &domains.authenticated,
            "authenticated",
        ),
        ("DANE: how the host that decides stands to its TLSA records", &domains.dane, "dane"),
        ("MTA-STS: how the domain stands to its policy", &domains.mta_sts, "mta_sts"),
        ("TLS-RPT: whether the domain asks for reports", &domains.tls_rpt, "tls_rpt"),
        ("DNSSEC: whether a resolver vouches for the MX records", &domains.dnssec_mx, "dnssec_mx"),
    ];
    let missing: Vec<&str> =
        all.iter().filter(|(_, tally, _)| tally.total() == 0).map(|(_, _, column)| *column).collect();
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!(" Nothing was asked or recorded of {}.", missing.join(", "))
    };
    let lead = format!(
        "What domains publish, and whether it holds. Domains without a host are not counted.{missing}"
    );
    let table = |(caption, tally, column): &(&str, &Tally, &str)| {
        counts(caption, "Value", &CountedUnits::Domains(tally), &format!("domains.csv: {column}"))
    };
    section("policies", "Policies: DANE, MTA-STS, TLS-RPT", lead, all.iter().map(table).collect())
}

fn failures(figures: &Figures) -> Section {
    let (own, theirs) = (&figures.domains.handshake.outcomes, &figures.endpoints.handshake.outcomes);
    let lead = "Where the scanner's own dialogue ended: the phase, and what ended it. docs/outcomes.md says what each \
                means. That a dialogue failed is not yet an answer about TLS."
        .to_string();
    let by_phase = |tally: &Tally| {
        let mut phases = Tally::default();
        for (name, count) in tally.sorted() {
            phases.add_borrowed_many(phase(name), count);
        }
        phases
    };
    let (own_phases, their_phases) = (by_phase(own), by_phase(theirs));
    let tables = vec![
        counts(
            "Where dialogues ended, by phase",
            "Phase",
            &CountedUnits::Both(&own_phases, &their_phases),
            "endpoints.csv: phase",
        ),
        counts("And how", "Outcome", &CountedUnits::Both(own, theirs), "endpoints.csv: phase, outcome"),
    ];
    section("failures", "Failures by phase", lead, tables)
}

/// The phase of `starttls_not_offered`.
fn phase(outcome: &str) -> &str {
    let known = crate::model::Phase::ALL.iter().map(|phase| phase.name());
    let fits = |phase: &&str| outcome.strip_prefix(*phase).is_some_and(|rest| rest.starts_with('_'));
    known.filter(fits).max_by_key(|phase| phase.len()).unwrap_or(outcome)
}

fn timings(figures: &Figures) -> Section {
    let rows: Vec<Vec<ReportCell>> = TIMED
        .iter()
        .zip(figures.endpoints.timings.percentiles())
        .filter(|(_, (count, _))| *count > 0)
        .map(|((_, title), (count, [median, ninetieth, last]))| {
            let mut cells = vec![ReportCell::text(*title), ReportCell::Count(count)];
            cells.extend([median, ninetieth, last].map(ReportCell::Time));
            cells
        })
        .collect();
    let lead =
        "Of the endpoints that were asked. A median is what half of them took at most; within one per cent."
            .to_string();
    let table = (!rows.is_empty()).then(|| {
        DocumentBlock::Table(CaptionedTable {
            caption: "How long the parts of a dialogue took, in milliseconds".to_string(),
            columns: vec!["Part", "Endpoints", "Median", "90 %", "99 %"],
            rows,
            note: Some(
                "Every endpoint's own times are in endpoints.csv: connect_us and its neighbours.".to_string(),
            ),
            wordy: false,
        })
    });
    section("timings", "Timings", lead, vec![table])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_tells_its_phase() {
        for (outcome, expected) in [
            ("ok", "ok"),
            ("tls_alert", "tls"),
            ("after_tls_closed", "after_tls"),
            ("starttls_refused", "starttls"),
        ] {
            assert_eq!(phase(outcome), expected);
        }
    }

    #[test]
    fn groups_with_ml_kem_are_post_quantum() {
        assert!(is_post_quantum("X25519MLKEM768") && is_post_quantum("MLKEM1024"));
        assert!(!is_post_quantum("x25519") && !is_post_quantum("secp256r1"));
    }
}
