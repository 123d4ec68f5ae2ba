//! From observations to verdicts: pure functions, judged again at will.
//!
//! [`pkix`] judges a presented chain, [`outcome`] says what a [`Sender`]
//! would do at one endpoint, [`verdict`] what becomes of a domain's mail, as it
//! is and where TLS is forced, and [`connector`] reads who forces it. [`Policy`] holds all
//! that a run judges by. Other ways to be secure (DANE, MTA-STS) come in
//! beside these.

mod anchors;
mod chain;
pub mod connector;
mod demands;
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
pub mod verdict;
mod words;

pub use pkix::{Assessed, Assessments, Judge};
pub use roots::{FileRoots, Roots, Store};
pub use rules::Policy;
pub use sender::Sender;
pub use verdict::SenderProfile;
