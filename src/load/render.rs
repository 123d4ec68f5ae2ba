//! A load, and two side by side, as text for people.

use super::compare::{ComparedFigure, Comparison, LoadChange, Tolerance};
use super::measure::Measure;
use super::record::LoadRecord;
use super::round::{PhaseRecord, Round};
use super::settings::Handshakes;
use super::spread::Spread;
use crate::model::text::{counted, grouped};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// Renders what a load came to: one round as it was, of several each in a line
/// and the medians of their figures.
pub fn report(record: &LoadRecord) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_report(&mut out, record);
    out
}

/// What a round came to, in a line.
pub fn round_line(round: &Round) -> String {
    let sessions = round.sessions;
    format!(
        "{} in {:.1} s, {:.1} a second; {} failed",
        counted(sessions.ok, "session"),
        round.seconds,
        round.per_second,
        grouped(sessions.failed)
    )
}

fn write_report(out: &mut String, record: &LoadRecord) -> fmt::Result {
    writeln!(out, "{}", record.settings)?;
    for (number, round) in record.rounds.iter().enumerate() {
        if record.rounds.len() > 1 {
            write!(out, "round {}: ", number + 1)?;
        }
        writeln!(out, "{}", round_line(round))?;
    }
    if record.settings.handshakes == Handshakes::Resumed {
        writeln!(out, "{} of them resumed", grouped(sum(record, |round| round.sessions.resumed)))?;
    }
    let not_begun = sum(record, |round| round.sessions.not_begun);
    if not_begun > 0 {
        writeln!(out, "{} more were due and found no room in time", grouped(not_begun))?;
    }
    write_times(out, record)?;
    write_counts(out, "Negotiated", &counts(record, |round| &round.negotiated))?;
    write_counts(out, "Failure", &counts(record, |round| &round.failures))
}

fn write_times(out: &mut String, record: &LoadRecord) -> fmt::Result {
    let columns = ["p50", "p90", "p99", "p99.9", "max"];
    let title = if record.rounds.len() > 1 { "ms, medians" } else { "ms" };
    write!(out, "\n{title:<12}{:>10}", "times")?;
    columns.iter().try_for_each(|column| write!(out, "{column:>10}"))?;
    writeln!(out)?;
    for measure in Measure::ALL {
        let count = sum(record, |round| round.times(measure).map_or(0, |times| times.count));
        if count == 0 {
            continue;
        }
        write!(out, "{:<12}{:>10}", measure.name(), grouped(count))?;
        let figures: [fn(&PhaseRecord) -> u64; 5] = [
            |times| times.p50_us,
            |times| times.p90_us,
            |times| times.p99_us,
            |times| times.p999_us,
            |times| times.max_us,
        ];
        for of in figures {
            let millis = record.spread(|round| round.times(measure).map(|times| of(times) as f64 / 1000.0));
            write!(out, "{:>10.2}", millis.map_or(0.0, |millis| millis.median))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// A table of counts, commonest first; nothing if there are none.
fn write_counts(out: &mut String, title: &str, counts: &BTreeMap<&str, u64>) -> fmt::Result {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(**count));
    if !counts.is_empty() {
        writeln!(out, "\n{title:<62}{:>10}", "sessions")?;
    }
    counts.into_iter().try_for_each(|(what, count)| writeln!(out, "{what:<62}{:>10}", grouped(*count)))
}

fn sum(record: &LoadRecord, of: impl Fn(&Round) -> u64) -> u64 {
    record.rounds.iter().map(of).sum()
}

/// The counts of all rounds.
fn counts(record: &LoadRecord, of: fn(&Round) -> &BTreeMap<String, u64>) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for (what, count) in record.rounds.iter().flat_map(of) {
        *counts.entry(what.as_str()).or_default() += count;
    }
    counts
}

/// Renders two loads side by side.
pub fn comparison(compared: &Comparison) -> String {
    let mut out = String::new();
    let _ = write_comparison(&mut out, compared);
    out
}

fn write_comparison(out: &mut String, compared: &Comparison) -> fmt::Result {
    let rounds = |of: fn(&ComparedFigure) -> Option<Spread>| {
        compared.rows.iter().filter_map(of).map(|spread| spread.rounds).max().unwrap_or(0)
    };
    let (was, is) = (rounds(|row| row.was), rounds(|row| row.is));
    if was.max(is) > 1 {
        writeln!(out, "medians of {was} and {is} rounds, and from least to most")?;
    }
    let wide = if was.max(is) > 1 { 30 } else { 12 };
    writeln!(out, "{:<20}{:>wide$}{:>wide$}{:>10}", "ms", "baseline", "now", "change")?;
    for ComparedFigure { name, was, is, change: found } in &compared.rows {
        write!(out, "{name:<20}{:>wide$}{:>wide$}{:>10}", figure(*was), figure(*is), change(*was, *is))?;
        let mark = match (found, was.is_some() && is.is_some()) {
            (LoadChange::Worse, _) => "  worse",
            (LoadChange::CannotBeTold, true) => "  rounds overlap",
            _ => "",
        };
        writeln!(out, "{mark}")?;
    }
    writeln!(out, "\n{}", verdict_line(compared))
}

/// Most figures that the verdict names.
const NAMED_MAX: usize = 4;

/// Whether the load got worse, in a sentence with the figures that say so.
pub fn verdict_line(compared: &Comparison) -> String {
    let Tolerance { share, least } = compared.tolerance;
    let tolerated = format!("{:.1} % and {:.2} ms", share * 100.0, least.as_secs_f64() * 1000.0);
    let named = |change: LoadChange, whole: bool| {
        let rows: Vec<&ComparedFigure> = match whole {
            true => compared.of_the_whole().filter(|row| row.change == change).collect(),
            false => compared.rows.iter().filter(|row| row.change == change).collect(),
        };
        let mut words: Vec<String> = rows.iter().take(NAMED_MAX).map(|row| moved(row)).collect();
        if rows.len() > NAMED_MAX {
            words.push(format!("and {} more", rows.len() - NAMED_MAX));
        }
        words.join("; ")
    };
    match compared.verdict() {
        LoadChange::Worse => {
            format!("worse than the baseline by more than {tolerated}: {}", named(LoadChange::Worse, false))
        }
        LoadChange::NotWorse => {
            let whole: Vec<String> = compared.of_the_whole().map(moved).collect();
            format!("not worse than the baseline by more than {tolerated}: {}", whole.join("; "))
        }
        LoadChange::CannotBeTold => format!(
            "cannot be told whether it is worse than the baseline: {}; more rounds (--rounds) may tell",
            named(LoadChange::CannotBeTold, true)
        ),
    }
}

/// A figure then and now.
fn moved(row: &ComparedFigure) -> String {
    let unit = if row.name.contains(' ') && !row.name.ends_with("second") { " ms" } else { "" };
    let median = |spread: Option<Spread>| {
        spread.map_or("not measured".to_string(), |spread| format!("{:.2}{unit}", spread.median))
    };
    let change = match change(row.was, row.is) {
        change if change.is_empty() => change,
        change => format!(" ({change})"),
    };
    format!("{} {}, was {}{change}", row.name, median(row.is), median(row.was))
}

fn figure(value: Option<Spread>) -> String {
    match value {
        None => "-".to_string(),
        Some(Spread { median, rounds: 1, .. }) => format!("{median:.2}"),
        Some(Spread { median, min, max, .. }) => format!("{median:.2} ({min:.2} to {max:.2})"),
    }
}

/// How much more it is, in per cent of what it was.
fn change(was: Option<Spread>, is: Option<Spread>) -> String {
    match (was, is) {
        (Some(was), Some(is)) if was.median > 0.0 => {
            format!("{:+.1} %", (is.median / was.median - 1.0) * 100.0)
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Tolerance, compare, fixtures};
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_load_is_told() {
        insta::assert_snapshot!(report(&fixtures::record(&[10_000])));
    }

    #[test]
    fn two_loads_stand_side_by_side() {
        let tolerance = Tolerance { share: 0.1, least: Duration::ZERO };
        let compared =
            compare(&fixtures::record(&[10_000]), &fixtures::record(&[60_000]), tolerance).unwrap();
        insta::assert_snapshot!(comparison(&compared));
    }

    #[test]
    fn rounds_are_told_one_by_one_and_by_their_medians() {
        let tolerance = Tolerance { share: 0.1, least: Duration::ZERO };
        let (was, is) = ([9_000, 10_000, 11_000], [20_000, 30_000, 40_000]);
        let (was, is) = (fixtures::record(&was), fixtures::record(&is));
        let compared = compare(&was, &is, tolerance).unwrap();
        insta::assert_snapshot!(format!("{}\n{}", report(&is), comparison(&compared)));
    }
}
