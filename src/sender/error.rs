//! Why a text is no sender.

/// Why a text is no sender. One line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SenderError(pub(super) String);
