//! `mxray lab --check`: a run held against what a lab played, by its `truth.csv`.

use crate::cli::LabArgs;
use crate::command::error::EXIT_FAILED_ON;
use crate::command::{CommandError, tell};
use crate::lab::{self, Truth};
use crate::plan::UsageError;
use crate::run_dir::read::StoredRun;
use anyhow::Context;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The truth of a demo, beside its results.
const TRUTH_NAME: &str = "truth.csv";

/// Tells each difference, and how many there are.
pub(super) fn run(args: &LabArgs) -> Result<ExitCode, CommandError> {
    let mut named = args.check.iter();
    let dir = named.next().map_or(Path::new(""), PathBuf::as_path);
    let stored = StoredRun::open_whole(dir)?;
    let sender = &stored.info().sender;
    if sender != lab::USUAL_SENDER {
        let (dir, usual) = (dir.display(), lab::USUAL_SENDER);
        return Err(UsageError(format!(
            "{dir} was judged for {sender}, and a lab tells what is true for {usual}: mxray judge {dir} --sender {usual}"
        ))
        .into());
    }
    let path = named.next().cloned().unwrap_or_else(|| dir.join(TRUTH_NAME));
    let unusable = |error: &dyn std::fmt::Display| UsageError(format!("{}: {error}", path.display()));
    let file = File::open(&path).map_err(|error| unusable(&error))?;
    let truth = Truth::read(file).map_err(|error| unusable(&error))?;
    let rows = stored.text("domains.csv")?;
    let wrong = truth.disagreements(rows).context("cannot read domains.csv")?;
    let mut out: String = wrong.iter().map(|one| format!("{one}\n")).collect();
    let domains = truth.domains();
    out.push_str(&match wrong.len() {
        0 => format!("every row is what the lab played ({domains} domains)\n"),
        1 => format!("1 finding is not what the lab played ({domains} domains)\n"),
        more => format!("{more} findings are not what the lab played ({domains} domains)\n"),
    });
    tell(out)?;
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED_ON) })
}
