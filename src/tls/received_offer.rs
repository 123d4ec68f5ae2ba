//! A ClientHello as a server tells of it, and its fingerprint.

use super::client_hello::ClientHello;
use super::extension::ExtensionType;
use super::wire::{Malformed, MessageReader};
use crate::model::inbound::{ALPN_PROTOCOLS_MAX, ReceivedOffer, is_grease};
use crate::model::text::escape;
use crate::model::{CipherSuite, ProtocolVersion};
use sha2::{Digest, Sha256};

/// Digits kept of each digest of a fingerprint.
const DIGEST_BYTES: usize = 6;
/// Stands for a digest of nothing.
const NO_DIGEST: &str = "000000000000";
/// Most that two digits count to.
const TWO_DIGITS_MAX: usize = 99;

/// What the body of a ClientHello offers.
///
/// # Errors
/// As [`ClientHello::decode`].
pub fn received_offer(body: &[u8]) -> Result<ReceivedOffer, Malformed> {
    Ok(offer_of(ClientHello::decode(body)?, body.len()))
}

/// What a ClientHello of so many bytes offers.
pub(super) fn offer_of(hello: ClientHello, bytes: usize) -> ReceivedOffer {
    let mut extensions = extension_types(&hello);
    extensions.sort_unstable();
    let raw =
        |wanted: ExtensionType| hello.extensions.iter().find(|extension| extension.extension_type == wanted);
    let alpn = raw(ExtensionType::ALPN).map(|extension| alpn(&extension.body)).unwrap_or_default();
    let unread_name = || raw(ExtensionType::SERVER_NAME).map(|extension| escape(&extension.body));
    let has_ticket = raw(ExtensionType::SESSION_TICKET).is_some_and(|extension| !extension.body.is_empty());
    let tls13 = hello.supported_versions.contains(&ProtocolVersion::TLS13);
    ReceivedOffer {
        legacy_version: hello.legacy_version,
        fingerprint: fingerprint(&hello, &extensions, alpn.first().map(Vec::as_slice)),
        sni: hello.sni.as_ref().map(|name| name.as_str().to_string()).or_else(unread_name),
        alpn: alpn.iter().take(ALPN_PROTOCOLS_MAX).map(|protocol| escape(protocol)).collect(),
        // In TLS 1.3 the id is there for middleboxes alone (RFC 8446 appendix D.4).
        resumes: has_ticket
            || raw(ExtensionType::PRE_SHARED_KEY).is_some()
            || (!tls13 && !hello.session_id.is_empty()),
        key_shares: hello.key_shares.iter().flatten().map(|share| share.group).collect(),
        versions: hello.supported_versions,
        suites: hello.suites,
        groups: hello.groups,
        signature_schemes: hello.signature_schemes,
        extensions,
        bytes,
    }
}

/// The types of all extensions, in no order.
fn extension_types(hello: &ClientHello) -> Vec<u16> {
    let known = [
        (ExtensionType::SERVER_NAME, hello.sni.is_some()),
        (ExtensionType::SUPPORTED_GROUPS, !hello.groups.is_empty()),
        (ExtensionType::SIGNATURE_ALGORITHMS, !hello.signature_schemes.is_empty()),
        (ExtensionType::SUPPORTED_VERSIONS, !hello.supported_versions.is_empty()),
        (ExtensionType::KEY_SHARE, hello.key_shares.is_some()),
    ];
    let there = known.into_iter().filter(|(_, is_there)| *is_there).map(|(known, _)| known.0);
    there.chain(hello.extensions.iter().map(|extension| extension.extension_type.0)).collect()
}

/// The protocols of an ALPN extension (RFC 7301 §3.1), as far as they can be read.
fn alpn(body: &[u8]) -> Vec<Vec<u8>> {
    let mut protocols = Vec::new();
    if let Ok(mut list) = MessageReader::new("ALPN", body).vector(2) {
        while let Ok(protocol) = list.vector(1) {
            protocols.push(protocol.to_vec());
        }
    }
    protocols
}

/// The fingerprint in the form of JA4: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
fn fingerprint(hello: &ClientHello, extensions: &[u16], alpn: Option<&[u8]>) -> String {
    let codes = |codes: &mut dyn Iterator<Item = u16>| -> Vec<u16> {
        codes.filter(|code| !is_grease(*code)).collect()
    };
    let mut suites = codes(&mut hello.suites.iter().map(|CipherSuite(code)| *code));
    let extensions = codes(&mut extensions.iter().copied());
    let schemes = codes(&mut hello.signature_schemes.iter().map(|scheme| scheme.0));
    suites.sort_unstable();
    let named = if extensions.contains(&ExtensionType::SERVER_NAME.0) { 'd' } else { 'i' };
    let hashed: Vec<u16> = extensions
        .iter()
        .copied()
        .filter(|code| ![ExtensionType::SERVER_NAME.0, ExtensionType::ALPN.0].contains(code))
        .collect();
    let mut behind = listed(&hashed);
    if !schemes.is_empty() {
        behind.push('_');
        behind.push_str(&listed(&schemes));
    }
    format!(
        "t{}{named}{:02}{:02}{}_{}_{}",
        version_digits(hello),
        suites.len().min(TWO_DIGITS_MAX),
        extensions.len().min(TWO_DIGITS_MAX),
        ends(alpn.unwrap_or_default()),
        digest(&listed(&suites)),
        if extensions.is_empty() { NO_DIGEST.to_string() } else { digest(&behind) },
    )
}

/// The newest version that is offered.
fn version_digits(hello: &ClientHello) -> &'static str {
    let offered = hello.supported_versions.iter().filter(|version| !is_grease(version.0)).max();
    match *offered.unwrap_or(&hello.legacy_version) {
        ProtocolVersion::TLS13 => "13",
        ProtocolVersion::TLS12 => "12",
        ProtocolVersion::TLS11 => "11",
        ProtocolVersion::TLS10 => "10",
        ProtocolVersion::SSL3 => "s3",
        _ => "00",
    }
}

/// First and last character of a protocol, or of its digits in hexadecimal where one of
/// the two is neither letter nor digit.
fn ends(protocol: &[u8]) -> String {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else { return "00".to_string() };
    match first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        true => [*first, *last].map(char::from).iter().collect(),
        false => format!("{:x}{:x}", first >> 4, last & 0x0f),
    }
}

/// Code points in four digits each, with commas between.
fn listed(codes: &[u16]) -> String {
    codes.iter().map(|code| format!("{code:04x}")).collect::<Vec<_>>().join(",")
}

fn digest(text: &str) -> String {
    if text.is_empty() {
        return NO_DIGEST.to_string();
    }
    Sha256::digest(text).iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MxHost, NamedGroup, SignatureScheme};
    use crate::tls::{Extension, KeyShare};

    const JA4_SUITES: [u16; 15] = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
        0x009d, 0x002f, 0x0035,
    ];

    /// The hello that the specification of JA4 takes for its example.
    fn of_the_specification() -> ClientHello {
        let suites = [0x1a1a].into_iter().chain(JA4_SUITES).map(CipherSuite);
        let mut hello = ClientHello::new(ProtocolVersion::TLS12, suites, [1; 32]);
        let raw = |code, body: &[u8]| Extension::new(ExtensionType(code), body);
        hello.extensions = vec![
            raw(0x0a0a, &[]),
            raw(0x001b, &[]),
            raw(0x0010, b"\0\x0c\x02h2\x08http/1.1"),
            raw(0x0005, &[]),
            raw(0x0012, &[]),
            raw(0x0017, &[]),
            raw(0x0023, &[]),
            raw(0x000b, &[1, 0]),
            raw(0x002d, &[1, 1]),
            raw(0x4469, &[]),
            raw(0xff01, &[0]),
            raw(0x0015, &[0; 3]),
        ];
        hello.sni = Some(MxHost::new("mx.example"));
        hello.supported_versions = [0x2a2a, 0x0304, 0x0303].map(ProtocolVersion).to_vec();
        hello.groups = [0x3a3a, 0x001d, 0x0017].map(NamedGroup).to_vec();
        hello.signature_schemes =
            [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601].map(SignatureScheme).to_vec();
        hello.key_shares = Some(vec![KeyShare { group: NamedGroup(0x001d), key: vec![7; 32] }]);
        hello
    }

    fn offer(hello: &ClientHello) -> ReceivedOffer {
        received_offer(hello.to_message().unwrap().get(4..).unwrap()).unwrap()
    }

    /// FoxIO, "JA4: TLS Client Fingerprinting", the example of its technical details.
    #[test]
    fn the_fingerprint_is_that_of_the_specification() {
        assert_eq!(offer(&of_the_specification()).fingerprint, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn what_a_hello_lacks_is_told_as_nothing() {
        let bare = offer(&ClientHello::new(ProtocolVersion::SSL3, [], [0; 32]));
        assert_eq!(bare.fingerprint, "ts3i000000_000000000000_000000000000");
        assert_eq!((bare.sni.as_deref(), bare.alpn.len(), bare.resumes), (None, 0, false));
        assert_eq!(bare.newest(), ProtocolVersion::SSL3);
    }

    #[test]
    fn a_hello_is_told_as_it_was_said() {
        let told = offer(&of_the_specification());
        assert_eq!(told.alpn, ["h2", "http/1.1"]);
        assert_eq!(told.sni.as_deref(), Some("mx.example"));
        assert_eq!(told.key_shares, [NamedGroup(0x001d)]);
        assert_eq!(told.suites.len(), JA4_SUITES.len() + 1);
        assert_eq!(told.newest(), ProtocolVersion::TLS13);
        assert!(told.extensions.is_sorted() && told.extensions.contains(&0x000a));
    }

    #[test]
    fn a_client_that_would_resume_is_seen() {
        for (extension, tls13, session_id, resumes) in [
            (None, true, 32, false),
            (None, false, 32, true),
            (Some((35, vec![])), false, 0, false),
            (Some((35, vec![1])), false, 0, true),
            (Some((41, vec![1])), true, 32, true),
        ] {
            let version = if tls13 { ProtocolVersion::TLS13 } else { ProtocolVersion::TLS12 };
            let mut hello = ClientHello::new(version, [CipherSuite(0x1301)], [0; 32]);
            hello.session_id = vec![5; session_id];
            hello.extensions.extend(extension.map(|(code, body)| Extension::new(ExtensionType(code), body)));
            assert_eq!(offer(&hello).resumes, resumes, "{hello:?}");
        }
    }
}
