//! What becomes of mail, for the operator.

use super::elements::{COUNT_ROWS_MAX, CaptionedTable, DocumentBlock, PartShare, ReportCell, Section, Tone};
use crate::model::text::grouped;
use crate::report::figures::Figures;
use crate::report::render::counted;
use crate::report::words::words;

/// The deliveries in the order of the page, with what they mean.
const DELIVERIES: [(&str, &str, &str, Tone); 5] = [
    ("encrypted", "Encrypted", "It goes through TLS.", Tone::Good),
    ("plaintext", "In clear", "Anybody on the way can read it.", Tone::Bad),
    ("deferred", "Kept back", "It is kept, tried again, and comes back in the end.", Tone::Held),
    (
        "undeliverable",
        "Comes back",
        "It comes back at once: mostly a domain that takes no mail.",
        Tone::Plain,
    ),
    (
        "undetermined",
        "Not determined",
        "Not known, for a cause that is told; never counted as yes or no.",
        Tone::Open,
    ),
];

/// The whole in its parts.
pub(super) fn parts(figures: &Figures) -> Vec<PartShare> {
    let domains = &figures.domains;
    let share = |(name, title, means, tone): (&str, &str, &'static str, Tone)| PartShare {
        name: title.to_string(),
        means,
        part: domains.deliveries.get(name),
        whole: domains.total,
        tone,
    };
    DELIVERIES.map(share).to_vec()
}

pub(super) fn section(figures: &Figures) -> Section {
    let mut blocks = vec![DocumentBlock::Paragraph(lead(figures))];
    blocks.extend(why_not_encrypted(figures).map(DocumentBlock::Table));
    Section { id: "delivery", part: None, title: "Why mail is not encrypted".to_string(), blocks }
}

fn lead(figures: &Figures) -> String {
    let domains = &figures.domains;
    let weakest = domains.weakest_deliveries.get("plaintext");
    let alone = domains.deliveries.get("plaintext");
    let mut text = "A sender tries the hosts of a domain in their order; what counts here is the first that takes the mail."
        .to_string();
    if weakest > 0 {
        text += &format!(
            " {} at least one host that takes mail in clear; for {} of them that is the host that counts.",
            if weakest == 1 {
                "1 domain has".to_string()
            } else {
                format!("{} domains have", grouped(weakest))
            },
            grouped(alone)
        );
    }
    text
}

/// What is not determined has a part of its own.
fn why_not_encrypted(figures: &Figures) -> Option<CaptionedTable> {
    let domains = &figures.domains;
    let title = |delivery: &str| DELIVERIES.iter().find(|(name, ..)| *name == delivery);
    let sorted = domains.reasons.sorted();
    let known = sorted.iter().filter(|(name, _)| !name.starts_with("undetermined"));
    let mut rows = Vec::new();
    for (name, count) in known.clone().take(COUNT_ROWS_MAX) {
        let (delivery, reason) = name.split_once(": ").unwrap_or((name, ""));
        let (_, title, _, tone) = title(delivery)?;
        let found = words(reason);
        rows.push(vec![
            ReportCell::Titled(reason.to_string(), found.map_or("", |words| words.means).to_string()),
            ReportCell::text(*title),
            ReportCell::Count(*count),
            ReportCell::Share(*count, domains.total, *tone),
            ReportCell::text(found.map_or("", |words| words.mends)),
        ]);
    }
    let (reasons, beyond) = (known.clone().count(), known.skip(COUNT_ROWS_MAX).map(|(_, count)| count).sum());
    let note = (reasons > COUNT_ROWS_MAX).then(|| {
        format!(
            "{} of {} are shown; the others are about {}. All of them are in the column reason of domains.csv.",
            COUNT_ROWS_MAX,
            counted(reasons as u64, "reason"),
            counted(beyond, "domain")
        )
    });
    (!rows.is_empty()).then(|| CaptionedTable {
        caption: "Mail that is not encrypted, by its reason".to_string(),
        columns: vec!["Reason", "Mail", "Domains", "Share", "What mends it"],
        rows,
        note,
        wordy: true,
    })
}
