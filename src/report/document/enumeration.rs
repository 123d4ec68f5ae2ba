//! What servers take of old and new, where that was asked (`--enumerate`).

use super::elements::{
    COUNT_ROWS_MAX, CaptionedTable, DocumentBlock, ReportCell, Section, Tone, cut_note, paragraph,
};
use crate::report::figures::{EnumerationFigures, Figures};
use crate::report::render::counted;
use crate::report::tally::Tally;

/// `None` of a run that enumerated nothing.
pub(super) fn section(figures: &Figures) -> Option<Section> {
    let found = &figures.enumeration;
    if found.endpoints == 0 {
        return None;
    }
    let lead = format!(
        "The suites and groups of {} were enumerated: everything that these take, not only what they choose first. An \
         endpoint that takes several stands in several rows, and shares are those of the enumerated endpoints.",
        counted(found.endpoints, "endpoint")
    );
    let suites = "suites.csv: cipher_suite";
    let tables = [
        table(
            found,
            "TLS versions in which a suite is taken",
            "Version",
            &found.versions,
            "suites.csv: tls_version",
        ),
        table(
            found,
            "Classes of which a suite is taken",
            "Class",
            &found.classes,
            "suites.csv: cipher_suite_class",
        ),
        table(found, "Suites taken", "Suite", &found.suites, suites),
        table(found, "Groups taken", "Group", &found.groups, "groups.csv: key_exchange_group"),
        table(
            found,
            "Whose order of suites decides",
            "Whose",
            &found.preference,
            "suites.csv: cipher_preference",
        ),
        table(
            found,
            "Lists of suites: whether they are complete",
            "Lists",
            &found.completeness,
            "suites.csv: incomplete_reason",
        ),
        table(
            found,
            "Lists of groups: whether they are complete",
            "Lists",
            &found.group_completeness,
            "groups.csv: incomplete_reason",
        ),
    ];
    let blocks = std::iter::once(paragraph(lead)).chain(tables.into_iter().flatten()).collect();
    let title = "TLS: everything that servers take".to_string();
    Some(Section { id: "enumeration", part: None, title, blocks })
}

fn table(
    found: &EnumerationFigures,
    caption: &str,
    column: &'static str,
    tally: &Tally,
    source: &str,
) -> Option<DocumentBlock> {
    let all = tally.sorted();
    if all.is_empty() {
        return None;
    }
    let row = |(name, count): &(&str, u64)| {
        vec![
            ReportCell::Code((*name).to_string()),
            ReportCell::Count(*count),
            ReportCell::Share(*count, found.endpoints, Tone::Plain),
        ]
    };
    let rows: Vec<Vec<ReportCell>> = all.iter().take(COUNT_ROWS_MAX).map(row).collect();
    let complete = format!("All of them are in {source}.");
    Some(DocumentBlock::Table(CaptionedTable {
        caption: caption.to_string(),
        columns: vec![column, "Endpoints", "Share"],
        note: cut_note(rows.len(), all.len() as u64, "name", &complete),
        rows,
        wordy: false,
    }))
}
