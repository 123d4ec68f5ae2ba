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
mod standstill;
mod tls_failure;
mod trace;
mod wire;

pub use drive::PhaseTimeouts;
pub use gate::{Gate, is_public};
pub use handshake::{ClientIdentity, Handshaker, KeyShares};
pub use route::{families_with_route, source_addresses};

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
        standstill::watch();
        // What there is now is what may be lost.
        route::has_lost_its_way(std::net::Ipv4Addr::LOCALHOST.into());
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
        let before = standstill::count();
        let asked = Box::pin(legacy::ask(&key, question, &self.ehlo, &self.timeouts));
        standstill::own_hello(asked.instrument(span).await, before)
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
        let (begun, before) = (Instant::now(), standstill::count());
        let session_ends = begun + self.timeouts.session;
        let later = attempt > 1 || form != ClientHelloForm::FIRST;
        let connect_ends = session_ends.min(begun + self.timeouts.connecting(later));
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
        standstill::own(&mut observation, before);
        observation.timings.total_us = drive::micros(begun.elapsed());
        trace::ended(observation.failure.as_ref());
        observation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, MxHost};

    /// A port whose queue of connections is full: SYNs are dropped there.
    #[cfg(target_os = "linux")]
    fn deaf() -> (socket2::Socket, Vec<socket2::Socket>, Endpoint) {
        use socket2::{Domain, Socket, Type};
        use std::net::{Ipv4Addr, SocketAddr};
        let tcp = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = tcp();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let queued = (0..4).map(|_| {
            let socket = tcp();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address);
            socket
        });
        let queued = queued.collect();
        let address = address.as_socket().unwrap();
        (listener, queued, Endpoint { ip: address.ip(), port: address.port() })
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn later_connections_have_more_time_for_tcp() {
        use crate::model::{Kind, Phase};
        use std::time::Duration;
        let (_listener, _queued, endpoint) = deaf();
        let key = ProbeKey { endpoint, sni: None };
        let [short, long] = [200, 1200].map(Duration::from_millis);
        let timeouts = PhaseTimeouts { connect: short, connect_retry: long, ..PhaseTimeouts::default() };
        let sender = ClientHelloSpec::of(HelloPurpose::Sender);
        let handshake = ClientHelloSpec::of(HelloPurpose::Handshake);
        for (retries, first) in [(2, short), (0, long)] {
            let ehlo = EhloName::new("test.example").unwrap();
            let gate = Gate::new(crate::model::Blocklist::default(), true);
            let handshaker = Handshaker::new(KeyShares::Fresh).unwrap();
            let probe = NetProbe::new(gate, ehlo, timeouts.clone().for_retries(retries), handshaker);
            let [one, two] = [probe.probe(key.clone(), 1).await, probe.probe(key.clone(), 2).await];
            let [three, four] =
                [probe.hello(key.clone(), &sender).await, probe.hello(key.clone(), &handshake).await];
            let spent = [one.timings.total_us, two.timings.total_us, three.total_us, four.total_us];
            for (spent, allowed) in spent.into_iter().zip([first, long, long, long]) {
                let spent = Duration::from_micros(spent);
                assert!(
                    spent >= allowed && spent < allowed + Duration::from_millis(900),
                    "{retries}: {spent:?}"
                );
            }
            let failure = one.failure.unwrap();
            assert_eq!((failure.phase, failure.kind), (Phase::Connect, Kind::Timeout));
        }
    }

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
