//! Writing a server's flight: any flight whatever is read as what was written,
//! or refused.

use super::Seed;
use super::tls_server_flight::answer;
use arbitrary::{Result, Unstructured};
use mxray::internals::model::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use mxray::internals::tls::{
    AnswerEnd, CertificateMessage, CertificateRequest, Extension, ExtensionType, KeyExchange, ServerFlight,
    ServerHello, ServerShare, ShareKind, SignedShare,
};
use std::sync::Arc;

/// Suites of every form that the key exchange is written in.
const SUITES: [u16; 9] = [0x0005, 0x0003, 0x0033, 0x0034, 0x0090, 0xc02f, 0xc02c, 0xc035, 0xc016];

pub fn check(input: &[u8]) {
    let Ok(flight) = flight(&mut Unstructured::new(input)) else { return };
    let records = flight.to_records().expect("what is made here fits");
    let read = answer(&[&records]);
    assert_eq!(read.end, AnswerEnd::Complete, "{flight:?}");
    assert_eq!(read.hello.as_ref(), Some(&flight.hello));
    if flight.hello.version() >= ProtocolVersion::TLS13 {
        assert_eq!((read.chain, read.key_exchange), (None, None));
        return;
    }
    assert_eq!(read.chain, flight.chain);
    let tls12 = flight.hello.version() >= ProtocolVersion::TLS12;
    let request = flight.certificate_request.clone().map(|request| CertificateRequest {
        signature_schemes: if tls12 { request.signature_schemes } else { Vec::new() },
        ..request
    });
    assert_eq!(read.certificate_request, request);
    assert_eq!(read.key_exchange.map(|read| read.key_exchange), flight.share.as_ref().map(exchange));
}

/// What is to be read of a share.
fn exchange(signed: &SignedShare) -> KeyExchange {
    match &signed.share {
        ServerShare::Group { group, .. } => KeyExchange::Group(*group),
        ServerShare::Dh { prime, .. } => KeyExchange::Dh { prime_bits: bits(prime) },
        ServerShare::ExportRsa { modulus, .. } => KeyExchange::ExportRsa { modulus_bits: bits(modulus) },
        other => panic!("what is to be read of {other:?}?"),
    }
}

/// Length of a number in bits, counted one by one.
fn bits(number: &[u8]) -> usize {
    let all = number.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    all.skip_while(|bit| *bit == 0).count()
}

fn flight(input: &mut Unstructured<'_>) -> Result<ServerFlight> {
    let version = *input.choose(&[0x0300, 0x0301, 0x0302, 0x0303, 0x0304])?;
    let suite = CipherSuite(*input.choose(&SUITES)?);
    Ok(ServerFlight {
        hello: hello(input, ProtocolVersion(version), suite)?,
        chain: optional(input, chain)?,
        share: match ShareKind::of(suite) {
            Some(kind) => optional(input, |input| share(input, kind))?,
            None => None,
        },
        certificate_request: optional(input, request)?,
    })
}

fn hello(input: &mut Unstructured<'_>, version: ProtocolVersion, suite: CipherSuite) -> Result<ServerHello> {
    if version >= ProtocolVersion::TLS13 {
        let group = NamedGroup(input.arbitrary()?);
        if input.arbitrary()? {
            return Ok(ServerHello::retry(suite, group));
        }
        return Ok(
            ServerHello::tls13(suite, [5; 32], group, &bytes(input)?).expect("a key of 255 bytes fits")
        );
    }
    let mut hello = ServerHello::new(version, suite, [5; 32]);
    hello.session_id = bytes(input)?;
    hello.compression = input.arbitrary()?;
    for _ in 0..input.int_in_range(0..=3)? {
        // None that says version or group.
        let kind = ExtensionType(input.int_in_range(100..=u16::MAX)?);
        hello.extensions.push(Extension::new(kind, bytes(input)?));
    }
    Ok(hello)
}

fn chain(input: &mut Unstructured<'_>) -> Result<CertificateMessage> {
    let certificates: Result<Vec<Arc<[u8]>>> =
        (0..input.int_in_range(0..=4)?).map(|_| Ok(bytes(input)?.into())).collect();
    Ok(CertificateMessage { certificates: certificates?, excess: 0 })
}

fn share(input: &mut Unstructured<'_>, kind: ShareKind) -> Result<SignedShare> {
    let share = match kind {
        ShareKind::Group => {
            ServerShare::Group { group: NamedGroup(input.arbitrary()?), public: bytes(input)? }
        }
        ShareKind::Dh => {
            ServerShare::Dh { prime: bytes(input)?, generator: bytes(input)?, public: bytes(input)? }
        }
        ShareKind::ExportRsa => ServerShare::ExportRsa { modulus: bytes(input)?, exponent: bytes(input)? },
    };
    Ok(SignedShare { share, scheme: SignatureScheme(input.arbitrary()?), signature: bytes(input)? })
}

fn request(input: &mut Unstructured<'_>) -> Result<CertificateRequest> {
    let schemes: Result<Vec<_>> =
        (0..input.int_in_range(0..=4)?).map(|_| Ok(SignatureScheme(input.arbitrary()?))).collect();
    Ok(CertificateRequest {
        certificate_types: bytes(input)?,
        signature_schemes: schemes?,
        authorities: input.int_in_range(0..=16_383)?,
    })
}

fn optional<T>(
    input: &mut Unstructured<'_>,
    make: impl FnOnce(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Option<T>> {
    if input.arbitrary()? { make(input).map(Some) } else { Ok(None) }
}

/// At most 255 bytes, which fit behind any length.
fn bytes(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let count = usize::from(input.arbitrary::<u8>()?).min(input.len());
    Ok(input.bytes(count)?.to_vec())
}

pub fn seeds() -> Vec<Seed> {
    vec![
        ("zeros", vec![0; 64]),
        ("ones", vec![1; 200]),
        ("counting", (0..=255).collect()),
        ("counting-down", (0..=255).rev().collect()),
    ]
}
