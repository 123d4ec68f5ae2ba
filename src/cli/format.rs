//! How a command tells what it found.

use clap::{Args, ValueEnum};

/// How what was found is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people.
    #[default]
    Text,
    /// One document.
    Json,
}

/// How a command tells it that has a text and a document.
#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArgs {
    /// Format of standard output: `text`, or `json` for one document (docs/json.md)
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: FormatArg,
}
