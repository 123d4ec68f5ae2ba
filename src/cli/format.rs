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

/// How the files of a run are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompressArg {
    /// RFC 1952
    Gzip,
    /// RFC 8878
    Zstd,
}

/// How a run is written.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct CompressArgs {
    /// Compress the tables and journals of the run: `gzip` (`domains.csv.gz`, …) or `zstd` (`domains.csv.zst`, …)
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub compress: Option<CompressArg>,
}

/// How a command tells it that has a text and a document.
#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArgs {
    /// Format of standard output: `text`, or `json` for one document (docs/json.md)
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: FormatArg,
}
