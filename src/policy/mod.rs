//! From observations to verdicts: pure functions, judged again at will.
//!
//! [`pkix`] judges a presented chain, [`finding()`] keeps what a verdict needs
//! of one endpoint, and [`classify`] says what a sender would do. Other ways
//! to be secure (DANE, MTA-STS) and other senders come in beside these.

mod chain;
pub mod classify;
pub mod connector;
pub mod enumeration;
pub mod exchange_online;
pub mod expectation;
pub mod expectation_file;
mod finding;
pub mod names;
pub mod pkix;
pub mod published;
pub mod roots;
mod rules;
mod signatures;
pub mod step_down;

pub use classify::{delivery, verdict};
pub use finding::{endpoint, finding};
pub use pkix::{Assessed, Assessments, Judge};
pub use roots::{Roots, Store};
pub use rules::Policy;
