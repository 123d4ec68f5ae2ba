//! Loads that the tests of this room compare and render.

use super::{Handshakes, LoadModel, LoadRecord, Measured, Round, Sample, Settings};
use crate::model::{CipherSuite, Failure, Kind, NamedGroup, Phase, ProtocolVersion, Reason, Timings};
use jiff::Timestamp;
use std::time::Duration;

pub(super) fn settings() -> Settings {
    Settings {
        target: "127.0.0.1:25".to_string(),
        pacing: LoadModel::Closed { concurrency: 4 },
        handshakes: Handshakes::Full,
        fresh_key_shares: false,
    }
}

/// A round for each of these: 1,000 sessions of which each handshake took so
/// many µs and everything else next to nothing, and two that failed.
pub(super) fn record(tls_us: &[u64]) -> LoadRecord {
    LoadRecord::new(settings(), tls_us.len() as u32, tls_us.iter().copied().map(round).collect())
}

fn round(tls_us: u64) -> Round {
    let mut measured = Measured::new().unwrap();
    let timings = Timings {
        connect_us: Some(20),
        greeting_us: Some(40),
        handshake_us: Some(tls_us),
        total_us: tls_us + 60,
        ..Timings::default()
    };
    let negotiated = Some((ProtocolVersion::TLS13, CipherSuite(0x1302), Some(NamedGroup(29))));
    let sample = Sample { timings, wait: None, failure: None, resumed: false, negotiated };
    (0..1000).for_each(|_| measured.add(&sample));
    let failure = Some(Reason::from(&Failure::new(Phase::Greeting, Kind::Throttled)));
    let timings = Timings { connect_us: Some(20), ..Timings::default() };
    (0..2).for_each(|_| measured.add(&Sample { timings, failure, ..sample.clone() }));
    let elapsed = Duration::from_micros(1000 * tls_us / 4);
    Round::new(Timestamp::UNIX_EPOCH, elapsed, &measured, false)
}
