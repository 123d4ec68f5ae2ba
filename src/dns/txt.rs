//! What the records of MTA-STS and TLS-RPT have in common: TXT records of
//! which one may begin with a version, and `name=value` behind semicolons
//! (RFC 8461 §3.1, RFC 8460 §3).

use crate::model::text;

/// Longest piece of what a domain wrote that a fault quotes, in bytes.
const QUOTED_BYTES_MAX: usize = 100;

/// What stands at a name, by how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versioned<'a> {
    /// Nothing that is meant as such a record.
    Absent,
    /// A record whose version is nearly right.
    Nearly,
    /// The one record, without its version and the semicolon behind that.
    One(&'a [u8]),
    /// So many of them.
    Several(usize),
}

/// The one record among `texts` that begins with `version` and a semicolon.
/// Others are passed over: a wildcard brings whatever else there is.
pub(super) fn versioned<'a>(texts: &'a [Vec<u8>], version: &str) -> Versioned<'a> {
    let mut found = texts.iter().filter_map(|text| behind_version(text, version));
    match (found.next(), found.count()) {
        (Some(fields), 0) => Versioned::One(fields),
        (Some(_), more) => Versioned::Several(1 + more),
        (None, _) if texts.iter().any(|text| is_nearly(text, version)) => Versioned::Nearly,
        (None, _) => Versioned::Absent,
    }
}

/// Blanks may stand before the semicolon.
fn behind_version<'a>(text: &'a [u8], version: &str) -> Option<&'a [u8]> {
    let rest = text.strip_prefix(version.as_bytes())?;
    trim_start(rest).strip_prefix(b";")
}

fn is_nearly(text: &[u8], version: &str) -> bool {
    let text = trim_start(text);
    text.get(..version.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(version.as_bytes()))
}

/// The fields of a record, in order, as `name` and `value`; a piece that is none
/// as it is. One semicolon may stand behind the last.
pub(super) fn fields(record: &[u8]) -> impl Iterator<Item = Result<(&str, &str), &[u8]>> {
    let whole = match trim_end(record) {
        [fields @ .., b';'] => fields,
        _ => record,
    };
    let mut pieces = whole.split(|byte| *byte == b';').peekable();
    std::iter::from_fn(move || {
        let piece = trim_start(pieces.next()?);
        // Blanks at the end belong to the semicolon that comes, where one comes.
        let piece =
            if pieces.peek().is_some() || whole.len() < record.len() { trim_end(piece) } else { piece };
        Some(field(piece).ok_or(piece))
    })
}

fn field(piece: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = std::str::from_utf8(piece).ok()?.split_once('=')?;
    is_name(name).then_some((name, value))
}

/// Most characters of a field's name.
const NAME_CHARACTERS_MAX: usize = 32;

/// Whether a text is a name as extensions have them, in records and policies.
pub(super) fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    text.len() <= NAME_CHARACTERS_MAX
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(inner)
}

/// Whether a text may be the value of an extension: no blank, no `=`, no `;`.
pub(super) fn is_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'=' | b';'))
}

/// A piece of what a domain wrote, as a fault shows it.
pub(super) fn quoted(piece: &[u8]) -> String {
    let mut shown = text::printable(&String::from_utf8_lossy(piece)).into_owned();
    text::cut(&mut shown, QUOTED_BYTES_MAX);
    shown
}

/// Blanks as the grammars have them: WSP of RFC 5234.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|byte| is_blank(**byte)).count();
    bytes.get(blanks..).unwrap_or_default()
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().rev().take_while(|byte| is_blank(**byte)).count();
    bytes.get(..bytes.len() - blanks).unwrap_or_default()
}
