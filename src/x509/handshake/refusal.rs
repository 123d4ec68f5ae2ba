//! Why a signature over a handshake proves nothing.

use crate::model::SignatureCheck;

/// Why a signature proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureRefusal {
    /// It is none that any client takes; the text says why.
    Failed(String),
    /// It was made under a scheme that was not offered; the text names it.
    NotOffered(String),
    /// It cannot be checked here; the text says so as our limit.
    Unverifiable(String),
}

impl SignatureRefusal {
    /// Why the signature does not count, in words.
    pub fn cause(&self) -> &str {
        match self {
            SignatureRefusal::Failed(cause)
            | SignatureRefusal::NotOffered(cause)
            | SignatureRefusal::Unverifiable(cause) => cause,
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

impl From<SignatureRefusal> for SignatureCheck {
    fn from(refusal: SignatureRefusal) -> Self {
        match refusal {
            SignatureRefusal::Failed(_) => SignatureCheck::Failed,
            SignatureRefusal::NotOffered(_) => SignatureCheck::NotOffered,
            SignatureRefusal::Unverifiable(cause) => SignatureCheck::Unverifiable(cause.into()),
        }
    }
}
