//! What `run.json` has to say of a run while it goes on: who is left alone, pauses of
//! canaries, readings of the blocklist. Who is killed then leaves it behind.

use super::{canaries, cool_downs};
use crate::engine::{CanaryPause, Progress};
use crate::run_dir::{BlocklistRead, RunNews, RunPause};
use std::sync::Arc;
use tokio::sync::watch;

/// Where news come from.
pub(super) struct NewsSource {
    progress: Arc<Progress>,
    pauses: watch::Receiver<Vec<CanaryPause>>,
    /// Those of earlier processes.
    earlier_pauses: Vec<RunPause>,
    reads: watch::Receiver<Vec<BlocklistRead>>,
}

impl NewsSource {
    /// After the pauses that earlier processes made.
    pub(super) fn new(
        progress: Arc<Progress>,
        earlier_pauses: Vec<RunPause>,
        mut reads: watch::Receiver<Vec<BlocklistRead>>,
    ) -> Self {
        // The first reading came before anybody listened.
        reads.mark_changed();
        Self { pauses: progress.canary_pauses(), progress, earlier_pauses, reads }
    }

    /// What has changed since this was asked last.
    pub(super) fn take(&mut self) -> Option<RunNews> {
        let has_pauses = self.pauses.has_changed().unwrap_or(false);
        let has_reads = self.reads.has_changed().unwrap_or(false);
        let news = RunNews {
            cool_downs: self.progress.places_if_changed().map(cool_downs::told),
            canary_pauses: has_pauses.then(|| self.pauses()),
            blocklist: has_reads.then(|| self.reads.borrow_and_update().clone()),
        };
        (news != RunNews::default()).then_some(news)
    }

    fn pauses(&mut self) -> Vec<RunPause> {
        let now = self.pauses.borrow_and_update();
        self.earlier_pauses.iter().cloned().chain(now.iter().map(canaries::as_stored)).collect()
    }
}
