//! What is not determined, with its cause.

use super::counts::{CountedUnits, counts};
use super::elements::{
    COUNT_ROWS_MAX, CaptionedTable, DocumentBlock, ReportCell, Section, Tone, cut_note, paragraph,
};
use crate::model::text::grouped;
use crate::report::figures::Figures;
use crate::report::render::counted;
use crate::report::tally::Tally;
use crate::report::words::words;

pub(super) fn section(figures: &Figures) -> Section {
    let domains = &figures.domains;
    let open = domains.deliveries.get("undetermined");
    let lead = format!(
        "Of {} of {} it is not known what becomes of mail, and of {} of {} not whether the next strength of forced TLS \
         would pass. A server that is silent, turns us away or hangs up has not said that it has no TLS: such answers \
         stand here, and are counted nowhere as yes or no.",
        grouped(open),
        counted(domains.total, "domain"),
        grouped(domains.forced.open.total()),
        counted(domains.forced.partners, "partner"),
    );
    let of_mail = of_mail(&domains.reasons);
    let mut blocks = vec![paragraph(lead)];
    blocks.extend(table(
        "Why it is not known what becomes of mail",
        "Domains",
        &of_mail,
        domains.total,
        "reason",
    ));
    blocks.extend(table(
        "Why it is not known whether the next strength would pass",
        "Partners",
        &domains.forced.open,
        domains.forced.partners,
        "encryption_only, certificate_validation, domain_validation",
    ));
    blocks.extend(counts(
        "What the verdicts rest on: observed in an answer to the sender's own offer, inferred from another, or assumed",
        "Basis",
        &CountedUnits::Domains(&domains.basis),
        "domains.csv: basis",
    ));
    Section { id: "open", part: None, title: "Not determined".to_string(), blocks }
}

/// The reasons of deliveries that are not determined.
fn of_mail(reasons: &Tally) -> Tally {
    let mut open = Tally::default();
    for (name, count) in reasons.sorted() {
        if let Some(reason) = name.strip_prefix("undetermined: ") {
            open.add_borrowed_many(reason, count);
        }
    }
    open
}

fn table(
    caption: &str,
    unit: &'static str,
    tally: &Tally,
    whole: u64,
    columns: &str,
) -> Option<DocumentBlock> {
    let sorted = tally.sorted();
    let row = |(name, count): &(&str, u64)| {
        let cause = name.split_once(": ").map_or(*name, |(_, cause)| cause);
        let found = words(cause);
        vec![
            ReportCell::Titled((*name).to_string(), found.map_or("", |words| words.means).to_string()),
            ReportCell::Count(*count),
            ReportCell::Share(*count, whole, Tone::Open),
            ReportCell::text(found.map_or("", |words| words.mends)),
        ]
    };
    let rows: Vec<Vec<ReportCell>> = sorted.iter().take(COUNT_ROWS_MAX).map(row).collect();
    let complete = format!("All of them are in domains.csv: {columns}.");
    let note = cut_note(rows.len(), sorted.len() as u64, "cause", &complete);
    (!rows.is_empty()).then(|| {
        DocumentBlock::Table(CaptionedTable {
            caption: caption.to_string(),
            columns: vec!["Cause", unit, "Share", "What would tell"],
            rows,
            note,
            wordy: true,
        })
    })
}
