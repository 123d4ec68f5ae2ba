//! A cell of CSV with its type.

use crate::run_dir::columns::CellKind;
use jiff::Timestamp;

/// A cell that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypedCell<'a> {
    Text(&'a str),
    List(&'a str),
    Number(i64),
    Flag(bool),
    /// Microseconds since 1970.
    Time(i64),
}

impl<'a> TypedCell<'a> {
    /// Reads a cell; `None` if it is empty.
    ///
    /// # Errors
    /// It is not of that kind, in words.
    pub(super) fn read(name: &str, kind: CellKind, cell: &'a str) -> Result<Option<Self>, String> {
        if cell.is_empty() {
            return Ok(None);
        }
        let wrong = |what: &str| format!("{name} is {what}");
        Ok(Some(match kind {
            CellKind::Text | CellKind::NumberOrWord | CellKind::FlagOrWord => Self::Text(cell),
            CellKind::List => Self::List(cell),
            CellKind::Number => Self::Number(cell.parse().map_err(|_| wrong("no number"))?),
            CellKind::Flag => match cell {
                "yes" => Self::Flag(true),
                "no" => Self::Flag(false),
                _ => return Err(wrong("neither yes nor no")),
            },
            CellKind::Time => {
                let time: Timestamp = cell.parse().map_err(|_| wrong("no moment"))?;
                Self::Time(time.as_microsecond())
            }
        }))
    }
}
