//! Further hellos over sockets: the dialogue as far as STARTTLS, one
//! ClientHello of our own codec, and what the server says in clear.
//!
//! No key is computed and no handshake finished: it is called off as soon as the
//! answer is there, by the alerts that TLS has for that. An offer of TLS 1.3 comes without a key share,
//! so that the server names the group that it wants (RFC 8446 §4.2.8).

use super::drive::{Drive, PhaseTimeouts, in_time, micros};
use super::wire::{Socket, TooManyBytes, Wire};
use super::{dial, ending, handshake, tls_failure, trace};
use crate::model::{
    CipherSuite, ClientHelloSpec, Failure, HelloEnd, HelloObservation, Kind, Phase, ProbeKey,
    ProtocolVersion, SignatureCheck, SuiteFacts,
};
use crate::smtp::EhloName;
use crate::tls::{
    self, AnswerEnd, ClientHello, HelloAction, HelloAnswer, HelloProbe, Objection, ServerHello,
};
use crate::x509::form;
use crate::x509::handshake::Verifier;
use aws_lc_rs::rand;
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use std::io::ErrorKind;
use tokio::time::Instant;

/// Sends one hello on a connection of its own.
pub(super) async fn ask(
    key: &ProbeKey,
    spec: &ClientHelloSpec,
    ehlo: &EhloName,
    timeouts: &PhaseTimeouts,
) -> HelloObservation {
    let mut seen = HelloObservation::not_asked(spec, Timestamp::now(), None);
    let begun = Instant::now();
    match exchange(key, spec, ehlo, timeouts, begun).await {
        Ok((answer, hello)) => {
            seen.signature = Some(signature(&answer, spec, &hello.random));
            take(&mut seen, answer, &hello);
        }
        Err(failure) => seen.failure = Some(failure),
    }
    seen.total_us = micros(begun.elapsed());
    trace::answered(&seen);
    seen
}

/// The answer, and the hello.
///
/// # Errors
/// Why the dialogue never came to the hello.
async fn exchange(
    key: &ProbeKey,
    spec: &ClientHelloSpec,
    ehlo: &EhloName,
    timeouts: &PhaseTimeouts,
    begun: Instant,
) -> Result<(HelloAnswer, ClientHello), Failure> {
    let hello = client_hello(key, spec)?;
    let mut probe = HelloProbe::new(&hello).map_err(unsendable)?;
    let session_ends = begun + timeouts.session;
    let tcp = dial::connect(key.endpoint, session_ends.min(begun + timeouts.connecting(true))).await?;
    trace::connected(Some(micros(begun.elapsed())));
    let mut socket = Socket::new(tcp);
    let drive = Drive::new(ehlo.clone(), timeouts, Instant::now(), session_ends);
    let (deadline, plaintext) = match drive.into_upgrade(&mut socket).await {
        Ok(upgrade) => upgrade,
        Err(failure) => {
            ending::close(&mut socket, session_ends).await;
            return Err(failure);
        }
    };
    converse(&mut probe, &mut socket, deadline).await?;
    let answer = probe.into_answer();
    let in_clear = said_in_clear(&answer, plaintext);
    let quit_ends = session_ends.min(Instant::now() + timeouts.quit);
    take_leave(&mut socket, &answer, &hello, in_clear.as_ref(), (quit_ends, session_ends)).await;
    // A server that says so has not answered the hello.
    in_clear.filter(|said| said.kind == Kind::Throttled).map_or(Ok((answer, hello)), Err)
}

/// What a server says that goes on in SMTP where its ServerHello belongs.
fn said_in_clear(answer: &HelloAnswer, plaintext: Vec<u8>) -> Option<Failure> {
    let said = match answer.end {
        AnswerEnd::NotTls { head } => [plaintext, head.to_vec()].concat(),
        AnswerEnd::Closed | AnswerEnd::Timeout if answer.hello.is_none() => plaintext,
        _ => return None,
    };
    tls_failure::in_clear(&said)
}

/// Ends the connection: in SMTP where the server went on in SMTP, else by what
/// TLS has for it.
async fn take_leave(
    socket: &mut Socket,
    answer: &HelloAnswer,
    hello: &ClientHello,
    in_clear: Option<&Failure>,
    (quit_ends, session_ends): (Instant, Instant),
) {
    let words = match in_clear {
        Some(_) => Vec::new(),
        None => answer.last_words(hello.legacy_version, tls::objection(hello, answer).is_some()),
    };
    let stays = in_clear.is_some_and(|said| !tls_failure::hangs_up(said));
    if stays && answer.end != AnswerEnd::Closed {
        ending::quit(socket, quit_ends).await;
    }
    ending::say_and_close(socket, &words, session_ends).await;
}

/// The question in the codec's words. Extensions go only where the newest
/// version offered knows them: names and groups since TLS 1.0 (RFC 6066,
/// RFC 8422), signature schemes since TLS 1.2 (RFC 5246 §7.4.1.4.1).
fn client_hello(key: &ProbeKey, spec: &ClientHelloSpec) -> Result<ClientHello, Failure> {
    let newest = spec.version();
    let mut hello = ClientHello::new(newest, spec.suites.iter().copied(), random_bytes()?);
    if newest >= ProtocolVersion::TLS10 {
        // The same rule as for the handshake: addresses are no names.
        let named = matches!(handshake::server_name(key), ServerName::DnsName(_));
        hello.sni = key.sni.clone().filter(|_| named && spec.names_host);
        hello.groups.clone_from(&spec.groups);
    }
    if newest >= ProtocolVersion::TLS12 {
        hello.signature_schemes.clone_from(&spec.signature_schemes);
    }
    if newest >= ProtocolVersion::TLS13 {
        hello.supported_versions.clone_from(&spec.versions);
        // As clients do, so that it is seen whether the server echoes it (RFC
        // 8446 §D.4).
        hello.session_id = random_bytes()?.to_vec();
    }
    Ok(hello)
}

fn random_bytes() -> Result<[u8; 32], Failure> {
    let mut random = [0; 32];
    rand::fill(&mut random).map_err(|_| unsendable("no random numbers"))?;
    Ok(random)
}

fn unsendable(cause: impl std::fmt::Display) -> Failure {
    Failure::new(Phase::Tls, Kind::LocalError).with_detail(cause)
}

/// Carries bytes until all is said or `deadline` has passed.
///
/// # Errors
/// This machine broke down over it.
async fn converse(probe: &mut HelloProbe, socket: &mut Socket, deadline: Instant) -> Result<(), Failure> {
    loop {
        let result = match probe.next() {
            HelloAction::Done => return Ok(()),
            HelloAction::Write(bytes) => in_time(deadline, socket.write(bytes)).await.map(|()| None),
            HelloAction::Read => {
                let listen = socket.read(|bytes| probe.receive(bytes));
                in_time(deadline, listen).await.map(Some)
            }
        };
        match result {
            Ok(None | Some(1..)) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => probe.timed_out(),
            Err(error) if TooManyBytes::is_in(&error) => probe.too_many_bytes(),
            Err(error) if !tls_failure::is_end(&error) => return Err(unsendable(error)),
            Ok(Some(0)) | Err(_) => probe.receive_eof(),
        }
    }
}

/// What became of the signature that stands in clear up to TLS 1.2.
fn signature(answer: &HelloAnswer, spec: &ClientHelloSpec, random: &[u8; 32]) -> SignatureCheck {
    let (AnswerEnd::Complete, Some(hello), Some(version)) = (&answer.end, &answer.hello, answer.version())
    else {
        return SignatureCheck::NotShown;
    };
    let signs = hello.suite.facts().and_then(|facts| facts.signs_key_exchange());
    match (&answer.key_exchange, answer.signed()) {
        _ if version >= ProtocolVersion::TLS13 => SignatureCheck::NotShown,
        _ if signs == Some(false) => SignatureCheck::None,
        (None, _) if signs == Some(true) => SignatureCheck::NotShown,
        (None, _) => SignatureCheck::None,
        (Some(_), None) => SignatureCheck::Unverifiable(
            "mxray cannot check a signature over a key exchange that it does not read".into(),
        ),
        (Some(_), Some(signed)) => {
            let chain = answer.chain.as_ref().and_then(|chain| chain.certificates.first());
            let Some(leaf) = chain else { return SignatureCheck::NotShown };
            let checked =
                Verifier::new(leaf, version, signed.scheme, &spec.signature_schemes).and_then(|verifier| {
                    verifier.verify(&signed.message(random, &hello.random), &signed.signature)
                });
            checked.map_or_else(SignatureCheck::from, |()| SignatureCheck::Verified)
        }
    }
}

/// Whether the server agreed with no certificate that any client can read,
/// where it had to show one. In TLS 1.3 it is encrypted.
fn is_without_certificate(answer: &HelloAnswer) -> bool {
    let before_tls13 = answer.version().is_some_and(|version| version < ProtocolVersion::TLS13);
    let facts = answer.suite().and_then(CipherSuite::facts);
    let due = facts.is_some_and(SuiteFacts::shows_certificate);
    match answer.chain.as_ref().map(|chain| chain.certificates.first()) {
        _ if answer.end != AnswerEnd::Complete || !before_tls13 => false,
        None => due,
        Some(leaf) => leaf.is_none_or(|leaf| form::why_broken(leaf).is_some()),
    }
}

fn take(seen: &mut HelloObservation, answer: HelloAnswer, hello: &ClientHello) {
    let objection = tls::objection(hello, &answer);
    seen.end = match objection {
        Some(Objection::Illegal(_)) => HelloEnd::IllegalParameter,
        Some(Objection::Disputed(_)) => HelloEnd::Malformed,
        None if is_without_certificate(&answer) => HelloEnd::BadCertificate,
        None => end(&answer.end),
    };
    seen.fault = match (objection, &answer.end) {
        (Some(objection), _) => Some(objection.to_string().into()),
        (None, AnswerEnd::Malformed(fault)) => Some(fault.to_string().into()),
        _ => None,
    };
    let old = answer.hello.as_ref().filter(|hello| hello.version() < ProtocolVersion::TLS13);
    seen.downgrade_mark = old.map(ServerHello::downgrade_mark);
    seen.renegotiation_info = old.map(ServerHello::has_renegotiation_info);
    seen.version = answer.version();
    seen.suite = answer.suite();
    seen.group = answer.group();
    seen.dh_bits = answer.dh_bits();
    seen.signature_scheme = answer.signature_scheme();
    seen.client_certificate_requested = answer.client_certificate_requested();
    seen.hello_retry = answer.hello_retry();
    seen.alert = answer.alert();
    if seen.purpose.is_judged() {
        seen.chain = answer.chain.map(|chain| chain.certificates).unwrap_or_default();
    }
}

fn end(end: &AnswerEnd) -> HelloEnd {
    match end {
        AnswerEnd::Complete => HelloEnd::Agreed,
        AnswerEnd::Alert(_) => HelloEnd::Alert,
        AnswerEnd::Unfinished | AnswerEnd::Closed => HelloEnd::Closed,
        AnswerEnd::Timeout => HelloEnd::Timeout,
        AnswerEnd::Sslv2 { .. } => HelloEnd::Sslv2,
        AnswerEnd::NotTls { .. } => HelloEnd::NotTls,
        AnswerEnd::Malformed(_) => HelloEnd::Malformed,
        AnswerEnd::TooLong(_) => HelloEnd::TooLong,
    }
}

#[cfg(test)]
#[path = "legacy_tests.rs"]
mod tests;
