//! Why a signature over a handshake proves nothing.

use crate::model::SignatureCheck;

/// Why a signature proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is none that any client takes; the text says why.
    Failed(String),
    /// It was made under a scheme that was not offered; the text names it.
    NotOffered(String),
    /// It cannot be checked here; the text says so as our limit.
    Unverifiable(String),
}

impl Refusal {
    /// The cause in words.
    pub fn cause(&self) -> &str {
        match self {
            Refusal::Failed(cause) | Refusal::NotOffered(cause) | Refusal::Unverifiable(cause) => cause,
        }
    }

    pub(super) fn failed(cause: impl Into<String>) -> Self {
        Self::Failed(cause.into())
    }

    /// `what` is what mxray cannot check, as `a signature of DSA`.
    pub(super) fn unverifiable(what: impl std::fmt::Display) -> Self {
        Self::Unverifiable(format!("mxray cannot check {what}"))
    }

    pub(super) fn odd_point() -> Self {
        Self::unverifiable("a signature by a key whose point is in a form that it does not read")
    }

    pub(super) fn unreadable_key() -> Self {
        Self::unverifiable("a signature by a key that it cannot read")
    }
}

impl From<Refusal> for SignatureCheck {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Failed(_) => SignatureCheck::Failed,
            Refusal::NotOffered(_) => SignatureCheck::NotOffered,
            Refusal::Unverifiable(cause) => SignatureCheck::Unverifiable(cause.into()),
        }
    }
}
