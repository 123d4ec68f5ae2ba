//! A load, and what it came to beside an earlier one, as one JSON document.
//! `docs/bench.md` has its keys.

use super::compare::{ComparedFigure, Comparison};
use super::record::LoadRecord;
use super::round::Round;
use super::spread::Spread;
use serde_json::{Value, json};

/// Version of the document: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// The document, with a line end.
///
/// # Errors
/// None that can happen: everything in it has a form in JSON.
pub fn load_document(
    record: &LoadRecord,
    compared: Option<&Comparison>,
) -> Result<String, serde_json::Error> {
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "mxray": env!("CARGO_PKG_VERSION"),
        "stopped": record.is_interrupted(),
        "load_reached": record.rounds.iter().all(Round::kept_up),
        "measurement": serde_json::to_value(record)?,
        "comparison": compared.map(comparison),
    });
    Ok(format!("{document:#}\n"))
}

fn comparison(compared: &Comparison) -> Value {
    json!({
        "verdict": compared.verdict().name(),
        "tolerance_percent": compared.tolerance.share * 100.0,
        "least_change_ms": compared.tolerance.least.as_secs_f64() * 1000.0,
        "figures": compared.rows.iter().map(figure).collect::<Vec<_>>(),
    })
}

fn figure(row: &ComparedFigure) -> Value {
    json!({
        "figure": row.name,
        "result": row.change.name(),
        "baseline": row.was.map(spread),
        "now": row.is.map(spread),
    })
}

fn spread(spread: Spread) -> Value {
    json!({ "median": spread.median, "min": spread.min, "max": spread.max, "rounds": spread.rounds })
}
