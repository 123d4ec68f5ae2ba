//! Which rows are exported: `delivery=plaintext`, `reason!=tls_alert`.

use super::super::tables::{RunColumn, RunTable};
use crate::run_dir::columns::CellKind;

/// A column and what its cell has to be, or must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    column: RunColumn,
    value: String,
    is_equal: bool,
}

/// Why a condition is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is no `=` in it.
    #[error("`{0}` is not of the form COLUMN=VALUE or COLUMN!=VALUE")]
    NoComparison(String),
    /// The table has no such column.
    #[error("the table {table} has no column `{column}`")]
    NoColumn {
        /// The table.
        table: &'static str,
        /// What was named.
        column: String,
    },
    /// No cell of the column can be that.
    #[error("`{value}` is no value of {column}; there are {}", known.join(", "))]
    NoValue {
        /// The column.
        column: &'static str,
        /// What was given.
        value: String,
        /// What its cells hold.
        known: &'static [&'static str],
    },
    /// The same of a column whose values are not listed, in words.
    #[error("{0}; mxray explain {1} tells what it holds")]
    Impossible(String, &'static str),
}

impl Condition {
    /// Reads one about a column of `table`.
    ///
    /// # Errors
    /// [`ConditionError`].
    pub fn parse(text: &str, table: &RunTable) -> Result<Self, ConditionError> {
        let Some((before, value)) = text.split_once('=') else {
            return Err(ConditionError::NoComparison(text.to_string()));
        };
        let (name, is_equal) = match before.strip_suffix('!') {
            Some(name) => (name, false),
            None => (before, true),
        };
        let Some(column) = table.column(name.trim()) else {
            return Err(ConditionError::NoColumn { table: table.name, column: name.trim().to_string() });
        };
        let value = value.trim();
        check(column, value)?;
        // A number is compared as it is written in a table.
        let value = match value.parse::<u64>() {
            Ok(number) if column.kind == CellKind::Number => number.to_string(),
            _ => value.to_string(),
        };
        Ok(Self { column, value, is_equal })
    }

    /// The column that it is about.
    pub fn column(&self) -> &'static str {
        self.column.name
    }

    /// Whether it holds for a cell. A value without a cause is any with it, as `fail` is
    /// `fail:expired`. A list holds a value if a word of it is that. No value is an empty
    /// cell.
    pub fn holds(&self, cell: &str) -> bool {
        let is_one = |word: &str| {
            let before_cause = word.split(':').next().unwrap_or_default();
            word == self.value || (self.column.has_cause() && before_cause == self.value)
        };
        let equal = match self.column.kind {
            CellKind::List if !self.value.is_empty() => cell.split(' ').any(is_one),
            _ => is_one(cell),
        };
        equal == self.is_equal
    }
}

/// Whether a cell of the column can be that: else a slip of the pen would find no rows.
fn check(column: RunColumn, value: &str) -> Result<(), ConditionError> {
    // Nothing stands for an empty cell, and a value without its cause for all causes.
    if value.is_empty() || column.values.contains(&value) {
        return Ok(());
    }
    match column.check(value) {
        Ok(()) => Ok(()),
        Err(_) if !column.values.is_empty() && !value.contains(':') => {
            let (column, known) = (column.name, column.values);
            Err(ConditionError::NoValue { column, value: value.to_string(), known })
        }
        Err(cause) => Err(ConditionError::Impossible(cause, column.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_for_whole_cells_values_before_a_cause_and_words_of_lists() {
        let [domains, endpoints] = ["domains", "endpoints"]
            .map(|name| RunTable::all().into_iter().find(|table| table.name == name).unwrap());
        for (table, condition, cell, holds) in [
            (&domains, "delivery=plaintext", "plaintext", true),
            (&domains, "delivery = plaintext", "encrypted", false),
            (&domains, "delivery!=plaintext", "encrypted", true),
            (&domains, "delivery!=plaintext", "plaintext", false),
            (&domains, "encryption_only=fail", "fail:starttls_not_offered", true),
            (&domains, "encryption_only=fail:tls_alert", "fail:starttls_not_offered", false),
            (&domains, "encryption_only!=fail", "fail:starttls_not_offered", false),
            // Only a cause may stand behind a colon.
            (&domains, "domain=192.0.2.1", "192.0.2.1:2525", false),
            (&domains, "domain=192.0.2.1:2525", "192.0.2.1:2525", true),
            (&domains, "reason=", "", true),
            (&domains, "reason!=", "tls_alert", true),
            (&domains, "dane_detail=a=b", "a=b", true),
            (&endpoints, "cert_trusted_by=mozilla", "system mozilla", true),
            (&endpoints, "cert_trusted_by!=mozilla", "system mozilla", false),
            (&endpoints, "cert_trusted_by=mozilla", "mozilla2", false),
            (&endpoints, "cert_trusted_by=", "mozilla", false),
            (&endpoints, "cert_trusted_by=", "", true),
        ] {
            assert_eq!(Condition::parse(condition, table).unwrap().holds(cell), holds, "{condition} {cell}");
        }
        let told = |text: &str| Condition::parse(text, &domains).unwrap_err().to_string();
        assert_eq!(told("delivery"), "`delivery` is not of the form COLUMN=VALUE or COLUMN!=VALUE");
        assert_eq!(told("speed!=1"), "the table domains has no column `speed`");
        assert_eq!(
            told("delivery!=encrpyted"),
            "`encrpyted` is no value of delivery; there are encrypted, plaintext, deferred, undeliverable, undetermined"
        );
        assert_eq!(
            told("encryption_only=passes"),
            "`passes` is no value of encryption_only; there are pass, fail, undetermined"
        );
        for impossible in [
            "reason=nosuch",
            "encryption_only=fail:nosuch",
            "encryption_only=fail:",
            "mx_count=abc",
            "line!=-1",
        ] {
            let told = told(impossible);
            assert!(told.contains("mxray explain"), "{impossible}: {told}");
        }
        assert!(Condition::parse("line=05", &domains).unwrap().holds("5"));
    }
}
