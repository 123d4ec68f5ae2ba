//! Hosts of the user's own choice that are asked now and then: as long as they answer,
//! this network lets mail connections out, and nobody refuses us. When those that
//! answered refuse, what ended meanwhile says nothing of the hosts of the list.

use super::coalesce::KeyId;
use crate::interrogate::Known;
use crate::model::{Failure, Kind, Observation, Phase, ProbeKey};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// Canaries of a run.
pub const CANARIES_MAX: usize = 16;

/// Rounds in a row in which most canaries refuse, after which the run pauses.
const REFUSED_ROUNDS: u32 = 2;

/// After one such round the next comes so many times sooner.
const CONFIRMED_SOONER: u32 = 6;

/// Hosts that are kept back until a canary has answered; with as many nobody else is
/// asked before that. Each takes some kilobytes.
const HELD_MAX: usize = 65_536;

/// A pause of the run because its canaries refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryPause {
    /// When it began.
    pub began: Timestamp,
    /// When canaries answered again; `None` if they have not.
    pub ended: Option<Timestamp>,
    /// How each canary that had answered before refused.
    pub refused: Vec<String>,
    /// Hosts that were asked again from the start after it.
    pub asked_again: u64,
}

/// What a round changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CanaryTurn {
    /// Nothing yet.
    Nothing,
    /// What was kept back before it began counts.
    Good,
    /// The run pauses.
    Pauses,
    /// It goes on.
    GoesOn,
}

/// A host of the user's.
struct Canary {
    key: ProbeKey,
    answered: bool,
    /// What it came to in this round, `Ok` if it answered.
    last: Option<Result<(), String>>,
}

/// A host of the list whose end may be ours.
struct Held {
    id: KeyId,
    known: Known,
    at: Instant,
}

/// All canaries, and what hangs on them.
pub(super) struct Canaries {
    canaries: Vec<Canary>,
    interval: Duration,
    /// When the next round is due.
    due: Instant,
    /// Whether one is under way, and when the last one began.
    is_asking: bool,
    begun: Instant,
    /// Whether the first round is over.
    is_known: bool,
    refused_rounds: u32,
    pause: Option<CanaryPause>,
    held: Vec<Held>,
}

impl Canaries {
    pub(super) fn new(keys: &[ProbeKey], interval: Duration) -> Self {
        let canaries = keys.iter().map(|key| Canary { key: key.clone(), answered: false, last: None });
        Self {
            canaries: canaries.collect(),
            interval,
            due: Instant::now(),
            is_asking: false,
            begun: Instant::now(),
            is_known: false,
            refused_rounds: 0,
            pause: None,
            held: Vec::new(),
        }
    }

    /// Begins in a pause that was not over when the run broke off. Those that refused
    /// then had answered before.
    pub(super) fn still_in(mut self, pause: CanaryPause) -> Self {
        let begins = |canary: &Canary| format!("{}: ", canary.key);
        for canary in &mut self.canaries {
            canary.answered = pause.refused.iter().any(|told| told.starts_with(&begins(canary)));
        }
        // One that is written otherwise today is still one of them.
        if !self.canaries.iter().any(|canary| canary.answered) {
            self.canaries.iter_mut().for_each(|canary| canary.answered = true);
        }
        self.pause = Some(pause).filter(|_| !self.canaries.is_empty());
        self
    }

    /// Ends when a round is due.
    pub(super) async fn due(&self) {
        if self.canaries.is_empty() || self.is_asking {
            std::future::pending().await
        }
        tokio::time::sleep_until(self.due).await;
    }

    /// Begins a round: these are asked.
    pub(super) fn begin(&mut self) -> Vec<(usize, ProbeKey)> {
        self.is_asking = true;
        self.begun = Instant::now();
        self.canaries.iter_mut().for_each(|canary| canary.last = None);
        self.canaries.iter().map(|canary| canary.key.clone()).enumerate().collect()
    }

    /// Has the next round come at once, as somebody waits for nothing else.
    pub(super) fn hurry(&mut self) {
        let soon = Instant::now() + self.interval / CONFIRMED_SOONER;
        self.due = self.due.min(soon);
    }

    /// Those that have not answered, and why, once the first round is over.
    pub(super) fn silent_at_first(&self) -> Vec<String> {
        let why = |canary: &Canary| match &canary.last {
            Some(Err(why)) if !canary.answered => Some(format!("{}: {why}", canary.key)),
            _ => None,
        };
        self.canaries.iter().filter_map(why).collect()
    }

    /// Whether the first round is over.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Takes what one of a round came to.
    pub(super) fn ended(&mut self, number: usize, seen: &Observation) -> CanaryTurn {
        if let Some(canary) = self.canaries.get_mut(number) {
            canary.last = Some(answered(seen));
        }
        if self.canaries.iter().any(|canary| canary.last.is_none()) {
            return CanaryTurn::Nothing;
        }
        self.round_ended()
    }

    fn round_ended(&mut self) -> CanaryTurn {
        self.is_asking = false;
        self.is_known = true;
        let before = self.canaries.iter().filter(|canary| canary.answered);
        let refused: Vec<String> = before
            .clone()
            .filter_map(|canary| match &canary.last {
                Some(Err(why)) => Some(format!("{}: {why}", canary.key)),
                _ => None,
            })
            .collect();
        let most_refuse = refused.len() * 2 > before.count();
        for canary in &mut self.canaries {
            canary.answered |= matches!(canary.last, Some(Ok(())));
        }
        let sooner = if most_refuse { self.interval / CONFIRMED_SOONER } else { self.interval };
        self.due = Instant::now() + sooner;
        if !most_refuse {
            self.refused_rounds = 0;
            return if self.pause.is_some() { CanaryTurn::GoesOn } else { CanaryTurn::Good };
        }
        self.refused_rounds += 1;
        if self.refused_rounds < REFUSED_ROUNDS || self.pause.is_some() {
            return CanaryTurn::Nothing;
        }
        self.pause = Some(CanaryPause { began: Timestamp::now(), ended: None, refused, asked_again: 0 });
        CanaryTurn::Pauses
    }

    /// Whether no connection may begin.
    pub(super) fn is_shut(&self) -> bool {
        self.pause.is_some() || self.held.len() >= HELD_MAX
    }

    /// The pause that goes on.
    pub(super) fn pause(&self) -> Option<&CanaryPause> {
        self.pause.as_ref()
    }

    /// Whether the end of a host has to wait for the next word of a canary.
    pub(super) fn doubts(&self, known: &Known) -> bool {
        let told = !self.is_known || self.canaries.iter().any(|canary| canary.answered);
        !self.canaries.is_empty() && told && known.observation.failure.as_ref().is_some_and(may_be_ours)
    }

    /// Keeps back a host of which it has.
    pub(super) fn hold(&mut self, id: KeyId, known: Known) {
        self.held.push(Held { id, known, at: Instant::now() });
    }

    /// Whether any is kept back.
    pub(super) fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// Gives out those that were kept back before this round began.
    pub(super) fn believed(&mut self) -> Vec<(KeyId, Known)> {
        let begun = self.begun;
        let before = self.held.extract_if(.., |held| held.at < begun);
        before.map(|held| (held.id, held.known)).collect()
    }

    /// Gives out all that was kept back, whatever it says.
    pub(super) fn take_all(&mut self) -> Vec<(KeyId, Known)> {
        std::mem::take(&mut self.held).into_iter().map(|held| (held.id, held.known)).collect()
    }

    /// Whether one of them is connected to now, or somebody waits for their word.
    pub(super) fn is_busy(&self) -> bool {
        self.is_asking || !self.held.is_empty()
    }

    /// Ends the pause, after which so many are asked again.
    pub(super) fn go_on(&mut self, asked_again: usize) -> Option<CanaryPause> {
        let pause = self.pause.take()?;
        Some(CanaryPause { ended: Some(Timestamp::now()), asked_again: asked_again as u64, ..pause })
    }
}

/// Whether the server greets and takes EHLO; else why not.
fn answered(seen: &Observation) -> Result<(), String> {
    match &seen.failure {
        Some(failure) if failure.phase < Phase::Starttls => Err(failure.to_string()),
        _ => Ok(()),
    }
}

/// Whether a network that lets nothing out, or a filter on our side of it, could be why
/// it ended so.
fn may_be_ours(failure: &Failure) -> bool {
    let own = [Kind::NoRoute, Kind::PrivateAddress, Kind::Blocklisted, Kind::LocalError, Kind::NotAsked];
    let at_connect = failure.phase == Phase::Connect && !own.contains(&failure.kind);
    at_connect || failure.kind == Kind::Timeout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_is_kept_back_for_no_canary() {
        for (kind, ours) in [
            (Kind::Timeout, true),
            (Kind::Refused, true),
            (Kind::NotAsked, false),
            (Kind::Blocklisted, false),
            (Kind::LocalError, false),
        ] {
            assert_eq!(may_be_ours(&Failure::new(Phase::Connect, kind)), ours, "{kind:?}");
        }
    }
}
