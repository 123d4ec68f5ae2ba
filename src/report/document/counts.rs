//! Tables of counts by name.

use super::elements::{COUNT_ROWS_MAX, CaptionedTable, DocumentBlock, ReportCell, Tone};
use crate::report::render::counted;
use crate::report::tally::Tally;
use std::collections::BTreeSet;

/// What a table of counts counts.
pub(in crate::report) enum CountedUnits<'a> {
    /// Domains alone.
    Domains(&'a Tally),
    /// Endpoints alone.
    Endpoints(&'a Tally),
    /// Certificates alone.
    Certificates(&'a Tally),
    /// Sessions alone.
    Sessions(&'a Tally),
    /// Domains, and beside them endpoints.
    Both(&'a Tally, &'a Tally),
}

/// A table, commonest first; nothing of an empty tally. `column` says where all of it
/// is.
pub(in crate::report) fn counts(
    caption: &str,
    name: &'static str,
    counted: &CountedUnits<'_>,
    column: &str,
) -> Option<DocumentBlock> {
    let (first, second) = match counted {
        CountedUnits::Domains(tally)
        | CountedUnits::Endpoints(tally)
        | CountedUnits::Certificates(tally)
        | CountedUnits::Sessions(tally) => (*tally, None),
        CountedUnits::Both(domains, endpoints) => (*domains, Some(*endpoints)),
    };
    let columns = match counted {
        CountedUnits::Domains(_) => vec![name, "Domains", "Share"],
        CountedUnits::Endpoints(_) => vec![name, "Endpoints", "Share"],
        CountedUnits::Certificates(_) => vec![name, "Certificates", "Share"],
        CountedUnits::Sessions(_) => vec![name, "Sessions", "Share"],
        CountedUnits::Both(..) => vec![name, "Domains", "Share", "Endpoints", "Share of endpoints"],
    };
    let sorted = names(first, second);
    let (shown, rest) = sorted.split_at(sorted.len().min(COUNT_ROWS_MAX));
    let mut rows: Vec<Vec<ReportCell>> = shown
        .iter()
        .map(|name| row(name, first, first.get(name), second.map(|tally| (tally, tally.get(name)))))
        .collect();
    if !rest.is_empty() {
        let sum = |tally: &Tally| rest.iter().map(|name| tally.get(name)).sum();
        rows.push(row("(others)", first, sum(first), second.map(|tally| (tally, sum(tally)))));
    }
    let note = (!rest.is_empty()).then(|| {
        format!("{} more stand in the last row; all of them are in {column}.", names_more(rest.len()))
    });
    (!rows.is_empty()).then(|| {
        DocumentBlock::Table(CaptionedTable {
            caption: caption.to_string(),
            columns,
            rows,
            note,
            wordy: false,
        })
    })
}

fn names_more(count: usize) -> String {
    counted(count as u64, "name")
}

/// All names, commonest first by the first tally, then by the second, then by name.
fn names<'a>(first: &'a Tally, second: Option<&'a Tally>) -> Vec<&'a str> {
    let tallies = std::iter::once(first).chain(second);
    let all: BTreeSet<&str> = tallies.flat_map(Tally::sorted).map(|(name, _)| name).collect();
    let mut all: Vec<&str> = all.into_iter().collect();
    let key = |name: &&str| (first.get(name), second.map(|tally| tally.get(name)));
    all.sort_by_key(|name| std::cmp::Reverse(key(name)));
    all
}

fn row(name: &str, tally: &Tally, count: u64, second: Option<(&Tally, u64)>) -> Vec<ReportCell> {
    let mut cells = vec![
        ReportCell::Code(name.to_string()),
        ReportCell::Count(count),
        ReportCell::Share(count, tally.total(), tone(name)),
    ];
    if let Some((tally, count)) = second {
        cells.extend([ReportCell::Count(count), ReportCell::Share(count, tally.total(), tone(name))]);
    }
    cells
}

/// What is not determined never looks like an answer.
fn tone(name: &str) -> Tone {
    if name.starts_with("undetermined") || name.starts_with("unverifiable") || name == "unknown" {
        Tone::Open
    } else {
        Tone::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_limit_is_counted_in_one_row_and_told() {
        let mut tally = Tally::default();
        for number in 0..COUNT_ROWS_MAX + 3 {
            for _ in 0..=number {
                tally.add(format!("name {number}").into());
            }
        }
        let Some(DocumentBlock::Table(table)) = counts("c", "n", &CountedUnits::Domains(&tally), "x.csv")
        else {
            panic!("no table")
        };
        assert_eq!(table.rows.len(), COUNT_ROWS_MAX + 1);
        let sum: u64 =
            table.rows.iter().map(|row| if let ReportCell::Count(count) = row[1] { count } else { 0 }).sum();
        assert_eq!(sum, tally.total(), "every domain is counted in a row");
        assert_eq!(
            table.note.as_deref(),
            Some("3 names more stand in the last row; all of them are in x.csv.")
        );
        assert!(counts("c", "n", &CountedUnits::Domains(&Tally::default()), "x.csv").is_none());
    }
}
