//! Live progress on standard error: a bar on a terminal, plain lines elsewhere.

use crate::engine::{CanaryPause, PhaseEnd, Progress, Snapshot};
use crate::model::text::noun;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often a terminal is redrawn.
const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// How often a plain line is written.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// How long the end waits for the last words.
const END_WITHIN: Duration = Duration::from_secs(1);

/// Over how long the rate is taken.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// Outcomes named in the progress, most frequent first.
const OUTCOMES_SHOWN_MAX: usize = 4;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A bar where standard error is a terminal, lines elsewhere.
    Auto,
    /// Lines: a bar would be torn up by what else is written.
    Lines,
}

/// Progress while it is shown, on a thread of its own: a terminal may stand
/// still (Ctrl-S), and a pipe may be full.
pub(super) struct Display {
    done: mpsc::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Display {
    /// Begins to show how a scan goes. Without a thread for it, a run goes on unseen.
    pub(super) fn start(progress: Arc<Progress>, style: Style) -> Self {
        Self::showing(progress, style, Meter::line)
    }

    /// The same of the lookups of a plan, in which no more is done.
    pub(super) fn of_lookups(progress: Arc<Progress>, style: Style) -> Self {
        Self::showing(progress, style, Meter::line_of_lookups)
    }

    fn showing(progress: Arc<Progress>, style: Style, line: Line) -> Self {
        let (done, is_done) = mpsc::channel();
        let (ends, ended) = oneshot::channel();
        let show = move || {
            show(&progress, style, line, &is_done);
            let _ = ends.send(());
        };
        let _ = thread::Builder::new().name("progress".to_string()).spawn(show);
        Self { done, ended }
    }

    /// Shows how it ended, and no longer than a terminal takes that usually.
    pub(super) async fn end(self) {
        drop(self.done);
        let _ = tokio::time::timeout(END_WITHIN, self.ended).await;
    }
}

/// What is said of a moment.
type Line = fn(&mut Meter, &Snapshot, Instant) -> LineParts;

/// Shows `progress` until the sender of `is_done` is gone.
fn show(progress: &Progress, style: Style, line: Line, is_done: &mpsc::Receiver<()>) {
    let is_drawn = style == Style::Auto && std::io::stderr().is_terminal() && !is_dumb();
    let bar = is_drawn.then(bar);
    let every = if bar.is_some() { REDRAW_EVERY } else { LINE_EVERY };
    let mut meter = Meter::new(Instant::now(), progress.snapshot().domains_done);
    while is_done.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let snapshot = progress.snapshot();
        let parts = line(&mut meter, &snapshot, Instant::now());
        match &bar {
            Some(bar) => {
                bar.set_length(snapshot.total.unwrap_or(0));
                bar.set_position(snapshot.domains_done);
                bar.set_message(fitted(parts, columns().saturating_sub(BAR_COLUMNS)));
            }
            None => super::say(whole(&parts)),
        }
    }
    match bar {
        Some(bar) => bar.finish_and_clear(),
        None => super::say(whole(&line(&mut meter, &progress.snapshot(), Instant::now()))),
    }
}

/// Columns of a terminal that does not tell.
const COLUMNS_USUAL: usize = 80;

/// Columns of the bar and the space behind it.
const BAR_COLUMNS: usize = 13;

/// Whether the terminal draws nothing over what stands there.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Columns of the terminal on standard error.
#[cfg(unix)]
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    size.map(|size| usize::from(size.ws_col)).ok().filter(|columns| *columns > 0).unwrap_or(COLUMNS_USUAL)
}

#[cfg(not(unix))]
fn columns() -> usize {
    COLUMNS_USUAL
}

/// What a part of the line is worth where there is no room for all; the first goes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Done,
    Paused,
    Eta,
    Rate,
    InFlight,
    Waiting,
    Outcome,
}

/// A line in parts.
type LineParts = Vec<(Worth, String)>;

fn whole(parts: &LineParts) -> String {
    let parts: Vec<&str> =
        parts.iter().map(|(_, part)| part.as_str()).filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

/// As many parts as there is room for.
fn fitted(mut parts: LineParts, columns: usize) -> String {
    while parts.len() > 1 && whole(&parts).chars().count() > columns {
        // Among equals the last.
        let least = parts.iter().enumerate().max_by_key(|(at, (worth, _))| (*worth, *at));
        let Some((at, _)) = least else { break };
        parts.remove(at);
    }
    whole(&parts)
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:12} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// Turns snapshots into words.
struct Meter {
    begun: Instant,
    /// Domains that an earlier process did.
    earlier: u64,
    window: VecDeque<(Instant, u64)>,
}

impl Meter {
    fn new(begun: Instant, earlier: u64) -> Self {
        Self { begun, earlier, window: VecDeque::from([(begun, 0)]) }
    }

    fn line_of_lookups(&mut self, snapshot: &Snapshot, now: Instant) -> LineParts {
        let rate = self.rate(snapshot.domains_done, now);
        vec![
            (Worth::Done, format!("{} looked up", done(snapshot))),
            (Worth::Rate, format!("{rate:.0}/s")),
            (Worth::Eta, self.eta(snapshot, now)),
        ]
    }

    fn line(&mut self, snapshot: &Snapshot, now: Instant) -> LineParts {
        let rate = self.rate(snapshot.handshakes, now);
        let mut parts = vec![
            (Worth::Done, done(snapshot)),
            (Worth::Paused, snapshot.paused.as_ref().map(paused).unwrap_or_default()),
            (Worth::Rate, format!("{rate:.0} handshakes/s")),
            (Worth::InFlight, format!("{} in flight", snapshot.in_flight)),
            (Worth::Waiting, waiting(snapshot)),
            (Worth::Eta, self.eta(snapshot, now)),
        ];
        let shown = snapshot.outcomes.iter().take(OUTCOMES_SHOWN_MAX);
        parts.extend(shown.map(|(end, count)| (Worth::Outcome, format!("{} {count}", named(*end)))));
        let others: u64 = snapshot.outcomes.iter().skip(OUTCOMES_SHOWN_MAX).map(|(_, count)| count).sum();
        if snapshot.outcomes.is_empty() {
            parts.push((Worth::Outcome, "none done yet".to_string()));
        } else if others > 0 {
            parts.push((Worth::Outcome, format!("other {others}")));
        }
        parts
    }

    /// How many more a second over the window.
    fn rate(&mut self, count: u64, now: Instant) -> f64 {
        self.window.push_back((now, count));
        while self.window.len() > 2 && self.window.front().is_some_and(|(then, _)| now - *then > RATE_WINDOW)
        {
            self.window.pop_front();
        }
        let Some((then, before)) = self.window.front() else { return 0.0 };
        let seconds = (now - *then).as_secs_f64();
        if seconds > 0.0 { (count - before) as f64 / seconds } else { 0.0 }
    }

    fn eta(&self, snapshot: &Snapshot, now: Instant) -> String {
        if snapshot.paused.is_some() {
            // Nobody knows when the canaries answer again.
            return String::new();
        }
        match snapshot.left(self.earlier, now - self.begun).map(|left| left.as_secs_f64()) {
            Some(left) if left >= 0.5 => format!("ETA {}", clock(left)),
            // Of standard input nobody knows how long it is.
            None if snapshot.total.is_some_and(|total| snapshot.domains_done < total) => {
                "ETA not known yet".to_string()
            }
            _ => String::new(),
        }
    }
}

/// Since when all waits, and for whom.
fn paused(pause: &CanaryPause) -> String {
    let others = match pause.refused.len() {
        0 | 1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    let first = pause.refused.first().map_or("", String::as_str);
    format!("paused since {} for canary {first}{others}", pause.began.strftime("%H:%M:%SZ"))
}

/// How many of how many, once that is known.
fn done(snapshot: &Snapshot) -> String {
    let done = snapshot.domains_done;
    match snapshot.total {
        Some(total) => format!("{done}/{total} {}", noun(total, "domain")),
        None => format!("{done} {}", noun(done, "domain")),
    }
}

/// Who waits for what, so that nobody thinks a run hangs at its end.
fn waiting(snapshot: &Snapshot) -> String {
    let wait = |count| if count == 1 { "waits" } else { "wait" };
    let keys = match (snapshot.second_looks_waiting, snapshot.retries_waiting) {
        (0, 0) => String::new(),
        (0, retries) => format!("{retries} {} for a retry", wait(retries)),
        (looks, 0) => format!("{looks} {} for a second look", wait(looks)),
        (looks, retries) => format!("{looks} {} for a second look, {retries} for a retry", wait(looks)),
    };
    let places = |count, what| if count == 0 { String::new() } else { format!("{count} {what}") };
    let all = [keys, places(snapshot.cooling, "cooling down"), places(snapshot.given_up, "given up")];
    let told: Vec<String> = all.into_iter().filter(|part| !part.is_empty()).collect();
    told.join(", ")
}

/// `42s`, `3m07s`, `2h05m`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// An end as the summary names it: `greeting_timeout`.
fn named(end: PhaseEnd) -> String {
    end.map_or_else(|| "ok".to_string(), |(phase, kind)| format!("{phase}_{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Phase};

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let begun = Instant::now();
        let mut meter = Meter::new(begun, 0);
        let snapshot = Snapshot {
            total: Some(400),
            domains_done: 100,
            probes_done: 90,
            handshakes: 80,
            in_flight: 7,
            second_looks_waiting: 0,
            retries_waiting: 0,
            cooling: 0,
            given_up: 0,
            targets_taken: 400,
            targets_held: 0,
            least: Duration::from_secs(5),
            rest: Duration::ZERO,
            paused: None,
            outcomes: vec![
                (None, 80),
                (Some((Phase::Greeting, Kind::Timeout)), 12),
                (Some((Phase::Tls, Kind::Closed)), 4),
                (Some((Phase::Dns, Kind::Nxdomain)), 3),
                (Some((Phase::Connect, Kind::Refused)), 1),
            ],
        };
        assert_eq!(
            whole(&meter.line(&snapshot, begun + Duration::from_secs(2))),
            "100/400 domains, 40 handshakes/s, 7 in flight, ETA 6s, ok 80, greeting_timeout 12, tls_closed 4, \
             dns_nxdomain 3, other 1"
        );
    }

    #[test]
    fn a_line_of_lookups_says_how_far_how_fast_and_how_long() {
        let begun = Instant::now();
        let mut meter = Meter::new(begun, 0);
        let snapshot = Snapshot { total: Some(400), domains_done: 100, ..Snapshot::default() };
        let line = whole(&meter.line_of_lookups(&snapshot, begun + Duration::from_secs(2)));
        assert_eq!(line, "100/400 domains looked up, 50/s, ETA 6s");
        let snapshot = Snapshot { domains_done: 1, ..snapshot };
        let line = whole(&meter.line_of_lookups(&snapshot, begun + Duration::from_secs(2)));
        assert_eq!(line, "1/400 domains looked up, 0/s, ETA not known yet");
    }

    #[test]
    fn a_pause_is_told_with_its_begin_and_its_canary() {
        let began = "2026-11-27T22:03:11Z".parse().unwrap();
        let refused = vec!["192.0.2.1:25: connect: timeout".to_string(), "192.0.2.2:25: so".to_string()];
        let pause = CanaryPause { began, ended: None, refused, asked_again: 0 };
        let begun = Instant::now();
        let snapshot =
            Snapshot { total: Some(9), domains_done: 3, paused: Some(pause), ..Snapshot::default() };
        assert_eq!(
            whole(&Meter::new(begun, 0).line(&snapshot, begun + Duration::from_secs(2))),
            "3/9 domains, paused since 22:03:11Z for canary 192.0.2.1:25: connect: timeout and 1 more, 0 handshakes/s, \
             0 in flight, none done yet"
        );
    }

    #[test]
    fn where_there_is_no_room_what_matters_least_is_left_out_first() {
        let parts = || {
            vec![
                (Worth::Done, "100/400 domains".to_string()),
                (Worth::Rate, "40 handshakes/s".to_string()),
                (Worth::InFlight, "7 in flight".to_string()),
                (Worth::Eta, "ETA 6s".to_string()),
                (Worth::Outcome, "ok 80".to_string()),
                (Worth::Outcome, "tls_closed 4".to_string()),
            ]
        };
        for (columns, expected) in [
            (200, "100/400 domains, 40 handshakes/s, 7 in flight, ETA 6s, ok 80, tls_closed 4"),
            (70, "100/400 domains, 40 handshakes/s, 7 in flight, ETA 6s, ok 80"),
            (50, "100/400 domains, 40 handshakes/s, ETA 6s"),
            (30, "100/400 domains, ETA 6s"),
            (5, "100/400 domains"),
        ] {
            assert_eq!(fitted(parts(), columns), expected);
        }
        let one = Snapshot { total: Some(1), domains_done: 1, ..Snapshot::default() };
        assert_eq!(done(&one), "1/1 domain");
    }

    #[test]
    fn who_waits_is_told() {
        let told = |second_looks_waiting, retries_waiting| {
            waiting(&Snapshot { second_looks_waiting, retries_waiting, ..Snapshot::default() })
        };
        assert_eq!(told(0, 0), "");
        assert_eq!(told(12, 0), "12 wait for a second look");
        assert_eq!(told(1, 3), "1 waits for a second look, 3 for a retry");
        assert_eq!(told(0, 1), "1 waits for a retry");
        let places = Snapshot { cooling: 2, given_up: 1, ..Snapshot::default() };
        assert_eq!(waiting(&places), "2 cooling down, 1 given up");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(
            (clock(42.4), clock(187.0), clock(7500.0)),
            ("42s".into(), "3m07s".into(), "2h05m".into())
        );
    }
}
