//! What may be missing of a run that is read back.

/// What may be missing without being an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nothing: the run came to its end.
    Nothing,
    /// What was written last: it was killed.
    End,
    /// Whatever is damaged: it is asked again.
    Any,
}
