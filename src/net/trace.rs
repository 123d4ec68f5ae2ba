//! What `-vv` tells of a session: a span with address and host, and in it an
//! event for each step. Nothing of this is evidence, which stands in the
//! observation; where nobody listens it costs a comparison.

use crate::model::{
    CipherSuite, ClientHelloSpec, Dialogue, Failure, HelloObservation, MxHost, NamedGroup, Phase, ProbeKey,
    ProtocolVersion, Reply,
};
use rustls::ClientConnection;
use tracing::{Span, debug, debug_span};

fn host(key: &ProbeKey) -> Option<&str> {
    key.sni.as_ref().map(MxHost::as_str)
}

/// The session of a probe.
pub(super) fn session(key: &ProbeKey, attempt: u32) -> Span {
    debug_span!("session", address = %key.endpoint, host = host(key), attempt)
}

/// The session of a further ClientHello.
pub(super) fn hello(key: &ProbeKey, spec: &ClientHelloSpec) -> Span {
    let purpose = spec.purpose;
    debug_span!("session", address = %key.endpoint, host = host(key), client_hello = ?purpose, version = %spec.version())
}

/// TCP is established.
pub(super) fn connected(us: Option<u64>) {
    debug!(us, "connected");
}

/// A step was left, `us` microseconds after it was begun.
pub(super) fn step(phase: Phase, dialogue: &Dialogue, us: u64) {
    let (step, reply) = match phase {
        Phase::Greeting => ("greeting", dialogue.greeting.as_ref()),
        Phase::Ehlo => ("EHLO", dialogue.helo.as_ref().or(dialogue.ehlo.as_ref())),
        Phase::Starttls => ("STARTTLS", dialogue.starttls.as_ref()),
        Phase::AfterTls => ("EHLO inside TLS", dialogue.ehlo_tls.as_ref()),
        Phase::Quit => ("QUIT", dialogue.quit.as_ref()),
        // The handshake tells of itself.
        Phase::Input | Phase::Dns | Phase::Connect | Phase::Tls => return,
    };
    debug!(code = reply.map(|reply| reply.code), text = reply.and_then(first_line), us, "{step}");
}

fn first_line(reply: &Reply) -> Option<&str> {
    reply.lines.first().map(String::as_str)
}

/// TLS is established, `us` microseconds after the 220.
pub(super) fn handshake(connection: &ClientConnection, us: Option<u64>) {
    let version = connection.protocol_version().map(|version| ProtocolVersion(version.into()));
    let suite = connection.negotiated_cipher_suite().map(|suite| CipherSuite(suite.suite().into()));
    let group = connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
    debug!(
        version = version.map(display),
        suite = suite.map(display),
        group = group.map(display),
        us,
        "handshake"
    );
}

/// TLS is not, `us` microseconds after the 220.
pub(super) fn handshake_failed(failure: &Failure, us: u64) {
    debug!(%failure, us, "handshake failed");
}

/// The session is over.
pub(super) fn ended(failure: Option<&Failure>) {
    match failure {
        Some(failure) => debug!(%failure, "session ended"),
        None => debug!("session ended: ok"),
    }
}

/// So is that of a further ClientHello.
pub(super) fn answered(seen: &HelloObservation) {
    match (&seen.failure, seen.version, seen.suite) {
        (Some(failure), ..) => debug!(%failure, "session ended"),
        (None, Some(version), Some(suite)) => debug!(%version, %suite, "session ended: {}", seen.end.name()),
        (None, ..) => debug!("session ended: {}", seen.end.name()),
    }
}
