//! A comparison as one JSON document. The rows stand in it as they come, the counts
//! after them.

use super::{ComparedColumn, ComparedDomain, ComparedRow, DiffHead, DiffTotals, DiffWriter, DomainChange};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;
use std::io::{self, Write};

/// Version of the document: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// Writes the document.
pub struct JsonDiff<W: Write> {
    writer: W,
    is_first: bool,
}

impl<W: Write> JsonDiff<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// That of the writer.
    pub fn new(mut writer: W, head: &DiffHead) -> io::Result<Self> {
        write!(
            writer,
            "{{\"schema_version\":{SCHEMA_VERSION},\n\"mxray\":\"{}\"",
            env!("CARGO_PKG_VERSION")
        )?;
        for (key, value) in [
            ("before", serde_json::to_string(&head.before)?),
            ("after", serde_json::to_string(&head.after)?),
            ("sender", serde_json::to_string(&head.sender)?),
            ("notes", serde_json::to_string(&head.notes)?),
        ] {
            write!(writer, ",\n\"{key}\":{value}")?;
        }
        write!(writer, ",\n\"domains\":[")?;
        Ok(Self { writer, is_first: true })
    }
}

/// The cells of a row that are not empty, and its line.
struct ToldCells<'a>(&'a ComparedRow<'a>);

impl Serialize for ToldCells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("line", &self.0.line)?;
        for column in ComparedColumn::ALL {
            let cell = self.0.get(*column);
            if !cell.is_empty() {
                map.serialize_entry(column.name(), cell)?;
            }
        }
        map.end()
    }
}

impl<W: Write> DiffWriter for JsonDiff<W> {
    fn domain(&mut self, domain: &ComparedDomain<'_>) -> io::Result<()> {
        self.writer.write_all(if self.is_first { b"\n" } else { b",\n" })?;
        self.is_first = false;
        let signs: Vec<String> = domain.comparison.signs.iter().map(ToString::to_string).collect();
        let row = json!({
            "domain": domain.domain,
            "change": domain.comparison.change.name(),
            "decided_by": domain.comparison.decided_by.map(ComparedColumn::name),
            "signs": signs,
            "inferred": domain.is_inferred(),
            "before": domain.before.map(ToldCells),
            "after": domain.after.map(ToldCells),
        });
        serde_json::to_writer(&mut self.writer, &row)?;
        Ok(())
    }

    fn finish(&mut self, totals: &DiffTotals) -> io::Result<()> {
        let counts =
            |of: fn(&DiffTotals, DomainChange) -> u64| -> serde_json::Map<String, serde_json::Value> {
                let counts = DomainChange::ALL
                    .iter()
                    .map(|change| (change.name().to_string(), of(totals, *change).into()));
                counts.collect()
            };
        let signs: serde_json::Map<String, serde_json::Value> =
            totals.signs().map(|(sign, count)| (sign.to_string(), count.into())).collect();
        let (counts, inferred) = (json!(counts(DiffTotals::of)), json!(counts(DiffTotals::inferred_of)));
        let signs = json!(signs);
        writeln!(self.writer, "\n],\n\"counts\":{counts},\n\"inferred\":{inferred},\n\"signs\":{signs}}}")?;
        self.writer.flush()
    }
}
