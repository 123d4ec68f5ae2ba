//! What clients end a handshake over although it can be read: choices that are
//! none of the offer, extensions that nobody asked for, public values with
//! which nobody can compute.
//!
//! RFC 8446 (§4.1.3, §4.1.4, §4.2), RFC 5246 (§7.4.1.4), RFC 5746 (§3.4) and
//! RFC 8422 (§5.4, §5.11) say what must end a handshake. Not every client does
//! all of it: GnuTLS 3.7 goes on where a session id is not echoed, an extension
//! occurs twice, server_name says something, TLS 1.3 gets a suite of
//! before, or the prime is even. Over an extension that it never heard of
//! OpenSSL goes on; and what this hello did not ask for, another may have.

use super::answer::{AnswerEnd, HelloAnswer};
use super::client_hello::ClientHello;
use super::extension::ExtensionType as Type;
use super::public_value;
use super::server_flight::{KeyExchange, ServerKeyExchange};
use super::server_flight_encode::ShareKind;
use super::server_hello::ServerHello;
use super::server_share::ServerShare;
use super::wire::Malformed;
use crate::model::{NamedGroup, ProtocolVersion, SuiteFacts};
use thiserror::Error;

/// What is wrong with an answer that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Objection {
    /// Every client ends the handshake over it.
    #[error("{0}")]
    Illegal(Malformed),
    /// Some clients do.
    #[error("{0}")]
    Disputed(Malformed),
}

/// Extensions that belong into other messages than a ServerHello up to TLS 1.2:
/// a client that knows them must end the handshake (RFC 8446 §4.2).
const NOT_BEFORE_TLS13: [u16; 10] = [41, 42, 43, 44, 45, 47, 48, 49, 50, 51];

/// Extensions that every client of TLS 1.3 knows and that belong into other
/// messages than its ServerHello (RFC 8446 §4.2): those of its table, and those
/// of TLS 1.2 that it did away with.
const NOT_IN_CLEAR: [u16; 24] =
    [0, 1, 5, 10, 11, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 35, 42, 45, 47, 48, 49, 50, 0x3374, 0xff01];

/// Application-Layer Protocol Negotiation (RFC 7301).
const ALPN: Type = Type(16);

/// The value that stands for the form in which points are written out (RFC 8422
/// §5.1.2).
const UNCOMPRESSED: u8 = 0;

/// An empty renegotiated_connection, which the first handshake on a connection
/// has (RFC 5746 §3.4).
const FIRST_HANDSHAKE: [u8; 1] = [0];

type Checked = Result<(), Objection>;

fn illegal(message: &'static str, fault: &'static str) -> Checked {
    Err(Objection::Illegal(Malformed { message, fault }))
}

fn disputed(message: &'static str, fault: &'static str) -> Checked {
    Err(Objection::Disputed(Malformed { message, fault }))
}

/// What is wrong with the answer to `offer`; `None` where nothing is, or
/// nothing was agreed to. A version or suite that was not offered is not looked
/// for: that depends on whose offer it was.
pub fn objection(offer: &ClientHello, answer: &HelloAnswer) -> Option<Objection> {
    let hello = answer.hello.as_ref().filter(|_| answer.end == AnswerEnd::Complete)?;
    let checked = check_hello(offer, hello)
        .and_then(|()| check_key_exchange(offer, hello, answer.key_exchange.as_ref()))
        .and_then(|()| check_records(answer.foreign_record));
    checked.err()
}

fn check_hello(offer: &ClientHello, hello: &ServerHello) -> Checked {
    let tls13 = hello.is_hello_retry() || hello.version() >= ProtocolVersion::TLS13;
    if !offer.compressions.contains(&hello.compression) {
        return illegal("ServerHello", "chooses a compression that was not offered");
    }
    let mut types: Vec<Type> = hello.extensions.iter().map(|extension| extension.extension_type).collect();
    types.sort_unstable();
    if tls13 {
        check_tls13(offer, hello, &types)?;
        check_suite(hello)?;
    } else {
        check_suite(hello)?;
        check_renegotiation(hello)?;
        check_older(offer, hello, &types)?;
    }
    if types.windows(2).any(|pair| pair.first() == pair.last()) {
        return disputed("ServerHello", "has an extension twice");
    }
    Ok(())
}

/// Whether the suite is one of the version that was chosen (RFC 8446 §B.4).
pub(super) fn check_suite(hello: &ServerHello) -> Checked {
    let tls13 = hello.is_hello_retry() || hello.version() >= ProtocolVersion::TLS13;
    match hello.suite.facts().map(SuiteFacts::is_tls13) {
        Some(false) if tls13 => disputed("ServerHello", "chooses a suite of another version"),
        Some(true) if !tls13 => illegal("ServerHello", "chooses a suite of another version"),
        _ => Ok(()),
    }
}

/// Whether the session id is an echo of the client's (RFC 8446 §4.1.3).
pub(super) fn check_echo(session_id: &[u8], hello: &ServerHello) -> Checked {
    if hello.session_id == session_id {
        return Ok(());
    }
    disputed("ServerHello", "does not echo the session id")
}

/// Whether the renegotiation extension says that this is the first handshake of
/// the connection, if it stands there (RFC 5746 §3.4).
pub(super) fn check_renegotiation(hello: &ServerHello) -> Checked {
    match hello.find(Type::RENEGOTIATION_INFO) {
        Some(body) if *body != FIRST_HANDSHAKE => {
            illegal("ServerHello", "speaks of a renegotiation in the first handshake")
        }
        _ => Ok(()),
    }
}

/// Whether records bear the version that was chosen. Before it is, they may
/// bear another, and in TLS 1.3 it says nothing (RFC 8446 §5.1).
pub(super) fn check_records(foreign: Option<ProtocolVersion>) -> Checked {
    match foreign {
        Some(_) => illegal("record", "bears another version than was chosen"),
        None => Ok(()),
    }
}

fn check_tls13(offer: &ClientHello, hello: &ServerHello, types: &[Type]) -> Checked {
    let retry = hello.is_hello_retry();
    let known = |kind: &Type| {
        matches!(*kind, Type::SUPPORTED_VERSIONS | Type::KEY_SHARE) || retry && *kind == Type::COOKIE
    };
    // No pre-shared key was offered.
    let misplaced = |kind: &Type| NOT_IN_CLEAR.contains(&kind.0) || matches!(kind.0, 41 | 44);
    let mut others = types.iter().filter(|kind| !known(kind));
    if others.clone().any(misplaced) {
        return illegal("ServerHello", "has an extension that was not asked for or belongs elsewhere");
    }
    let shares = offer.key_shares.as_deref().unwrap_or_default();
    match (hello.group(), retry) {
        (Some(group), _) if !offer.groups.contains(&group) => {
            return illegal("ServerHello", "chooses a group that was not offered");
        }
        (Some(group), true) if shares.iter().any(|share| share.group == group) => {
            return disputed("HelloRetryRequest", "asks for a share that it has");
        }
        (None, true) if !types.contains(&Type::COOKIE) => {
            return illegal("HelloRetryRequest", "asks for nothing else");
        }
        (None, false) => return illegal("ServerHello", "has no key share"),
        _ => {}
    }
    if others.next().is_some() {
        return disputed("ServerHello", "has an extension that was not asked for");
    }
    check_echo(&offer.session_id, hello)
}

fn check_older(offer: &ClientHello, hello: &ServerHello, types: &[Type]) -> Checked {
    if types.iter().any(|kind| NOT_BEFORE_TLS13.contains(&kind.0) || *kind == ALPN) {
        return illegal("ServerHello", "has an extension that was not asked for or belongs elsewhere");
    }
    let ecdhe = hello.suite.facts().is_some_and(SuiteFacts::is_ecdhe);
    let formats = hello.find(Type::EC_POINT_FORMATS).and_then(|body| body.get(1..));
    if ecdhe && formats.is_some_and(|formats| !formats.contains(&UNCOMPRESSED)) {
        return illegal("ServerHello", "does not take points that are written out");
    }
    if hello.find(Type::SERVER_NAME).is_some_and(|body| !body.is_empty()) {
        return disputed("ServerHello", "says something in server_name");
    }
    if types.iter().any(|kind| !asks_for(offer, *kind)) {
        return disputed("ServerHello", "has an extension that was not asked for");
    }
    Ok(())
}

/// Whether an answer in a ServerHello up to TLS 1.2 was asked for.
fn asks_for(offer: &ClientHello, kind: Type) -> bool {
    match kind {
        Type::SERVER_NAME => offer.sni.is_some(),
        Type::SUPPORTED_GROUPS => !offer.groups.is_empty(),
        _ => offer.extensions.iter().any(|extension| extension.extension_type == kind),
    }
}

fn check_key_exchange(
    offer: &ClientHello,
    hello: &ServerHello,
    exchange: Option<&ServerKeyExchange>,
) -> Checked {
    if hello.is_hello_retry() || hello.version() >= ProtocolVersion::TLS13 {
        return Ok(());
    }
    let due = matches!(ShareKind::of(hello.suite), Some(ShareKind::Group | ShareKind::Dh));
    let Some(exchange) = exchange else {
        return if due { illegal("flight", "has no ServerKeyExchange") } else { Ok(()) };
    };
    if exchange.key_exchange == KeyExchange::ExplicitCurve {
        return illegal("ServerKeyExchange", "has a curve that is written out");
    }
    let fault = match &exchange.share {
        Some(ServerShare::Group { group, .. }) if !is_offered(offer, *group) => {
            Some("has a group that was not offered")
        }
        Some(ServerShare::Group { group, public }) => public_value::of_group(*group, public),
        Some(ServerShare::Dh { prime, public, .. }) => public_value::of_dh(prime, public),
        Some(ServerShare::ExportRsa { .. }) | None => None,
    };
    if let Some(fault) = fault {
        return illegal("ServerKeyExchange", fault);
    }
    match &exchange.share {
        Some(ServerShare::Dh { prime, .. }) if prime.last().is_none_or(|last| last & 1 == 0) => {
            disputed("ServerKeyExchange", "has an even number for a prime")
        }
        _ => Ok(()),
    }
}

/// A client that names no groups takes any (RFC 8422 §4).
fn is_offered(offer: &ClientHello, group: NamedGroup) -> bool {
    offer.groups.is_empty() || offer.groups.contains(&group)
}

#[cfg(test)]
#[path = "objection_tests.rs"]
mod tests;
