//! Whether the tables of a run hold what their columns hold. A word that nobody knows would
//! be counted nowhere, and a column that is gone would look like one that is empty.

use crate::run_dir::tables::RunColumn;
use std::collections::HashSet;

/// Cells of a column that were found to be right and need no second look; most columns
/// have a few dozen.
const KNOWN_CELLS_MAX: usize = 1024;

/// Who wrote the tables of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenBy {
    /// This very version of mxray: every column is there.
    ThisVersion,
    /// Another one with the same schema: columns that were added later are not there.
    ThisSchema,
    /// One with an older schema, in which columns had other names and words.
    OlderSchema,
}

/// What each cell of a table must be.
#[derive(Debug, Default)]
pub(super) struct CellChecks(Vec<CellCheck>);

#[derive(Debug)]
struct CellCheck {
    place: usize,
    column: RunColumn,
    known: HashSet<Box<str>>,
}

impl CellChecks {
    /// Checks of the columns that are in `header` and may not hold anything at all.
    ///
    /// # Errors
    /// A column is not there, though it was written.
    pub(super) fn of(header: &[String], columns: &[RunColumn], by: WrittenBy) -> Result<Self, String> {
        let mut checks = Vec::new();
        for column in columns {
            match header.iter().position(|name| name == column.name) {
                None if by == WrittenBy::ThisVersion => {
                    return Err(format!(
                        "it has no column {}, which it was written with; mxray judge makes the table anew",
                        column.name
                    ));
                }
                Some(place) if by != WrittenBy::OlderSchema && column.is_bounded() => {
                    checks.push(CellCheck { place, column: *column, known: HashSet::new() });
                }
                _ => {}
            }
        }
        Ok(Self(checks))
    }

    /// # Errors
    /// A cell is not what its column holds, in words.
    pub(super) fn check<'a>(&mut self, cell: impl Fn(usize) -> &'a str) -> Result<(), String> {
        for CellCheck { place, column, known } in &mut self.0 {
            let cell = cell(*place);
            if known.contains(cell) || (cell.is_empty() && !column.is_due) {
                continue;
            }
            column.check(cell)?;
            if known.len() < KNOWN_CELLS_MAX {
                known.insert(cell.into());
            }
        }
        Ok(())
    }
}
