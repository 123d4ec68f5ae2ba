//! Which partners to write to, and what to ask of them.

use super::about::TablesBeside;
use super::elements::{CaptionedTable, DocumentBlock, ReportCell, Section, Tone, cut_note, paragraph};
use crate::model::text::grouped;
use crate::report::figures::{Concern, ConcernKind, ExpiringCertificate, Figures, PartnerRow};
use crate::report::render::counted;
use crate::report::words::{WordMeaning, request, words};
use jiff::Timestamp;

/// Operators that stand on the page.
const OPERATORS_SHOWN_MAX: usize = 10;

/// Characters of evidence that stand on the page, an ellipsis included; the CSV has all.
const EVIDENCE_CHARS_MAX: usize = 300;

/// Columns of the CSV of partners.
pub const PARTNERS_HEADER: [&str; 9] =
    ["line", "domain", "mx_operator", "finding", "code", "meaning", "ask", "evidence", "missed_strength"];

/// Columns of the CSV of certificates that have ended or end soon.
pub const EXPIRING_HEADER: [&str; 6] =
    ["not_after", "cert_sha256", "mx_host", "mx_operator", "domains", "first_domain"];

/// The rows of the CSV: one for each thing that is wrong at a domain.
pub fn partner_records(partner: &PartnerRow) -> impl Iterator<Item = [String; 9]> + '_ {
    partner.concerns.iter().map(|concern| {
        let found = told(concern);
        [
            partner.line.to_string(),
            partner.domain.clone(),
            partner.operator.clone(),
            concern.kind.name().to_string(),
            concern.code.clone(),
            found.means.to_string(),
            request(found.mends),
            partner.evidence.clone(),
            partner.missed_strength.to_string(),
        ]
    })
}

/// The row of the CSV of a certificate.
pub fn expiring_record(certificate: &ExpiringCertificate) -> [String; 6] {
    [
        moment(certificate.not_after),
        certificate.sha256.clone(),
        certificate.mx_host.clone(),
        certificate.operator.clone(),
        certificate.domains.to_string(),
        certificate.domain.clone(),
    ]
}

/// `2026-01-31T23:59:59Z`.
pub(super) fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string())
}

/// What it is, and what to ask.
fn told(concern: &Concern) -> WordMeaning {
    let own = match concern.kind {
        ConcernKind::EndsSoon => Some(WordMeaning {
            means: "The certificate ends within 30 days.",
            mends: "The partner looks whether it is renewed in time.",
        }),
        _ => words(&concern.code),
    };
    own.unwrap_or(WordMeaning { means: "", mends: "" })
}

pub(super) fn section(figures: &Figures, beside: Option<&TablesBeside>) -> Section {
    let partners = &figures.domains.partners;
    let title = "Which partners to write to".to_string();
    if partners.total == 0 {
        let blocks = vec![paragraph("Nothing was found that a partner would have to mend.")];
        return Section { id: "partners", part: None, title, blocks };
    }
    let blocks = vec![
        paragraph(format!(
            "At {} of {} something was found that the partner can mend, or that speaks of a wrong name in your own \
             list. What is not determined is not among them: it is nobody's fault before it is known.",
            grouped(partners.total),
            counted(figures.domains.total, "domain"),
        )),
        DocumentBlock::Table(kinds(figures)),
    ];
    let mut blocks = blocks;
    blocks.extend(operators(figures).map(DocumentBlock::Table));
    blocks.push(DocumentBlock::Table(domains(figures, beside)));
    Section { id: "partners", part: None, title, blocks }
}

fn kinds(figures: &Figures) -> CaptionedTable {
    let total = figures.domains.total;
    let tone = |kind| match kind {
        ConcernKind::KeptByConnector | ConcernKind::InClear | ConcernKind::OneHostInClear => Tone::Bad,
        ConcernKind::NoMail => Tone::Plain,
        _ => Tone::Held,
    };
    let counts = ConcernKind::ALL.into_iter().zip(figures.domains.concerns).filter(|(_, count)| *count > 0);
    let rows = counts
        .map(|(kind, count)| {
            vec![
                ReportCell::text(kind.title()),
                ReportCell::Count(count),
                ReportCell::Share(count, total, tone(kind)),
            ]
        })
        .collect();
    CaptionedTable {
        caption: "What was found, gravest first; a domain with several findings stands in several rows"
            .to_string(),
        columns: vec!["Finding", "Domains", "Share"],
        rows,
        ..CaptionedTable::default()
    }
}

/// Where one letter mends much.
fn operators(figures: &Figures) -> Option<CaptionedTable> {
    let top = figures.domains.operators.top(OPERATORS_SHOWN_MAX, |row| row.concerned);
    // A list of domains that serve themselves says nothing.
    let several: Vec<_> = top.into_iter().filter(|(_, row)| row.concerned > 1).collect();
    let rows: Vec<Vec<ReportCell>> = several
        .iter()
        .map(|(name, row)| {
            let counts = ConcernKind::ALL.iter().zip(row.concerns);
            let commonest = counts.rev().max_by_key(|(_, count)| *count);
            vec![
                ReportCell::text(*name),
                ReportCell::Count(row.concerned),
                ReportCell::Share(row.concerned, row.domains, Tone::Held),
                ReportCell::text(commonest.map_or("", |(kind, _)| kind.title())),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| CaptionedTable {
        caption: "Operators of mail hosts by domains with a finding: where one letter mends most".to_string(),
        columns: vec!["MX operator", "Domains with a finding", "Share of its domains", "Commonest finding"],
        rows,
        note: Some(format!(
            "At most {OPERATORS_SHOWN_MAX} operators, those of one such domain left out. Every domain with its \
             operator is in domains.csv."
        )),
        wordy: false,
    })
}

fn domains(figures: &Figures, beside: Option<&TablesBeside>) -> CaptionedTable {
    let partners = &figures.domains.partners;
    let gravest = partners.gravest();
    let complete = match beside {
        Some(beside) => format!("All of them, with every finding, are in {}.", beside.partners),
        None => {
            "mxray report RUN_DIR -o FILE writes all of them, with every finding, to a table beside the page."
                .to_string()
        }
    };
    CaptionedTable {
        caption: "Partners by the gravest finding, those of an operator together".to_string(),
        columns: vec!["Domain", "MX operator", "Finding", "Evidence", "What to ask"],
        rows: gravest.iter().map(|partner| row(partner)).collect(),
        note: cut_note(gravest.len(), partners.total, "domain", &complete).or(Some(complete)),
        wordy: true,
    }
}

fn row(partner: &PartnerRow) -> Vec<ReportCell> {
    let (title, found) = match partner.concerns.first() {
        Some(gravest) => (gravest.kind.title(), told(gravest)),
        None => ("", WordMeaning { means: "", mends: "" }),
    };
    let others: Vec<&str> = partner.concerns.iter().skip(1).map(|concern| concern.kind.title()).collect();
    let also = if others.is_empty() { String::new() } else { format!(" Also: {}.", others.join("; ")) };
    vec![
        ReportCell::text(&partner.domain),
        ReportCell::text(&partner.operator),
        ReportCell::Titled(title.to_string(), format!("{}{also}", found.means)),
        ReportCell::text(cut(&partner.evidence)),
        ReportCell::text(request(found.mends)),
    ]
}

fn cut(text: &str) -> String {
    if text.chars().count() <= EVIDENCE_CHARS_MAX {
        return text.to_string();
    }
    text.chars().take(EVIDENCE_CHARS_MAX - 1).chain(['…']).collect()
}
