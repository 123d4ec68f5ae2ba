//! From observations to verdicts: pure functions, judged again at will.
//!
//! [`pkix`] judges a presented chain, [`outcome`] says what a [`Sender`]
//! would do at one endpoint, [`classify`] what becomes of a domain's mail, and
//! [`connector`] what becomes of it where TLS is forced. [`Policy`] holds all
//! that a run judges by. Other ways to be secure (DANE, MTA-STS) come in
//! beside these.

mod anchors;
mod chain;
pub mod classify;
pub mod connector;
mod downgrade;
pub mod enumeration;
pub mod expectation;
pub mod expectation_file;
mod finding;
pub mod names;
pub mod offer;
mod other_offers;
pub mod outcome;
pub mod pkix;
mod proof;
pub mod published;
pub mod roots;
mod rules;
pub mod sender;
mod sender_check;
mod signatures;
pub mod situation;
pub mod step_down;
mod words;

pub use pkix::{Assessed, Assessments, Judge};
pub use roots::{FileRoots, Roots, Store};
pub use rules::Policy;
pub use sender::Sender;
