//! The two stages that touch the network, as the engine sees them. What
//! implements them is chosen by `plan`; tests and benches put in-memory
//! stages in their place.

use crate::model::mta_sts::Fetching;
use crate::model::{ClientHelloSpec, DomainFacts, Failure, HelloObservation, Observation, ProbeKey, Target};
use std::future::Future;
use tokio::sync::watch;

/// Finds the mail hosts of a target and their addresses.
pub trait Lookup: Send + Sync + 'static {
    /// Answers one target. Never fails: what went wrong is part of the facts.
    fn lookup(&self, target: Target) -> impl Future<Output = DomainFacts> + Send;

    /// Whether a target that was looked up may still be asked about.
    ///
    /// # Errors
    /// The failure to record in place of what is known of it: it is on the blocklist by
    /// now.
    fn permit(&self, _target: &Target) -> Result<(), Failure> {
        Ok(())
    }

    /// How many of the lookups under way have only a policy host left to wait for;
    /// `None` where that never happens. They keep nobody else from being looked up.
    fn aside(&self) -> Option<watch::Receiver<usize>> {
        None
    }

    /// From now on policies are fetched so. Those whose connection is open go to their
    /// end.
    fn set_fetching(&self, _fetching: Fetching) {}
}

/// Asks one endpoint.
pub trait Probe: Send + Sync + 'static {
    /// Whether the endpoint may be connected to at all. Asked before any
    /// permit is spent on it.
    ///
    /// # Errors
    /// The failure to record in place of an observation: the address is on
    /// the blocklist, or private.
    fn permit(&self, key: &ProbeKey) -> Result<(), Failure>;

    /// Connects once. Never fails: what went wrong is part of the observation.
    /// `attempt` counts from 1.
    fn probe(&self, key: ProbeKey, attempt: u32) -> impl Future<Output = Observation> + Send;

    /// Sends one further hello on a connection of its own. Never fails: what
    /// went wrong is part of the observation.
    fn hello(&self, key: ProbeKey, spec: &ClientHelloSpec) -> impl Future<Output = HelloObservation> + Send;
}
