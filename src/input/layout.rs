//! Where in a line the target stands: decided by the first lines, then applied
//! to every line.

use super::endpoint::EndpointColumns;
use super::fault::{LineFault, fault, fault_of_part};
use super::fields::{LineFields, Twice, find};
use super::taken::{self, DomainSource};
use crate::dialect::COMMA;
use crate::model::{DomainName, Subject};
use std::borrow::Cow;

/// How the columns of a list lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One domain a line.
    Plain,
    /// The domain is the field of this index.
    Column(usize),
    /// Endpoint lines.
    Endpoints(EndpointColumns),
}

/// What the first line of a domain list tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstLine {
    /// It is a header; the rows below have this layout.
    Header(Layout),
    /// It is a row of this layout.
    Row(Layout),
    /// It is a header without a usable name, or nonsense: the next line tells.
    Unclear,
}

/// The fields of a line as far as they can be read.
pub(super) fn columns(line: &str, separator: u8) -> Vec<String> {
    LineFields::of(line, separator).map_while(Result::ok).map(|field| field.into_owned()).collect()
}

/// The first that is a domain, or else of which a domain can be taken. What is
/// the local part of an address beside it (`bob.smith`) is none.
fn first_domain(columns: &[String]) -> Option<usize> {
    let is_local = |text: &str| {
        columns.iter().any(|other| other.strip_prefix(text).is_some_and(|rest| rest.starts_with('@')))
    };
    let is_domain = |column: &String| DomainName::parse(column).is_ok() && !is_local(column);
    let plain = columns.iter().position(is_domain);
    plain.or_else(|| columns.iter().position(|column| taken::domain(column).is_ok() && !is_local(column)))
}

/// Reads the first line of a domain list; the table is in the documentation
/// of [`crate::input`].
///
/// # Errors
/// [`Twice`] for a header with two columns `domain`.
pub(super) fn of_domains(columns: &[String]) -> Result<FirstLine, Twice> {
    if let Some(index) = find(columns, "domain")? {
        return Ok(FirstLine::Header(Layout::Column(index)));
    }
    let [first, _, ..] = columns else { return Ok(FirstLine::Row(Layout::Plain)) };
    if !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(FirstLine::Row(Layout::Column(1)));
    }
    Ok(match first_domain(columns) {
        Some(index) => FirstLine::Row(Layout::Column(index)),
        None => FirstLine::Unclear,
    })
}

/// Whether the line below an unclear first line makes that one a header.
pub(super) fn is_row_below_header(columns: &[String]) -> bool {
    columns.len() > 1 && first_domain(columns).is_some()
}

/// What a line asks for, and what its domain was taken from.
pub(super) type FoundSubject = (Subject, DomainSource);

impl Layout {
    /// Reads one line; `None` if it is blank or a comment.
    pub(super) fn read(&self, line: &str, separator: u8) -> Option<Result<FoundSubject, LineFault>> {
        if is_void(line) {
            return None;
        }
        Some(match self {
            Layout::Plain => domain(&unquoted(without_comment(line)), line),
            Layout::Column(index) => column(line, separator, *index).and_then(|field| domain(&field, line)),
            Layout::Endpoints(columns) => {
                columns.read(line, separator).map(|subject| (subject, DomainSource::Plain))
            }
        })
    }
}

/// Whether the line is blank or a comment.
pub(super) fn is_void(line: &str) -> bool {
    let text = line.trim();
    text.is_empty() || text.starts_with('#')
}

/// Cuts off a comment behind a domain; it must be set off by a blank, because
/// `a.example#b` is more likely a broken URL than a commented name, and stand
/// in no quotes.
fn without_comment(line: &str) -> &str {
    let comment = line.char_indices().find(|(at, character)| {
        let set_off =
            |before: &str| before.ends_with([' ', '\t']) && before.matches('"').count().is_multiple_of(2);
        *character == '#' && line.get(..*at).is_some_and(set_off)
    });
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line).trim()
}

/// The field of a line that is one field in quotes, as programs write it that
/// quote every field; another line as it is.
fn unquoted(line: &str) -> Cow<'_, str> {
    let mut fields = LineFields::of(line, COMMA);
    match (fields.next(), fields.next()) {
        (Some(Ok(field)), None) => field,
        _ => Cow::Borrowed(line),
    }
}

fn domain(text: &str, line: &str) -> Result<FoundSubject, LineFault> {
    let found = taken::domain(text).map_err(|error| fault_of_part(text, line, error))?;
    Ok((Subject::Domain(found.0), found.1))
}

fn column(line: &str, separator: u8, index: usize) -> Result<String, LineFault> {
    match LineFields::of(line, separator).nth(index) {
        Some(Ok(field)) => Ok(field.into_owned()),
        Some(Err(_)) => Err(fault(line, "a quote that is not closed in this line")),
        None if LineFields::of(line, separator).any(|field| field.is_err()) => {
            Err(fault(line, "a quote that is not closed in this line"))
        }
        None => Err(fault(line, format!("no column {}", index + 1))),
    }
}
