//! Certificates that end soon.

use super::about::TablesBeside;
use super::elements::{CaptionedTable, DocumentBlock, ReportCell, Section, Tone, cut_note, paragraph};
use super::partners::moment;
use crate::report::figures::{Figures, SOON_DAYS, VERY_SOON_DAYS};
use crate::report::render::counted;

/// Certificates that stand on the page.
const CERTIFICATES_SHOWN_MAX: usize = 50;

pub(super) fn expiring(figures: &Figures, beside: Option<&TablesBeside>) -> Section {
    let found = &figures.certificates;
    let whole = figures.domains.handshake.dates.total();
    let share = |name: String, count| {
        vec![ReportCell::Text(name), ReportCell::Count(count), ReportCell::Share(count, whole, Tone::Held)]
    };
    let counts = CaptionedTable {
        caption: "Domains by the end of the certificate of the host that counts".to_string(),
        columns: vec!["The certificate", "Domains", "Share of those with a certificate"],
        rows: vec![
            share("has ended".to_string(), figures.domains.handshake.dates.get("expired")),
            share(format!("ends within {VERY_SOON_DAYS} days"), found.domains_very_soon),
            share(
                format!("ends within {SOON_DAYS} days, those of {VERY_SOON_DAYS} among them"),
                found.domains_soon,
            ),
        ],
        note: (found.not_kept > 0).then(|| {
            format!("Of {} more it was not kept when they end.", counted(found.not_kept, "certificate"))
        }),
        wordy: false,
    };
    let mut blocks = vec![
        paragraph(
            "Counted from the moment by which the run is judged. Many authorities issue for 90 days and renew a month \
             before the end: within 90 days is usual, within 30 days is worth a look.",
        ),
        DocumentBlock::Table(counts),
    ];
    let expiring = found.expiring();
    if !expiring.is_empty() {
        let rows = expiring.iter().take(CERTIFICATES_SHOWN_MAX).map(|certificate| {
            vec![
                ReportCell::text(moment(certificate.not_after)),
                ReportCell::text(&certificate.mx_host),
                ReportCell::text(&certificate.operator),
                ReportCell::Count(certificate.domains),
                ReportCell::text(&certificate.domain),
            ]
        });
        let complete = match beside {
            Some(beside) => format!("All of them are in {}.", beside.certificates),
            None => "All of them are in certificates.csv: column not_after.".to_string(),
        };
        let rows: Vec<Vec<ReportCell>> = rows.collect();
        blocks.push(DocumentBlock::Table(CaptionedTable {
            caption: format!(
                "Certificates that have ended, or end within {VERY_SOON_DAYS} days, the earliest first"
            ),
            columns: vec!["Ends", "MX host", "MX operator", "Domains", "First domain"],
            note: cut_note(rows.len(), expiring.len() as u64, "certificate", &complete),
            rows,
            wordy: true,
        }));
    }
    Section { id: "expiring", part: None, title: "Certificates that end soon".to_string(), blocks }
}
