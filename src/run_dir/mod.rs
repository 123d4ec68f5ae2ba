//! A run directory written and [`read`] back, and the streams for pipes.
//!
//! Text appears only here. Each table is one list of [`Column`]s, from which
//! the CSV files, the JSON stream and `docs/columns.md` are made.
//!
//! Cells hold what foreign servers said. Control characters are escaped, so a
//! cell is always one line; beyond that nothing is altered. In particular a
//! cell may begin with `=`, `+`, `-` or `@`, which a spreadsheet takes for a
//! formula: import the columns as text.

mod beginning;
mod buffered_file;
mod columns;
mod directory;
mod durable;
#[cfg(feature = "export")]
pub mod export;
mod external_sort;
mod files;
#[cfg(feature = "receive")]
mod inbound;
mod journal;
mod probed;
pub mod read;
#[cfg(feature = "receive")]
mod receive_info;
mod rewritten_run;
mod run_info;
mod stream;
mod tables;
mod write_error;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub use columns::{
    CERTIFICATES, CellKind, CertificateRow, Column, CsvTable, DOMAINS, ENDPOINTS, GROUPS, GroupRow,
    JsonTable, MX, MxRow, REJECTS, SUITES, SuiteRow, TEXT_CELL_BYTES_MAX, Value, Why,
};
#[cfg(test)]
pub(crate) use directory::NAMES;
pub use directory::RunDirectory;
#[cfg(feature = "receive")]
pub use inbound::{ReceiveDirectory, SESSIONS_NAME};
pub use journal::{JOURNAL_LINE_BYTES_MAX, journal_line};
pub use probed::{PROBE_SCHEMA_VERSION, ProbeDocument, ProbedTarget};
#[cfg(feature = "receive")]
pub use receive_info::{RECEIVE_KIND, ReceiveInfo, SessionsJudgedBy, ShownCertificate};
pub use rewritten_run::RewrittenRun;
pub use run_info::{
    AskedBy, BLOCKLIST_READS_MAX, BlocklistRead, BucketRunLimits, JudgedBy, JudgedFrom, ListFile,
    MergedShard, OptionValue, ResolverInfo, RunCoolDown, RunCoolDowns, RunCounts, RunInfo, RunLimits,
    RunNews, RunPause, RunSample,
};
pub use stream::{DomainStream, StreamFormat};
pub use tables::{RunColumn, RunTable};

use std::io;
use std::path::PathBuf;

/// Version of the files: grows when a column or a key changes its meaning or
/// goes away.
pub const SCHEMA_VERSION: u32 = 2;
/// Oldest version that is still read, until 1.0. What its files lack is told as
/// `not_recorded`, never guessed.
pub const SCHEMA_VERSION_OLDEST: u32 = 1;

/// Why a run directory could not be begun. Each message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The system does not let us.
    #[error("cannot create the directory {}: {source}; choose another with -o", dir.display())]
    Create {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not let us go on in it.
    #[error("cannot go on in the run directory {}: {source}", dir.display())]
    GoOn {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process writes to it.
    #[error("another mxray writes to the run directory {}", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// Another run may be in it.
    #[error("the directory {} is not empty; choose another with -o", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
}
