//! How far a load is, on standard error: one line that goes away on a terminal, lines
//! elsewhere. What it came to stands on standard output alone.

use crate::command::say;
use crate::load::{LoadProgress, Round, round_line};
use crate::model::text::grouped;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often a terminal is redrawn.
const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// How often a plain line is written.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// How long the end of a round waits for a terminal that stands still.
const END_WITHIN: Duration = Duration::from_secs(1);

/// Whoever watches a load.
pub(super) struct LoadWatch {
    progress: LoadProgress,
    rounds: u32,
    /// Sessions a second of the round before.
    before: Option<f64>,
}

/// A round that is watched.
pub(super) struct RoundWatch {
    done: mpsc::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl LoadWatch {
    /// Of a load of so many rounds.
    pub(super) fn new(progress: LoadProgress, rounds: u32) -> Self {
        Self { progress, rounds, before: None }
    }

    /// Begins to show a round, `number` from 1. Without a thread for it, it goes on
    /// unseen.
    pub(super) fn round(&self, number: usize) -> RoundWatch {
        let (done, is_done) = mpsc::channel();
        let (ends, ended) = oneshot::channel();
        let what =
            if self.rounds > 1 { format!("round {number} of {}: ", self.rounds) } else { String::new() };
        let (progress, before) = (self.progress.clone(), self.before);
        let show = move || {
            show(&progress, &what, before, &is_done);
            let _ = ends.send(());
        };
        let _ = thread::Builder::new().name("progress".to_string()).spawn(show);
        RoundWatch { done, ended }
    }

    /// A round came to its end. Where its line went away, the report alone tells what it
    /// came to.
    pub(super) fn made(&mut self, number: usize, round: &Round) {
        self.before = Some(round.per_second);
        if self.rounds > 1 && bar().is_hidden() {
            say(format_args!("mxray: round {number}: {}", round_line(round)));
        }
    }
}

impl RoundWatch {
    /// Takes the line away, and waits no longer than a terminal takes that usually.
    pub(super) async fn end(self) {
        drop(self.done);
        let _ = tokio::time::timeout(END_WITHIN, self.ended).await;
    }
}

/// Shows a round until the sender of `is_done` is gone.
fn show(progress: &LoadProgress, what: &str, before: Option<f64>, is_done: &mpsc::Receiver<()>) {
    let (bar, begun) = (bar(), Instant::now());
    let every = if bar.is_hidden() { LINE_EVERY } else { REDRAW_EVERY };
    while is_done.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let line = line(what, begun.elapsed(), progress.sessions(), before);
        if bar.is_hidden() { say(format_args!("mxray: {line}")) } else { bar.set_message(line) }
    }
    bar.finish_and_clear();
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What is said of a moment.
fn line(what: &str, elapsed: Duration, (ended, failed): (u64, u64), before: Option<f64>) -> String {
    let (seconds, ended_text) = (elapsed.as_secs_f64(), grouped(ended));
    let rate = if seconds > 0.0 { ended as f64 / seconds } else { 0.0 };
    let before = before.map(|rate| format!("; before {rate:.1}")).unwrap_or_default();
    format!(
        "{what}{seconds:.0} s, {ended_text} sessions, {rate:.1} a second, {} failed{before}",
        grouped(failed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_a_line() {
        let told = line("round 2 of 3: ", Duration::from_secs(4), (1600, 2), Some(398.04));
        let expected = "round 2 of 3: 4 s, 1,600 sessions, 400.0 a second, 2 failed; before 398.0";
        assert_eq!(told, expected);
        let told = line("", Duration::ZERO, (0, 0), None);
        assert_eq!(told, "0 s, 0 sessions, 0.0 a second, 0 failed");
    }
}
