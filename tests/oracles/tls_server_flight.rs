//! A server's answer to a hello: the same however it is cut, at an end sooner
//! or later, and never more than the limits allow.

use super::Seed;
use super::cuts::cuts;
use super::tls_records::record;
use mxray::internals::model::observation::CHAIN_CERTIFICATES_MAX;
use mxray::internals::model::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use mxray::internals::tls::probe::{FLIGHT_BYTES_MAX, RECORDS_MAX};
use mxray::internals::tls::record::{ContentType, HEADER_BYTES, RECORD_BYTES_MAX};
use mxray::internals::tls::{
    AnswerEnd, CertificateMessage, CertificateRequest, ClientHello, HelloAction, HelloAnswer, HelloProbe,
    Objection, ServerFlight, ServerHello, ServerShare, SignedShare, objection,
};
use std::sync::Arc;

/// Most bytes that a probe can take without an end: as many records as may
/// be, as full as they may be together, and one more that is not whole.
const STREAM_BYTES_MAX: usize = (RECORDS_MAX + 1) * HEADER_BYTES + FLIGHT_BYTES_MAX + RECORD_BYTES_MAX;

/// The groups whose public values are points that are written out: secp192r1 to
/// secp521r1 and those of Brainpool (RFC 8422 §5.1.1, RFC 7027 §2).
const CURVES: [u16; 10] = [19, 20, 21, 22, 23, 24, 25, 26, 27, 28];

pub fn check(stream: &[u8]) {
    let [whole, bytes, odd] = cuts(stream).map(|pieces| answer(&pieces));
    assert_eq!(whole, bytes, "byte by byte is no different");
    assert_eq!(whole, odd, "cutting changes nothing");
    check_limits(&whole, stream.len());
    check_written_again(&whole);
    check_objection(&whole);
    check_neighbour(&whole);
    check_end_comes(stream);
}

fn hello() -> ClientHello {
    ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(0xc02f)], [7; 32])
}

fn probe() -> HelloProbe {
    let mut probe = HelloProbe::new(&hello()).unwrap();
    assert!(matches!(probe.next(), HelloAction::Write(_)));
    probe
}

/// What a probe makes of these pieces and the end of the stream.
pub fn answer(pieces: &[&[u8]]) -> HelloAnswer {
    let mut probe = probe();
    for piece in pieces {
        probe.receive(piece);
        assert!(matches!(probe.next(), HelloAction::Read | HelloAction::Done), "a hello is sent once");
    }
    probe.receive_eof();
    assert_eq!(probe.next(), HelloAction::Done, "after the end of the stream nothing is due");
    let answer = probe.into_answer();
    assert_ne!(answer.end, AnswerEnd::Unfinished);
    answer
}

/// Nothing is kept that did not come in, and no more than may be.
fn check_limits(answer: &HelloAnswer, stream_bytes: usize) {
    let certificates = answer.chain.iter().flat_map(|chain| &chain.certificates);
    let extensions = answer.hello.iter().flat_map(|hello| &hello.extensions);
    let kept = certificates.clone().map(|der| der.len()).sum::<usize>()
        + extensions.map(|extension| extension.body.len()).sum::<usize>();
    assert!(kept <= FLIGHT_BYTES_MAX.min(stream_bytes), "{kept} bytes kept");
    assert!(certificates.count() <= CHAIN_CERTIFICATES_MAX);
}

/// What was read is read again from what our own encoder makes of it.
fn check_written_again(answer: &HelloAnswer) {
    let body = |message: Vec<u8>| message.split_at(4).1.to_vec();
    if let Some(hello) = &answer.hello {
        let written = body(hello.to_message().expect("what was read fits"));
        assert_eq!(ServerHello::decode(&written).as_ref(), Ok(hello));
    }
    if let Some(chain) = &answer.chain {
        let written = body(chain.to_message().expect("what was read fits"));
        assert_eq!(
            CertificateMessage::decode(&written),
            Ok(CertificateMessage { excess: 0, ..chain.clone() })
        );
    }
}

/// Whatever was agreed to, it is said whether a client goes on; and nothing of
/// what was not.
fn check_objection(answer: &HelloAnswer) {
    let told = objection(&hello(), answer);
    assert!(told.is_none() || answer.end == AnswerEnd::Complete && answer.hello.is_some(), "{told:?}");
    let chosen = answer.hello.as_ref().filter(|_| answer.end == AnswerEnd::Complete);
    if chosen.is_some_and(|hello| hello.compression != 0) {
        assert!(matches!(told, Some(Objection::Illegal(_))), "{answer:?}");
    }
}

/// A point whose last bit is another is on no curve: where one is let pass, its
/// neighbour is not.
fn check_neighbour(answer: &HelloAnswer) {
    if answer.end != AnswerEnd::Complete {
        return;
    }
    let mut beside = answer.clone();
    let share = beside.key_exchange.as_mut().and_then(|exchange| exchange.share.as_mut());
    let Some(ServerShare::Group { group, public }) = share else { return };
    let Some(last) = public.last_mut().filter(|_| CURVES.contains(&group.0)) else { return };
    *last ^= 1;
    let fine = |answer| objection(&hello(), answer).is_none();
    assert!(!(fine(answer) && fine(&beside)), "{answer:?}");
}

/// A server that says the same over and over comes to an end as well.
fn check_end_comes(stream: &[u8]) {
    if stream.is_empty() {
        return;
    }
    let piece = stream.repeat(4096_usize.div_ceil(stream.len()));
    let mut probe = probe();
    let mut given = 0;
    while probe.next() != HelloAction::Done {
        assert!(given < STREAM_BYTES_MAX, "no end after {given} bytes");
        probe.receive(&piece);
        given += piece.len();
    }
}

/// A flight with all that may be in one.
pub fn flight(version: ProtocolVersion, suite: &str, share: Option<ServerShare>) -> ServerFlight {
    let suite: CipherSuite = suite.parse().unwrap();
    let scheme = SignatureScheme(0x0401);
    ServerFlight {
        hello: ServerHello::new(version, suite, [5; 32]),
        chain: Some(CertificateMessage {
            certificates: vec![Arc::from([0x30, 0]), Arc::from([7; 30])],
            excess: 0,
        }),
        share: share.map(|share| SignedShare { share, scheme, signature: vec![3; 16] }),
        certificate_request: Some(CertificateRequest {
            certificate_types: vec![1, 64],
            signature_schemes: vec![scheme],
            authorities: 2,
        }),
    }
}

/// The base point of brainpoolP256r1 (RFC 5639 §3.4).
fn brainpool() -> ServerShare {
    const POINT: &str = "048bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262\
        547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997";
    let digits = (0..POINT.len()).step_by(2).map(|at| u8::from_str_radix(&POINT[at..at + 2], 16).unwrap());
    ServerShare::Group { group: NamedGroup(26), public: digits.collect() }
}

#[test]
fn a_point_of_brainpool_is_let_pass_and_its_neighbour_is_not() {
    let suite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    let stream = flight(ProtocolVersion::TLS12, suite, Some(brainpool())).to_records().unwrap();
    let answer = answer(&[&stream]);
    assert_eq!(objection(&hello(), &answer), None);
    check_neighbour(&answer);
}

pub fn seeds() -> Vec<Seed> {
    let (tls10, tls12) = (ProtocolVersion::TLS10, ProtocolVersion::TLS12);
    let group = ServerShare::Group { group: NamedGroup(23), public: vec![4; 65] };
    let dh = ServerShare::Dh { prime: vec![0xff; 64], generator: vec![2], public: vec![9; 64] };
    let export = ServerShare::ExportRsa { modulus: vec![0xff; 64], exponent: vec![1, 0, 1] };
    let bytes = |flight: ServerFlight| flight.to_records().unwrap();
    let hello13 = ServerHello::tls13(CipherSuite(0x1301), [5; 32], NamedGroup(29), &[9; 32]).unwrap();
    let only = |hello| ServerFlight { hello, chain: None, share: None, certificate_request: None };
    let warning = record(ContentType::ALERT, &[1, 112]);
    let rsa = bytes(flight(ProtocolVersion::SSL3, "TLS_RSA_WITH_RC4_128_SHA", None));
    vec![
        ("tls12-ecdhe", bytes(flight(tls12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Some(group)))),
        ("tls12-brainpool", bytes(flight(tls12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Some(brainpool())))),
        ("tls12-dhe", bytes(flight(tls12, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", Some(dh)))),
        ("tls10-export", bytes(flight(tls10, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", Some(export)))),
        ("sslv3-rsa", rsa.clone()),
        ("warning-before-flight", [warning, rsa].concat()),
        ("tls13", bytes(only(hello13))),
        ("retry", bytes(only(ServerHello::retry(CipherSuite(0x1301), NamedGroup(24))))),
        ("alert", record(ContentType::ALERT, &[2, 70])),
        ("sslv2-error", vec![0x80, 3, 0, 0, 1]),
        ("smtp", b"454 4.7.0 TLS not available\r\n".to_vec()),
    ]
}
