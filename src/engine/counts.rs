//! How much a run did.

use super::given_up::GivenUp;
use super::pace::CoolDownCounts;
use super::samples::SampleCounts;

/// What a run came to. `targets = domains + unfinished`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineCounts {
    /// Targets taken from the input.
    pub targets: u64,
    /// Domain records sent: one a target.
    pub domains: u64,
    /// Endpoint records sent: one a key.
    pub endpoints: u64,
    /// Connections made, retries and further hellos included.
    pub connections: u64,
    /// Targets taken that have no record, because the run was stopped. Those that
    /// were never taken from the input are not among them.
    pub unfinished: u64,
    /// How many addresses, networks and operators cooled down.
    pub cool_downs: CoolDownCounts,
    /// Those that were given up.
    pub given_up: GivenUp,
    /// Names that were not asked, because a sample stands for them.
    pub samples: SampleCounts,
}
