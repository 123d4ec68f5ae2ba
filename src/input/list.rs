//! The list itself: an iterator over its targets and over what is none.

use super::bounded::{Extent, bounded};
use super::endpoint::{self, EndpointColumns};
use super::fields::{Twice, find};
use super::layout::{self, FirstLine, Layout};
use super::lines::{INPUT_LINE_BYTES_MAX, ListLine, ListLines};
use super::source::ListReader;
use super::taken::TakenCounts;
use super::{InputError, InputKind, InputOptions};
use crate::dialect::{self, COMMA};
use crate::model::{Rejected, Target};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// One line of a list, blank lines and comments left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something to survey.
    Target(Target),
    /// A line that is no target.
    Rejected(Rejected),
}

/// A line that the first look has read ahead.
struct Ahead {
    number: u64,
    text: Result<String, Rejected>,
}

/// Streams the entries of a list. Duplicates are kept. After an error it ends:
/// what follows an unreadable place cannot be trusted.
pub struct InputList {
    name: String,
    lines: ListLines,
    layout: Layout,
    separator: u8,
    ahead: VecDeque<Ahead>,
    failed: bool,
    taken: Arc<TakenCounts>,
}

impl InputList {
    /// Reads as many lines of `source` as it takes to know the layout; `name`
    /// stands for the list in errors.
    pub(super) fn new(name: String, source: ListReader, options: &InputOptions) -> Result<Self, InputError> {
        let layout = match options.kind {
            InputKind::Domains => Layout::Plain,
            InputKind::Endpoints => Layout::Endpoints(EndpointColumns::Positional),
        };
        let (lines, ahead, taken) = (ListLines::new(source), VecDeque::new(), Arc::default());
        let mut list = Self { name, lines, layout, separator: COMMA, ahead, failed: false, taken };
        let Some(columns) = list.first_line()? else { return Ok(list) };
        match (options.kind, options.column.as_deref()) {
            (InputKind::Domains, Some(wanted)) => {
                let index = find(&columns, wanted).map_err(|twice| list.twice(twice))?;
                list.take_header(index.map(Layout::Column), wanted, columns)?;
            }
            (InputKind::Domains, None) => list.tell_layout(columns)?,
            (InputKind::Endpoints, Some(wanted)) => {
                let header = EndpointColumns::of_header(&columns, Some(wanted));
                let header = header.map_err(|twice| list.twice(twice))?;
                list.take_header(header.map(Layout::Endpoints), wanted, columns)?;
            }
            (InputKind::Endpoints, None) => list.tell_endpoint_layout(columns)?,
        }
        Ok(list)
    }

    fn twice(&self, Twice(column): Twice) -> InputError {
        InputError::TwiceNamed { name: self.name.clone(), column }
    }

    /// How many domains were taken from what is none, so far.
    pub fn taken(&self) -> Arc<TakenCounts> {
        self.taken.clone()
    }

    /// The fields of the first line, by the separator that it, or the line
    /// before it, tells of.
    fn first_line(&mut self) -> Result<Option<Vec<String>>, InputError> {
        let Some(first) = self.look_ahead()? else { return Ok(None) };
        let Some(said) = dialect::said_separator(first.trim()) else {
            self.separator = dialect::separator(&first);
            return Ok(Some(layout::columns(&first, self.separator)));
        };
        self.ahead.pop_back();
        self.separator = said;
        self.look_ahead_columns()
    }

    fn look_ahead_columns(&mut self) -> Result<Option<Vec<String>>, InputError> {
        let separator = self.separator;
        Ok(self.look_ahead()?.map(|text| layout::columns(&text, separator)))
    }

    /// Reads ahead to the next line that is neither blank nor a comment;
    /// `None` if there is none, or none that can be read as text.
    fn look_ahead(&mut self) -> Result<Option<String>, InputError> {
        loop {
            let next = read(&mut self.lines)
                .map_err(|source| InputError::Read { name: self.name.clone(), source })?;
            let Some(text) = next else { return Ok(None) };
            if text.as_ref().is_ok_and(|text| layout::is_void(text)) {
                continue;
            }
            let line = text.as_ref().ok().cloned();
            self.ahead.push_back(Ahead { number: self.lines.number(), text });
            return Ok(line);
        }
    }

    /// The first line must be a header with the column that was asked for.
    fn take_header(
        &mut self,
        layout: Option<Layout>,
        wanted: &str,
        columns: Vec<String>,
    ) -> Result<(), InputError> {
        let (name, wanted) = (self.name.clone(), bounded(wanted.as_bytes(), Extent::Whole));
        self.layout = layout.ok_or(InputError::NoColumn { name, wanted, columns })?;
        self.ahead.pop_back();
        Ok(())
    }

    fn tell_layout(&mut self, columns: Vec<String>) -> Result<(), InputError> {
        match layout::of_domains(&columns).map_err(|twice| self.twice(twice))? {
            FirstLine::Header(layout) => {
                self.ahead.pop_back();
                self.layout = layout;
            }
            FirstLine::Row(layout) => self.layout = layout,
            FirstLine::Unclear => {
                let below = self.look_ahead_columns()?;
                if below.is_some_and(|below| layout::is_row_below_header(&below)) {
                    return Err(InputError::NoDomainColumn { name: self.name.clone(), columns });
                }
            }
        }
        Ok(())
    }

    fn tell_endpoint_layout(&mut self, columns: Vec<String>) -> Result<(), InputError> {
        let header = EndpointColumns::of_header(&columns, None).map_err(|twice| self.twice(twice))?;
        if let Some(header) = header {
            self.ahead.pop_back();
            self.layout = Layout::Endpoints(header);
        } else if columns.len() > 1 && !endpoint::has_address(&columns) {
            let below = self.look_ahead_columns()?;
            if below.is_some_and(|below| below.len() > 1 && endpoint::has_address(&below)) {
                return Err(InputError::NoAddressColumn { name: self.name.clone(), columns });
            }
        }
        Ok(())
    }

    fn entry(&self, number: u64, text: Result<String, Rejected>) -> Option<Entry> {
        let text = match text {
            Ok(text) => text,
            Err(rejected) => return Some(Entry::Rejected(rejected)),
        };
        Some(match self.layout.read(&text, self.separator)? {
            Ok((subject, source)) => {
                self.taken.add(source);
                Entry::Target(Target { line: number, subject })
            }
            Err((text, cause)) => Entry::Rejected(Rejected { line: number, text, cause }),
        })
    }

    fn located(&self, error: io::Error) -> io::Error {
        let line = self.lines.number() + 1;
        io::Error::new(error.kind(), format!("cannot read {} from line {line} on: {error}", self.name))
    }
}

impl Iterator for InputList {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, text) = if let Some(Ahead { number, text }) = self.ahead.pop_front() {
                (number, text)
            } else if self.failed {
                return None;
            } else {
                match read(&mut self.lines) {
                    Ok(text) => (self.lines.number(), text?),
                    Err(error) => {
                        self.failed = true;
                        return Some(Err(self.located(error)));
                    }
                }
            };
            if let Some(entry) = self.entry(number, text) {
                return Some(Ok(entry));
            }
        }
    }
}

/// The next line as text, or why it is none; `None` at the end.
fn read(lines: &mut ListLines) -> io::Result<Option<Result<String, Rejected>>> {
    let text = match lines.read()? {
        None => return Ok(None),
        Some(ListLine::Whole(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_string()),
            Err(_) => Err((bounded(bytes, Extent::Whole), "not UTF-8".to_string())),
        },
        Some(ListLine::Cut(bytes)) => {
            Err((bounded(bytes, Extent::Cut), format!("too long: over {INPUT_LINE_BYTES_MAX} bytes")))
        }
    };
    let line = lines.number();
    Ok(Some(text.map_err(|(text, cause)| Rejected { line, text, cause })))
}
