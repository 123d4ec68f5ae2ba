//! What sessions of `mxray receive` are judged by, told in `run.json` so that they can be
//! judged by the same again.

use super::UsageError;
use super::judging::{ROOTS, names_file};
use super::stored_files::StoredFiles;
use super::stores::roots_in;
use crate::cli::InboundJudgingArgs;
use crate::model::Sha256;
use crate::run_dir::{OptionValue, SessionsJudgedBy};
use crate::trust::Judge;
use crate::verdict::inbound::SessionJudge;
use jiff::Timestamp;

/// A judge of sessions, and in words what it judges by.
pub struct InboundJudging {
    /// Judges sessions.
    pub judge: SessionJudge,
    /// Roots and files, as `run.json` names them.
    pub by: SessionsJudgedBy,
    /// Root stores.
    pub root_names: Vec<String>,
    /// What whoever named the files should know about them, a line each.
    pub warnings: Vec<String>,
}

/// Finds what the command line names.
///
/// # Errors
/// [`UsageError`] for what cannot be used.
pub fn inbound_judging(args: &InboundJudgingArgs) -> Result<InboundJudging, UsageError> {
    judging(args, None, &StoredFiles::default())
}

fn judging(
    args: &InboundJudgingArgs,
    at: Option<Timestamp>,
    places: &StoredFiles,
) -> Result<InboundJudging, UsageError> {
    let (roots, root_names) = roots_in(&args.roots, places)?;
    let warnings = roots.warnings().cloned().collect();
    let mut by = SessionsJudgedBy { at, ..SessionsJudgedBy::default() };
    let named = [(ROOTS, &root_names, roots.digest())];
    for (option, words, sha256) in named {
        by.options.insert(option.to_string(), value(option, words, sha256, places));
    }
    // Every session has its own moment; this one counts for none.
    let judge = SessionJudge::new(Judge::new(roots, Timestamp::UNIX_EPOCH), at);
    Ok(InboundJudging { judge, by, root_names, warnings })
}

fn value(option: &str, words: &[String], sha256: Sha256, places: &StoredFiles) -> OptionValue {
    let files = places.absolute(option, words, |word| names_file(option, word));
    OptionValue { words: words.to_vec(), files, sha256 }
}
