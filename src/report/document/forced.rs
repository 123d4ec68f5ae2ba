//! With how many partners TLS could be forced, what stops the rest, and what mends it.

use super::elements::{COUNT_ROWS_MAX, CaptionedTable, DocumentBlock, ReportCell, Section, Tone, paragraph};
use crate::model::text::grouped;
use crate::report::figures::Figures;
use crate::report::render::counted;
use crate::report::words::words;

/// The strengths, weakest first, with what they demand.
const STRENGTHS: [(&str, &str); 3] = [
    ("EncryptionOnly", "Mail goes through TLS or not at all, whoever answers."),
    ("CertificateValidation", "And the host shows a certificate of an authority that the sender trusts."),
    ("DomainValidation", "And the certificate bears the recipient's own domain."),
];

pub(super) fn section(figures: &Figures) -> Section {
    let forced = &figures.domains.forced;
    let mut rows = Vec::new();
    for ((name, demands), strength) in STRENGTHS.iter().zip(&forced.strengths) {
        rows.push(vec![
            ReportCell::Titled((*name).to_string(), (*demands).to_string()),
            ReportCell::Count(strength.pass),
            ReportCell::Share(strength.pass, forced.partners, Tone::Good),
            ReportCell::Count(strength.fail),
            ReportCell::Count(strength.undetermined),
        ]);
    }
    let table = CaptionedTable {
        caption: format!(
            "With how many of {} TLS could be forced today, at this strength at least",
            counted(forced.partners, "partner")
        ),
        columns: vec!["Strength at least", "Would pass", "Share", "Would fail", "Not determined"],
        rows,
        note: Some(
            "Which partners these are: the columns encryption_only, certificate_validation and domain_validation of \
             domains.csv, as in mxray export RUN_DIR --format csv --where certificate_validation=pass --columns \
             domain. Domains that are known to take no mail fail there, too, and are not counted here."
                .to_string(),
        ),
        wordy: false,
    };
    let lead = paragraph(format!(
        "A connector that demands TLS loses no mail with the partners that pass. Each row counts all that pass this \
         strength or a higher one. {} of {} are counted as partners: all but those that are known to take no mail.",
        grouped(forced.partners),
        counted(figures.domains.total, "domain"),
    ));
    let mut blocks = vec![lead, DocumentBlock::Table(table)];
    blocks.extend(connectors(figures).map(DocumentBlock::Table));
    blocks.extend(kept_by_connectors(figures).map(DocumentBlock::Table));
    Section { id: "forced", part: None, title: "With how many TLS could be forced".to_string(), blocks }
}

/// Where a file of connectors was judged.
fn connectors(figures: &Figures) -> Option<CaptionedTable> {
    let (found, whole) = (&figures.domains.connectors, figures.domains.connectors.total());
    let row = |(name, count): (&str, u64)| {
        let tone = match name {
            "delivered" => Tone::Good,
            "undetermined" => Tone::Open,
            _ => Tone::Held,
        };
        vec![
            ReportCell::Code(name.to_string()),
            ReportCell::Count(count),
            ReportCell::Share(count, whole, tone),
        ]
    };
    (whole > 0).then(|| CaptionedTable {
        caption: "What becomes of mail under the connectors of this run".to_string(),
        columns: vec!["Mail", "Domains", "Share"],
        rows: found.sorted().into_iter().map(row).collect(),
        note: Some("Which connector takes a domain is in the column connector of domains.csv.".to_string()),
        wordy: false,
    })
}

/// Why mail is not delivered under them.
fn kept_by_connectors(figures: &Figures) -> Option<CaptionedTable> {
    let (reasons, whole) = (figures.domains.connector_reasons.sorted(), figures.domains.connectors.total());
    let row = |(name, count): &(&str, u64)| {
        let found = words(name);
        vec![
            ReportCell::Titled((*name).to_string(), found.map_or("", |words| words.means).to_string()),
            ReportCell::Count(*count),
            ReportCell::Share(*count, whole, Tone::Held),
            ReportCell::text(found.map_or("", |words| words.mends)),
        ]
    };
    (!reasons.is_empty()).then(|| CaptionedTable {
        caption: "Why mail under these connectors is not delivered, or not known to be".to_string(),
        columns: vec!["Cause", "Domains", "Share", "What mends it"],
        rows: reasons.iter().take(COUNT_ROWS_MAX).map(row).collect(),
        note: Some("Whom mail is kept from is among the partners to write to.".to_string()),
        wordy: false,
    })
}

/// What stops the rest.
pub(super) fn mending(figures: &Figures) -> Section {
    let forced = &figures.domains.forced;
    let sorted = forced.stops.sorted();
    let rows: Vec<Vec<ReportCell>> = sorted
        .iter()
        .take(COUNT_ROWS_MAX)
        .map(|(name, count)| {
            let (settings, cause) = name.split_once(": ").unwrap_or((name, ""));
            let found = words(cause);
            vec![
                ReportCell::Titled(cause.to_string(), found.map_or("", |words| words.means).to_string()),
                ReportCell::text(settings),
                ReportCell::Count(*count),
                ReportCell::Share(*count, forced.partners, Tone::Held),
                ReportCell::text(found.map_or("", |words| words.mends)),
            ]
        })
        .collect();
    let note = (sorted.len() > COUNT_ROWS_MAX).then(|| {
        format!(
            "{COUNT_ROWS_MAX} of {} are shown; the others stop {}. All of them are in the columns encryption_only, \
             certificate_validation and domain_validation of domains.csv.",
            counted(sorted.len() as u64, "cause"),
            counted(sorted.iter().skip(COUNT_ROWS_MAX).map(|(_, count)| count).sum(), "partner"),
        )
    });
    let open = forced.open.total();
    let mut blocks = vec![paragraph(
        "Each partner is counted once, by what stops the first strength that it does not pass. What mends it is \
         mostly the partner's to do.",
    )];
    if rows.is_empty() {
        blocks = vec![paragraph("Nothing is known that stops any partner.")];
    } else {
        blocks.push(DocumentBlock::Table(CaptionedTable {
            caption: "What stops the next strength".to_string(),
            columns: vec!["Cause", "Stops", "Partners", "Share", "What mends it"],
            rows,
            note,
            wordy: true,
        }));
    }
    if open > 0 {
        blocks.push(paragraph(format!(
            "Of {} the next strength is not determined; the causes are told under Not determined.",
            counted(open, "more partner")
        )));
    }
    Section {
        id: "mending",
        part: None,
        title: "What stops the rest, and what would mend it".to_string(),
        blocks,
    }
}
