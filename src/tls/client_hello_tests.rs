//! ClientHello byte for byte, and read back as it was written.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const RANDOM: [u8; 32] = [0xaa; 32];

/// The body of an encoded message.
fn body(hello: &ClientHello) -> Vec<u8> {
    hello.to_message().unwrap().split_off(4)
}

#[test]
fn sslv3_has_no_extensions() {
    let hello = ClientHello::new(ProtocolVersion::SSL3, [CipherSuite(0x000a), CipherSuite(0x00ff)], RANDOM);
    let mut expected = vec![22, 3, 0, 0, 47, 1, 0, 0, 43, 3, 0];
    expected.extend(RANDOM);
    expected.extend([0, 0, 4, 0, 0x0a, 0, 0xff, 1, 0]);
    assert_eq!(hello.to_records().unwrap(), expected);
}

#[test]
fn tls12_names_host_groups_and_schemes() {
    let mut hello = ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(0xc02f)], RANDOM);
    hello.sni = Some(MxHost::new("mx.example"));
    hello.groups = vec![NamedGroup(29)];
    hello.signature_schemes = vec![SignatureScheme(0x0804), SignatureScheme(0x0401)];
    let mut expected = vec![22, 3, 1, 0, 91, 1, 0, 0, 87, 3, 3];
    expected.extend(RANDOM);
    expected.extend([0, 0, 2, 0xc0, 0x2f, 1, 0, 0, 46]);
    expected.extend([0, 0, 0, 15, 0, 13, 0, 0, 10]);
    expected.extend(b"mx.example");
    expected.extend([0xff, 1, 0, 1, 0, 0, 11, 0, 2, 1, 0]);
    expected.extend([0, 10, 0, 4, 0, 2, 0, 29]);
    expected.extend([0, 13, 0, 6, 0, 4, 8, 4, 4, 1]);
    let length = expected.len() - 5;
    expected[4] = u8::try_from(length).unwrap();
    expected[8] = u8::try_from(length - 4).unwrap();
    let extensions = u8::try_from(length - 4 - 2 - 32 - 1 - 4 - 2 - 2).unwrap();
    expected[11 + 32 + 8] = extensions;
    assert_eq!(hello.to_records().unwrap(), expected);
}

#[test]
fn tls13_hides_its_version_in_an_extension() {
    let mut hello = ClientHello::new(ProtocolVersion::TLS13, [CipherSuite(0x1301)], RANDOM);
    hello.key_shares = Some(vec![KeyShare { group: NamedGroup(29), key: vec![5, 6] }]);
    let message = hello.to_message().unwrap();
    assert_eq!(message[4..6], [3, 3]);
    assert!(message.ends_with(&[0, 43, 0, 3, 2, 3, 4, 0, 51, 0, 8, 0, 6, 0, 29, 0, 2, 5, 6]));
    assert_eq!(hello.to_records().unwrap()[..3], [22, 3, 1]);
    // No share at all is sent as an empty list, which asks for a retry.
    let hello = ClientHello::new(ProtocolVersion::TLS13, [CipherSuite(0x1301)], RANDOM);
    assert!(hello.to_message().unwrap().ends_with(&[0, 51, 0, 2, 0, 0]));
}

#[test]
fn every_version_stands_where_servers_look_for_it() {
    for (version, record, legacy) in [
        (0x0300, 0x0300, 0x0300),
        (0x0301, 0x0301, 0x0301),
        (0x0302, 0x0301, 0x0302),
        (0x0303, 0x0301, 0x0303),
    ] {
        let hello = ClientHello::new(ProtocolVersion(version), [CipherSuite(5)], RANDOM);
        let bytes = hello.to_records().unwrap();
        assert_eq!(u16::from_be_bytes([bytes[1], bytes[2]]), record, "{version:#06x}");
        assert_eq!(u16::from_be_bytes([bytes[9], bytes[10]]), legacy, "{version:#06x}");
    }
}

#[test]
fn a_list_that_does_not_fit_is_refused() {
    let mut hello = ClientHello::new(ProtocolVersion::TLS12, vec![CipherSuite(5); 32_768], RANDOM);
    assert_eq!(hello.to_records(), Err(TooLong(65_536, 2)));
    hello.suites.truncate(30_000);
    let records = hello.to_records().unwrap();
    // Four records: 60,000 bytes of suites and what is around them.
    assert_eq!(records.len(), hello.to_message().unwrap().len() + 4 * 5);
    assert_eq!(ClientHello::decode(&body(&hello)).unwrap(), hello);
}

#[test]
fn a_broken_hello_is_malformed() {
    let hello = ClientHello::new(ProtocolVersion::TLS13, [CipherSuite(0x1301)], RANDOM);
    let whole = body(&hello);
    let without_extensions = 2 + 32 + 1 + 2 + 2 + 2;
    for end in 0..whole.len() {
        let read = ClientHello::decode(&whole[..end]);
        assert_eq!(read.is_ok(), end == without_extensions, "cut after {end}: {read:?}");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert_eq!(ClientHello::decode(&longer).unwrap_err().fault, "has bytes after its end");
}

#[test]
fn what_cannot_be_read_or_comes_twice_stays_raw() {
    let mut hello = ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(5)], RANDOM);
    hello.extensions = vec![
        Extension::new(ExtensionType::SERVER_NAME, *b"\x00\x05\x07\x00\x02hi"),
        Extension::new(ExtensionType::SUPPORTED_GROUPS, [0, 3, 0, 29, 0]),
        Extension::new(ExtensionType::KEY_SHARE, [0, 4, 0, 29, 0, 9]),
        Extension::new(ExtensionType::SUPPORTED_VERSIONS, [2, 3, 4, 9]),
    ];
    assert_eq!(ClientHello::decode(&body(&hello)).unwrap(), hello);
    let groups = Extension::new(ExtensionType::SUPPORTED_GROUPS, [0, 2, 0, 29]);
    hello.extensions = vec![groups.clone(), groups.clone()];
    let read = ClientHello::decode(&body(&hello)).unwrap();
    assert_eq!((read.groups, read.extensions), (vec![NamedGroup(29)], vec![groups]));
}

#[test]
fn what_is_offered_depends_on_who_reads_it() {
    let versions = [ProtocolVersion::SSL3, ProtocolVersion::TLS12, ProtocolVersion::TLS13];
    let offered = |hello: &ClientHello, knows| versions.map(|version| hello.offers(version, knows));
    let hello = ClientHello::new(ProtocolVersion::TLS13, [CipherSuite(0x1301)], [7; 32]);
    assert_eq!(offered(&hello, true), [false, false, true]);
    assert_eq!(offered(&hello, false), [true, true, false]);
    let hello = ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(5)], [7; 32]);
    assert_eq!(offered(&hello, true), [true, true, false]);
}

/// Extensions that the fields of the hello do not stand for.
fn other_extension() -> impl Strategy<Value = Extension> {
    (52..0xffff_u16, vec(any::<u8>(), 0..20))
        .prop_map(|(code, body)| Extension::new(ExtensionType(code), body))
}

fn hello() -> impl Strategy<Value = ClientHello> {
    let lists =
        (vec(any::<u16>(), 0..40), vec(any::<u16>(), 0..9), vec(any::<u16>(), 0..9), vec(any::<u16>(), 0..9));
    let share = (any::<u16>(), vec(any::<u8>(), 0..40))
        .prop_map(|(group, key)| KeyShare { group: NamedGroup(group), key });
    let rest = (
        any::<u16>(),
        any::<[u8; 32]>(),
        vec(any::<u8>(), 0..33),
        vec(any::<u8>(), 0..4),
        proptest::option::of("[a-z0-9-]{1,9}\\.example"),
        proptest::option::of(vec(share, 0..3)),
        vec(other_extension(), 0..4),
    );
    (lists, rest).prop_map(|((suites, groups, schemes, versions), rest)| ClientHello {
        legacy_version: ProtocolVersion(rest.0),
        random: rest.1,
        session_id: rest.2,
        suites: suites.into_iter().map(CipherSuite).collect(),
        compressions: rest.3,
        sni: rest.4.map(|name| MxHost::new(&name)),
        supported_versions: versions.into_iter().map(ProtocolVersion).collect(),
        groups: groups.into_iter().map(NamedGroup).collect(),
        signature_schemes: schemes.into_iter().map(SignatureScheme).collect(),
        key_shares: rest.5,
        extensions: rest.6,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(hello in hello()) {
        prop_assert_eq!(ClientHello::decode(&body(&hello)).unwrap(), hello);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = ClientHello::decode(&bytes);
    }

    #[test]
    fn no_change_makes_it_panic(hello in hello(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = body(&hello);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(read) = ClientHello::decode(&bytes) {
            prop_assert!(ClientHello::decode(&body(&read)).is_ok());
        }
    }
}
