//! The probe over real sockets: dial, drive the dialogue, shake hands.
//!
//! One call to [`NetProbe::probe`] or [`NetProbe::hello`] is one TCP connection. The SMTP side is
//! the state machine of [`crate::smtp`]; this module only carries its bytes,
//! keeps its deadlines and writes down what came of it.

pub(crate) mod dial;
mod drive;
mod ending;
mod gate;
mod handshake;
mod key_schedule;
mod key_share;
mod legacy;
mod recorder;
mod route;
mod second_handshake;
mod sessions;
mod tls_failure;
mod trace;
mod wire;

pub use drive::PhaseTimeouts;
pub use gate::Gate;
pub use handshake::{ClientIdentity, Handshaker, KeyShares};
pub use route::families_with_route;

use crate::model::{ClientHelloSpec, Failure, HelloObservation, HelloPurpose, Observation, ProbeKey};
use crate::smtp::EhloName;
use crate::stage::Probe;
use drive::Drive;
use handshake::ClientHelloForm;
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument;

/// Asks endpoints over TCP.
pub struct NetProbe {
    gate: Gate,
    ehlo: EhloName,
    timeouts: PhaseTimeouts,
    handshaker: Handshaker,
}

impl NetProbe {
    /// A probe that says `ehlo` in EHLO, connects where `gate` lets it and
    /// gives each phase the time that `timeouts` allows.
    pub fn new(gate: Gate, ehlo: EhloName, timeouts: PhaseTimeouts, handshaker: Handshaker) -> Self {
        Self { gate, ehlo, timeouts, handshaker }
    }
}

impl Probe for NetProbe {
    fn permit(&self, key: &ProbeKey) -> Result<(), Failure> {
        self.gate.check(key)
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let started = Timestamp::now();
        if let Err(failure) = self.gate.check(&key) {
            return Observation::failed(key, started, attempt.saturating_sub(1), failure);
        }
        let span = trace::session(&key, attempt);
        self.session(key, attempt, started, ClientHelloForm::FIRST).instrument(span).await
    }

    async fn hello(&self, key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        if let Err(failure) = self.gate.check(&key) {
            return HelloObservation::not_asked(question, Timestamp::now(), Some(failure));
        }
        let span = trace::hello(&key, question);
        if question.purpose == HelloPurpose::Handshake {
            let form = ClientHelloForm::of(question);
            let seen = self.session(key, 1, Timestamp::now(), form).instrument(span).await;
            return second_handshake::told(question, seen);
        }
        // Boxed: few hosts are asked so, and a future has room for the largest
        // of what it may come to.
        Box::pin(legacy::ask(&key, question, &self.ehlo, &self.timeouts)).instrument(span).await
    }
}

impl NetProbe {
    /// One connection, from the first SYN to its end.
    async fn session(
        &self,
        key: ProbeKey,
        attempt: u32,
        started: Timestamp,
        form: ClientHelloForm,
    ) -> Observation {
        let begun = Instant::now();
        let session_ends = begun + self.timeouts.session;
        let connect_ends = session_ends.min(begun + self.timeouts.connect);
        let mut observation = match dial::connect(key.endpoint, connect_ends).await {
            Err(failure) => Observation::failed(key, started, attempt, failure),
            Ok(stream) => {
                let connected = Instant::now();
                let mut drive =
                    Drive::new(self.ehlo.clone(), &self.timeouts, connected, session_ends).again(attempt > 1);
                drive.timings.connect_us = Some(drive::micros(connected - begun));
                trace::connected(drive.timings.connect_us);
                drive.run(stream, &self.handshaker, form, &key).await;
                drive.into_observation(key, started, attempt)
            }
        };
        observation.timings.total_us = drive::micros(begun.elapsed());
        trace::ended(observation.failure.as_ref());
        observation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, MxHost};

    /// Bytes of a session that waits, at most: 10,000 of them wait at a time.
    const WAITING_BYTES_MAX: usize = 2560;

    #[test]
    fn a_session_that_waits_is_small() {
        let ehlo = EhloName::new("test.example").unwrap();
        let handshaker = Handshaker::new(KeyShares::Fresh).unwrap();
        let probe = NetProbe::new(Gate::default(), ehlo, PhaseTimeouts::default(), handshaker);
        let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
        let key = ProbeKey { endpoint, sni: Some(MxHost::new("mx1.example.com")) };
        let question = ClientHelloSpec::of(HelloPurpose::Sender);
        let hello = size_of_val(&probe.hello(key.clone(), &question));
        let probe = size_of_val(&probe.probe(key, 1));
        assert!(hello.max(probe) <= WAITING_BYTES_MAX, "a hello has {hello} bytes, a probe {probe}");
    }
}
