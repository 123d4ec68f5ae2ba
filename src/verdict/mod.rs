//! From what was found at the hosts of a domain to what becomes of its mail:
//! pure functions, judged again at will.
//!
//! ```text
//! requirement ──► attempt at each host ──► deliver
//! what is         delivered, not here,     what becomes of the mail,
//! demanded        or unknown               or what leaves it open
//! ```
//!
//! The same three steps answer for a message without a connector and for each
//! strength of forced TLS. [`finding`] cuts out of an observation what they rest
//! on, [`outcome`] says what a sender would do at one endpoint, and [`Policy`]
//! holds all that a run judges by. Other ways to be secure (DANE, MTA-STS) come
//! in beside these.

mod alike;
mod attempt;
mod carried;
mod case;
mod certificate;
mod connector;
mod dane;
mod deliver;
mod demands;
mod domain;
mod domain_outcome;
mod domain_verdict;
mod downgrade;
mod enumerated;
mod finding;
#[cfg(test)]
mod fixtures;
mod form;
mod hosts;
pub mod inbound;
mod inferred;
mod keyword;
mod looks;
mod no_starttls;
mod other_offers;
pub mod outcome;
mod policies;
mod policy;
#[cfg(test)]
mod policy_fixtures;
mod policy_use;
mod profile;
mod promise;
mod proof;
mod reach;
mod reply_form;
mod report_result;
mod requirement;
pub mod said_of_tls;
mod scanner_offer;
mod scheme;
mod secured;
mod sessions;
mod sts;
mod weakness;

pub use domain_verdict::verdict;
pub use policy::{KeyContext, Policy};
pub use profile::SenderProfile;
pub use reach::{Reach, SUSPECT_NETWORKS_MIN};
pub use scanner_offer::{SCANNER_GROUPS, SCANNER_SUITES};
