//! Adds up what sessions took.

use crate::model::{CipherSuite, NamedGroup, Observation, ProtocolVersion, Reason, Timings, TlsObservation};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest time that is told apart from longer ones, in microseconds: an hour.
pub(super) const LONGEST_US: u64 = 3_600_000_000;

/// Digits that are kept of a time: it is right to a thousandth.
const DIGITS: u8 = 3;

/// What is measured of a session, in the order in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Due to begun; open loop only.
    Wait,
    /// SYN to established.
    Connect,
    /// Established to the end of the banner.
    Greeting,
    /// EHLO to its answer.
    Ehlo,
    /// STARTTLS to its answer.
    Starttls,
    /// The handshake.
    Tls,
    /// EHLO inside TLS to its answer.
    AfterTls,
    /// QUIT to its answer and the end of the connection.
    Quit,
    /// Due (closed loop: begun) to the end of a session that came to its end.
    Total,
}

impl Measure {
    /// All of them, in order.
    pub const ALL: [Measure; 9] = [
        Measure::Wait,
        Measure::Connect,
        Measure::Greeting,
        Measure::Ehlo,
        Measure::Starttls,
        Measure::Tls,
        Measure::AfterTls,
        Measure::Quit,
        Measure::Total,
    ];

    /// Stable snake_case name; that of the phase, where it is one.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Wait => "wait",
            Measure::Connect => "connect",
            Measure::Greeting => "greeting",
            Measure::Ehlo => "ehlo",
            Measure::Starttls => "starttls",
            Measure::Tls => "tls",
            Measure::AfterTls => "after_tls",
            Measure::Quit => "quit",
            Measure::Total => "total",
        }
    }

    fn of(self, timings: &Timings) -> Option<u64> {
        match self {
            Measure::Wait | Measure::Total => None,
            Measure::Connect => timings.connect_us,
            Measure::Greeting => timings.greeting_us,
            Measure::Ehlo => timings.ehlo_us,
            Measure::Starttls => timings.starttls_us,
            Measure::Tls => timings.handshake_us,
            Measure::AfterTls => timings.ehlo_tls_us,
            Measure::Quit => timings.quit_us,
        }
    }
}

/// What one session came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its clocks.
    pub timings: Timings,
    /// Due to begun; `None` in the closed loop.
    pub wait: Option<Duration>,
    /// Why it ended early.
    pub failure: Option<Reason>,
    /// Whether its handshake was a resumed one.
    pub resumed: bool,
    /// Version, suite and group, if there was a handshake to its end.
    pub negotiated: Option<Negotiated>,
}

/// Version, suite and group of a session; a resumed one of TLS 1.2 has no group.
pub type Negotiated = (ProtocolVersion, CipherSuite, Option<NamedGroup>);

impl Sample {
    /// What is kept of an observation.
    pub fn of(seen: &Observation, wait: Option<Duration>) -> Self {
        Self {
            timings: seen.timings,
            wait,
            failure: seen.failure.as_ref().map(Reason::from),
            resumed: seen.tls.as_ref().is_some_and(|tls| tls.resumed),
            negotiated: seen.tls.as_ref().and_then(negotiated),
        }
    }

    fn wait_us(&self) -> Option<u64> {
        self.wait.map(|wait| u64::try_from(wait.as_micros()).unwrap_or(u64::MAX))
    }
}

fn negotiated(tls: &TlsObservation) -> Option<Negotiated> {
    tls.established.then_some((tls.version?, tls.suite?, tls.group))
}

/// What all sessions took.
#[derive(Clone, Debug)]
pub struct Measured {
    times: BTreeMap<Measure, Histogram<u64>>,
    /// Failures by phase and kind, as `domains.csv` names them.
    pub failures: BTreeMap<String, u64>,
    /// Sessions that came to their end.
    pub ok: u64,
    /// Of these, what was negotiated.
    pub negotiated: BTreeMap<Negotiated, u64>,
    /// Of these, the ones that were resumed.
    pub resumed: u64,
    /// Sessions that were due and never begun: the time was up before there
    /// was room for them.
    pub not_begun: u64,
}

impl Measured {
    /// Nothing yet.
    ///
    /// # Errors
    /// If there is no memory for the counts.
    pub fn new() -> Result<Self, hdrhistogram::CreationError> {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, DIGITS)?;
        let times = Measure::ALL.map(|measure| (measure, histogram.clone())).into();
        Ok(Self {
            times,
            failures: BTreeMap::new(),
            ok: 0,
            negotiated: BTreeMap::new(),
            resumed: 0,
            not_begun: 0,
        })
    }

    /// Takes a session in. A phase counts if it was finished, the total only
    /// of a session that came to its end: one that is refused at once is no
    /// fast one.
    pub fn add(&mut self, sample: &Sample) {
        for measure in Measure::ALL {
            if let Some(us) = measure.of(&sample.timings) {
                self.record(measure, us);
            }
        }
        if let Some(us) = sample.wait_us() {
            self.record(Measure::Wait, us);
        }
        match &sample.failure {
            Some(failure) => *self.failures.entry(failure.to_string()).or_default() += 1,
            None => {
                self.ok += 1;
                self.resumed += u64::from(sample.resumed);
                if let Some(negotiated) = sample.negotiated {
                    *self.negotiated.entry(negotiated).or_default() += 1;
                }
                let total = sample.timings.total_us.saturating_add(sample.wait_us().unwrap_or_default());
                self.record(Measure::Total, total);
            }
        }
    }

    /// Times of a phase.
    pub fn times(&self, measure: Measure) -> Option<&Histogram<u64>> {
        self.times.get(&measure)
    }

    fn record(&mut self, measure: Measure, us: u64) {
        if let Some(times) = self.times.get_mut(&measure) {
            times.saturating_record(us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Failure, Kind, Phase};

    fn sample(total_us: u64) -> Sample {
        let timings = Timings { connect_us: Some(10), total_us, ..Timings::default() };
        Sample { timings, wait: None, failure: None, resumed: false, negotiated: None }
    }

    #[test]
    fn the_total_is_counted_from_the_moment_at_which_a_session_was_due() {
        let mut measured = Measured::new().unwrap();
        measured.add(&Sample { wait: Some(Duration::from_millis(2)), ..sample(500) });
        let total = measured.times(Measure::Total).unwrap().max();
        assert!((2500..=2502).contains(&total), "{total}");
        assert_eq!(measured.times(Measure::Wait).unwrap().len(), 1);
        assert_eq!(measured.times(Measure::Connect).unwrap().max(), 10);
    }

    #[test]
    fn a_session_that_failed_is_no_fast_one() {
        let mut measured = Measured::new().unwrap();
        let failure = Some(Reason::from(&Failure::new(Phase::Greeting, Kind::Throttled)));
        measured.add(&Sample { failure, ..sample(20) });
        measured.add(&sample(u64::MAX));
        assert_eq!(measured.failures, [("greeting_throttled".to_string(), 1)].into());
        let total = measured.times(Measure::Total).unwrap();
        assert_eq!((measured.ok, total.len()), (1, 1));
        assert!(total.max() >= LONGEST_US, "what is longer counts as the longest");
        assert_eq!(measured.times(Measure::Connect).unwrap().len(), 2);
    }
}
