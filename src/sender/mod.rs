//! Who sends: the files of senders, of their connectors, of what they expect of
//! certificates, and what Microsoft publishes.

mod check;
pub mod connector;
mod definition;
pub mod expectation_file;
mod log_text;
pub mod offer;
pub mod published;
pub mod situation;

#[cfg(test)]
mod expectation_tests;

pub use definition::{
    AddressFamily, AfterTlsFailure, DEFAULT_SENDER, LoggedCode, SENDER_LIST_MAX, SENDER_TEXT_BYTES_MAX,
    Sender, SenderError, Stated,
};
