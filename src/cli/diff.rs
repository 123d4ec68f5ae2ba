//! `mxray diff`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormatArg {
    /// For a terminal.
    Text,
    /// A row for each domain of which there is something to tell.
    Csv,
    /// One document.
    Json,
    /// A page.
    Html,
}

/// What is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum FailOnArg {
    /// A domain that became worse.
    Worse,
    /// One whose mail goes in clear now, and did not before.
    Plaintext,
    /// One that is not determined now, and was before.
    Undetermined,
    /// One that only the second run has.
    Came,
    /// One that only the first run has.
    Went,
}

/// `mxray diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The run directory of the earlier run
    #[arg(value_name = "RUN_A")]
    pub before: PathBuf,

    /// The run directory of the later run
    #[arg(value_name = "RUN_B")]
    pub after: PathBuf,

    /// Format: `text`, `csv` (a row for each domain of which there is something to tell), `json` or `html`
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: DiffFormatArg,

    /// File to write to, which must not be there yet; `-` is standard output [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// End with exit code 6 if a domain became `worse`, if its mail goes in clear now and did not before (`plaintext`), if it
    /// is `undetermined` now and was not, if it `came`, or `went`; several with commas between
    #[arg(long, value_name = "CHANGE", value_delimiter = ',', hide_possible_values = true)]
    pub fail_on: Vec<FailOnArg>,
}
