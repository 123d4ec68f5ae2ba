//! Forms of replies over which mail systems part ways: where one reads on,
//! another gives up, or goes on in clear.

use super::form_set::{Form, FormSet};
use serde::Deserialize;
use std::fmt;

/// Bytes of a reply to EHLO, with one for each line end, behind which STARTTLS
/// is a [`ReplyForm::LateKeyword`].
pub const LATE_KEYWORD_BYTES: usize = 2048;
/// Longest reply, in bytes, with one for each line end, that is no
/// [`ReplyForm::LongReply`].
pub const LONG_REPLY_BYTES: usize = 4092;

/// A form of a reply, in the order of the dialogue. Those up to
/// [`ReplyForm::LateKeyword`] are met before STARTTLS is asked for, or by whoever
/// does not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReplyForm {
    /// An empty line before or within a reply in clear, or before the one to the
    /// command that comes next.
    EmptyLine,
    /// The greeting or the reply to EHLO is over [`LONG_REPLY_BYTES`].
    LongReply,
    /// A NUL in the reply to EHLO, in a line before STARTTLS.
    NulByte,
    /// STARTTLS stands behind [`LATE_KEYWORD_BYTES`] of the reply to EHLO.
    LateKeyword,
    /// Plaintext behind the 220 to STARTTLS.
    PlaintextAfterStarttls,
    /// An empty line in the reply to EHLO inside TLS.
    EmptyLineInTls,
    /// The reply to EHLO inside TLS is over [`LONG_REPLY_BYTES`].
    LongReplyInTls,
    /// More replies inside TLS than commands: each later one is taken for the
    /// answer to another command.
    UnsolicitedReply,
}

/// All of them in one dialogue; none in most.
pub type ReplyForms = FormSet<ReplyForm>;

impl Form for ReplyForm {
    const ALL: &'static [Self] = &[
        Self::EmptyLine,
        Self::LongReply,
        Self::NulByte,
        Self::LateKeyword,
        Self::PlaintextAfterStarttls,
        Self::EmptyLineInTls,
        Self::LongReplyInTls,
        Self::UnsolicitedReply,
    ];

    fn place(self) -> u8 {
        self as u8
    }
}

impl ReplyForm {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::EmptyLine => "empty_line",
            Self::LongReply => "long_reply",
            Self::NulByte => "nul_byte",
            Self::LateKeyword => "late_keyword",
            Self::PlaintextAfterStarttls => "plaintext_after_starttls",
            Self::EmptyLineInTls => "empty_line_in_tls",
            Self::LongReplyInTls => "long_reply_in_tls",
            Self::UnsolicitedReply => "unsolicited_reply",
        }
    }

    /// Whether STARTTLS was asked for when it was met.
    pub fn is_behind_starttls(self) -> bool {
        self > Self::LateKeyword
    }
}

impl fmt::Display for ReplyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
