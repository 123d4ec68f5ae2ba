//! The summary of a run: a fold over its records, and its rendering.
//!
//! Counts by domain and counts by endpoint are kept apart: a host that serves
//! a thousand domains is one endpoint. Every target is counted under exactly
//! one delivery and one outcome, so either list adds up to the domains.

mod brief;
mod connectors;
pub mod diff;
pub mod document;
mod enumerated;
pub mod figures;
mod headline;
mod html;
mod markdown;
mod policies;
pub mod received;
mod render;
mod revocation;
mod sending;
mod summary;
mod tally;
pub mod tls_rpt;
mod told;
mod transcript;
pub mod words;

#[cfg(test)]
mod tests;

pub use brief::Brief;
pub use connectors::{CONNECTOR_PARTNERS_MAX, ConnectorPartner, ConnectorTally};
pub use enumerated::EnumeratedTally;
pub use headline::Headline;
pub use html::page;
pub use markdown::markdown;
pub use policies::PolicyTally;
pub use revocation::{RevocationDocument, revocation, revocation_json};
pub use sending::{AtLeast, ForcedTally, SendingTally, StrengthCount};
pub use summary::{Counts, OPERATORS_MAX, OPERATORS_TOLD_MAX, Operators, Summary};
pub use tally::Tally;
pub use told::ToldSummary;
pub use transcript::{Probed, QuestionsTold, Retrying, transcript};
