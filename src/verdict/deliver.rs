//! The one roll-up: from what comes of the attempts at all hosts of a domain to
//! what becomes of its mail, whether TLS is demanded or not.
//!
//! A sender tries the hosts by preference, lowest number first (RFC 5321 §5.1).
//! Hosts of one preference are taken at random, and the addresses of a host in
//! the order in which the DNS happens to give them: all that have one
//! preference are a *set*, any of which may be tried first. Where one does not
//! take the mail the sender goes on to the next, of the same set or behind it.
//!
//! - Mail ends at the first set of which a member takes it, and at any of those
//!   members that do. Members that do not are passed over.
//! - A member of that set or before it of which it is not known whether it takes
//!   mail leaves the answer open: it may be tried first.
//! - Unless the answer is the same whatever that member would do. It can take
//!   the mail through TLS, take it in clear, or not take it. Where it can be told
//!   that it does not take it in clear, and all that take it else do so through
//!   TLS, mail goes through TLS in any case. So it is always where TLS is
//!   demanded: whoever does not give it is passed over.
//! - An answer rests on all that it passes over; and it is no more than an
//!   inference where any member is passed over that did not take the mail, or of
//!   which it is not known.

use super::attempt::Attempt;
use crate::model::{Basis, Check, CheckCause, CheckFailure, Kind, Phase, Reason};
use std::cmp::Reverse;
use std::ops::Range;

/// What becomes of the mail. Members are named by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollUp {
    /// The member that leaves it open, and why.
    pub open: Option<(usize, CheckCause)>,
    /// What it is, or, if that is open, would be if no unknown member was there.
    pub end: RollUpEnd,
    /// What the end rests on.
    pub basis: Basis,
}

/// Where mail ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollUpEnd {
    /// At the members of this set that take it.
    Taken(Range<usize>),
    /// Nobody takes it: of those that do not, the one that says most, the first
    /// of equals. `None` where none was tried.
    NotTaken(Option<(usize, CheckFailure)>),
}

/// No address that can be tried.
pub(super) const NO_ROUTE: Reason = Reason::Ended { phase: Phase::Connect, kind: Kind::NoRoute };

/// No host with an address that the sender could try.
pub(super) const NO_ADDRESS: Reason = Reason::Ended { phase: Phase::Dns, kind: Kind::MxUnusable };

impl RollUp {
    /// Whether mail that demands TLS is delivered.
    pub fn check(&self) -> Check {
        match (self.open, &self.end) {
            (Some((_, cause)), _) => Check::Undetermined(cause),
            (None, RollUpEnd::Taken(_)) => Check::Pass,
            (None, RollUpEnd::NotTaken(failed)) => {
                Check::Fail(failed.map_or(CheckFailure::NoTls(NO_ADDRESS), |(_, why)| why))
            }
        }
    }
}

/// Rolls up the attempts at all members, which stand in the order of their
/// preference.
pub fn deliver<M>(members: &[M], preference: impl Fn(&M) -> u16, attempt: impl Fn(&M) -> Attempt) -> RollUp {
    let mut walk = Walk::new();
    let mut start = 0;
    for set in members.chunk_by(|one, other| preference(one) == preference(other)) {
        let range = start..start + set.len();
        start = range.end;
        if let Some(encrypted) = walk.try_set(range.start, set.iter().map(&attempt)) {
            return walk.taken(range, encrypted);
        }
    }
    RollUp {
        open: walk.open.map(Noted::told),
        end: RollUpEnd::NotTaken(walk.failed.map(Noted::told)),
        basis: walk.basis,
    }
}

/// A member that says something, and how far mail came there.
#[derive(Clone, Copy)]
struct Noted<T> {
    place: usize,
    phase: Phase,
    what: T,
}

impl<T: Copy + Ord> Noted<T> {
    /// Whether this says more than `other` of the same set: how far it came
    /// decides, and between equals not the place but what it says.
    fn says_more(&self, other: &Self) -> bool {
        (self.phase, Reverse(self.what)) > (other.phase, Reverse(other.what))
    }

    fn told(self) -> (usize, T) {
        (self.place, self.what)
    }
}

struct Walk {
    basis: Basis,
    failed: Option<Noted<CheckFailure>>,
    open: Option<Noted<CheckCause>>,
    /// On what it rests that none of the unknown takes mail in clear; `None`
    /// where one may.
    never_in_clear: Option<Basis>,
}

impl Walk {
    fn new() -> Self {
        Self { basis: Basis::Observed, failed: None, open: None, never_in_clear: Some(Basis::Inferred) }
    }

    /// Tries the members of one set, the first of which stands at `start`.
    /// Whether all that take mail do so through TLS; `None` if none does.
    fn try_set(&mut self, start: usize, set: impl Iterator<Item = Attempt>) -> Option<bool> {
        let (mut taken, mut failed, mut open) = (None, None, None);
        let mut basis = Basis::Observed;
        for (place, attempt) in (start..).zip(set) {
            match attempt {
                Attempt::Delivered { encrypted, basis: rests_on } => {
                    basis = basis.max(rests_on);
                    taken = Some(taken.unwrap_or(true) && encrypted);
                }
                Attempt::NotHere { why, basis: rests_on } => {
                    basis = basis.max(rests_on);
                    note(&mut failed, Noted { place, phase: Check::Fail(why).phase(), what: why });
                }
                Attempt::Unknown { cause, never_in_clear } => {
                    self.never_in_clear =
                        self.never_in_clear.zip(never_in_clear).map(|(one, two)| one.max(two));
                    note(&mut open, Noted { place, phase: Check::Undetermined(cause).phase(), what: cause });
                }
                Attempt::NotTried { basis: rests_on } => basis = basis.max(rests_on),
            }
        }
        self.basis = self.basis.max(basis);
        self.keep(failed, open);
        taken
    }

    /// Of the sets the first with an unknown member leaves the answer open; of
    /// failures the one that came furthest is told.
    fn keep(&mut self, failed: Option<Noted<CheckFailure>>, open: Option<Noted<CheckCause>>) {
        self.open = self.open.or(open);
        if let Some(failed) = failed
            && self.failed.is_none_or(|known| failed.phase > known.phase)
        {
            self.failed = Some(failed);
        }
    }

    fn taken(self, set: Range<usize>, encrypted: bool) -> RollUp {
        let passed_over = if self.failed.is_some() { Basis::Inferred } else { Basis::Observed };
        let basis = self.basis.max(passed_over);
        let end = RollUpEnd::Taken(set);
        match (self.open, self.never_in_clear.filter(|_| encrypted)) {
            (Some(_), Some(rests_on)) => RollUp { open: None, end, basis: basis.max(rests_on) },
            (open, _) => RollUp { open: open.map(Noted::told), end, basis },
        }
    }
}

fn note<T: Copy + Ord>(best: &mut Option<Noted<T>>, next: Noted<T>) {
    if best.as_ref().is_none_or(|known| next.says_more(known)) {
        *best = Some(next);
    }
}

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
