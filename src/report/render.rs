//! The summary as a table that a person reads: at most 80 columns wide, no
//! colour, the same text for the same counts.

use super::policies::PolicyTally;
use super::summary::{Counts, OPERATORS_SHOWN, Summary};
use super::tally::{OTHER, Tally};
pub(super) use crate::model::text::counted;
use crate::model::text::grouped;
use std::collections::BTreeSet;

/// Characters of a name beside its numbers; the longest registered suites have
/// 45. A longer one takes of the room for the first number what that leaves.
const NAME_CHARS: usize = 46;
/// Characters of the first number. One that is short of room has a line below the
/// name.
const COUNT_CHARS: usize = 11;
/// Characters of a name on a line of its own.
const LINE_CHARS: usize = 78;
/// Most rows of a section; what is beyond stands in one row.
const SECTION_ROWS_MAX: usize = 24;

/// One row: a name with its count, which has a share, and by endpoint beside
/// that by domain.
struct SummaryRow<'a> {
    name: &'a str,
    count: u64,
    endpoints: Option<u64>,
}

/// What the first column of numbers counts.
#[derive(Clone, Copy)]
enum Unit {
    Domains,
    Endpoints,
}

impl Summary {
    /// What was counted in all.
    pub fn render_totals(&self) -> String {
        format!(
            "{}, {}, {}\n",
            counted(self.domains.total, "domain"),
            counted(self.endpoints.total, "endpoint"),
            counted(self.rejected, "rejected line"),
        )
    }

    /// All tables. Domains are counted by their best endpoint; the shares are those of
    /// the domains of the section.
    pub fn render_tables(&self) -> String {
        let mut out = String::new();
        let (domains, endpoints) = (&self.domains, &self.endpoints);
        section(&mut out, "Delivery (best MX)", &self.deliveries, None);
        self.render_sending(&mut out);
        section(&mut out, "Delivery (weakest MX that answers)", &self.weakest_deliveries, None);
        self.render_policies(&mut out);
        self.render_forced(&mut out);
        for (title, tally) in SHARED {
            section(&mut out, title, tally(domains), Some(tally(endpoints)));
        }
        section(&mut out, "Certificate name", &self.cert_name, None);
        self.render_enumerated(&mut out);
        self.render_operators(&mut out);
        out
    }

    /// For how many a sample stands, if for any.
    pub fn render_not_asked(&self) -> String {
        if self.endpoints_not_asked == 0 {
            return String::new();
        }
        format!(
            "not asked, as a sample of their address stands for them:\n  {} of {} ({} %), which decide {} of {} ({} %)\n",
            grouped(self.endpoints_not_asked),
            counted(self.endpoints.total, "endpoint"),
            share(self.endpoints_not_asked, self.endpoints.total),
            grouped(self.domains_not_asked),
            counted(self.domains.total, "domain"),
            share(self.domains_not_asked, self.domains.total),
        )
    }

    fn render_sending(&self, out: &mut String) {
        let sending = &self.sending;
        section(out, "Encrypted with (suites of the offer declined)", &sending.encrypted_with, None);
        top_section(out, "Why not encrypted", &sending.reasons);
        top_section(out, "Codes that the sender would log", &sending.codes);
        section(out, "What the verdict rests on", &sending.basis, None);
    }

    fn render_policies(&self, out: &mut String) {
        let found = &self.policies;
        for (title, tally) in [
            ("Authenticated by", &found.authenticated),
            ("DANE", &found.dane),
            ("MTA-STS", &found.mta_sts),
            ("TLS-RPT", &found.tls_rpt),
        ] {
            if !PolicyTally::is_unasked(tally) {
                section(out, title, &PolicyTally::classes(tally), None);
            }
        }
        let unasked = found.unasked();
        if !unasked.is_empty() {
            push_line(out, &format!("\nNot asked: {}", unasked.join(", ")));
        }
    }

    fn render_forced(&self, out: &mut String) {
        let forced = &self.forced_tls;
        section(out, "Forced TLS today (highest known to deliver)", &forced.strengths, None);
        top_section(out, "Forced TLS: what stops the next strength", &forced.stops);
        top_section(out, "Forced TLS: why the next is not determined", &forced.open);
        for (settings, count) in forced.at_least.iter() {
            let title = format!("Forced TLS: {settings} at least");
            let rows = [("pass", count.pass), ("fail", count.fail), ("undetermined", count.undetermined)];
            let row = |(name, count)| SummaryRow { name, count, endpoints: None };
            let rows: Vec<_> = rows.into_iter().filter(|(_, count)| *count > 0).map(row).collect();
            table(out, &title, Unit::Domains, &rows, forced.partners);
        }
        section(out, "Under connectors", &forced.connectors, None);
        section(out, "Under connectors: by connector", &self.under_connectors.by_connector, None);
        top_section(out, "Under connectors: why not delivered", &forced.connector_reasons);
        self.render_partners(out);
    }

    /// Partners under connectors, worst first.
    fn render_partners(&self, out: &mut String) {
        let found = &self.under_connectors;
        let shown = found.shown().len().min(SECTION_ROWS_MAX);
        if shown == 0 {
            return;
        }
        push_line(out, &format!("\nUnder connectors: partners ({shown} of {})", grouped(found.partners)));
        for partner in found.shown().take(SECTION_ROWS_MAX) {
            push_line(out, &format!("  {}", cut(&partner.to_string())));
        }
    }

    /// Counted by endpoint: each stands in as many rows as it takes.
    fn render_enumerated(&self, out: &mut String) {
        let found = &self.enumerated;
        for (title, tally) in [
            ("Enumerated", &found.completeness),
            ("Enumerated: versions taken", &found.versions),
            ("Enumerated: classes of suites taken", &found.classes),
            ("Enumerated: suites taken", &found.suites),
            ("Enumerated: groups taken", &found.groups),
            ("Enumerated: whose order decides", &found.preference),
        ] {
            let row = |(name, count)| SummaryRow { name, count, endpoints: None };
            let mut rows: Vec<SummaryRow<'_>> = tally.sorted().into_iter().map(row).collect();
            let more = rows.len().saturating_sub(SECTION_ROWS_MAX);
            rows.truncate(SECTION_ROWS_MAX);
            table(out, title, Unit::Endpoints, &rows, found.total);
            // Their sum would count an endpoint many times.
            if more > 0 {
                push_line(out, &format!("  ({more} more)"));
            }
        }
    }

    /// The commonest operators, and how many there are.
    fn render_operators(&self, out: &mut String) {
        let row = |(name, count)| SummaryRow { name, count, endpoints: None };
        let (top, rest) = self.mx_operators.top(OPERATORS_SHOWN);
        let (shown, all) = (top.len(), self.mx_operators.count());
        let title = if shown < all {
            format!("MX operators (top {shown} of {})", grouped(all as u64))
        } else {
            format!("MX operators (all {shown})")
        };
        let rest = (rest > 0).then_some((OTHER, rest));
        let rows: Vec<SummaryRow<'_>> = top.into_iter().chain(rest).map(row).collect();
        table(out, &title, Unit::Domains, &rows, self.mx_operators.0.total());
    }
}

type Part = fn(&Counts) -> &Tally;

/// The sections that count domains and endpoints side by side.
const SHARED: [(&str, Part); 9] = [
    ("Outcome", |counts| &counts.outcomes),
    ("TLS version", |counts| &counts.versions),
    ("Cipher suite", |counts| &counts.suites),
    ("Key exchange group", |counts| &counts.groups),
    ("Forward secrecy", |counts| &counts.forward_secrecy),
    ("Certificate chain", |counts| &counts.cert_chain),
    ("Certificate dates", |counts| &counts.cert_dates),
    ("Certificate key", |counts| &counts.cert_key),
    ("Certificate expectation", |counts| &counts.cert_expectation),
];

/// Rows of a section that shows the commonest only.
const TOP_ROWS_MAX: usize = 10;

/// A section of the commonest names; the rest is counted as one.
fn top_section(out: &mut String, title: &str, tally: &Tally) {
    let row = |(name, count)| SummaryRow { name, count, endpoints: None };
    let mut rows: Vec<SummaryRow<'_>> = tally.sorted().into_iter().map(row).collect();
    if rows.len() > TOP_ROWS_MAX {
        let rest = rows.split_off(TOP_ROWS_MAX - 1);
        let count = rest.iter().map(|row| row.count).sum();
        rows.push(SummaryRow { name: OTHER, count, endpoints: None });
    }
    table(out, title, Unit::Domains, &rows, tally.total());
}

fn section(out: &mut String, title: &str, domains: &Tally, endpoints: Option<&Tally>) {
    let names: BTreeSet<&str> = [Some(domains), endpoints]
        .into_iter()
        .flatten()
        .flat_map(Tally::sorted)
        .map(|(name, _)| name)
        .collect();
    let row = |name| SummaryRow {
        name,
        count: domains.get(name),
        endpoints: endpoints.map(|tally| tally.get(name)),
    };
    let mut rows: Vec<SummaryRow<'_>> = names.into_iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.count, row.endpoints)));
    if rows.len() > SECTION_ROWS_MAX {
        let rest = rows.split_off(SECTION_ROWS_MAX - 1);
        rows.push(SummaryRow {
            name: OTHER,
            count: rest.iter().map(|row| row.count).sum(),
            endpoints: endpoints.map(|_| rest.iter().filter_map(|row| row.endpoints).sum()),
        });
    }
    table(out, title, Unit::Domains, &rows, domains.total());
}

fn table(out: &mut String, title: &str, unit: Unit, rows: &[SummaryRow<'_>], whole: u64) {
    let Some(first) = rows.first() else { return };
    let endpoints = if first.endpoints.is_some() { "endpoints" } else { "" };
    let unit = match unit {
        Unit::Domains => "domains",
        Unit::Endpoints => "endpoints",
    };
    push_line(
        out,
        &format!("\n{title:<width$}{unit:>COUNT_CHARS$}{:>8}{endpoints:>12}", "%", width = NAME_CHARS + 2),
    );
    for row in rows {
        let endpoints = row.endpoints.map(grouped).unwrap_or_default();
        let (count, share) = (grouped(row.count), share(row.count, whole));
        let fits = row.name.chars().count() + count.len() < NAME_CHARS + COUNT_CHARS;
        if !fits {
            push_line(out, &format!("  {}", cut(row.name)));
        }
        let name = if fits { row.name } else { "" };
        let room = NAME_CHARS + COUNT_CHARS - name.chars().count();
        push_line(out, &format!("  {name}{count:>room$}{share:>8}{endpoints:>12}"));
    }
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end_matches(' '));
    out.push('\n');
}

/// Keeps the end of a name that is too long: that of a host says most.
fn cut(name: &str) -> String {
    let length = name.chars().count();
    if length <= LINE_CHARS {
        return name.to_string();
    }
    let kept: String = name.chars().skip(length - LINE_CHARS + 1).collect();
    format!("…{kept}")
}

/// Tenths of a per cent, rounded half up; nothing for a share of nothing.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let tenths = (u128::from(part) * 2000 + u128::from(whole)) / (u128::from(whole) * 2);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (16_539, "16,539"), (1 << 20, "1,048,576")]
        {
            assert_eq!(grouped(number), expected);
        }
        for (part, whole, expected) in
            [(0, 0, ""), (1, 3, "33.3"), (2, 3, "66.7"), (3, 3, "100.0"), (1, 2000, "0.1")]
        {
            assert_eq!(share(part, whole), expected);
        }
    }

    #[test]
    fn long_names_keep_their_end() {
        let name = format!("{}.example", "é".repeat(LINE_CHARS));
        assert_eq!(cut(&name).chars().count(), LINE_CHARS);
        assert!(cut(&name).ends_with("é.example") && cut(&name).starts_with('…'));
    }
}
