//! A survey whose resolvers do not answer: told at once, waited out, or ended.

use super::error::{EXIT_NOTHING_ASKED, EXIT_RESOLVERS_LOST};
use super::say;
use crate::lookup::{AskedResolver, DnsLookup, ResolverState};
use crate::run_dir::ResolverInfo;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a survey waits where all resolvers have fallen silent.
pub(super) const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// How long resolvers are looked at once more where somebody stopped the survey, and
/// waits for its end.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Why a survey was ended for want of a resolver, if it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Lost(Arc<OnceLock<ResolverState>>);

impl Lost {
    /// Whether it was.
    pub(super) fn is_so(&self) -> bool {
        self.0.get().is_some()
    }

    /// What `run.json` says of it.
    pub(super) fn error(&self, resolver: &str) -> Option<String> {
        // A run keeps its resolver, for what is told of DANE rests on it.
        Some(match self.0.get()? {
            ResolverState::NeverAnswered => {
                format!("no resolver answered ({resolver}); a new run with --resolver ADDR:PORT asks another")
            }
            _ => format!(
                "no resolver has answered for {} minutes ({resolver}); a run goes on with its own resolvers only",
                PATIENCE.as_secs() / 60
            ),
        })
    }

    /// Tells it, and gives the exit code.
    pub(super) fn code(&self, resolver: &str) -> Option<ExitCode> {
        let error = self.error(resolver)?;
        Some(if self.0.get() == Some(&ResolverState::NeverAnswered) {
            say(format_args!("mxray: nothing could be contacted: {error}"));
            ExitCode::from(EXIT_NOTHING_ASKED)
        } else {
            say(format_args!("mxray: stopped early: {error}"));
            ExitCode::from(EXIT_RESOLVERS_LOST)
        })
    }
}

/// The resolvers as `run.json` has them.
pub(super) fn told(resolvers: &[AskedResolver]) -> Vec<ResolverInfo> {
    let told = resolvers.iter().map(|AskedResolver { address, ad_believed, because, .. }| ResolverInfo {
        address: address.to_string(),
        ad_believed: *ad_believed,
        because: because.clone(),
    });
    told.collect()
}

/// Warns, once that is known, where DANE cannot be judged since no resolver is
/// believed that it validates.
pub(super) async fn tell_if_none_is_believed(lookup: Arc<DnsLookup>) {
    warn_if_none_is_believed(&lookup.resolvers_looked_at().await);
}

/// The same of resolvers that were looked at.
pub(super) fn warn_if_none_is_believed(resolvers: &[AskedResolver]) {
    if let Some(why) = none_is_believed(resolvers) {
        say(format_args!(
            "mxray: warning: DANE cannot be judged here, for no resolver is believed that it validates: {why}; \
             name one with --resolver or --trust-ad, or leave DANE out with --no-dane"
        ));
    }
}

/// The resolvers at the end of a run, looked at once more, where it was stopped for
/// [`LAST_LOOK`] at most; and a warning of those that validated at first and no longer
/// do.
pub(super) async fn at_end(lookup: &DnsLookup, was_stopped: bool) -> Vec<ResolverInfo> {
    let looking = lookup.resolvers_looked_at_again();
    let resolvers = if was_stopped {
        timeout(LAST_LOOK, looking).await.unwrap_or_else(|_| lookup.resolvers())
    } else {
        looking.await
    };
    for AskedResolver { address, .. } in resolvers.iter().filter(|resolver| resolver.stopped_validating) {
        say(format_args!(
            "mxray: warning: the resolver {address} stopped validating while this ran: what is told of DANE may rest on \
             answers that nobody validated; mend it and run again"
        ));
    }
    told(&resolvers)
}

/// Why no resolver is believed, if that is so.
fn none_is_believed(resolvers: &[AskedResolver]) -> Option<String> {
    if resolvers.iter().any(|resolver| resolver.ad_believed == Some(true)) {
        return None;
    }
    let each = resolvers.iter().map(|resolver| format!("{}: {}", resolver.address, resolver.because));
    Some(each.collect::<Vec<_>>().join("; "))
}

/// Tells how the resolvers do, until `stop`; and stops where none answers, which
/// `lost` then says.
pub(super) async fn watch(
    (lookup, mut state, resolver): (Arc<DnsLookup>, Receiver<ResolverState>, String),
    stop: CancellationToken,
    lost: Lost,
) {
    loop {
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return lookup.give_up(),
        }
        match *state.borrow_and_update() {
            ResolverState::Answering => {
                say(format_args!("mxray: a resolver answers again: the survey goes on"))
            }
            ResolverState::Silent => say(format_args!(
                "mxray: no resolver answers any more ({resolver}): the survey waits until one does, for {} minutes at most",
                PATIENCE.as_secs() / 60
            )),
            end @ (ResolverState::NeverAnswered | ResolverState::GivenUp) => {
                let _ = lost.0.set(end);
                stop.cancel();
            }
        }
    }
}
