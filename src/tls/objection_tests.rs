//! Answers that can be read and must not be gone on with, one fault each.

use super::super::extension::Extension;
use super::super::server_flight::KeyExchange;
use super::super::server_hello::HELLO_RETRY_RANDOM;
use super::*;
use crate::model::{CipherSuite, MxHost};

const P256: NamedGroup = NamedGroup(23);
const BRAINPOOL: NamedGroup = NamedGroup(26);
const X25519: NamedGroup = NamedGroup(29);

fn offer(version: ProtocolVersion) -> ClientHello {
    let suites = [0x1301, 0xc02f, 0x009f, 0x003c, 0xc027].map(CipherSuite);
    let mut offer = ClientHello::new(version, suites, [7; 32]);
    offer.groups = vec![X25519, P256, BRAINPOOL];
    offer.sni = Some(MxHost::new("mx.example"));
    if version >= ProtocolVersion::TLS13 {
        offer.session_id = vec![9; 32];
    }
    offer
}

fn group_share(group: NamedGroup, public: Vec<u8>) -> ServerKeyExchange {
    let share = Some(ServerShare::Group { group, public });
    ServerKeyExchange { key_exchange: KeyExchange::Group(group), share, signed: None }
}

fn dh_share(prime: Vec<u8>, public: Vec<u8>) -> ServerKeyExchange {
    let share = Some(ServerShare::Dh { prime, generator: vec![2], public });
    ServerKeyExchange { key_exchange: KeyExchange::Dh { prime_bits: 0 }, share, signed: None }
}

/// An answer of TLS 1.2 over which nobody stumbles.
fn tls12() -> HelloAnswer {
    HelloAnswer {
        hello: Some(ServerHello::new(ProtocolVersion::TLS12, CipherSuite(0xc02f), [5; 32])),
        key_exchange: Some(group_share(X25519, vec![9; 32])),
        end: AnswerEnd::Complete,
        ..HelloAnswer::default()
    }
}

fn tls13(mut hello: ServerHello) -> HelloAnswer {
    hello.session_id = vec![9; 32];
    HelloAnswer { hello: Some(hello), end: AnswerEnd::Complete, ..HelloAnswer::default() }
}

fn retry() -> HelloAnswer {
    tls13(ServerHello::retry(CipherSuite(0x1301), X25519))
}

fn with_hello(answer: HelloAnswer, change: impl FnOnce(&mut ServerHello)) -> HelloAnswer {
    let mut answer = answer;
    if let Some(hello) = &mut answer.hello {
        change(hello);
    }
    answer
}

fn with(answer: HelloAnswer, kind: u16, body: &[u8]) -> HelloAnswer {
    with_hello(answer, |hello| hello.extensions.push(Extension::new(Type(kind), body)))
}

/// What is wrong, and whether for everybody.
fn told(version: ProtocolVersion, answer: &HelloAnswer) -> Option<(bool, &'static str)> {
    match objection(&offer(version), answer)? {
        Objection::Illegal(malformed) => Some((true, malformed.fault)),
        Objection::Disputed(malformed) => Some((false, malformed.fault)),
    }
}

#[test]
fn of_tls12() {
    let suite = |code| with_hello(tls12(), |hello| hello.suite = CipherSuite(code));
    let elsewhere = Some((true, "has an extension that was not asked for or belongs elsewhere"));
    let unasked = Some((false, "has an extension that was not asked for"));
    let again = Some((true, "speaks of a renegotiation in the first handshake"));
    for (answer, expected) in [
        (tls12(), None),
        (with(tls12(), 0xff01, &[0]), None),
        (with(tls12(), 0xff01, &[1, 7]), again),
        (with(tls12(), 0xff01, &[]), again),
        (with(with(tls12(), 0xff01, &[0]), 0xff01, &[0]), Some((false, "has an extension twice"))),
        (with(tls12(), 0, &[]), None),
        (with(tls12(), 0, &[0, 0]), Some((false, "says something in server_name"))),
        (with(tls12(), 10, &[0, 2, 0, 29]), None),
        (with(tls12(), 11, &[1, 0]), None),
        (with(tls12(), 11, &[2, 1, 2]), Some((true, "does not take points that are written out"))),
        (with(tls12(), 16, &[0, 5, 4, 115, 109, 116, 112]), elsewhere),
        (with(tls12(), 43, &[3, 3]), elsewhere),
        (with(tls12(), 51, &[0, 29, 0, 0]), elsewhere),
        (with(tls12(), 23, &[]), unasked),
        (with(tls12(), 0x4444, &[]), unasked),
        (
            with_hello(tls12(), |hello| hello.compression = 1),
            Some((true, "chooses a compression that was not offered")),
        ),
        (suite(0x1301), Some((true, "chooses a suite of another version"))),
        // An unknown one is for the offer to say.
        (HelloAnswer { key_exchange: None, ..suite(0xfafa) }, None),
        (
            HelloAnswer { foreign_record: Some(ProtocolVersion::TLS10), ..tls12() },
            Some((true, "bears another version than was chosen")),
        ),
        (HelloAnswer { end: AnswerEnd::Closed, ..suite(0x1301) }, None),
    ] {
        assert_eq!(told(ProtocolVersion::TLS12, &answer), expected, "{answer:?}");
    }
}

#[test]
fn of_a_key_exchange() {
    let ecdhe = |exchange| HelloAnswer { key_exchange: exchange, ..tls12() };
    let dhe = |exchange| {
        with_hello(HelloAnswer { key_exchange: exchange, ..tls12() }, |hello| {
            hello.suite = CipherSuite(0x009f);
        })
    };
    let explicit = ServerKeyExchange { key_exchange: KeyExchange::ExplicitCurve, share: None, signed: None };
    let prime = vec![0xfb; 128];
    let even = dhe(Some(dh_share(vec![0xfa; 128], vec![2])));
    let told_of_even = told(ProtocolVersion::TLS12, &even);
    assert_eq!(told_of_even, Some((false, "has an even number for a prime")), "GnuTLS goes on");
    for (answer, fault) in [
        (ecdhe(None), Some("has no ServerKeyExchange")),
        (dhe(None), Some("has no ServerKeyExchange")),
        (ecdhe(Some(explicit)), Some("has a curve that is written out")),
        (ecdhe(Some(group_share(NamedGroup(24), vec![4; 97]))), Some("has a group that was not offered")),
        (ecdhe(Some(group_share(P256, vec![4; 65]))), Some("has a point that is not on its curve")),
        (ecdhe(Some(group_share(BRAINPOOL, vec![4; 65]))), Some("has a point that is not on its curve")),
        (ecdhe(Some(group_share(X25519, vec![0; 32]))), Some("has a public value of small order")),
        (dhe(Some(dh_share(prime.clone(), vec![2]))), None),
        (dhe(Some(dh_share(prime, vec![1]))), Some("has a public value out of its range")),
        (dhe(Some(dh_share(vec![0xfb; 32], vec![2]))), Some("has a prime shorter than any client takes")),
    ] {
        let expected = fault.map(|fault| (true, fault));
        assert_eq!(told(ProtocolVersion::TLS12, &answer), expected, "{answer:?}");
    }
}

#[test]
fn of_tls13() {
    let hello = |group, key: &[u8]| ServerHello::tls13(CipherSuite(0x1301), [5; 32], group, key).unwrap();
    let good = || tls13(hello(X25519, &[9; 32]));
    let elsewhere = Some((true, "has an extension that was not asked for or belongs elsewhere"));
    let unasked = Some((false, "has an extension that was not asked for"));
    let no_echo = Some((false, "does not echo the session id"));
    let not_offered = Some((true, "chooses a group that was not offered"));
    let only = |answer, kinds: &[u16]| {
        with_hello(answer, |hello| {
            hello.extensions.retain(|extension| kinds.contains(&extension.extension_type.0));
        })
    };
    for (answer, expected) in [
        (good(), None),
        (retry(), None),
        (with_hello(good(), |hello| hello.session_id = Vec::new()), no_echo),
        (with_hello(good(), |hello| hello.session_id = vec![8; 32]), no_echo),
        (with_hello(retry(), |hello| hello.session_id = Vec::new()), no_echo),
        (
            with_hello(good(), |hello| hello.suite = CipherSuite(0xc02f)),
            Some((false, "chooses a suite of another version")),
        ),
        (
            with_hello(good(), |hello| hello.compression = 1),
            Some((true, "chooses a compression that was not offered")),
        ),
        (with(good(), 16, &[]), elsewhere),
        (with(good(), 41, &[0, 0]), elsewhere),
        (with(good(), 44, &[0, 0]), elsewhere),
        (with(good(), 0xff01, &[0]), elsewhere),
        (with(good(), 0x4444, &[]), unasked),
        (with(good(), 43, &[3, 4]), Some((false, "has an extension twice"))),
        (tls13(hello(NamedGroup(24), &[4; 97])), not_offered),
        (tls13(ServerHello::retry(CipherSuite(0x1301), NamedGroup(24))), not_offered),
        (only(good(), &[43]), Some((true, "has no key share"))),
        (only(retry(), &[43]), Some((true, "asks for nothing else"))),
        (with(only(retry(), &[43]), 44, &[0, 1, 7]), None),
        (with(retry(), 44, &[0, 1, 7]), None),
        (with(retry(), 0x4444, &[]), unasked),
    ] {
        assert_eq!(told(ProtocolVersion::TLS13, &answer), expected, "{answer:?}");
    }
    // A retry that forgets to name its version is one.
    let forgetful = only(retry(), &[51]);
    assert_eq!(forgetful.hello.as_ref().map(|hello| hello.random), Some(HELLO_RETRY_RANDOM));
    assert_eq!(told(ProtocolVersion::TLS13, &forgetful), None);
    let mut asked = offer(ProtocolVersion::TLS13);
    asked.key_shares = Some(vec![super::super::client_hello::KeyShare { group: X25519, key: vec![9; 32] }]);
    let told = objection(&asked, &retry()).unwrap();
    assert_eq!(told.to_string(), "HelloRetryRequest: asks for a share that it has");
}
