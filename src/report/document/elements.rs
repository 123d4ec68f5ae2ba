//! What a document is made of, before anybody decides how it looks.

use crate::model::text::grouped;
use crate::report::render::{counted, share};

/// Most rows of a table of counts; what is beyond stands in one row.
pub const COUNT_ROWS_MAX: usize = 15;

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What it is about, in a line.
    pub title: String,
    /// By whom, when, of what.
    pub subtitle: Vec<String>,
    /// What must be known before any figure is read.
    pub notices: Vec<String>,
    /// What the parts are parts of.
    pub unit: PartsUnit,
    /// The first picture: parts of a whole.
    pub parts: Vec<PartShare>,
    /// The rest.
    pub sections: Vec<Section>,
}

/// What a report counts first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartsUnit {
    /// Title of the column that names the parts.
    pub row: &'static str,
    /// One of them, as in a sentence.
    pub one: &'static str,
    /// Title of the column of their numbers.
    pub column: &'static str,
}

impl PartsUnit {
    /// Mail to domains.
    pub const DOMAINS: Self = Self { row: "Mail", one: "domain", column: "Domains" };
}

/// A part of a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartShare {
    /// Its name.
    pub name: String,
    /// What it means, in some words.
    pub means: &'static str,
    /// How much.
    pub part: u64,
    /// Of how much.
    pub whole: u64,
    /// How it looks.
    pub tone: Tone,
}

/// What a figure says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// In the open.
    Bad,
    /// It does not come through.
    Held,
    /// Nothing to be done.
    Plain,
    /// Not determined.
    Open,
}

impl Tone {
    /// Name of its class.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Held => "held",
            Self::Plain => "plain",
            Self::Open => "open",
        }
    }
}

/// A part with a title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Its anchor.
    pub id: &'static str,
    /// Title of the part of the report that begins with it.
    pub part: Option<&'static str>,
    /// Its title.
    pub title: String,
    /// What is in it, in order.
    pub blocks: Vec<DocumentBlock>,
}

/// What a section consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentBlock {
    /// Sentences.
    Paragraph(String),
    /// Rows.
    Table(CaptionedTable),
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptionedTable {
    /// What it shows.
    pub caption: String,
    /// Titles of the columns; cells of counts stand to the right.
    pub columns: Vec<&'static str>,
    /// The rows; the first cell is the row's head.
    pub rows: Vec<Vec<ReportCell>>,
    /// What is not in it, and where that is.
    pub note: Option<String>,
    /// Whether its cells are sentences: where there is no room for columns, each row
    /// then is a block of its own.
    pub wordy: bool,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportCell {
    /// WordMeaning.
    Text(String),
    /// A word of the output, as it stands there.
    Code(String),
    /// A word or title with a sentence below.
    Titled(String, String),
    /// A number.
    Count(u64),
    /// Microseconds, told in milliseconds.
    Time(u64),
    /// A part of a whole, as a bar and per cent.
    Share(u64, u64, Tone),
}

impl ReportCell {
    pub(in crate::report) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Whether it stands to the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Count(_) | Self::Time(_) | Self::Share(..))
    }
}

/// Per cent with a sign; of nothing there is no share.
pub fn per_cent(part: u64, whole: u64) -> String {
    match share(part, whole) {
        share if share.is_empty() => "–".to_string(),
        share => format!("{share} %"),
    }
}

/// Microseconds in milliseconds, with a decimal where there are few.
pub fn milliseconds(microseconds: u64) -> String {
    if microseconds < 10_000 {
        return format!("{}.{}", microseconds / 1000, microseconds % 1000 / 100);
    }
    grouped(microseconds / 1000)
}

pub(in crate::report) fn paragraph(text: impl Into<String>) -> DocumentBlock {
    DocumentBlock::Paragraph(text.into())
}

/// What is cut from a table, in words; `None` if nothing is.
pub(in crate::report) fn cut_note(shown: usize, all: u64, what: &str, complete: &str) -> Option<String> {
    let shown = shown as u64;
    (shown < all).then(|| format!("{} of {} are shown. {complete}", grouped(shown), counted(all, what)))
}
