//! Why a chain is not trusted.

use crate::model::ChainStatus;

/// Why a chain is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChainRefusal {
    pub status: ChainStatus,
    pub cause: String,
}

impl ChainRefusal {
    pub(super) fn new(status: ChainStatus, cause: impl Into<String>) -> Self {
        Self { status, cause: cause.into() }
    }

    pub(super) fn invalid(cause: impl Into<String>) -> Self {
        Self::new(ChainStatus::Invalid, cause)
    }
}
