//! Two runs of `mxray receive` held against each other, sender by sender.
//!
//! What is not determined is never a change. [`SenderColumn::ALL`] is the order in which
//! it is decided what is better.

mod compare;
mod html;
mod records;
mod text;

#[cfg(test)]
mod tests;

pub use compare::{SenderChange, SenderColumn, SenderDiff, SenderSign};
pub use html::sender_diff_page;
pub use records::{sender_diff_csv, sender_diff_json};
pub use text::sender_diff_text;

use jiff::Timestamp;
use serde::Serialize;

/// A run of the two, as the head of a comparison names it.
#[derive(Clone, Debug, Serialize)]
pub struct DiffedReceiveRun {
    /// Its directory, as it was named.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// Its sessions.
    pub sessions: u64,
    /// Its senders.
    pub senders: u64,
    /// Whether it has all senders: it came to an end of its own, and none was too many.
    pub finished: bool,
}

/// What is compared.
#[derive(Clone, Debug, Serialize)]
pub struct SenderDiffHead {
    /// The first run.
    pub before: DiffedReceiveRun,
    /// The second.
    pub after: DiffedReceiveRun,
    /// What both did wrong on purpose; `None` where nothing.
    pub behave: Option<String>,
    /// What whoever reads it should know of the runs, a sentence each.
    pub notes: Vec<String>,
}
