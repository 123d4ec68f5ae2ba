//! Which suites and groups a server takes, by elimination: offer all, take
//! what it chose out of the offer, ask again, until it refuses.
//!
//! The next question is a function of the answers so far, and so is what they
//! come to: whoever has the history has the state. Nothing here waits, sends
//! or counts time.
//!
//! ```text
//! for each version, newest first
//!   suites   all that the version can have, less what was chosen, until refused
//!   rank     only where the list was too long for one hello: the accepted again
//!   order    the accepted, the other way round: whose preference decides
//!   groups   as with suites; TLS 1.3, and the newest before it that has ECDHE
//!   again    where the server hung up: does it do so again?
//!   control  where it did: does it still agree to what it agreed to?
//! ```
//!
//! # What counts as "none of these"
//!
//! The alerts handshake_failure, insufficient_security and protocol_version,
//! and an answer in an older version. Some servers (Schannel for one) hang up
//! instead. That is taken for a refusal only if, asked the same again, the server
//! hangs up again, and then still agrees to the last offer that it agreed to.
//! Where it answers what it had hung up at, no hang-up after that is a refusal.
//! Every other end leaves the list with a gap that names its cause.

mod answer;
pub(super) mod offer;
mod plan;
mod state;

pub use plan::EnumerationPlan;

use crate::model::{ClientHelloSpec, Enumeration, HelloObservation, HelloPurpose, Observation};
use state::EnumerationState;

/// The next hello to send; `None` when all is known that can be. Hellos of
/// other purposes in the history are passed over.
///
/// ```
/// use mxray::HelloPurpose;
/// use mxray::internals::ask::enumeration::{EnumerationPlan, next};
/// let spec = next(&EnumerationPlan::default(), &[]).unwrap();
/// assert_eq!(spec.purpose, HelloPurpose::Suites);
/// assert_eq!(spec.version().name(), "TLSv1.3");
/// ```
pub fn next(plan: &EnumerationPlan, history: &[HelloObservation]) -> Option<ClientHelloSpec> {
    replay(plan, history).spec()
}

/// What the answers come to.
pub fn summary(plan: &EnumerationPlan, history: &[HelloObservation]) -> Enumeration {
    replay(plan, history).into_enumeration()
}

/// The next hello to an endpoint that was probed. One that never came to TLS
/// is not asked.
pub fn next_to(plan: &EnumerationPlan, seen: &Observation) -> Option<ClientHelloSpec> {
    seen.tls.as_ref()?;
    next(plan, &seen.extra_client_hellos)
}

/// What the enumeration of an endpoint came to; `None` where none was begun.
pub fn of(seen: &Observation) -> Option<Enumeration> {
    let begun = seen.extra_client_hellos.iter().any(|hello| is_ours(hello.purpose));
    begun.then(|| summary(&EnumerationPlan::default(), &seen.extra_client_hellos))
}

fn replay<'p>(plan: &'p EnumerationPlan, history: &[HelloObservation]) -> EnumerationState<'p> {
    let mut state = EnumerationState::new(plan);
    history.iter().filter(|hello| is_ours(hello.purpose)).for_each(|hello| state.take(hello));
    state
}

fn is_ours(purpose: HelloPurpose) -> bool {
    matches!(purpose, HelloPurpose::Suites | HelloPurpose::Order | HelloPurpose::Groups)
}

#[cfg(test)]
mod tests;
