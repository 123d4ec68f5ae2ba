//! Who sends: the files of senders, of their connectors, of what they expect of
//! certificates, and what Microsoft publishes.

mod check;
pub mod connector;
mod definition;
mod error;
pub mod expectation_file;
mod file;
pub mod inbound_connector;
#[cfg(feature = "receive")]
pub mod learnt;
pub mod log_text;
pub mod offer;
pub mod published;
pub mod situation;
mod toml_fault;

#[cfg(test)]
mod expectation_tests;

pub use definition::{
    AddressFamily, AfterTlsFailure, AfterUnusableTlsa, DaneUse, LoggedCode, ReplyFormEffect, SENDER_LIST_MAX,
    SENDER_TEXT_BYTES_MAX, Sender, Stated,
};
pub use error::SenderError;
pub use file::DEFAULT_SENDER;
