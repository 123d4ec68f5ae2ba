//! A line of the journal: what is read of it is written as what is read again,
//! the same.

use super::Seed;
use jiff::Timestamp;
use mxray::model::{
    CipherSuite, Dialogue, Endpoint, Failure, Kind, MxHost, Observation, Phase, ProbeKey, ProtocolVersion,
    Reply, TlsObservation,
};

pub fn check(input: &[u8]) {
    let Ok(seen) = serde_json::from_slice::<Observation>(input) else { return };
    let written = serde_json::to_vec(&seen).expect("every observation is JSON");
    let again: Observation = serde_json::from_slice(&written).expect("what was written is read");
    assert_eq!(again, seen);
    assert_eq!(serde_json::to_vec(&again).unwrap(), written, "and written the same");
}

pub fn seeds() -> Vec<Seed> {
    let started: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    let key = ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) };
    let refused = Failure::new(Phase::Connect, Kind::Refused).with_detail("\\x00");
    let failed = Observation::failed(key, started, 2, refused);
    let whole = Observation {
        failure: None,
        dialogue: Dialogue {
            greeting: Some(Reply { code: 220, lines: vec!["mx \u{e9}".into()], deviations: Vec::new() }),
            ..Dialogue::default()
        },
        tls: Some(TlsObservation {
            version: Some(ProtocolVersion::TLS12),
            suite: Some(CipherSuite(0xfafa)),
            ..TlsObservation::default()
        }),
        ..failed.clone()
    };
    let line = |seen: &Observation| serde_json::to_vec(seen).unwrap();
    vec![("failed", line(&failed)), ("with-tls", line(&whole))]
}
