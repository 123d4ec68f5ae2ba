//! What a command line asks for and cannot be done.

/// What the command line asks for cannot be done. One line that says what to
/// do about it; the exit code is 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
