//! How much of a run is told at its end.

use clap::{Args, ValueEnum};

/// How much of a run is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SummaryArg {
    /// What matters, on one screen
    #[default]
    Short,
    /// All tables
    Full,
}

/// What is told at the end.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct SummaryArgs {
    /// How much of the summary to print: what matters on one screen (short), or all its tables (full)
    #[arg(long, value_name = "HOW", value_enum, default_value_t = SummaryArg::Short, hide_possible_values = true)]
    pub summary: SummaryArg,
}
