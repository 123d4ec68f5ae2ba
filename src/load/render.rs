//! A load, and two side by side, as text for people.

use super::compare::{Comparison, Row};
use super::measure::Measure;
use super::record::LoadRecord;
use super::settings::Handshakes;
use crate::model::text::grouped;
use std::fmt::{self, Write};

/// Renders what a load came to.
pub fn report(record: &LoadRecord) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_report(&mut out, record);
    out
}

fn write_report(out: &mut String, record: &LoadRecord) -> fmt::Result {
    let sessions = record.sessions;
    writeln!(out, "{}", record.settings)?;
    writeln!(
        out,
        "{} sessions in {:.1} s, {:.1} a second; {} failed",
        grouped(sessions.ok),
        record.seconds,
        record.per_second,
        grouped(sessions.failed)
    )?;
    if record.settings.handshakes == Handshakes::Resumed {
        writeln!(out, "{} of them resumed", grouped(sessions.resumed))?;
    }
    if sessions.not_begun > 0 {
        writeln!(out, "{} more were due and found no room in time", grouped(sessions.not_begun))?;
    }
    let columns = ["p50", "p90", "p99", "p99.9", "max"];
    write!(out, "\n{:<12}{:>10}", "ms", "times")?;
    columns.iter().try_for_each(|column| write!(out, "{column:>10}"))?;
    writeln!(out)?;
    for measure in Measure::ALL {
        let Some(times) = record.times(measure) else { continue };
        write!(out, "{:<12}{:>10}", measure.name(), grouped(times.count))?;
        for us in [times.p50_us, times.p90_us, times.p99_us, times.p999_us, times.max_us] {
            write!(out, "{:>10.2}", us as f64 / 1000.0)?;
        }
        writeln!(out)?;
    }
    if !record.failures.is_empty() {
        writeln!(out, "\n{:<32}{:>10}", "Failure", "sessions")?;
    }
    for (kind, count) in &record.failures {
        writeln!(out, "{kind:<32}{:>10}", grouped(*count))?;
    }
    Ok(())
}

/// Renders two loads side by side.
pub fn comparison(compared: &Comparison) -> String {
    let mut out = String::new();
    let _ = write_comparison(&mut out, compared);
    out
}

fn write_comparison(out: &mut String, compared: &Comparison) -> fmt::Result {
    writeln!(out, "{:<24}{:>12}{:>12}{:>10}", "ms", "baseline", "now", "change")?;
    for Row { name, was, is, worse } in &compared.rows {
        write!(out, "{name:<24}{:>12}{:>12}{:>10}", figure(*was), figure(*is), change(*was, *is))?;
        writeln!(out, "{}", if *worse { "  worse" } else { "" })?;
    }
    Ok(())
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_string(), |value| format!("{value:.2}"))
}

/// How much more it is, in per cent of what it was.
fn change(was: Option<f64>, is: Option<f64>) -> String {
    match (was, is) {
        (Some(was), Some(is)) if was > 0.0 => format!("{:+.1} %", (is / was - 1.0) * 100.0),
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
        insta::assert_snapshot!(report(&fixtures::record(10_000)));
    }

    #[test]
    fn two_loads_stand_side_by_side() {
        let tolerance = Tolerance { share: 0.1, least: Duration::ZERO };
        let compared = compare(&fixtures::record(10_000), &fixtures::record(60_000), tolerance).unwrap();
        insta::assert_snapshot!(comparison(&compared));
    }
}
