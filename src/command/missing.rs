//! What a stored run lacks of what it should hold, told in one line.

use crate::model::text::counted;
use crate::run_dir::RunCounts;
use crate::run_dir::read::{StoreError, StoredRun};

/// What was left out of a judgement.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Missing {
    /// Probes without all of their certificates.
    pub(super) probes: u64,
    /// Targets without all of their probes, or without all certificates of their
    /// policy host.
    pub(super) domains: u64,
    /// Rows of `domains.csv` whose facts or probes are not there.
    pub(super) rows: u64,
}

/// What the run lacks when all that is left of it was judged, which is
/// `counts`; `None` if it is whole.
pub(super) fn line(
    stored: &StoredRun,
    losses: Missing,
    counts: &RunCounts,
) -> Result<Option<String>, StoreError> {
    let mut told = Vec::new();
    if stored.was_killed() {
        told.push(match &stored.info().error {
            Some(error) => format!("the run failed ({error})"),
            None => "the run was killed, or still goes on".to_string(),
        });
    }
    let cut = stored.cut()?;
    if !cut.is_empty() {
        told.push(format!("the last line is incomplete in {}", cut.join(", ")));
    }
    let Missing { probes, domains, rows } = losses;
    if probes > 0 || domains > 0 {
        told.push(format!("stored incompletely and left out: probes {probes}, domains {domains}"));
    }
    if rows > 0 {
        told.push(format!(
            "rows of domains.csv that cannot be judged, because their data is missing: {rows}"
        ));
    }
    // Only a run that ended has counted.
    if stored.was_killed() {
        told.push(unread_rest(&stored.info().input, counts.domains_written));
    } else {
        let before = &stored.info().counts;
        told.extend(differing("facts.jsonl", before.domains_written, counts.targets_read));
        told.extend(differing("observations.jsonl", before.endpoints_written, counts.endpoints_written));
        told.extend(differing("rejects.csv", before.rejected, counts.rejected));
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

/// That the rest of a list was not counted.
fn unread_rest(list: &str, judged: u64) -> String {
    let list = if list == "-" { "standard input" } else { list };
    format!("targets judged: {judged}; how many more the list has ({list}) is not known")
}

/// How many lines of a file are more or fewer than the run says it wrote.
fn differing(file: &str, written: u64, found: u64) -> Option<String> {
    let how = match found.checked_sub(written) {
        Some(0) => return None,
        Some(more) => format!("{more} more than {}", counted(written, "line")),
        None => format!("{} of {} missing", written.abs_diff(found), counted(written, "line")),
    };
    Some(format!("{file} does not have the lines that run.json counted: {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_by_number_and_direction() {
        assert_eq!(differing("f", 3, 3), None);
        let told = "f does not have the lines that run.json counted: 2 of 3 lines missing";
        assert_eq!(differing("f", 3, 1).as_deref(), Some(told));
        assert_eq!(
            differing("f", 300, 301).as_deref(),
            Some("f does not have the lines that run.json counted: 1 more than 300 lines")
        );
    }
}
