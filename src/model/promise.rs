//! What Microsoft promises between Exchange Online servers: always TLS 1.2 or
//! newer, with forward secrecy.

/// Whether a host of Exchange Online does as it is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Promise {
    /// It agreed to TLS 1.2 or newer, with forward secrecy.
    Kept,
    /// It agreed to less, or takes mail in clear.
    Broken,
    /// It was not seen to agree to anything.
    Undetermined,
}

impl Promise {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Promise::Kept => "kept",
            Promise::Broken => "broken",
            Promise::Undetermined => "undetermined",
        }
    }
}
