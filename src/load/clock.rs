//! Says when sessions of the open loop are due.
//!
//! A thread of its own sleeps between two of them: the timers of the runtime
//! tick in whole milliseconds, which is as long as a session may take.

use super::settings::LoadModel;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Sessions that are due and not yet heard of.
const DUE_QUEUED_MAX: usize = 1024;

/// Longest sleep at a time, after which the thread looks whether anybody still
/// waits.
const SLEEP_MAX: Duration = Duration::from_millis(100);

/// Hands out the moments at which sessions are due, each when it has come, up
/// to `count` of them and none later than `duration` after `begun`. It ends
/// when nobody waits any more.
pub(super) fn start(
    pacing: LoadModel,
    begun: Instant,
    count: u64,
    duration: Duration,
) -> mpsc::Receiver<Instant> {
    let (sender, due) = mpsc::channel(DUE_QUEUED_MAX);
    std::thread::spawn(move || {
        let moments = (0..count).map_while(|index| pacing.due(index)).take_while(|due| *due < duration);
        for moment in moments.map(|due| begun + due) {
            if !wait_for(moment, &sender) || sender.blocking_send(moment).is_err() {
                return;
            }
        }
    });
    due
}

/// Sleeps until `moment`; gives whether anybody still waits for it.
fn wait_for(moment: Instant, sender: &mpsc::Sender<Instant>) -> bool {
    loop {
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() || sender.is_closed() {
            return !sender.is_closed();
        }
        std::thread::sleep(left.min(SLEEP_MAX));
    }
}
