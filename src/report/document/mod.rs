//! A report as a document: titles, paragraphs and tables, before anybody decides how
//! they look. What is said is said here once, for every form.

mod about;
mod certificates;
mod counts;
mod delivery;
mod elements;
mod enumeration;
mod forced;
mod open;
mod partners;
mod research;

#[cfg(test)]
mod tests;

pub use about::{AboutRun, TablesBeside};
pub(in crate::report) use counts::{CountedUnits, counts};
pub use elements::{
    COUNT_ROWS_MAX, CaptionedTable, Document, DocumentBlock, PartShare, PartsUnit, ReportCell, Section, Tone,
    milliseconds, per_cent,
};
pub(in crate::report) use elements::{cut_note, paragraph};
pub use partners::{EXPIRING_HEADER, PARTNERS_HEADER, expiring_record, partner_records};

use super::figures::Figures;
use super::render::counted;
use crate::model::text::grouped;

/// All of a report.
pub fn document(figures: &Figures, about: &AboutRun) -> Document {
    let total = figures.domains.total;
    let mut sections = vec![
        delivery::section(figures),
        forced::section(figures),
        forced::mending(figures),
        partners::section(figures, about.beside.as_ref()),
        certificates::expiring(figures, about.beside.as_ref()),
    ];
    begin_part("For whoever runs mail", &mut sections);
    let mut research = research::sections(figures);
    // Behind what servers choose first.
    research.splice(1..1, enumeration::section(figures));
    research.push(open::section(figures));
    research.push(about.section());
    begin_part("For whoever studies mail", &mut research);
    sections.extend(research);
    Document {
        title: format!("Mail to {}: what becomes of it", counted(total, "domain")),
        subtitle: about.subtitle(),
        notices: about
            .notices
            .iter()
            .cloned()
            .chain(of_endpoints(figures))
            .chain(under_connectors(figures))
            .chain(sampled(figures))
            .collect(),
        unit: PartsUnit::DOMAINS,
        parts: delivery::parts(figures),
        sections,
    }
}

/// That no mail domain was listed.
fn of_endpoints(figures: &Figures) -> Option<String> {
    (figures.domains.listed_endpoints > 0).then(|| {
        format!(
            "The list named {}, and no mail domains: each is counted here as a domain, and as a partner. No MX record was \
             looked up for it.",
            counted(figures.domains.listed_endpoints, "endpoint")
        )
    })
}

/// What the first figures leave out.
fn under_connectors(figures: &Figures) -> Option<String> {
    let found = &figures.domains.connectors;
    let kept = found.get("deferred") + found.get("undeliverable");
    (found.total() > 0).then(|| {
        format!(
            "These figures are of mail without a connector. The connectors of this run take {}; under them mail to {} \
             is kept back.",
            counted(found.total(), "domain"),
            grouped(kept),
        )
    })
}

/// For how many a sample stands.
fn sampled(figures: &Figures) -> Option<String> {
    let (endpoints, domains) = (&figures.endpoints, &figures.domains);
    (endpoints.not_asked > 0).then(|| {
        format!(
            "A sample stands for many names on one address: {} of {} were not asked, and decide {} of {} ({}). What \
             hangs on their certificates is not determined.",
            grouped(endpoints.not_asked),
            counted(endpoints.total, "endpoint"),
            grouped(domains.not_asked),
            counted(domains.total, "domain"),
            per_cent(domains.not_asked, domains.total),
        )
    })
}

fn begin_part(title: &'static str, sections: &mut [Section]) {
    if let Some(first) = sections.first_mut() {
        first.part = Some(title);
    }
}
