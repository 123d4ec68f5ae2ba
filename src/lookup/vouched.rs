//! Answers with who vouches for them, and what follows for a chain of them.

use crate::dns::{Answer, Name};
use crate::model::Failure;
use crate::model::tlsa::Authenticity;
use std::ops::Deref;
use std::sync::Arc;

/// An answer, and whether a resolver that validates vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vouched {
    pub(super) answer: Answer,
    pub(super) authenticity: Authenticity,
    /// Why it is not known who vouches, where that is so: those that are believed
    /// failed, and this is what another says. [`Authenticity::NotValidated`] then.
    pub(super) unvouched: Option<Failure>,
}

impl Vouched {
    /// The same, where for this reason it is not known who vouches.
    pub(super) fn unvouched(self, why: Failure) -> Self {
        Self { authenticity: Authenticity::NotValidated, unvouched: Some(why), ..self }
    }
}

impl Deref for Vouched {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

/// Records that there are, at a name or at the end of its aliases.
#[derive(Clone, Debug)]
pub(super) struct FoundRecords {
    pub(super) answer: Arc<Vouched>,
    /// Who vouches for the whole way there.
    pub(super) authenticity: Authenticity,
    /// As [`Vouched::unvouched`], of the whole way.
    pub(super) unvouched: Option<Failure>,
    /// Where the aliases of the name end; `None` where it has none.
    pub(super) end: Option<Name>,
}

/// Why there are no records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoRecords {
    pub(super) failure: Failure,
    /// Who vouches for that there are none; [`Authenticity::Bogus`] where what
    /// stands there is; `None` where nobody said anything.
    pub(super) authenticity: Option<Authenticity>,
    /// As [`Vouched::unvouched`], of that there are none.
    pub(super) unvouched: Option<Failure>,
}

impl From<Failure> for NoRecords {
    fn from(failure: Failure) -> Self {
        Self { failure, authenticity: None, unvouched: None }
    }
}

/// What a chain of which these two are parts comes to (RFC 7672 §2.1.3: one
/// insecure alias makes all that follows insecure). What nobody validated leaves
/// that open.
pub(super) fn weakest(a: Authenticity, b: Authenticity) -> Authenticity {
    let rank = |authenticity| match authenticity {
        Authenticity::Bogus => 0,
        Authenticity::NotValidated => 1,
        Authenticity::Insecure => 2,
        Authenticity::Secure => 3,
    };
    std::cmp::min_by_key(a, b, |it| rank(*it))
}
