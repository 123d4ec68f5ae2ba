//! The inbound side: a listener to which a partner's outgoing server is pointed, so that
//! it can be seen what it says.
//!
//! It hears each client out up to its recipients, refuses every one of them, and hands
//! on what it saw. It takes no message, relays nothing, and has no way to.

mod admission;
mod client_certificates;
mod config;
mod learning;
mod senders;
mod serve;
mod session;
mod test_certificates;
mod tls;

pub use config::{ListenLimits, ListenerConfig};
pub use learning::{LEARNT_SENDERS_MAX, Learning, NotLearnt};
pub use senders::SeenSenders;
pub use serve::{ListenCounts, MailListener};
pub use test_certificates::{LeafFault, TestCertificate, TestCertificateError, test_certificate};
pub use tls::{ALL_VERSIONS, ListenerTls, ServerIdentity, TLS12_ONLY};

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod over_tests;
#[cfg(test)]
mod tests;
