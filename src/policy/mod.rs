//! From observations to verdicts: pure functions, judged again at will.
//!
//! [`pkix`] judges a presented chain, [`finding()`] keeps what a verdict needs
//! of one endpoint, and [`classify`] says what a sender would do. Other ways
//! to be secure (DANE, MTA-STS) and other senders come in beside these.

mod chain;
pub mod classify;
mod finding;
pub mod names;
pub mod offer;
pub mod outcome;
pub mod pkix;
mod rules;
pub mod sender;
mod signatures;
pub mod situation;

pub use pkix::{Assessed, Judge, Roots};
pub use rules::Policy;
pub use sender::Sender;
