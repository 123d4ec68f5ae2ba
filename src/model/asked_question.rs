//! A question that was sent to the DNS, told to a person.

use super::tlsa::Authenticity;

/// One question and what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedQuestion {
    /// The name, without the last dot.
    pub name: String,
    /// The type of the records, as `MX`.
    pub record_type: String,
    /// Whether a resolver that validates vouches for the answer; `None` where there
    /// is none, and where nobody wants to know.
    pub authenticity: Option<Authenticity>,
    /// Aliases and records as zone files have them, each cut to
    /// [`RECORD_TEXT_BYTES_MAX`]; or, where there is nothing of the kind, what was
    /// said instead, in one line.
    pub answer: Vec<String>,
    /// Records beyond [`RECORDS_TOLD_MAX`].
    pub answer_excess: usize,
}

/// Most records of one answer that are told.
pub const RECORDS_TOLD_MAX: usize = 40;
/// Longest record that is told, in bytes.
pub const RECORD_TEXT_BYTES_MAX: usize = 300;
/// Most questions that are told of one target.
pub const QUESTIONS_TOLD_MAX: usize = 200;
