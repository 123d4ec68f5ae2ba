//! What a run will still take, as far as it can be told from what waits: said every
//! few seconds, for whoever shows it.

use super::counts::EngineCounts;
use super::pace::Pacer;
use super::progress::Progress;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// How often it is looked at. That takes a look at every address for which somebody
/// waits.
const EVERY: Duration = Duration::from_secs(2);

/// Keys asked to their end before the number of their connections is believed.
const ASKED_MIN: u64 = 20;

/// What a run has done so far that tells what the rest will take.
pub(super) struct Outlook {
    ticks: Interval,
    /// Connections of an earlier process.
    earlier: u64,
    /// Keys that this process connected to, and that are done.
    asked: u64,
    /// Domains that waited in the file, and their keys there.
    aside: (u64, u64),
    /// When the last of those that wait for their time is due.
    paused_until: Instant,
}

impl Outlook {
    /// At the start of a process, before which so much was done.
    pub(super) fn new(counts: &EngineCounts) -> Self {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, earlier: counts.connections, asked: 0, aside: (0, 0), paused_until: Instant::now() }
    }

    /// Ends when it is time to look again.
    pub(super) async fn due(&mut self) {
        self.ticks.tick().await;
    }

    /// A key that was connected to is done.
    pub(super) fn asked(&mut self) {
        self.asked += 1;
    }

    /// A domain waits in the file for so many keys.
    pub(super) fn put_aside(&mut self, keys: usize) {
        self.aside.0 += 1;
        self.aside.1 += keys as u64;
    }

    /// Somebody waits for so long.
    pub(super) fn pause(&mut self, time: Duration) {
        self.paused_until = self.paused_until.max(Instant::now() + time);
    }

    /// Says what it will take at least, while so many domains wait for a sample.
    pub(super) fn tell(&self, pacer: &Pacer, counts: &EngineCounts, held: u64, progress: &Progress) {
        let ended = (counts.connections - self.earlier).saturating_sub(pacer.open() as u64);
        let per_key = if self.asked < ASKED_MIN { 1.0 } else { (ended as f64 / self.asked as f64).max(1.0) };
        let (domains, keys) = self.aside;
        let per_domain = if domains == 0 { 1.0 } else { (keys as f64 / domains as f64).max(1.0) };
        let least = pacer.least_time(per_key, per_domain);
        let paused = self.paused_until.saturating_duration_since(Instant::now());
        progress.set_outlook((counts.targets, held), least.by_pace, least.after_rest.max(paused));
    }
}
