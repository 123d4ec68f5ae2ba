//! A comparison for a terminal: at most 80 columns wide. Of each kind the first domains
//! are named, and the counts stand last.

use super::{
    ComparedColumn, ComparedDomain, DiffHead, DiffSign, DiffTotals, DiffWriter, DiffedRun, DomainChange,
};
use crate::model::text::{counted, cut, grouped, printable};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Domains of each kind that are named.
const NAMED_MAX: usize = 20;
/// The same of those that became worse.
const WORSE_NAMED_MAX: usize = 100;

/// Characters of a line.
pub(in crate::report) const LINE_CHARS: usize = 80;
/// Bytes of a domain or a cell in a line, the ellipsis included.
pub(in crate::report) const DOMAIN_BYTES: usize = 60;
const CELL_BYTES: usize = 34;
/// Characters before a count in the list of signs.
const SIGN_CHARS: usize = 50;

/// Collects what is told of each kind.
pub struct TextDiff<W: Write> {
    writer: W,
    named: BTreeMap<DomainChange, Vec<String>>,
}

impl<W: Write> TextDiff<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// That of the writer.
    pub fn new(mut writer: W, head: &DiffHead) -> io::Result<Self> {
        writeln!(writer, "before  {}", run(&head.before))?;
        writeln!(writer, "after   {}", run(&head.after))?;
        writeln!(writer, "sender  {}", short(&head.sender, DOMAIN_BYTES))?;
        for note in &head.notes {
            writeln!(writer, "{}", wrapped("note    ", note))?;
        }
        Ok(Self { writer, named: BTreeMap::new() })
    }
}

fn run(run: &DiffedRun) -> String {
    let rest = format!("  {:.0}, {}", run.started, counted(run.domains, "domain"));
    format!("{}{rest}", short(&run.run, LINE_CHARS - 8 - rest.len()))
}

/// As much of a text as there is room for, so that it steers no terminal: it may be from
/// a file that somebody changed.
pub(in crate::report) fn short(text: &str, bytes: usize) -> String {
    let mut text = printable(text).into_owned();
    cut(&mut text, bytes);
    text
}

/// A sentence in lines of at most [`LINE_CHARS`], the first behind `label`, the others
/// under it.
pub(in crate::report) fn wrapped(label: &str, sentence: &str) -> String {
    let mut out = label.to_string();
    let mut used = label.len();
    let mut is_first = true;
    for word in printable(sentence).split(' ') {
        if !is_first && used + 1 + word.chars().count() > LINE_CHARS {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', label.len()));
            used = label.len();
        } else if !is_first {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += word.chars().count();
        is_first = false;
    }
    out
}

/// The column with its cells before and after; with the reason where that is what
/// becomes of mail.
fn told(domain: &ComparedDomain<'_>, column: ComparedColumn) -> String {
    let reasons = domain.cells(ComparedColumn::Reason);
    let cells = domain.cells(column);
    let cell = |place: usize| {
        let cell = cells.get(place).copied().unwrap_or_default();
        let reason = reasons.get(place).copied().unwrap_or_default();
        let with_reason = column == ComparedColumn::Delivery && !reason.is_empty();
        let text = if with_reason { format!("{cell}:{reason}") } else { cell.to_string() };
        if text.is_empty() { "-".to_string() } else { short(&text, CELL_BYTES) }
    };
    let line = format!("{}: {} -> {}", column.name(), cell(0), cell(1));
    if line.chars().count() + 6 <= LINE_CHARS {
        return format!("      {line}\n");
    }
    format!("      {}: {}\n        -> {}\n", column.name(), cell(0), cell(1))
}

/// Columns that say of the delivery what another says of the weakest host, which often is the
/// same one.
const TWINS: [(ComparedColumn, ComparedColumn); 6] = [
    (ComparedColumn::DeliveryTlsVersion, ComparedColumn::WeakestTlsVersion),
    (ComparedColumn::DeliveryCipherSuite, ComparedColumn::WeakestCipherSuite),
    (ComparedColumn::CertChain, ComparedColumn::WeakestCertChain),
    (ComparedColumn::CertDates, ComparedColumn::WeakestCertDates),
    (ComparedColumn::CertName, ComparedColumn::WeakestCertName),
    (ComparedColumn::CertKey, ComparedColumn::WeakestCertKey),
];

/// Whether its twin has said the same.
fn is_told_already(domain: &ComparedDomain<'_>, column: ComparedColumn) -> bool {
    let twin = TWINS.iter().find(|(other, _)| *other == column);
    twin.is_some_and(|(_, weakest)| domain.cells(*weakest) == domain.cells(column))
}

/// The signs that are not lines of the order, in lines.
fn other_signs(signs: &[DiffSign]) -> String {
    let told = signs.iter().filter(|sign| !matches!(sign, DiffSign::Turned(..)));
    let told: Vec<String> = told.map(ToString::to_string).collect();
    if told.is_empty() { String::new() } else { wrapped("      ", &told.join(" ")) + "\n" }
}

fn entry(domain: &ComparedDomain<'_>) -> String {
    let mut out = format!("  {}", short(domain.domain, DOMAIN_BYTES));
    if domain.is_inferred() {
        out.push_str("  (inferred)");
    }
    out.push('\n');
    for sign in &domain.comparison.signs {
        if let DiffSign::Turned(column, _) = sign
            && !is_told_already(domain, *column)
        {
            out.push_str(&told(domain, *column));
        }
    }
    out + &other_signs(&domain.comparison.signs)
}

/// What it is called.
pub(in crate::report) fn title(change: DomainChange) -> &'static str {
    match change {
        DomainChange::Worse => "Worse",
        DomainChange::Better => "Better",
        DomainChange::Changed => "Changed, neither better nor worse",
        DomainChange::NowUndetermined => "Not determined any more (no change)",
        DomainChange::DeterminedNow => "Determined now (no change)",
        DomainChange::Came => "Came: in the second run only",
        DomainChange::Went => "Went: in the first run only",
        DomainChange::NotReached => "In one run only, and the other did not come to its end",
        DomainChange::StillUndetermined => "Not determined in either run",
        DomainChange::Same => "The same",
    }
}

impl<W: Write> DiffWriter for TextDiff<W> {
    fn domain(&mut self, domain: &ComparedDomain<'_>) -> io::Result<()> {
        let change = domain.comparison.change;
        let named = self.named.entry(change).or_default();
        let most = if change == DomainChange::Worse { WORSE_NAMED_MAX } else { NAMED_MAX };
        if named.len() < most {
            named.push(entry(domain));
        }
        Ok(())
    }

    fn finish(&mut self, totals: &DiffTotals) -> io::Result<()> {
        // What matters most is read last on a terminal, next to the counts.
        for change in DomainChange::ALL.iter().rev() {
            let Some(named) = self.named.get(change) else { continue };
            writeln!(self.writer, "\n{}", title(*change))?;
            named.iter().try_for_each(|entry| self.writer.write_all(entry.as_bytes()))?;
            let more = totals.of(*change).saturating_sub(named.len() as u64);
            if more > 0 {
                writeln!(self.writer, "  and {} more; --format csv has them all", grouped(more))?;
            }
        }
        self.writer.write_all(counts(totals).as_bytes())?;
        self.writer.flush()
    }
}

/// A line of a list of counts.
pub(in crate::report) fn count_row(name: &str, count: u64) -> String {
    format!("  {name:<SIGN_CHARS$} {:>11}\n", grouped(count))
}

/// The counts by kind and by sign.
fn counts(totals: &DiffTotals) -> String {
    let row = count_row;
    let mut out = String::new();
    let mut signs = totals.signs().peekable();
    if signs.peek().is_some() {
        out.push_str("\nWhat differs, in domains\n");
        signs.for_each(|(sign, count)| out.push_str(&row(&sign.to_string(), count)));
    }
    out.push_str("\nDomains\n");
    for change in DomainChange::ALL {
        let count = totals.of(change);
        if count > 0 || matches!(change, DomainChange::Worse | DomainChange::Better) {
            out.push_str(&row(title(change), count));
        }
    }
    out.push_str(&row("all", totals.domains()));
    let inferred = totals.inferred();
    if inferred > 0 {
        out.push_str(&row("of these inferred: their own name was not asked", inferred));
        for change in [DomainChange::Worse, DomainChange::Better] {
            let count = totals.inferred_of(change);
            if count > 0 {
                out.push_str(&row(&format!("  and {}", change.name()), count));
            }
        }
    }
    out
}
