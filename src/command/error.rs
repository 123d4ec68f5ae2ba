//! Why a command did not do what it was asked to, and with which code it ends.

use crate::input::InputError;
use crate::plan::UsageError;
use crate::run_dir::OutputError;
use crate::run_dir::read::StoreError;
use std::process::ExitCode;

/// Exit code for a command line that cannot be followed.
pub(super) const EXIT_USAGE: u8 = 2;

/// Exit code of a survey in which nothing could be asked.
pub(super) const EXIT_NOTHING_ASKED: u8 = 5;

/// Exit code where something is found that `--fail-on` names.
pub(super) const EXIT_FAILED_ON: u8 = 6;

/// Exit code of a survey that ended early, since all resolvers had fallen
/// silent.
pub(super) const EXIT_RESOLVERS_LOST: u8 = 7;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was asked for something that cannot be done.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The list cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It cannot be written where it should.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A run directory cannot be read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It broke off.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl CommandError {
    /// The code of the process.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            CommandError::Usage(_) | CommandError::Input(_) | CommandError::Output(_) => {
                ExitCode::from(EXIT_USAGE)
            }
            CommandError::Store(error) if error.is_unusable() => ExitCode::from(EXIT_USAGE),
            CommandError::Store(_) | CommandError::Failed(_) => ExitCode::FAILURE,
        }
    }
}
