//! What a table is made of: columns that each say their name, their meaning,
//! their values where they are few, and where a cell comes from. Files, streams
//! and `docs/columns.md` are all made from the same lists.

use super::closed::YES_NO;
use super::value::Value;
use super::why::Why;

/// What the cells of a column are, beside being empty: their type where a format has
/// types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CellKind {
    /// Text.
    Text,
    /// Words with blanks between.
    List,
    /// A whole number.
    Number,
    /// A whole number, or a word that says why there is none.
    NumberOrWord,
    /// `yes` or `no`.
    Flag,
    /// One of these, or a word that says why it is neither.
    FlagOrWord,
    /// A moment.
    Time,
}

impl CellKind {
    /// Whether a value is of this kind.
    pub(super) fn admits(self, value: &Value<'_>) -> bool {
        match value {
            Value::Absent => true,
            Value::Number(_) => matches!(self, Self::Number | Self::NumberOrWord),
            Value::Bool(_) => matches!(self, Self::Flag | Self::FlagOrWord),
            Value::Time(..) => matches!(self, Self::Time),
            Value::Text(_) => matches!(self, Self::Text | Self::List | Self::NumberOrWord | Self::FlagOrWord),
            Value::Ip(_) | Value::Digest(_) | Value::Base64(_) => matches!(self, Self::Text),
        }
    }

    /// Its name in `docs/columns.md`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::List => "list",
            Self::Number => "number",
            Self::NumberOrWord => "number or word",
            Self::Flag => "yes or no",
            Self::FlagOrWord => "yes, no or word",
            Self::Time => "time",
        }
    }
}

/// One column of a table of `R`.
#[non_exhaustive]
pub struct Column<R: 'static> {
    /// Stable snake_case name.
    pub name: &'static str,
    /// One sentence for the documentation.
    pub doc: &'static str,
    /// What its cells hold, beside being empty, where that is a closed set: a
    /// cell is one of them, with a cause behind a colon where there is one, or
    /// several with blanks between. Empty where anything may stand there, or a
    /// cause alone.
    pub values: &'static [&'static str],
    /// The causes that stand behind the colon, or alone.
    pub why: Why,
    /// What its cells are.
    pub kind: CellKind,
    /// Whether every row has a cell in it that is not empty.
    pub is_due: bool,
    /// The cell of a row.
    pub value: for<'a> fn(&'a R) -> Value<'a>,
}

impl<R> Column<R> {
    /// Whether a cell holds what the column may hold.
    pub fn admits(&self, cell: &str) -> bool {
        admits(self.values, self.why, self.kind, cell)
    }

    /// Each value with each cause that has a name, in full, as `fail:expired`.
    /// Left out are those of another column's that only stand here again.
    pub fn closed_set(&self) -> Vec<String> {
        let alone = self.why.named("").map(str::to_string);
        let behind = |value: &'static str| {
            let causes = self.why.named(value).map(move |cause| format!("{value}:{cause}"));
            std::iter::once(value.to_string()).chain(causes)
        };
        self.values.iter().copied().flat_map(behind).chain(alone).collect()
    }
}

/// [`Column::admits`] of a column with these values and causes.
pub(in crate::run_dir) fn admits(values: &[&str], why: Why, kind: CellKind, cell: &str) -> bool {
    let admits_word = |word: &str| match word.split_once(':') {
        _ if values.is_empty() => why.admits("", word),
        _ if why == Why::Nothing => values.contains(&word),
        Some((value, cause)) => values.contains(&value) && why.admits(value, cause),
        None => values.contains(&word) && !why.is_due(word),
    };
    match kind {
        _ if cell.is_empty() || (values.is_empty() && why == Why::Nothing) => true,
        CellKind::List => cell.split(' ').all(admits_word),
        _ => admits_word(cell),
    }
}

/// Shorthand that keeps the lists readable as tables.
pub(super) const fn column<R>(
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    Column { name, doc, values: &[], why: Why::Nothing, kind: CellKind::Text, is_due: false, value }
}

/// The same for a column whose values are a closed set.
pub(super) const fn one_of<R>(
    values: &'static [&'static str],
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    Column { name, doc, values, why: Why::Nothing, kind: CellKind::Text, is_due: false, value }
}

/// The same for whole numbers.
pub(super) const fn number<R>(
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    of(CellKind::Number, column(name, doc, value))
}

/// The same for moments.
pub(super) const fn time<R>(
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    of(CellKind::Time, column(name, doc, value))
}

/// That column, whose cells are words with blanks between.
pub(super) const fn words<R>(column: Column<R>) -> Column<R> {
    of(CellKind::List, column)
}

/// That column, in which every row has a cell that is not empty.
pub(super) const fn due<R>(mut column: Column<R>) -> Column<R> {
    column.is_due = true;
    column
}

/// That column, whose cells are of this kind.
pub(super) const fn of<R>(kind: CellKind, mut column: Column<R>) -> Column<R> {
    column.kind = kind;
    column
}

/// The same for a question that is answered by yes or no.
pub(super) const fn yes_no<R>(
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    of(CellKind::Flag, one_of(YES_NO, name, doc, value))
}

/// The same for a column of causes, alone or behind one of the values.
pub(super) const fn why<R>(
    why: Why,
    values: &'static [&'static str],
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    Column { name, doc, values, why, kind: CellKind::Text, is_due: false, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TlsSettings;

    fn of(kind: Why, values: &'static [&'static str]) -> Column<()> {
        why(kind, values, "column", "", |()| Value::Absent)
    }

    #[test]
    fn a_cell_holds_what_its_column_says() {
        const CHECKS: &[&str] = &["pass", "fail", "undetermined"];
        let weak = of(Why::Check(TlsSettings::EncryptionOnly), CHECKS);
        let strong = of(Why::Check(TlsSettings::DomainValidation), CHECKS);
        let reason = of(Why::Reason, &[]);
        let possible = words(of(Why::ReasonAgain, &["plaintext", "encrypted"]));
        let one = of(Why::Nothing, &["plaintext", "encrypted"]);
        let plain = of(Why::Nothing, &["yes", "undetermined:not_recorded"]);
        for (column, cell, admitted) in [
            (&weak, "pass", true),
            (&weak, "pass:expired", false),
            (&weak, "fail", false),
            (&weak, "fail:starttls_not_offered", true),
            (&weak, "fail:expired", false),
            (&strong, "fail:expired", true),
            (&strong, "fail:key_not_proven", false),
            (&strong, "undetermined:key_not_proven", true),
            (&strong, "undetermined:not_probed", false),
            (&strong, "undetermined:not_recorded", true),
            (&reason, "", true),
            (&reason, "tls_alert", true),
            (&reason, "tls_nonsense", false),
            (&reason, "empty_line", true),
            (&reason, "expired", false),
            (&possible, "plaintext:starttls_not_offered encrypted", true),
            (&possible, "plaintext", false),
            (&possible, "plaintext:starttls_not_offered  encrypted", false),
            (&possible, " encrypted", false),
            (&one, "encrypted", true),
            (&one, "encrypted plaintext", false),
            (&one, "encrypted ", false),
            (&one, " encrypted", false),
            (&possible, "deferred:tls_alert", false),
            (&possible, "undetermined:not_recorded", false),
            (&plain, "yes", true),
            (&plain, "yes:expired", false),
            (&plain, "undetermined:not_recorded", true),
            (&plain, "undetermined", false),
            (&plain, "0x7f1c", false),
        ] {
            assert_eq!(column.admits(cell), admitted, "{cell}");
        }
    }

    #[test]
    fn a_closed_set_has_every_cause_with_its_value() {
        let set = of(Why::Check(TlsSettings::EncryptionOnly), &["pass", "fail", "undetermined"]).closed_set();
        let causes = ["signature_unverifiable", "key_not_proven", "not_recorded"];
        let expected = ["pass", "fail", "undetermined"].map(str::to_string).into_iter();
        let expected: Vec<_> = expected.chain(causes.map(|cause| format!("undetermined:{cause}"))).collect();
        assert_eq!(set, expected);
        assert!(of(Why::Reason, &[]).closed_set().contains(&"network_suspect".to_string()));
        assert_eq!(of(Why::ReasonAgain, &["plaintext"]).closed_set(), ["plaintext"]);
    }
}
