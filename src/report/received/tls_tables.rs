//! Handshakes and sessions on the page, counted.

use super::figures::ReceivedFigures;
use crate::report::document::{
    COUNT_ROWS_MAX, CaptionedTable, CountedUnits, DocumentBlock, ReportCell, Section, Tone, counts, cut_note,
    paragraph,
};

/// What was offered and agreed.
pub(super) fn agreed(figures: &ReceivedFigures) -> Section {
    let tables = [
        ("The newest version of the ClientHello", "Version", &figures.offered, "tls.offer"),
        ("Versions that were agreed", "Version", &figures.versions, "tls.version"),
        ("Cipher suites that were agreed", "Suite", &figures.suites, "tls.suite"),
        ("Groups of the key exchange that were agreed", "Group", &figures.groups, "tls.group"),
    ];
    let mut blocks = vec![paragraph(
        "The client offers, and mxray chooses as a current server does. What a client offers besides is in sessions.jsonl.",
    )];
    for (caption, name, tally, key) in tables {
        let place = format!("sessions.jsonl: {key}");
        blocks.extend(counts(caption, name, &CountedUnits::Sessions(tally), &place));
    }
    Section { id: "tls", part: None, title: "Versions, suites and groups".to_string(), blocks }
}

/// Handshakes that came to nothing, and who ended them.
pub(super) fn failures(figures: &ReceivedFigures, has_fault: bool) -> Option<Section> {
    let (sorted, total) = (figures.failures.sorted(), figures.failures.total());
    let rows: Vec<Vec<ReportCell>> = sorted
        .iter()
        .take(COUNT_ROWS_MAX)
        .map(|(told, count)| {
            let (side, what) = told.split_once(": ").unwrap_or((told, ""));
            vec![
                ReportCell::text(side),
                ReportCell::text(what),
                ReportCell::Count(*count),
                ReportCell::Share(*count, total, Tone::Held),
            ]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let complete = "All of them are in sessions.jsonl: tls.failure.";
    let note = cut_note(rows.len(), sorted.len() as u64, "kind", complete);
    let lead = if has_fault {
        "This run did something wrong on purpose. That a client ends the handshake over it may be what it should do."
    } else {
        "Who ended a handshake is told by what was said last. A limit of mxray is no fault of the client."
    };
    Some(Section {
        id: "failures",
        part: None,
        title: "Handshakes that failed".to_string(),
        blocks: vec![
            paragraph(lead),
            DocumentBlock::Table(CaptionedTable {
                caption: "Handshakes that came to nothing, by who ended them".to_string(),
                columns: vec!["Who ended it", "How", "Sessions", "Share"],
                rows,
                note,
                wordy: true,
            }),
        ],
    })
}

/// How sessions ended, and what else was seen.
pub(super) fn sessions(figures: &ReceivedFigures) -> Option<Section> {
    let ends = counts(
        "How sessions ended",
        "What",
        &CountedUnits::Sessions(&figures.ends),
        "sessions.jsonl: dialogue.end",
    );
    let blocks: Vec<DocumentBlock> = ends.into_iter().chain(manners(figures)).collect();
    let title = "Sessions".to_string();
    (!blocks.is_empty()).then_some(Section { id: "sessions", part: None, title, blocks })
}

/// Not each session has one, and some have several: shares are of all sessions.
fn manners(figures: &ReceivedFigures) -> Option<DocumentBlock> {
    let rows = figures.manners.sorted().into_iter().map(|(what, count)| {
        vec![
            ReportCell::text(what),
            ReportCell::Count(count),
            ReportCell::Share(count, figures.sessions, Tone::Plain),
        ]
    });
    let rows: Vec<Vec<ReportCell>> = rows.collect();
    (!rows.is_empty()).then(|| {
        DocumentBlock::Table(CaptionedTable {
            caption: "What else clients did".to_string(),
            columns: vec!["What", "Sessions", "Share"],
            rows,
            note: None,
            wordy: false,
        })
    })
}
