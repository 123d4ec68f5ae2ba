//! What inbound connectors of Exchange Online make of a session of `mxray receive`: a
//! pure function of what the journal has.
//!
//! The rules are those of Microsoft's page on New-InboundConnector. What it does not say
//! is not determined, and the cause says what is missing.

mod attribution;
mod case;
mod certificate;
mod named;
mod on_premises;
mod partner;
mod session_judge;
#[cfg(test)]
mod tests;

pub use attribution::verdict;
pub use case::InboundCase;
pub use session_judge::SessionJudge;
