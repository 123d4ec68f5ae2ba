//! The sessions of a run of `mxray receive`, counted.

use super::CommandError;
use crate::listen::SeenSenders;
use crate::model::inbound::InboundSession;
use crate::report::received::ReceivedFigures;
use crate::run_dir::read::{StoredReceiveRun, StoredSession};
use crate::x509;
use jiff::SignedDuration;

/// Counts the sessions of a run, one at a time.
pub(super) fn received_figures(stored: &StoredReceiveRun) -> Result<ReceivedFigures, CommandError> {
    // Where --watch was not recorded, nothing is said of what did not come.
    let watch = stored.info().watch_s.and_then(|seconds| i64::try_from(seconds).ok());
    let mut seen = SeenSenders::new(watch.map_or(SignedDuration::MAX, SignedDuration::from_secs));
    let mut figures = ReceivedFigures::default();
    let mut sessions = stored.sessions()?;
    while let Some(session) = sessions.read_next()? {
        let StoredSession::Whole(read) = session else {
            figures.add_incomplete();
            continue;
        };
        seen.note(&read.session);
        figures.add(&read.session, leaf(&read.session).map(x509::read).as_ref(), &read.judged);
    }
    let ended = stored.info().ended.or(figures.last_began).unwrap_or(stored.info().started);
    let not_kept = seen.not_kept();
    figures.end(seen.ended(ended), not_kept);
    Ok(figures)
}

fn leaf(session: &InboundSession) -> Option<&[u8]> {
    session.tls.as_ref()?.chain.first().map(AsRef::as_ref)
}
