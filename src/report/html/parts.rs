//! The parts of the page.

use crate::model::text::grouped;
use crate::report::document::{
    CaptionedTable, Document, DocumentBlock, PartShare, ReportCell, Section, Tone, milliseconds,
};
use crate::report::render::{counted, share};
use maud::{Markup, html};

/// Width of the picture of the whole, in its own units.
const WHOLE_WIDTH: u64 = 10_000;
/// Height of it.
const WHOLE_HEIGHT: u64 = 100;

pub(super) fn header(document: &Document) -> Markup {
    html! {
        header {
            h1 { (document.title) }
            ul.of { @for line in &document.subtitle { li { (line) } } }
            @for notice in &document.notices { p.notice { (notice) } }
            (whole(&document.parts))
            ul.parts { @for part in &document.parts { (tile(part, document.unit.one)) } }
        }
        nav aria-label="Parts of this page" {
            ul { @for section in &document.sections { li { a href=(format!("#{}", section.id)) { (section.title) } } } }
        }
    }
}

/// A bar of all parts; the tiles below say the same in words.
fn whole(parts: &[PartShare]) -> Markup {
    let mut at = 0;
    let placed: Vec<(u64, u64, Tone)> = parts
        .iter()
        .map(|part| {
            let width = scaled(part.part, part.whole, WHOLE_WIDTH);
            let begin = at;
            at += width;
            (begin, width, part.tone)
        })
        .collect();
    let words: Vec<String> =
        parts.iter().map(|part| format!("{} {} %", part.name, share(part.part, part.whole))).collect();
    html! {
        svg.whole viewBox=(format!("0 0 {WHOLE_WIDTH} {WHOLE_HEIGHT}")) preserveAspectRatio="none" role="img"
            aria-label=(words.join(", ")) {
            rect.track width=(WHOLE_WIDTH) height=(WHOLE_HEIGHT) {}
            @for (begin, width, tone) in placed {
                rect class=(format!("fill {}", tone.name())) x=(begin) width=(width) height=(WHOLE_HEIGHT) {}
            }
        }
    }
}

/// `part` of `whole` in units of which there are `units`, rounded down.
fn scaled(part: u64, whole: u64, units: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(units) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(units).min(units)
}

fn tile(part: &PartShare, unit: &str) -> Markup {
    let share = share(part.part, part.whole);
    html! {
        li class=(part.tone.name()) {
            (part.name)
            b { @if share.is_empty() { "–" } @else { (share) " %" } }
            small { (counted(part.part, unit)) ". " (part.means) }
        }
    }
}

pub(super) fn section(section: &Section) -> Markup {
    html! {
        @if let Some(part) = section.part { h2.part { (part) } }
        section id=(section.id) aria-labelledby=(format!("{}-title", section.id)) {
            h3 id=(format!("{}-title", section.id)) { (section.title) }
            @for block in &section.blocks {
                @match block {
                    DocumentBlock::Paragraph(text) => p { (text) },
                    DocumentBlock::Table(table) => (self::table(table)),
                }
            }
        }
    }
}

/// With roles, since a table that is laid out in blocks loses its own.
fn table(table: &CaptionedTable) -> Markup {
    let is_number =
        |column: usize| table.rows.first().and_then(|row| row.get(column)).is_some_and(ReportCell::is_number);
    html! {
        table class=(layout(table)) role="table" {
            caption { (table.caption) }
            thead role="rowgroup" {
                tr role="row" {
                    @for (place, title) in table.columns.iter().enumerate() {
                        th.number[is_number(place)] scope="col" role="columnheader" { (title) }
                    }
                }
            }
            tbody role="rowgroup" {
                @for row in &table.rows {
                    tr role="row" {
                        @for (place, cell) in row.iter().enumerate() {
                            @if place == 0 {
                                th scope="row" role="rowheader" { (self::cell(cell)) }
                            } @else {
                                td.number[cell.is_number()] role="cell" data-label=(table.columns.get(place).copied().unwrap_or_default()) { (self::cell(cell)) }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(note) = &table.note { p.note { (note) } }
    }
}

/// How its columns share the room.
fn layout(table: &CaptionedTable) -> &'static str {
    match (table.wordy, table.columns.len()) {
        (true, _) => "wordy",
        (false, ..=3) => "counts few",
        _ => "counts many",
    }
}

fn cell(cell: &ReportCell) -> Markup {
    html! {
        @match cell {
            ReportCell::Text(text) => (text),
            ReportCell::Code(code) => code { (code) },
            ReportCell::Titled(title, text) => { (title) @if !text.is_empty() { small { (text) } } },
            ReportCell::Count(count) => (grouped(*count)),
            ReportCell::Time(microseconds) => (milliseconds(*microseconds)),
            ReportCell::Share(part, whole, tone) => (bar(*part, *whole, *tone)),
        }
    }
}

fn bar(part: u64, whole: u64, tone: Tone) -> Markup {
    let text = share(part, whole);
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="1000" height="10" {}
            rect class=(format!("fill {}", tone.name())) width=(scaled(part, whole, 1000)) height="10" {}
        }
        span.percent { @if text.is_empty() { "–" } @else { (text) " %" } }
    }
}
