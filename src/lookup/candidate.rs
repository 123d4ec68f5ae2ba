//! Whom a question is sent to next: each resolver as far as one question has got
//! with it.

use super::nameserver::Nameserver;
use super::trouble::Trouble;
use tokio::time::Instant;

/// A resolver, as far as one question has got with it.
pub(super) struct Candidate<'a> {
    pub(super) nameserver: &'a Nameserver,
    /// It is asked with EDNS.
    pub(super) edns: bool,
    /// It blamed EDNS and is still to be asked without.
    pub(super) owes_plain: bool,
    /// It failed in this attempt.
    pub(super) failed: bool,
    /// It was asked in this attempt.
    pub(super) sent: bool,
    /// Attempts in which it failed.
    pub(super) failures: u32,
    /// Nothing else is to be expected of it.
    pub(super) is_out: bool,
}

impl<'a> Candidate<'a> {
    /// One that was not asked yet.
    pub(super) fn new(nameserver: &'a Nameserver) -> Self {
        Self {
            nameserver,
            edns: true,
            owes_plain: false,
            failed: false,
            sent: false,
            failures: 0,
            is_out: false,
        }
    }

    /// It gave no answer, for this reason.
    pub(super) fn fail(&mut self, trouble: &Trouble) {
        self.failed = true;
        self.failures += 1;
        self.nameserver.health.missed(Instant::now().into_std());
        if self.edns && trouble.blames_edns() {
            self.edns = false;
            self.owes_plain = true;
        } else {
            self.owes_plain = false;
            self.is_out = !trouble.may_pass();
        }
    }
}

/// Who is sent the question next: everybody in turn, save those that failed.
pub(super) fn next(candidates: &[Candidate<'_>], sends: &mut usize, sends_max: usize) -> Option<usize> {
    while *sends < sends_max {
        let place = sends.checked_rem(candidates.len())?;
        *sends += 1;
        if candidates.get(place).is_some_and(|candidate| !candidate.failed) {
            return Some(place);
        }
    }
    None
}

/// Those that were asked before another was, and have not said anything.
pub(super) fn blame_the_silent(candidates: &[Candidate<'_>], answered: usize) {
    let silent = candidates.iter().take(answered).filter(|candidate| candidate.sent && !candidate.failed);
    silent.for_each(|candidate| candidate.nameserver.health.missed(Instant::now().into_std()));
}
