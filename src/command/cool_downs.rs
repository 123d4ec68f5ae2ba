//! Cool-downs as `run.json` has them, and back.

use crate::engine::pace::Complaints;
use crate::engine::{GivenUp, PlaceBook, PlaceStanding};
use crate::run_dir::{RunCoolDown, RunCoolDowns};

/// As they are written down.
pub(super) fn told(book: PlaceBook) -> RunCoolDowns {
    let told = |PlaceStanding { until, complaints }| {
        let Complaints { trials_failed, cool_downs, steps } = complaints;
        RunCoolDown { until, trials_failed, cool_downs, steps }
    };
    RunCoolDowns {
        begun: book.begun,
        given_up: book.given_up.count,
        given_up_places: book.given_up.names,
        standing: book.standing.into_iter().map(|(name, standing)| (name, told(standing))).collect(),
    }
}

/// As they were written down.
pub(super) fn read(told: RunCoolDowns) -> PlaceBook {
    let read = |RunCoolDown { until, trials_failed, cool_downs, steps }| PlaceStanding {
        until,
        complaints: Complaints { trials_failed, cool_downs, steps },
    };
    PlaceBook {
        begun: told.begun,
        given_up: GivenUp { names: told.given_up_places, count: told.given_up },
        standing: told.standing.into_iter().map(|(name, standing)| (name, read(standing))).collect(),
    }
}
