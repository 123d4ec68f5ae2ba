//! Ctrl-C and SIGTERM, caught from the moment that somebody listens.

use std::sync::{Arc, OnceLock};
use std::time::Duration;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Exit code of a run that Ctrl-C broke off (128 + SIGINT), drained or not:
/// a script must not go on as if the list were done.
const EXIT_INTERRUPTED: u8 = 130;

/// The same for SIGTERM.
#[cfg(unix)]
const EXIT_TERMINATED: u8 = 143;

/// Signals of one kind that come within this time are one: `timeout` of GNU
/// coreutils sends its signal to the process, then to the group it is in.
const SAME_SIGNAL: Duration = Duration::from_millis(100);

/// Number of the signal for a file that grows over its limit, the same on Linux
/// (but for MIPS and PA-RISC), macOS and the BSDs.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

/// Time in which a signal that was sent is seen here.
const SEEN: Duration = Duration::from_millis(1);

/// What the system tells a process that should end. From its making on no
/// signal is lost, nor does one end the process by itself.
pub(super) struct Signals {
    #[cfg(unix)]
    both: Option<(Signal, Signal)>,
    /// Exit code of the signal that came last, and until when another of its
    /// kind is the same.
    last: Option<(u8, Instant)>,
}

/// Whether what is under way should come to its end.
#[derive(Clone, Default)]
pub(super) struct Stop {
    /// Cancelled by a signal, or by whoever finds that nothing more can be done.
    pub(super) token: CancellationToken,
    code: Arc<OnceLock<u8>>,
}

impl Stop {
    /// Exit code of the signal that came, if one did.
    pub(super) fn code(&self) -> Option<u8> {
        self.code.get().copied()
    }
}

/// Lets a write that would pass the limit of file sizes (`ulimit -f`) fail like
/// any other, which is told, instead of ending the process without a word.
/// To be called under tokio.
#[cfg(unix)]
pub(super) fn ignore_file_size() {
    // Once somebody listened, the signal does nothing by itself any more.
    let _ = signal(SignalKind::from_raw(SIGXFSZ));
}

#[cfg(not(unix))]
pub(super) fn ignore_file_size() {}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        let interrupt = signal(SignalKind::interrupt());
        let both = interrupt.and_then(|one| Ok((one, signal(SignalKind::terminate())?))).ok();
        Self { both, last: None }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Self {
        Self { last: None }
    }

    /// Waits for the next one; gives the exit code that says which.
    pub(super) async fn next(&mut self) -> u8 {
        if let Some((code, until)) = self.last {
            // A moment at least, in which what has come is seen.
            tokio::time::sleep_until(until.max(Instant::now() + SEEN)).await;
            self.forget(code).await;
            self.last = None;
        }
        let code = self.one().await;
        self.last = Some((code, Instant::now() + SAME_SIGNAL));
        code
    }

    /// Watches to the end of the process: the first one is told in `words` and
    /// stops what is under way, the second ends at once.
    pub(super) fn watch(self, words: &'static str) -> Stop {
        self.watch_and_leave(words, || ())
    }

    /// The same; at the second one whoever has something to end that must not stay open
    /// does so, in no time.
    pub(super) fn watch_and_leave(
        mut self,
        words: &'static str,
        leave: impl FnOnce() + Send + 'static,
    ) -> Stop {
        let stop = Stop::default();
        let watched = stop.clone();
        tokio::spawn(async move {
            let code = self.next().await;
            super::say(format_args!("mxray: stopping; {words} (again: stop at once)"));
            let _ = watched.code.set(code);
            watched.token.cancel();
            let code = self.next().await;
            leave();
            std::process::exit(i32::from(code));
        });
        stop
    }

    /// Takes what has come of a kind, without waiting.
    #[cfg(unix)]
    async fn forget(&mut self, code: u8) {
        if let Some((interrupt, terminate)) = &mut self.both {
            let signal = if code == EXIT_INTERRUPTED { interrupt } else { terminate };
            let _ = tokio::time::timeout(Duration::ZERO, signal.recv()).await;
        }
    }

    #[cfg(not(unix))]
    async fn forget(&mut self, _code: u8) {
        let _ = tokio::time::timeout(Duration::ZERO, tokio::signal::ctrl_c()).await;
    }

    async fn one(&mut self) -> u8 {
        #[cfg(unix)]
        if let Some((interrupt, terminate)) = &mut self.both {
            return tokio::select! {
                _ = interrupt.recv() => EXIT_INTERRUPTED,
                _ = terminate.recv() => EXIT_TERMINATED,
            };
        }
        let _ = tokio::signal::ctrl_c().await;
        EXIT_INTERRUPTED
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use nix::sys::signal::{Signal as Number, raise};

    #[test]
    fn the_number_of_the_signal_is_that_of_this_system() {
        assert_eq!(SIGXFSZ, Number::SIGXFSZ as i32);
    }

    #[tokio::test]
    async fn the_same_signal_twice_at_once_is_one() {
        let mut signals = Signals::new();
        for _ in 0..5 {
            raise(Number::SIGTERM).unwrap();
            assert_eq!(signals.next().await, EXIT_TERMINATED);
            raise(Number::SIGTERM).unwrap();
            raise(Number::SIGINT).unwrap();
            // Another kind is another signal.
            assert_eq!(signals.next().await, EXIT_INTERRUPTED);
        }
        // Nothing is left of the first kind.
        raise(Number::SIGINT).unwrap();
        raise(Number::SIGTERM).unwrap();
        assert_eq!(signals.next().await, EXIT_TERMINATED);
    }
}
