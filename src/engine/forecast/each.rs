//! How many connections a key takes that answers as most do: found by asking the same
//! rule that a scan asks, of what such a host would answer.

use crate::model::{
    CipherSuite, DomainName, Endpoint, Failure, HelloEnd, HelloObservation, Kind, MxHost, NamedGroup,
    Observation, Phase, ProbeKey, ProtocolVersion, SignatureScheme, TlsObservation,
};
use crate::verdict::Policy;
use jiff::Timestamp;

/// Connections that an enumeration is taken to make at a host, if it may make as many:
/// the fewest that are usual.
pub const ENUMERATION_CONNECTIONS_USUAL: u64 = 30;

/// What a server of today chooses from the offer of the scanner.
const VERSION: ProtocolVersion = ProtocolVersion::TLS13;
const SUITE: CipherSuite = CipherSuite(0x1302);
const GROUP: NamedGroup = NamedGroup(0x001d);
const SCHEME: SignatureScheme = SignatureScheme(0x0804);

/// Connections to a name at an address, and to an address without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionsEach {
    /// With a name.
    pub named: u64,
    /// Without one.
    pub nameless: u64,
}

impl ConnectionsEach {
    /// What these rules ask of a host that speaks TLS 1.3 with
    /// `TLS_AES_256_GCM_SHA384`, X25519 and an RSA key, and agrees to every further hello,
    /// with an enumeration of so many connections at most (0: none).
    pub fn usual(policy: &Policy, enumeration_max: usize) -> Self {
        let enumeration = ENUMERATION_CONNECTIONS_USUAL.min(enumeration_max as u64);
        let name = DomainName::parse("mx.example").ok().map(|name| MxHost::new(name.as_str()));
        Self { named: judged(policy, name) + enumeration, nameless: judged(policy, None) + enumeration }
    }

    pub(super) fn of(self, key: &ProbeKey) -> u64 {
        if key.sni.is_some() { self.named } else { self.nameless }
    }
}

/// The first connection and those of the hellos that a verdict rests on.
fn judged(policy: &Policy, sni: Option<MxHost>) -> u64 {
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    let then = Timestamp::UNIX_EPOCH;
    let key = ProbeKey { endpoint, sni };
    let mut seen = Observation::failed(key, then, 1, Failure::new(Phase::Tls, Kind::Closed));
    seen.failure = None;
    seen.tls = Some(TlsObservation {
        established: true,
        version: Some(VERSION),
        suite: Some(SUITE),
        group: Some(GROUP),
        signature_scheme: Some(SCHEME),
        ..TlsObservation::default()
    });
    let mut connections = 1;
    while let Some(spec) = policy.next_hello(&seen).filter(|spec| spec.purpose.is_judged()) {
        connections += 1;
        seen.extra_client_hellos.push(HelloObservation {
            version: Some(VERSION),
            suite: Some(SUITE),
            group: Some(GROUP),
            signature_scheme: Some(SCHEME),
            end: HelloEnd::Agreed,
            ..HelloObservation::not_asked(&spec, then, None)
        });
    }
    connections
}
