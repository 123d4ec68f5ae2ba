//! How a run goes about it, and why it may end early.

use super::CanaryPause;
use super::pace::Limits;
use crate::interrogate::RetryPlan;
use crate::model::{ProbeKey, Shard};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinError;

/// How a run goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// TCP port of endpoints that name none.
    pub port: u16,
    /// How fast to go.
    pub limits: Limits,
    /// Lookups under way at a time.
    pub lookups_in_flight: usize,
    /// When and how often a key is asked again.
    pub retry: RetryPlan,
    /// Where a file may be made for domains that wait for hosts for which many wait;
    /// `None`: all wait in memory, and the reading of targets with them.
    pub spill_dir: Option<PathBuf>,
    /// Whether, of more than fifty names on an address, a sample stands for all that are
    /// answered alike. It takes a `spill_dir`.
    pub sample: bool,
    /// The part of the list that is asked; `None` for all of it.
    pub shard: Option<Shard>,
    /// Hosts of the user's own that tell whether this network lets connections out, at
    /// most [`CANARIES_MAX`](super::CANARIES_MAX).
    pub canaries: Vec<ProbeKey>,
    /// From one look at them to the next.
    pub canary_interval: Duration,
    /// The pause in which an earlier process of this run broke off: it goes on until
    /// the canaries that refused then answer.
    pub canary_pause: Option<CanaryPause>,
}

impl Default for EngineConfig {
    /// Port 25, and the defaults of [`Limits`] and [`RetryPlan`].
    fn default() -> Self {
        Self {
            port: 25,
            limits: Limits::default(),
            lookups_in_flight: 256,
            retry: RetryPlan::default(),
            spill_dir: None,
            sample: false,
            shard: None,
            canaries: Vec::new(),
            canary_interval: Duration::from_secs(60),
            canary_pause: None,
        }
    }
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// What the DNS said of domains that wait cannot be read again.
    #[error("domains that waited in a file are lost: {0}")]
    Spill(#[source] io::Error),
    /// What was seen of a host cannot be read again.
    #[error("what was found is lost from its file: {0}")]
    Findings(#[source] io::Error),
    /// Whoever writes the records is gone.
    #[error("the output ended before the run")]
    OutputGone,
    /// A stage broke down, which is a defect of this program.
    #[error("a stage failed: {0}")]
    Stage(#[from] JoinError),
}
