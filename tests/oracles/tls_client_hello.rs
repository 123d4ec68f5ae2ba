//! Reading a ClientHello: what is read is written again as what it was.

use super::Seed;
use mxray::internals::model::{CipherSuite, MxHost, NamedGroup, ProtocolVersion, SignatureScheme};
use mxray::internals::tls::{ClientHello, KeyShare, received_offer};
use std::collections::BTreeSet;

/// Bytes of a handshake message before its body.
const MESSAGE_HEADER_BYTES: usize = 4;
/// Bytes of the length before the extensions.
const BLOCK_HEADER_BYTES: usize = 2;

pub fn check(body: &[u8]) {
    let Ok(hello) = ClientHello::decode(body) else {
        return assert!(received_offer(body).is_err(), "a server tells of no hello that cannot be read");
    };
    check_offer(body, &hello);
    let message = hello.to_message().expect("what was read fits");
    let written = &message[MESSAGE_HEADER_BYTES..];
    // Extensions may change places; an empty block of them is not written.
    let dropped = body.len() - written.len();
    assert!(dropped == 0 || dropped == BLOCK_HEADER_BYTES && !has_extensions(&hello), "{dropped}: {hello:?}");
    let again = ClientHello::decode(written).expect("what was written is read");
    if !repeats_an_extension(&hello) {
        assert_eq!(again, hello);
    }
    assert!(hello.to_records().expect("what was read fits").len() > message.len());
}

/// What a server tells of the hello is what is in it, and its fingerprint is of one form.
fn check_offer(body: &[u8], hello: &ClientHello) {
    let offer = received_offer(body).expect("what was read is told");
    assert_eq!((&offer.suites, &offer.groups), (&hello.suites, &hello.groups));
    assert_eq!(offer.extensions.len(), hello.extensions.len() + kinds_in_fields(hello).count());
    let parts: Vec<usize> = offer.fingerprint.split('_').map(str::len).collect();
    assert!(matches!(parts.as_slice(), [10, 12, 12]), "{}", offer.fingerprint);
}

/// The kinds of extension that the hello's fields stand for.
fn kinds_in_fields(hello: &ClientHello) -> impl Iterator<Item = u16> {
    let kinds = [
        (0, hello.sni.is_some()),
        (10, !hello.groups.is_empty()),
        (13, !hello.signature_schemes.is_empty()),
        (43, !hello.supported_versions.is_empty()),
        (51, hello.key_shares.is_some()),
    ];
    kinds.into_iter().filter(|(_, present)| *present).map(|(kind, _)| kind)
}

fn has_extensions(hello: &ClientHello) -> bool {
    kinds_in_fields(hello).next().is_some() || !hello.extensions.is_empty()
}

/// Whether an extension stands twice: which of the two a field stands for
/// then depends on their order.
fn repeats_an_extension(hello: &ClientHello) -> bool {
    let mut seen = BTreeSet::new();
    let raw = hello.extensions.iter().map(|extension| extension.extension_type.0);
    !kinds_in_fields(hello).chain(raw).all(|kind| seen.insert(kind))
}

/// A hello as a modern client sends it.
pub fn modern() -> ClientHello {
    let suites = [0x1301, 0x1302, 0xc02f, 0xc030, 0x009c, 0x002f].map(CipherSuite);
    let mut hello = ClientHello::new(ProtocolVersion::TLS13, suites, [7; 32]);
    hello.sni = Some(MxHost::new("mx.example"));
    hello.supported_versions = vec![ProtocolVersion::TLS13, ProtocolVersion::TLS12];
    hello.groups = vec![NamedGroup(29), NamedGroup(23)];
    hello.signature_schemes = [0x0804, 0x0403, 0x0401].map(SignatureScheme).to_vec();
    hello.key_shares = Some(vec![KeyShare { group: NamedGroup(29), key: vec![9; 32] }]);
    hello
}

pub fn seeds() -> Vec<Seed> {
    let body = |hello: &ClientHello| hello.to_message().unwrap().split_off(MESSAGE_HEADER_BYTES);
    let old = |version| body(&ClientHello::new(version, [0x000a, 0x0005].map(CipherSuite), [7; 32]));
    vec![
        ("sslv3", old(ProtocolVersion::SSL3)),
        ("tls10", old(ProtocolVersion::TLS10)),
        ("tls12", old(ProtocolVersion::TLS12)),
        ("tls13", body(&modern())),
    ]
}
