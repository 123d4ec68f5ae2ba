//! A comparison as a page, in the frame of the report: the counts first, then the domains of
//! each kind, the most important first.

use super::text::title;
use super::{ComparedColumn, ComparedDomain, DiffHead, DiffSign, DiffTotals, DiffWriter, DomainChange};
use crate::model::text::grouped;
use crate::report::document::{
    CaptionedTable, Document, DocumentBlock, PartShare, PartsUnit, ReportCell, Section, Tone,
};
use crate::report::html;
use crate::report::render::counted;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Domains of each kind that stand in the page.
const NAMED_MAX: usize = 200;
/// The same of those that became worse.
const WORSE_NAMED_MAX: usize = 1000;

/// Collects what the page shows.
pub struct HtmlDiff<W: Write> {
    writer: W,
    head: DiffHead,
    named: BTreeMap<DomainChange, Vec<Vec<ReportCell>>>,
}

impl<W: Write> HtmlDiff<W> {
    /// Writes nothing yet.
    pub fn new(writer: W, head: DiffHead) -> Self {
        Self { writer, head, named: BTreeMap::new() }
    }
}

impl<W: Write> DiffWriter for HtmlDiff<W> {
    fn domain(&mut self, domain: &ComparedDomain<'_>) -> io::Result<()> {
        let change = domain.comparison.change;
        let named = self.named.entry(change).or_default();
        if named.len() < most(change) {
            named.push(row(domain));
        }
        Ok(())
    }

    fn finish(&mut self, totals: &DiffTotals) -> io::Result<()> {
        let document = document(&self.head, std::mem::take(&mut self.named), totals);
        self.writer.write_all(html::page(&document).as_bytes())?;
        self.writer.flush()
    }
}

fn most(change: DomainChange) -> usize {
    if change == DomainChange::Worse { WORSE_NAMED_MAX } else { NAMED_MAX }
}

/// The cell of the column that decided, with the reason where that is what becomes of mail.
fn decisive(domain: &ComparedDomain<'_>) -> [String; 2] {
    let column = domain.comparison.decided_by.unwrap_or(ComparedColumn::Delivery);
    let (cells, reasons) = (domain.cells(column), domain.cells(ComparedColumn::Reason));
    [0, 1].map(|place| {
        let text = |cells: &[&str; 2]| cells.get(place).copied().unwrap_or_default().to_string();
        let (cell, reason) = (text(&cells), text(&reasons));
        if column == ComparedColumn::Delivery && !reason.is_empty() {
            format!("{cell}: {reason}")
        } else {
            cell
        }
    })
}

/// All that differs but what decided.
fn others(domain: &ComparedDomain<'_>) -> String {
    let decided = domain.comparison.decided_by;
    let is_other =
        |sign: &&DiffSign| !matches!(sign, DiffSign::Turned(column, _) if Some(*column) == decided);
    let told: Vec<String> =
        domain.comparison.signs.iter().filter(is_other).map(ToString::to_string).collect();
    told.join(", ")
}

fn row(domain: &ComparedDomain<'_>) -> Vec<ReportCell> {
    let note = if domain.is_inferred() { "inferred: its own name was not asked" } else { "" };
    let column = domain.comparison.decided_by.unwrap_or(ComparedColumn::Delivery);
    let [before, after] = decisive(domain);
    vec![
        ReportCell::Titled(domain.domain.to_string(), note.to_string()),
        ReportCell::Code(column.name().to_string()),
        ReportCell::Text(before),
        ReportCell::Text(after),
        ReportCell::Text(others(domain)),
    ]
}

fn document(
    head: &DiffHead,
    mut named: BTreeMap<DomainChange, Vec<Vec<ReportCell>>>,
    totals: &DiffTotals,
) -> Document {
    let mut sections = vec![counts(totals)];
    for change in DomainChange::ALL {
        sections.extend(named.remove(&change).map(|rows| domains(change, rows, totals)));
    }
    sections.push(about(head));
    let run = |name: &str, run: &super::DiffedRun| {
        format!("{name}: {}, {:.0}, {}", run.run, run.started, counted(run.domains, "domain"))
    };
    Document {
        title: format!("What changed at {}", counted(totals.domains(), "domain")),
        subtitle: vec![
            run("Before", &head.before),
            run("After", &head.after),
            format!("Sender: {}", head.sender),
        ],
        notices: head.notes.clone(),
        unit: PartsUnit::DOMAINS,
        parts: parts(totals),
        sections,
    }
}

/// The whole: what is not told is the same.
fn parts(totals: &DiffTotals) -> Vec<PartShare> {
    use DomainChange::{
        Better, Came, Changed, DeterminedNow, NotReached, NowUndetermined, Same, StillUndetermined, Went,
        Worse,
    };
    let part = |name: &str, means: &'static str, changes: &[DomainChange], tone| PartShare {
        name: name.to_string(),
        means,
        part: changes.iter().map(|change| totals.of(*change)).sum(),
        whole: totals.domains(),
        tone,
    };
    vec![
        part("Worse", "The first line of the order that differs is worse.", &[Worse], Tone::Bad),
        part("Better", "It is better.", &[Better], Tone::Good),
        part("Changed", "Neither better nor worse.", &[Changed], Tone::Held),
        part(
            "Not determined",
            "In one of the runs, or in both: no change.",
            &[NowUndetermined, DeterminedNow, StillUndetermined, NotReached],
            Tone::Open,
        ),
        part("Came or went", "In one of the runs only.", &[Came, Went], Tone::Plain),
        part("The same", "Nothing differs.", &[Same], Tone::Plain),
    ]
}

fn counts(totals: &DiffTotals) -> Section {
    let changes = DomainChange::ALL.iter().map(|change| {
        vec![
            ReportCell::Text(title(*change).to_string()),
            ReportCell::Count(totals.of(*change)),
            ReportCell::Count(totals.inferred_of(*change)),
        ]
    });
    let signs = totals
        .signs()
        .map(|(sign, count)| vec![ReportCell::Code(sign.to_string()), ReportCell::Count(count)]);
    let table = |caption: &str, columns: Vec<&'static str>, rows: Vec<Vec<ReportCell>>| {
        DocumentBlock::Table(CaptionedTable {
            caption: caption.to_string(),
            columns,
            rows,
            note: None,
            wordy: false,
        })
    };
    let mut blocks = vec![
        DocumentBlock::Paragraph(
            "What is not determined in one of the runs is never a change. Of those that are inferred the own name was not \
             asked: a sample of the names on its address stands for it."
                .to_string(),
        ),
        table("Domains by what became of them", vec!["what", "domains", "of these inferred"], changes.collect()),
    ];
    let signs: Vec<Vec<ReportCell>> = signs.collect();
    if !signs.is_empty() {
        blocks.push(table(
            "What differs (docs/diff.md tells what each means)",
            vec!["sign", "domains"],
            signs,
        ));
    }
    Section { id: "counts", part: None, title: "How many".to_string(), blocks }
}

fn domains(change: DomainChange, rows: Vec<Vec<ReportCell>>, totals: &DiffTotals) -> Section {
    let (shown, all) = (rows.len() as u64, totals.of(change));
    let note = (shown < all).then(|| {
        format!(
            "{} of {} are shown. mxray diff --format csv has them all.",
            grouped(shown),
            counted(all, "domain")
        )
    });
    let table = CaptionedTable {
        caption: format!("{}: domains by name", title(change)),
        columns: vec!["domain", "column", "before", "after", "what else differs"],
        rows,
        note,
        wordy: true,
    };
    Section {
        id: change.name(),
        part: None,
        title: title(change).to_string(),
        blocks: vec![DocumentBlock::Table(table)],
    }
}

fn about(head: &DiffHead) -> Section {
    let text = format!(
        "Each domain of {} was held against the same domain of {}, by the tables of both run directories. Both were judged \
         for {}, by the same connectors and root certificates. The first line of the order of deliveries that differs decides \
         what is better and what is worse; docs/diff.md has that order.",
        head.before.run, head.after.run, head.sender
    );
    let blocks = vec![DocumentBlock::Paragraph(text)];
    Section { id: "about", part: None, title: "How it was compared".to_string(), blocks }
}
