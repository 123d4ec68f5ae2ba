//! How much a run did.

use super::given_up::GivenUp;
use super::pace::CoolDownCounts;
use super::samples::SampleCounts;

/// What a run came to. `targets = domains + parts + of_other_shards + unfinished`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineCounts {
    /// Targets taken from the input.
    pub targets: u64,
    /// Domain records sent: one a target.
    pub domains: u64,
    /// Targets of which other shards of the run have something, too.
    pub parts: u64,
    /// Targets of which this shard of a run has nothing.
    pub of_other_shards: u64,
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

impl EngineCounts {
    /// Targets with which nothing more is to be done here.
    pub fn done(&self) -> u64 {
        self.domains + self.parts + self.of_other_shards
    }
}
