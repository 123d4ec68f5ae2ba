//! `rejects.csv` read back.

use super::StoreError;
use super::certificates::cells;
use super::line_numbers::LineNumbers;
use super::lines::StoredLines;
use crate::model::Rejected;
use std::path::Path;

pub(super) const FILE: &str = "rejects.csv";

/// Reads `rejects.csv`.
pub struct Rejects {
    lines: StoredLines,
    /// Whether the header was read.
    is_begun: bool,
    /// Those read so far.
    read: LineNumbers,
}

impl Rejects {
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { lines: StoredLines::open(dir, FILE)?, is_begun: false, read: LineNumbers::default() })
    }

    /// The next line of the input that was no target.
    ///
    /// # Errors
    /// [`StoreError`]: the row cannot be read, or its line was read before.
    pub fn read_next(&mut self) -> Result<Option<Rejected>, StoreError> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.lines.read_next()?;
        }
        let Some(line) = self.lines.read_next()? else { return Ok(None) };
        match <[String; 3]>::try_from(cells(line.text)).map(|[line, text, cause]| (line.parse(), text, cause))
        {
            Ok((Ok(line), ..)) if !self.read.insert(line) => {
                Err(self.lines.broken(format!("line {line} of the list occurs a second time")))
            }
            Ok((Ok(line), text, cause)) => Ok(Some(Rejected { line, text, cause })),
            _ => Err(self.lines.broken("not a line number, a text and a cause")),
        }
    }
}
