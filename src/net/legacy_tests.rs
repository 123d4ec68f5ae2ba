//! What a question becomes on the wire.

use super::*;
use crate::model::HelloPurpose;
use crate::model::{CipherSuite, Endpoint, MxHost, NamedGroup, SignatureScheme};

fn spec(versions: &[ProtocolVersion]) -> ClientHelloSpec {
    ClientHelloSpec {
        versions: versions.to_vec(),
        suites: vec![CipherSuite(0x1301), CipherSuite(0xc02f), CipherSuite(0x0035)],
        groups: vec![NamedGroup(23)],
        signature_schemes: vec![SignatureScheme(0x0401)],
        ..ClientHelloSpec::of(HelloPurpose::Version)
    }
}

fn hello(name: &str, versions: &[ProtocolVersion]) -> ClientHello {
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    client_hello(&ProbeKey { endpoint, sni: Some(MxHost::new(name)) }, &spec(versions)).unwrap()
}

#[test]
fn extensions_go_where_the_version_knows_them() {
    let ssl3 = hello("mx.example", &[ProtocolVersion::SSL3]);
    assert_eq!((ssl3.legacy_version, &ssl3.sni), (ProtocolVersion::SSL3, &None));
    assert!(ssl3.groups.is_empty() && ssl3.signature_schemes.is_empty() && ssl3.extensions.is_empty());

    let tls10 = hello("mx.example", &[ProtocolVersion::TLS10]);
    assert_eq!(tls10.sni, Some(MxHost::new("mx.example")));
    assert_eq!((tls10.groups.len(), tls10.signature_schemes.len()), (1, 0));

    let tls12 = hello("mx.example", &[ProtocolVersion::TLS12]);
    assert_eq!((tls12.groups.len(), tls12.signature_schemes.len()), (1, 1));
    assert!(tls12.supported_versions.is_empty() && tls12.key_shares.is_none());
}

#[test]
fn every_version_offered_is_named_and_no_key_computed() {
    let versions = [ProtocolVersion::TLS13, ProtocolVersion::TLS12];
    let both = hello("mx.example", &versions);
    assert_eq!(both.legacy_version, ProtocolVersion::TLS12);
    assert_eq!(both.supported_versions, versions);
    assert_eq!(both.key_shares, Some(Vec::new()));
    assert_ne!(both.random, hello("mx.example", &versions).random);
}

#[test]
fn an_address_is_no_name() {
    for name in ["192.0.2.1", "."] {
        assert_eq!(hello(name, &[ProtocolVersion::TLS12]).sni, None, "{name}");
    }
}

/// A sender that sends no name is asked for without one.
#[test]
fn the_host_is_named_where_the_sender_names_it() {
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    let key = ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) };
    for names_host in [true, false] {
        let spec = ClientHelloSpec { names_host, ..spec(&[ProtocolVersion::TLS12]) };
        assert_eq!(client_hello(&key, &spec).unwrap().sni.is_some(), names_host);
    }
}
