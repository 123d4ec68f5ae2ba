//! ServerHellos byte for byte, whole, cut short and as retries.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// The body of a ServerHello up to its extensions.
fn start(version: u16, random: [u8; 32], suite: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.extend([2, 0xab, 0xcd]);
    body.extend(suite.to_be_bytes());
    body.push(0);
    body
}

#[test]
fn sslv3_ends_after_the_compression() {
    let hello = ServerHello::decode(&start(0x0300, [9; 32], 0x0005)).unwrap();
    assert_eq!((hello.version(), hello.suite), (ProtocolVersion::SSL3, CipherSuite(5)));
    assert_eq!((hello.session_id, hello.compression, hello.extensions), (vec![0xab, 0xcd], 0, vec![]));
}

#[test]
fn tls13_names_version_and_group_in_extensions() {
    let mut body = start(0x0303, [9; 32], 0x1302);
    body.extend([0, 14, 0, 43, 0, 2, 3, 4, 0, 51, 0, 4, 0x11, 0xec, 0, 0]);
    let error = ServerHello::decode(&body[..body.len() - 1]).unwrap_err();
    assert_eq!(error.to_string(), "ServerHello: ends early");
    let hello = ServerHello::decode(&body).unwrap();
    assert_eq!(hello.version(), ProtocolVersion::TLS13);
    assert_eq!(hello.group().unwrap().name(), "X25519MLKEM768");
    assert!(!hello.is_hello_retry());
}

#[test]
fn a_retry_is_known_by_its_random() {
    let mut body = start(0x0303, HELLO_RETRY_RANDOM, 0x1301);
    body.extend([0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 24]);
    let hello = ServerHello::decode(&body).unwrap();
    assert!(hello.is_hello_retry());
    assert_eq!((hello.version(), hello.group()), (ProtocolVersion::TLS13, Some(NamedGroup(24))));
    // The same share is none in a ServerHello, and the other way round.
    body[2] ^= 1;
    assert_eq!(ServerHello::decode(&body).unwrap_err().fault, "key_share is no share");
    let mut body = start(0x0303, HELLO_RETRY_RANDOM, 0x1301);
    body.extend([0, 8, 0, 51, 0, 4, 0, 24, 0, 0]);
    assert_eq!(ServerHello::decode(&body).unwrap_err().fault, "key_share is no share");
}

#[test]
fn unknown_code_points_survive() {
    let mut body = start(0x0305, [9; 32], 0xfafa);
    body.extend([0, 7, 0x7a, 0x7a, 0, 3, 1, 2, 3]);
    let hello = ServerHello::decode(&body).unwrap();
    assert_eq!((hello.version().0, hello.suite.0), (0x0305, 0xfafa));
    assert_eq!(hello.extensions, [Extension::new(ExtensionType(0x7a7a), [1, 2, 3])]);
}

#[test]
fn the_random_tells_of_newer_versions() {
    let mut random = [9; 32];
    let told = |random| ServerHello::decode(&start(0x0303, random, 5)).unwrap().downgrade_mark();
    assert_eq!(told(random), DowngradeMark::None);
    random[24..].copy_from_slice(b"DOWNGRD\x01");
    assert_eq!(told(random), DowngradeMark::Tls12);
    random[31] = 0;
    assert_eq!(told(random), DowngradeMark::Tls11);
    random[24] = b'd';
    assert_eq!(told(random), DowngradeMark::None);
    for mark in [DowngradeMark::Tls12, DowngradeMark::Tls11] {
        random[24..].copy_from_slice(&end_of_random(mark).unwrap());
        assert_eq!(told(random), mark);
    }
}

#[test]
fn broken_messages_are_malformed() {
    let whole = start(0x0303, [9; 32], 0xc02f);
    for end in 0..whole.len() {
        assert_eq!(ServerHello::decode(&whole[..end]).unwrap_err().fault, "ends early", "cut after {end}");
    }
    for (extensions, fault) in [
        (&[0][..], "ends early"),
        (&[0, 0, 9], "has bytes after its end"),
        (&[0, 4, 0, 43, 0, 9], "ends early"),
        (&[0, 5, 0, 43, 0, 1, 3], "supported_versions is no version"),
    ] {
        let body = [&whole, extensions].concat();
        assert_eq!(ServerHello::decode(&body).unwrap_err().fault, fault, "{extensions:?}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        numbers in (any::<u16>(), any::<u16>(), any::<u8>()),
        random in any::<[u8; 32]>(),
        session_id in vec(any::<u8>(), 0..33),
        extensions in vec((52..0xffff_u16, vec(any::<u8>(), 0..20)), 0..5),
    ) {
        let hello = ServerHello {
            legacy_version: ProtocolVersion(numbers.0),
            random,
            session_id,
            suite: CipherSuite(numbers.1),
            compression: numbers.2,
            extensions: extensions
                .into_iter()
                .map(|(code, body)| Extension::new(ExtensionType(code), body))
                .collect(),
        };
        let message = hello.to_message().unwrap();
        prop_assert_eq!(message[0], 2);
        prop_assert_eq!(ServerHello::decode(&message[4..]).unwrap(), hello);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(hello) = ServerHello::decode(&bytes) {
            let _ = (hello.version(), hello.group(), hello.downgrade_mark());
        }
    }
}
