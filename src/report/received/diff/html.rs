//! A comparison of senders as a page, in the frame of the report.

use super::{DiffedReceiveRun, SenderChange, SenderColumn, SenderDiff, SenderSign};
use crate::model::text::{counted, grouped, printable};
use crate::report::diff::DomainChange;
use crate::report::diff::text::title;
use crate::report::document::{
    CaptionedTable, Document, DocumentBlock, PartShare, PartsUnit, ReportCell, Section, Tone, paragraph,
};
use crate::report::html;

/// Senders of each kind that stand in the page.
const NAMED_MAX: usize = 200;
/// The same of those that became worse.
const WORSE_NAMED_MAX: usize = 1000;

/// The page.
pub fn sender_diff_page(diff: &SenderDiff<'_>) -> String {
    html::page(&document(diff))
}

fn document(diff: &SenderDiff<'_>) -> Document {
    let mut sections = vec![how_many(diff)];
    sections.extend(DomainChange::ALL.iter().filter_map(|change| kind(diff, *change)));
    sections.push(about(diff));
    let run = |name: &str, run: &DiffedReceiveRun| {
        let senders = counted(run.senders, "sender");
        format!("{name}: {}, {:.0}, {senders}", printable(&run.run), run.started)
    };
    Document {
        title: format!("What changed at {}", counted(diff.senders.len() as u64, "sender")),
        subtitle: vec![run("Before", &diff.head.before), run("After", &diff.head.after)],
        notices: diff.head.notes.clone(),
        unit: PartsUnit { row: "Sender", one: "sender", column: "Senders" },
        parts: parts(diff),
        sections,
    }
}

/// The whole: what is not told is the same.
fn parts(diff: &SenderDiff<'_>) -> Vec<PartShare> {
    use DomainChange::{
        Better, Came, Changed, DeterminedNow, NotReached, NowUndetermined, Same, StillUndetermined, Went,
        Worse,
    };
    let part = |name: &str, means: &'static str, changes: &[DomainChange], tone| PartShare {
        name: name.to_string(),
        means,
        part: changes.iter().map(|change| diff.of(*change)).sum(),
        whole: diff.senders.len() as u64,
        tone,
    };
    vec![
        part("Worse", "The first column of the order that differs is worse.", &[Worse], Tone::Bad),
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

fn table(caption: &str, columns: Vec<&'static str>, rows: Vec<Vec<ReportCell>>) -> DocumentBlock {
    let caption = caption.to_string();
    DocumentBlock::Table(CaptionedTable { caption, columns, rows, note: None, wordy: false })
}

fn how_many(diff: &SenderDiff<'_>) -> Section {
    let changes = DomainChange::ALL
        .iter()
        .map(|change| vec![ReportCell::text(title(*change)), ReportCell::Count(diff.of(*change))]);
    let signs = diff.signs().into_iter();
    let signs = signs.map(|(sign, count)| vec![ReportCell::Code(sign.to_string()), ReportCell::Count(count)]);
    let mut blocks = vec![
        paragraph("What is not determined in one of the runs is never a change."),
        table("Senders by what became of them", vec!["what", "senders"], changes.collect()),
    ];
    let signs: Vec<Vec<ReportCell>> = signs.collect();
    if !signs.is_empty() {
        blocks.push(table(
            "What differs (docs/receive.md tells what each means)",
            vec!["sign", "senders"],
            signs,
        ));
    }
    Section { id: "counts", part: None, title: "How many".to_string(), blocks }
}

fn kind(diff: &SenderDiff<'_>, change: DomainChange) -> Option<Section> {
    let all = diff.of(change);
    if all == 0 || !change.is_told() {
        return None;
    }
    let most = if change == DomainChange::Worse { WORSE_NAMED_MAX } else { NAMED_MAX };
    let rows: Vec<Vec<ReportCell>> =
        diff.senders.iter().filter(|one| one.change == change).take(most).map(row).collect();
    let shown = rows.len() as u64;
    let note = (shown < all).then(|| {
        format!(
            "{} of {} are shown. mxray diff --format csv has them all.",
            grouped(shown),
            counted(all, "sender")
        )
    });
    let table = CaptionedTable {
        caption: format!("{}: senders by name", title(change)),
        columns: vec!["sender", "column", "before", "after", "what else differs"],
        rows,
        note,
        wordy: true,
    };
    Some(Section {
        id: change.name(),
        part: None,
        title: title(change).to_string(),
        blocks: vec![DocumentBlock::Table(table)],
    })
}

fn row(change: &SenderChange<'_>) -> Vec<ReportCell> {
    let column = change.decided_by.unwrap_or(SenderColumn::Mail);
    let [before, after] = change.cells(column);
    let is_other =
        |sign: &&SenderSign| !matches!(sign, SenderSign::Turned(one, _) if Some(*one) == change.decided_by);
    let others: Vec<String> = change.signs.iter().filter(is_other).map(ToString::to_string).collect();
    let name = printable(change.key.name.as_deref().unwrap_or("(no EHLO)")).into_owned();
    vec![
        ReportCell::Titled(name, change.key.address.to_string()),
        ReportCell::Code(column.name().to_string()),
        ReportCell::Text(before),
        ReportCell::Text(after),
        ReportCell::Text(others.join(", ")),
    ]
}

fn about(diff: &SenderDiff<'_>) -> Section {
    let doing = match &diff.head.behave {
        Some(behave) => format!("Both runs did the same wrong on purpose: {}.", printable(behave)),
        None => "Neither run did anything wrong on purpose.".to_string(),
    };
    let text = format!(
        "Each sender of {} was held against the same sender of {}, told apart by address and EHLO name. {doing} The first \
         of these columns that differs decides what is better and what is worse: {}. TLS encrypts the connection, not the \
         message.",
        printable(&diff.head.before.run),
        printable(&diff.head.after.run),
        SenderColumn::ALL.map(SenderColumn::name).join(", "),
    );
    Section {
        id: "about",
        part: None,
        title: "How it was compared".to_string(),
        blocks: vec![paragraph(text)],
    }
}
