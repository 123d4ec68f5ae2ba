//! Ctrl-C and SIGTERM, caught from the moment that somebody listens.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code of a run that Ctrl-C broke off (128 + SIGINT), drained or not:
/// a script must not go on as if the list were done.
const EXIT_INTERRUPTED: u8 = 130;

/// The same for SIGTERM.
#[cfg(unix)]
const EXIT_TERMINATED: u8 = 143;

/// What the system tells a process that should end. From its making on no
/// signal is lost, nor does one end the process by itself.
pub(super) struct Signals {
    #[cfg(unix)]
    both: Option<(Signal, Signal)>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        let interrupt = signal(SignalKind::interrupt());
        Self { both: interrupt.and_then(|one| Ok((one, signal(SignalKind::terminate())?))).ok() }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Self {
        Self {}
    }

    /// Waits for the next one; gives the exit code that says which.
    pub(super) async fn next(&mut self) -> u8 {
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
