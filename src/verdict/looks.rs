//! Whether all looks at an endpoint agree.
//!
//! One look is not enough for an answer that no offer explains: behind one
//! address may stand several servers, one of them broken, and one that thinks
//! little of us may leave STARTTLS out. So a "no TLS" is believed where two
//! connections brought the same, and none another, under whatever name. So is
//! what ends a handshake, over all connections that named the host alike. What
//! fails over the offer (no version in common, an alert) needs none, for another
//! offer may fare otherwise: further hellos are looks of their own.

mod denial;
mod handshake;
mod look;

use super::profile::SenderProfile;
use crate::model::{Observation, Reason};

/// Why it is open what the endpoint gives this sender: connections brought what
/// cannot be of one server, or what takes two looks was seen once.
pub(super) fn open(profile: &SenderProfile, seen: &Observation) -> Option<Reason> {
    denial::at_address(profile, seen)
        .or_else(|| denial::open(profile, seen))
        .or_else(|| handshake::open(profile, seen))
}

#[cfg(test)]
#[path = "looks_tests.rs"]
mod tests;
