//! A comparison of senders as CSV and as JSON.

use super::{SenderChange, SenderColumn, SenderDiff};
use crate::model::text::printable;
use crate::report::diff::DomainChange;
use crate::report::received::{SENDERS_HEADER, SenderFigures, sender_record};
use serde_json::{Map, Value, json};

/// Version of the JSON: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// The columns before those of both runs.
const OWN: [&str; 5] = ["address", "name", "change", "decided_by", "signs"];

/// Columns of a sender that are told of both runs: what is compared, then what there is to
/// tell beside.
fn told(sender: &SenderFigures) -> Vec<(&'static str, String)> {
    let compared = SenderColumn::ALL.iter().map(|column| (column.name(), column.cell(sender)));
    let others = SENDERS_HEADER.into_iter().zip(sender_record(sender));
    compared.chain(others.filter(|(name, _)| is_other(name))).collect()
}

fn is_other(name: &str) -> bool {
    !OWN.contains(&name) && !SenderColumn::ALL.iter().any(|column| column.name() == name)
}

fn names() -> Vec<&'static str> {
    let compared = SenderColumn::ALL.iter().map(|column| column.name());
    compared.chain(SENDERS_HEADER.into_iter().filter(|name| is_other(name))).collect()
}

fn name(change: &SenderChange<'_>) -> String {
    printable(change.key.name.as_deref().unwrap_or_default()).into_owned()
}

fn signs(change: &SenderChange<'_>) -> Vec<String> {
    change.signs.iter().map(ToString::to_string).collect()
}

/// One row for each sender of which there is something to tell.
///
/// # Errors
/// That of the writer, which writes to memory.
pub fn sender_diff_csv(diff: &SenderDiff<'_>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let both = names().into_iter().flat_map(|name| [format!("{name}_before"), format!("{name}_after")]);
    writer.write_record(OWN.iter().map(ToString::to_string).chain(both))?;
    for change in diff.senders.iter().filter(|change| change.change.is_told()) {
        let own = [
            change.key.address.to_string(),
            name(change),
            change.change.name().to_string(),
            change.decided_by.map_or_else(String::new, |column| column.name().to_string()),
            signs(change).join(" "),
        ];
        let [before, after] =
            [change.before, change.after].map(|sender| sender.map(told).unwrap_or_default());
        let cell = |row: &[(&str, String)], place: usize| row.get(place).map(|(_, cell)| cell.clone());
        let cells = (0..names().len()).flat_map(|place| [cell(&before, place), cell(&after, place)]);
        writer.write_record(own.into_iter().chain(cells.map(Option::unwrap_or_default)))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// One document.
pub fn sender_diff_json(diff: &SenderDiff<'_>) -> Value {
    let rows = diff.senders.iter().filter(|change| change.change.is_told());
    let rows: Vec<Value> = rows
        .map(|change| {
            json!({
                "address": change.key.address,
                "name": change.key.name.as_ref().map(|_| name(change)),
                "change": change.change.name(),
                "decided_by": change.decided_by.map(SenderColumn::name),
                "signs": signs(change),
                "before": change.before.map(cells),
                "after": change.after.map(cells),
            })
        })
        .collect();
    let counts: Map<String, Value> =
        DomainChange::ALL.iter().map(|change| (change.name().to_string(), diff.of(*change).into())).collect();
    let signs: Map<String, Value> =
        diff.signs().into_iter().map(|(sign, count)| (sign.to_string(), count.into())).collect();
    json!({
        "schema_version": SCHEMA_VERSION,
        "mxray": env!("CARGO_PKG_VERSION"),
        "kind": "receive",
        "before": diff.head.before,
        "after": diff.head.after,
        "behave": diff.head.behave,
        "notes": diff.head.notes,
        "senders": rows,
        "counts": counts,
        "signs": signs,
    })
}

/// The cells that are not empty.
fn cells(sender: &SenderFigures) -> Map<String, Value> {
    let told = told(sender).into_iter().filter(|(_, cell)| !cell.is_empty());
    told.map(|(name, cell)| (name.to_string(), cell.into())).collect()
}
