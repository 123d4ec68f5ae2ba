//! What gungraun tells of a run: one JSON object a benchmark, of which only
//! the number of instructions is wanted.

use super::compare::Counts;
use anyhow::Context;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Summary {
    function_name: String,
    id: Option<String>,
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    metrics: BTreeMap<String, Metric>,
}

#[derive(Deserialize)]
struct Metric {
    values: Values,
}

#[derive(Deserialize)]
struct Values {
    new: Option<serde_json::Number>,
}

/// Instructions by `function.case`.
///
/// # Errors
/// Where a line is not that of a benchmark whose instructions were counted.
pub fn read(output: &[u8]) -> anyhow::Result<Counts> {
    let mut counts = Counts::new();
    for summary in serde_json::Deserializer::from_slice(output).into_iter::<Summary>() {
        let summary = summary.context("no summary of gungraun")?;
        let name = match &summary.id {
            Some(id) => format!("{}.{id}", summary.function_name),
            None => summary.function_name.clone(),
        };
        let instructions = summary.instructions().with_context(|| format!("{name}: no count"))?;
        counts.insert(name, instructions);
    }
    Ok(counts)
}

impl Summary {
    /// `Ir`, instructions read, as callgrind calls them.
    fn instructions(&self) -> Option<u64> {
        let metrics = self.profiles.iter().map(|profile| &profile.data.total.metrics);
        metrics
            .filter_map(|metrics| metrics.get("Ir"))
            .find_map(|metric| metric.values.new.as_ref()?.as_u64())
    }
}
