//! A row of the tables of words.

/// A word with its meaning and its remedy.
pub(super) type WordsEntry = (&'static str, &'static str, &'static str);
