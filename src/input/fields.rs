//! The fields of one CSV line (RFC 4180), found one after another so that
//! nothing behind the wanted one can spoil it.

use std::borrow::Cow;

/// A quote was opened and not closed on the same line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenQuote;

/// Iterates over the fields of a line; blanks around a field are cut off. A
/// field with text behind its closing quote is handed out as it stands, quotes
/// and all: no reading of it is the right one.
pub(super) struct LineFields<'a> {
    rest: Option<&'a str>,
    separator: char,
}

impl<'a> LineFields<'a> {
    pub(super) fn of(line: &'a str, separator: u8) -> Self {
        Self { rest: Some(line), separator: char::from(separator) }
    }
}

impl<'a> Iterator for LineFields<'a> {
    type Item = Result<Cow<'a, str>, OpenQuote>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let whole = without_blanks(rest);
        if let Some(body) = whole.strip_prefix('"') {
            let field = unquoted(body, self.separator).map(|Unquoted { text, tail, rest }| {
                self.rest = rest;
                // Text behind the closing quote: the quotes belong to the field,
                // as in `"a b"@a.example`.
                if tail.trim().is_empty() { Cow::Owned(text) } else { Cow::Borrowed(before(whole, rest)) }
            });
            return Some(field);
        }
        let (field, rest) = up_to(self.separator, rest);
        self.rest = rest;
        Some(Ok(Cow::Borrowed(field.trim())))
    }
}

/// Two fields of a header bear one name: this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Twice(pub(super) String);

/// The field that bears this name, exactly or at least but for case.
///
/// # Errors
/// [`Twice`] where more than one does.
pub(super) fn find(columns: &[String], wanted: &str) -> Result<Option<usize>, Twice> {
    let exact = only(columns, |column| column == wanted)?;
    if exact.is_some() {
        return Ok(exact);
    }
    only(columns, |column| column.eq_ignore_ascii_case(wanted.trim()))
}

/// The one field of which this is true.
pub(super) fn only(columns: &[String], is: impl Fn(&str) -> bool) -> Result<Option<usize>, Twice> {
    let mut places = columns.iter().enumerate().filter(|(_, column)| is(column));
    match (places.next(), places.next()) {
        (Some(_), Some((_, column))) => Err(Twice(column.clone())),
        (first, _) => Ok(first.map(|(place, _)| place)),
    }
}

/// Without the blanks before a quote. A tab is none: it may be the separator.
fn without_blanks(text: &str) -> &str {
    text.trim_start_matches(|character: char| character.is_whitespace() && character != '\t')
}

fn up_to(separator: char, text: &str) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(field, rest)| (field, Some(rest)))
}

/// `whole` up to the separator before `rest`.
fn before<'a>(whole: &'a str, rest: Option<&str>) -> &'a str {
    let end = rest.map_or(whole.len(), |rest| (whole.len() - rest.len()).saturating_sub(1));
    whole.get(..end).unwrap_or(whole).trim_end()
}

/// A field in quotes, read to its end.
struct Unquoted<'a> {
    text: String,
    /// What stands between the closing quote and the separator.
    tail: &'a str,
    /// What stands behind the separator.
    rest: Option<&'a str>,
}

/// Reads on behind an opening quote, past the separator that ends the field.
fn unquoted(body: &str, separator: char) -> Result<Unquoted<'_>, OpenQuote> {
    let mut text = String::new();
    let mut body = body;
    loop {
        let (before, after) = body.split_once('"').ok_or(OpenQuote)?;
        text.push_str(before);
        let Some(more) = after.strip_prefix('"') else {
            let (tail, rest) = up_to(separator, after);
            return Ok(Unquoted { text, tail, rest });
        };
        text.push('"');
        body = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart() {
        for (line, expected) in [
            ("", vec![""]),
            ("a", vec!["a"]),
            ("a,b,", vec!["a", "b", ""]),
            (" a , b ", vec!["a", "b"]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("1, \"a\" ,c", vec!["1", "a", "c"]),
            ("\"a\"\"b\"", vec!["a\"b"]),
            ("\"a\"b,c", vec!["\"a\"b", "c"]),
            (" \"a,b\" c ,d", vec!["\"a,b\" c", "d"]),
            ("\"a b\"@c", vec!["\"a b\"@c"]),
            ("a\"b,c", vec!["a\"b", "c"]),
            ("\"\",", vec!["", ""]),
        ] {
            for separator in [b',', b';', b'\t'] {
                let line = line.replace(',', &char::from(separator).to_string());
                let expected: Vec<_> = expected
                    .iter()
                    .map(|field| field.replace(',', &char::from(separator).to_string()))
                    .collect();
                let fields: Result<Vec<_>, _> = LineFields::of(&line, separator).collect();
                assert_eq!(fields.unwrap(), expected, "{line}");
            }
        }
    }

    #[test]
    fn an_open_quote_spoils_only_what_follows() {
        let mut fields = LineFields::of("a,\"b,c", b',');
        assert_eq!(fields.next(), Some(Ok("a".into())));
        assert_eq!(fields.next(), Some(Err(OpenQuote)));
        assert_eq!(fields.next(), None);
    }
}
