//! Whether a load came to worse than an earlier one.

use super::measure::Measure;
use super::record::LoadRecord;
use super::round::{PhaseRecord, Round};
use super::settings::Settings;
use super::spread::Spread;
use std::time::Duration;

/// Sessions from which on the 99th percentile of each load is compared: of
/// fewer it is the slowest session of all, which is chance.
const P99_SESSIONS_MIN: u64 = 100;

/// How much worse is still as good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Share of the earlier figure, 0.1 for a tenth.
    pub share: f64,
    /// A time that grew by less than this is never worse.
    pub least: Duration,
}

/// The two loads are of different things.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the same load: {was} then, {is} now")]
pub struct Incomparable {
    /// The earlier.
    pub was: Box<Settings>,
    /// The later.
    pub is: Box<Settings>,
}

/// A figure of both loads.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedFigure {
    /// Which: `tls p99`, `sessions a second`.
    pub name: String,
    /// Earlier; milliseconds, or sessions a second. `None` where it was not
    /// measured.
    pub was: Option<Spread>,
    /// Later.
    pub is: Option<Spread>,
    /// Whether it got worse.
    pub change: LoadChange,
}

/// Whether something got worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadChange {
    /// By no more than the tolerance.
    NotWorse,
    /// The median by more than the tolerance and, with rounds enough, every round of
    /// the later load than every earlier one.
    Worse,
    /// The median by more than the tolerance, but rounds of both loads overlap; or it
    /// was measured in one of them only.
    CannotBeTold,
}

impl LoadChange {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotWorse => "not_worse",
            Self::Worse => "worse",
            Self::CannotBeTold => "cannot_be_told",
        }
    }

    /// Of a figure whose median is `beyond` the tolerance, and whose rounds are
    /// `apart`.
    fn of(beyond: bool, apart: bool) -> Self {
        match (beyond, apart) {
            (false, _) => Self::NotWorse,
            (true, true) => Self::Worse,
            (true, false) => Self::CannotBeTold,
        }
    }
}

/// Two loads side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Every figure that is compared.
    pub rows: Vec<ComparedFigure>,
    /// How much worse was still as good.
    pub tolerance: Tolerance,
}

/// The figures that speak for a load as a whole. Of the others some always scatter.
const OF_THE_WHOLE: [&str; 2] = ["sessions a second", "total p50"];

impl Comparison {
    /// Worse if any figure got worse; else it cannot be told if that holds of a figure
    /// that speaks for the whole.
    pub fn verdict(&self) -> LoadChange {
        if self.rows.iter().any(|row| row.change == LoadChange::Worse) {
            return LoadChange::Worse;
        }
        let is_open = self.of_the_whole().any(|row| row.change == LoadChange::CannotBeTold);
        if is_open { LoadChange::CannotBeTold } else { LoadChange::NotWorse }
    }

    /// The figures that speak for the load as a whole.
    pub fn of_the_whole(&self) -> impl Iterator<Item = &ComparedFigure> {
        self.rows.iter().filter(|row| OF_THE_WHOLE.contains(&&*row.name))
    }
}

/// Makes sure that two loads are of the same kind.
///
/// # Errors
/// [`Incomparable`] if not.
pub fn check_same(was: &Settings, is: &Settings) -> Result<(), Incomparable> {
    if was == is {
        return Ok(());
    }
    Err(Incomparable { was: Box::new(was.clone()), is: Box::new(is.clone()) })
}

/// Compares a load with an earlier one: throughput, and of each phase the
/// median and the 99th percentile.
///
/// # Errors
/// [`Incomparable`] if they are not of the same settings.
pub fn compare(was: &LoadRecord, is: &LoadRecord, tolerance: Tolerance) -> Result<Comparison, Incomparable> {
    check_same(&was.settings, &is.settings)?;
    let mut rows = vec![throughput(was, is, tolerance)];
    for measure in Measure::ALL {
        let row = |quantile: &str, of: fn(&PhaseRecord) -> u64| {
            let millis = |round: &Round| round.times(measure).map(|times| of(times) as f64 / 1000.0);
            time(format!("{} {quantile}", measure.name()), was.spread(millis), is.spread(millis), tolerance)
        };
        let median = row("p50", |times| times.p50_us);
        if median.was.is_none() && median.is.is_none() {
            continue;
        }
        rows.push(median);
        let both = was.rounds.iter().chain(&is.rounds).filter_map(|round| round.times(measure));
        if both.into_iter().all(|times| times.count >= P99_SESSIONS_MIN) {
            rows.push(row("p99", |times| times.p99_us));
        }
    }
    Ok(Comparison { rows, tolerance })
}

/// Worse if each session takes more of the time than the tolerance allows, as
/// for any other time.
fn throughput(was: &LoadRecord, is: &LoadRecord, tolerance: Tolerance) -> ComparedFigure {
    let per_second = |round: &Round| Some(round.per_second);
    let change = |was: &Spread, is: &Spread| {
        LoadChange::of(is.median * (1.0 + tolerance.share) < was.median, was.is_above(is))
    };
    figure("sessions a second".to_string(), was.spread(per_second), is.spread(per_second), change)
}

/// A phase that is not reached any more shows in the throughput.
fn time(name: String, was: Option<Spread>, is: Option<Spread>, tolerance: Tolerance) -> ComparedFigure {
    figure(name, was, is, |was, is| {
        let grown = is.median - was.median;
        let felt = grown > 0.0 && grown >= tolerance.least.as_secs_f64() * 1000.0;
        LoadChange::of(felt && is.median > was.median * (1.0 + tolerance.share), is.is_above(was))
    })
}

/// What was measured in one load only cannot be compared.
fn figure(
    name: String,
    was: Option<Spread>,
    is: Option<Spread>,
    change: impl Fn(&Spread, &Spread) -> LoadChange,
) -> ComparedFigure {
    let change = match (&was, &is) {
        (Some(was), Some(is)) => change(was, is),
        _ => LoadChange::CannotBeTold,
    };
    ComparedFigure { name, was, is, change }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    const TENTH: Tolerance = Tolerance { share: 0.1, least: Duration::from_micros(250) };

    fn worse(was: &LoadRecord, is: &LoadRecord, tolerance: Tolerance) -> Vec<String> {
        let compared = compare(was, is, tolerance).unwrap();
        let worse = compared.rows.iter().filter(|row| row.change == LoadChange::Worse);
        worse.map(|row| row.name.clone()).collect()
    }

    #[test]
    fn only_what_is_beyond_the_tolerance_is_worse() {
        let was = fixtures::record(&[10_000]);
        assert_eq!(worse(&was, &fixtures::record(&[10_900]), TENTH), [""; 0]);
        assert_eq!(worse(&was, &fixtures::record(&[5_000]), TENTH), [""; 0], "faster is no fault");
        let slower = fixtures::record(&[12_000]);
        assert_eq!(
            worse(&was, &slower, TENTH),
            ["sessions a second", "tls p50", "tls p99", "total p50", "total p99"]
        );
        let double = Tolerance { share: 1.0, ..TENTH };
        assert_eq!(worse(&was, &slower, double), [""; 0]);
    }

    #[test]
    fn what_is_too_little_to_be_felt_is_not_worse() {
        let (was, is) = (fixtures::record(&[1_000]), fixtures::record(&[1_200]));
        assert_eq!(worse(&was, &is, TENTH), ["sessions a second"]);
        let fine = Tolerance { least: Duration::ZERO, ..TENTH };
        assert_eq!(worse(&was, &is, fine).len(), 5);
        assert_eq!(worse(&was, &was, Tolerance { share: 0.0, least: Duration::ZERO }), [""; 0]);
    }

    #[test]
    fn of_few_sessions_the_slowest_is_left_out() {
        let (was, mut is) = (fixtures::record(&[10_000]), fixtures::record(&[90_000]));
        is.rounds[0].times.values_mut().for_each(|times| times.count = P99_SESSIONS_MIN - 1);
        assert_eq!(worse(&was, &is, TENTH), ["sessions a second", "tls p50", "total p50"]);
    }

    /// Three rounds that scatter as much as they moved, and three that do not.
    #[test]
    fn what_rounds_scatter_is_not_worse() {
        let was = fixtures::record(&[10_000, 11_000, 13_000]);
        assert_eq!(worse(&was, &fixtures::record(&[12_000, 14_000, 15_000]), TENTH), [""; 0]);
        let apart = ["sessions a second", "tls p50", "tls p99", "total p50", "total p99"];
        assert_eq!(worse(&was, &fixtures::record(&[14_000, 14_500, 15_000]), TENTH), apart);
        assert_eq!(worse(&was, &fixtures::record(&[12_900]), TENTH), apart, "one round does not tell");
    }

    /// What scatters in the whole is told, and not taken for as good as before.
    #[test]
    fn a_verdict_is_worse_or_not_or_cannot_be_told() {
        let was = fixtures::record(&[10_000, 11_000, 13_000]);
        for (is, expected) in [
            (fixtures::record(&[10_100, 11_100, 12_900]), LoadChange::NotWorse),
            (fixtures::record(&[5_000, 6_000, 7_000]), LoadChange::NotWorse),
            (fixtures::record(&[12_000, 14_000, 15_000]), LoadChange::CannotBeTold),
            (fixtures::record(&[14_000, 14_500, 15_000]), LoadChange::Worse),
        ] {
            assert_eq!(compare(&was, &is, TENTH).unwrap().verdict(), expected);
        }
        let mut gone = fixtures::record(&[10_000]);
        gone.rounds[0].times.remove("total");
        assert_eq!(compare(&was, &gone, TENTH).unwrap().verdict(), LoadChange::CannotBeTold);
    }

    #[test]
    fn different_loads_are_not_compared() {
        let (was, mut is) = (fixtures::record(&[1_000]), fixtures::record(&[1_000]));
        is.settings.pacing = super::super::LoadModel::Open { rate: 100 };
        let told = compare(&was, &is, TENTH).unwrap_err().to_string();
        assert_eq!(
            told,
            "not the same load: 127.0.0.1:25, 4 sessions at a time, full handshakes then, \
            127.0.0.1:25, 100 sessions a second, full handshakes now"
        );
    }
}
