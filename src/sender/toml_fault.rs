//! What is wrong with a TOML text that a person wrote: with its line, its key,
//! and in words that are not Rust's.

use crate::model::text::line_of;
use toml::de::{DeTable, DeValue, Error};

/// Longest key that is named as it stands in the text, in bytes.
const KEY_BYTES_MAX: usize = 100;

/// Rust's words for what people write, and ours.
const WORDS: [(&str, &str); 9] = [
    ("unknown field", "unknown key"),
    ("missing field", "missing key"),
    ("unknown variant", "unknown value"),
    ("a sequence", "a list"),
    ("a boolean", "true or false"),
    ("boolean `", "`"),
    ("expected u32", "expected a whole number, 0 or more"),
    ("expected u16", "expected a whole number, 0 or more"),
    ("a map", "a table"),
];

/// The line, if there is one, and what is wrong there.
pub(super) fn told(text: &str, error: &Error) -> (Option<u64>, String) {
    let mut what = error.message().replace('\n', ", ");
    for (theirs, ours) in WORDS {
        what = what.replace(theirs, ours);
    }
    let Some(span) = error.span() else { return (None, what) };
    if let Some(key) = key_of_value(text, span.start) {
        what = format!("{key}: {what}");
    } else if what.starts_with("duplicate key")
        && let Some(key) = text.get(span.clone()).filter(|key| key.len() <= KEY_BYTES_MAX)
    {
        what = format!("{}: {what}", key.trim());
    }
    (Some(line_of(text, span.start)), what)
}

/// The key in whose value a byte stands, as `codes.expired`; `None` where a text
/// is no TOML at all.
fn key_of_value(text: &str, byte: usize) -> Option<String> {
    let root = DeTable::parse(text).ok()?.into_inner();
    let (mut table, mut path) = (&root, Vec::new());
    loop {
        let found =
            table.iter().find_map(|(key, value)| Some((key, inner(value.get_ref(), &value.span(), byte)?)));
        let Some((key, value)) = found else { break };
        path.push(key.get_ref().to_string());
        match value {
            DeValue::Table(below) => table = below,
            _ => return Some(path.join(".")),
        }
    }
    None
}

/// The value itself if the byte is in it; of a list of tables, the table.
fn inner<'a, 'b>(
    value: &'a DeValue<'b>,
    span: &std::ops::Range<usize>,
    byte: usize,
) -> Option<&'a DeValue<'b>> {
    match value {
        DeValue::Array(list) if list.iter().any(|one| matches!(one.get_ref(), DeValue::Table(_))) => {
            list.iter().map(|one| one.get_ref()).find(|one| holds(one, byte))
        }
        DeValue::Table(_) => holds(value, byte).then_some(value),
        _ => span.contains(&byte).then_some(value),
    }
}

/// Whether a byte stands in a value below a table. Keys of a table may stand
/// apart from its header, which its span is.
fn holds(value: &DeValue<'_>, byte: usize) -> bool {
    let DeValue::Table(table) = value else { return false };
    table.iter().any(|(_, value)| inner(value.get_ref(), &value.span(), byte).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, part: &str) -> Option<String> {
        key_of_value(text, text.find(part).unwrap())
    }

    #[test]
    fn the_key_of_a_value_is_found() {
        let text = "a = 1\n[b]\nc = ['x', 'y']\n[[d]]\ne = 2\n[[d]]\ne = 3\nf = { g = 4 }\n";
        for (part, expected) in [
            ("1", Some("a")),
            ("'y'", Some("b.c")),
            ("2", Some("d.e")),
            ("3", Some("d.e")),
            ("4", Some("d.f.g")),
            ("c =", None),
            ("[b]", None),
        ] {
            assert_eq!(at(text, part).as_deref(), expected, "{part}");
        }
        assert_eq!(at("a = = 1", "1"), None);
    }
}
