//! `mxray export`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// A format of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormatArg {
    /// Columns with types, packed by zstd.
    Parquet,
    /// As in the run directory.
    Csv,
    /// One object a line.
    Jsonl,
}

/// `mxray export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The run directory
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,

    /// Format: `parquet`, `csv` or `jsonl` [default: csv, for a single table]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<ExportFormatArg>,

    /// CSV that Excel opens rightly: with a byte order mark, and an apostrophe before each cell that it would take for a
    /// formula. For people; programs read the CSV without it
    #[arg(long)]
    pub csv_for_excel: bool,

    /// Directory for a file of each table [default: mxray-export-DATE-TIME; standard output for a single table as CSV
    /// or JSON Lines]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Tables, commas between: domains, endpoints, mx, certificates, suites, groups, rejects [default: all; with
    /// --columns or --where domains]
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    pub tables: Vec<String>,

    /// Columns of a single table, commas between, in this order [default: all]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,

    /// Only rows of a single table in which a column has this value, as 'delivery=plaintext', or has not, as
    /// 'reason!=tls_alert'; repeatable, and all must hold
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub conditions: Vec<String>,
}
