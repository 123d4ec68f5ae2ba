//! Whether the clock and the limits of this machine are fit for a survey.

use super::check::PreflightCheck;
use crate::command::descriptors::{self, Share};
use crate::plan::QUESTIONS_MAX;
use jiff::Timestamp;
use std::path::Path;

/// Made by systemd-timesyncd once a server has told it the time.
const TIMESYNC_DONE: &str = "/run/systemd/timesync/synchronized";

/// Before this program was written.
const TOO_EARLY: &str = "2026-01-01T00:00:00Z";

/// Whether the clock is right, by which certificates are judged.
pub(super) fn clock() -> PreflightCheck {
    clock_at(Timestamp::now(), Path::new(TIMESYNC_DONE).exists())
}

fn clock_at(now: Timestamp, set_by_timesyncd: bool) -> PreflightCheck {
    let about = format!("{now:.0}");
    let too_early = TOO_EARLY.parse::<Timestamp>().is_ok_and(|early| now < early);
    if too_early {
        return PreflightCheck::fault("clock", about, "it is before this program was written");
    }
    if set_by_timesyncd {
        return PreflightCheck::ok("clock", about, "systemd-timesyncd has set it by a time server");
    }
    PreflightCheck::not_determined(
        "clock",
        about,
        "systemd-timesyncd has not set it, and no other time service is asked",
    )
}

/// Whether the open files that the system grants are enough.
pub(super) fn descriptors(in_flight: usize, slow_in_flight: usize) -> PreflightCheck {
    let wanted = Share { connections: in_flight, slow: slow_in_flight, questions: QUESTIONS_MAX };
    descriptors_within(wanted, descriptors::raise())
}

fn descriptors_within(wanted: Share, limit: Option<u64>) -> PreflightCheck {
    let share = wanted.within(limit);
    let Some(limit) = limit else {
        return PreflightCheck::not_determined("open files", "", "the system does not tell its limit");
    };
    let about = format!("limit {limit}");
    if share == wanted {
        return PreflightCheck::ok(
            "open files",
            about,
            format_args!("enough for {} connections at a time", wanted.connections + wanted.slow),
        );
    }
    let words = |share: Share| {
        let Share { connections, slow, questions } = share;
        format!("{connections} connections, {slow} slow ones and {questions} questions to the DNS")
    };
    let cause = format!("enough for {}, not for {}; raise ulimit -n", words(share), words(wanted));
    PreflightCheck::fault("open files", about, cause)
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckState;
    use super::*;

    #[test]
    fn a_clock_is_right_only_if_somebody_says_so() {
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        assert_eq!(clock_at(now, true).state, CheckState::Ok);
        assert_eq!(clock_at(now, false).state, CheckState::NotDetermined);
        assert_eq!(clock_at("2025-12-31T23:59:59Z".parse().unwrap(), true).state, CheckState::Fault);
    }

    #[test]
    fn files_are_enough_or_not() {
        let wanted = Share { connections: 1000, slow: 4000, questions: QUESTIONS_MAX };
        let state = |limit| descriptors_within(wanted, limit).state;
        assert_eq!(
            (state(Some(8104)), state(Some(8103)), state(None)),
            (CheckState::Ok, CheckState::Fault, CheckState::NotDetermined)
        );
    }
}
