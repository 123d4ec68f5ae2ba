//! The only tables of TLS code points (IANA "TLS Parameters").
//!
//! Each newtype keeps the raw code point, so a value that no table knows
//! survives and is written as `0x1234`.

mod cipher_suites;
mod code_point;
mod suite_facts;

pub use code_point::{
    AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme, UnknownName,
};
pub use suite_facts::{SuiteClass, SuiteFacts};

use cipher_suites::CIPHER_SUITES;

/// The code point that has this name in a table.
fn look_up_name<T: Copy>(table: &[(T, &'static str)], name: &str) -> Option<T> {
    table.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
}

/// The name that stands beside a code point in a sorted table.
fn look_up<T: Ord + Copy>(table: &[(T, &'static str)], code: T) -> Option<&'static str> {
    let found = table.binary_search_by_key(&code, |entry| entry.0).ok()?;
    table.get(found).map(|entry| entry.1)
}

impl ProtocolVersion {
    /// SSLv3 (RFC 6101).
    pub const SSL3: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS10: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS11: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS12: Self = Self(0x0303);
    /// TLS 1.3 (RFC 8446).
    pub const TLS13: Self = Self(0x0304);

    /// Whether a ClientHello can offer it: SSLv3 to TLS 1.3. A server that chooses
    /// another (a draft, SSLv2, what nobody has published) has agreed to nothing.
    pub fn can_be_offered(self) -> bool {
        (Self::SSL3..=Self::TLS13).contains(&self)
    }

    fn registered(self) -> Option<&'static str> {
        look_up(VERSIONS, self.0)
    }

    fn named(name: &str) -> Option<u16> {
        look_up_name(VERSIONS, name)
    }
}

impl CipherSuite {
    fn entry(self) -> Option<&'static SuiteFacts> {
        let found = CIPHER_SUITES.binary_search_by_key(&self.0, |entry| entry.code).ok()?;
        CIPHER_SUITES.get(found)
    }

    fn registered(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.name)
    }

    fn named(name: &str) -> Option<u16> {
        CIPHER_SUITES.iter().find(|entry| entry.name == name).map(|entry| entry.code)
    }

    /// Every registered suite by code point, signals left out.
    pub fn all() -> impl Iterator<Item = &'static SuiteFacts> {
        CIPHER_SUITES.iter().filter(|entry| entry.forward_secrecy.is_some())
    }

    /// What the suite is made of; `None` for an unknown suite, and for a
    /// signal, which is none.
    pub fn facts(self) -> Option<&'static SuiteFacts> {
        self.entry().filter(|entry| entry.forward_secrecy.is_some())
    }

    /// Whether the code point is a signal to the server and no suite, as
    /// `TLS_FALLBACK_SCSV` (RFC 7507).
    pub fn is_signal(self) -> bool {
        self.entry().is_some_and(|entry| entry.forward_secrecy.is_none())
    }

    /// How good the suite is; `None` for an unknown suite.
    pub fn class(self) -> Option<SuiteClass> {
        self.facts().map(SuiteFacts::class)
    }

    /// Whether the key exchange is ephemeral; `None` for an unknown suite.
    pub fn forward_secrecy(self) -> Option<bool> {
        self.entry().and_then(|entry| entry.forward_secrecy)
    }
}

impl NamedGroup {
    /// Whether it holds against a quantum computer: ML-KEM, alone or beside a curve.
    pub fn is_post_quantum(self) -> bool {
        self.registered().is_some_and(|name| name.contains("MLKEM"))
    }

    fn registered(self) -> Option<&'static str> {
        look_up(GROUPS, self.0)
    }

    fn named(name: &str) -> Option<u16> {
        look_up_name(GROUPS, name)
    }
}

impl SignatureScheme {
    fn registered(self) -> Option<&'static str> {
        look_up(SIGNATURE_SCHEMES, self.0)
    }

    fn named(name: &str) -> Option<u16> {
        look_up_name(SIGNATURE_SCHEMES, name)
    }
}

impl AlertDescription {
    /// The sender says nothing more.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// Nothing in common, or no further word on why not.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// A message could not be decoded.
    pub const DECODE_ERROR: Self = Self(50);
    /// A field is read, and says what it must not.
    pub const ILLEGAL_PARAMETER: Self = Self(47);
    /// The versions offered are known, but not supported.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// Nothing offered is strong enough for the server.
    pub const INSUFFICIENT_SECURITY: Self = Self(71);
    /// The sender calls the handshake off, for no fault of the other's.
    pub const USER_CANCELED: Self = Self(90);
    /// A client certificate was required and none came.
    pub const CERTIFICATE_REQUIRED: Self = Self(116);

    /// None of the protocols named for inside TLS is spoken (RFC 7301 §3.2).
    pub const NO_APPLICATION_PROTOCOL: Self = Self(120);

    /// Whether a server that answers a hello by this alert speaks about the
    /// hello. The others tell that it is leaving, is broken, or wants another
    /// thing than TLS can offer, and say nothing about what it has (RFC 8446
    /// §6.2; RFC 7507 §3 and RFC 6066 §3 for the last two).
    pub fn refuses_the_hello(self) -> bool {
        const UNEXPECTED_MESSAGE: u8 = 10;
        const DECODE_ERROR: u8 = 50;
        const MISSING_EXTENSION: u8 = 109;
        const UNSUPPORTED_EXTENSION: u8 = 110;
        const INAPPROPRIATE_FALLBACK: u8 = 86;
        const UNRECOGNIZED_NAME: u8 = 112;
        matches!(
            self,
            Self::HANDSHAKE_FAILURE
                | Self::ILLEGAL_PARAMETER
                | Self::PROTOCOL_VERSION
                | Self::INSUFFICIENT_SECURITY
        ) || matches!(
            self.0,
            UNEXPECTED_MESSAGE
                | DECODE_ERROR
                | MISSING_EXTENSION
                | UNSUPPORTED_EXTENSION
                | INAPPROPRIATE_FALLBACK
                | UNRECOGNIZED_NAME
        )
    }

    fn registered(self) -> Option<&'static str> {
        look_up(ALERTS, self.0)
    }

    fn named(name: &str) -> Option<u8> {
        look_up_name(ALERTS, name)
    }
}

const VERSIONS: &[(u16, &str)] = &[
    (0x0002, "SSLv2"),
    (0x0300, "SSLv3"),
    (0x0301, "TLSv1.0"),
    (0x0302, "TLSv1.1"),
    (0x0303, "TLSv1.2"),
    (0x0304, "TLSv1.3"),
];

const GROUPS: &[(u16, &str)] = &[
    (1, "sect163k1"),
    (2, "sect163r1"),
    (3, "sect163r2"),
    (4, "sect193r1"),
    (5, "sect193r2"),
    (6, "sect233k1"),
    (7, "sect233r1"),
    (8, "sect239k1"),
    (9, "sect283k1"),
    (10, "sect283r1"),
    (11, "sect409k1"),
    (12, "sect409r1"),
    (13, "sect571k1"),
    (14, "sect571r1"),
    (15, "secp160k1"),
    (16, "secp160r1"),
    (17, "secp160r2"),
    (18, "secp192k1"),
    (19, "secp192r1"),
    (20, "secp224k1"),
    (21, "secp224r1"),
    (22, "secp256k1"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (29, "x25519"),
    (30, "x448"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (34, "GC256A"),
    (35, "GC256B"),
    (36, "GC256C"),
    (37, "GC256D"),
    (38, "GC512A"),
    (39, "GC512B"),
    (40, "GC512C"),
    (41, "curveSM2"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (512, "MLKEM512"),
    (513, "MLKEM768"),
    (514, "MLKEM1024"),
    (4587, "SecP256r1MLKEM768"),
    (4588, "X25519MLKEM768"),
    (4589, "SecP384r1MLKEM1024"),
];

const SIGNATURE_SCHEMES: &[(u16, &str)] = &[
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0203, "ecdsa_sha1"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x081a, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081b, "ecdsa_brainpoolP384r1tls13_sha384"),
    (0x081c, "ecdsa_brainpoolP512r1tls13_sha512"),
    (0x0904, "mldsa44"),
    (0x0905, "mldsa65"),
    (0x0906, "mldsa87"),
];

const ALERTS: &[(u8, &str)] = &[
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (21, "decryption_failed"),
    (22, "record_overflow"),
    (30, "decompression_failure"),
    (40, "handshake_failure"),
    (41, "no_certificate"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (60, "export_restriction"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (111, "certificate_unobtainable"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (114, "bad_certificate_hash_value"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (117, "general_error"),
    (120, "no_application_protocol"),
    (121, "ech_required"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(VERSIONS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(CIPHER_SUITES.is_sorted_by(|a, b| a.code < b.code));
        assert!(GROUPS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(SIGNATURE_SCHEMES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ALERTS.is_sorted_by(|a, b| a.0 < b.0));
    }

    /// What the data set says of one suite, in the order of the table.
    fn expected(row: &csv::StringRecord) -> SuiteFacts {
        let leak = |column: usize| -> &'static str { String::leak(row[column].to_string()) };
        // RFC 7905 §2: the key of ChaCha20 has 256 bits; the data set says 128.
        let bits = if &row[5] == "CHACHA20_POLY1305" { 256 } else { row[7].parse().unwrap() };
        let signal = row[1].ends_with("_SCSV");
        let ephemeral = matches!(&row[3], "DHE" | "ECDHE" | "TLS13" | "ECCPWD")
            || (matches!(&row[3], "DH" | "ECDH") && &row[4] == "NULL");
        SuiteFacts {
            code: u16::from_str_radix(&row[0][2..], 16).unwrap(),
            name: leak(1),
            openssl_name: leak(2),
            key_exchange: leak(3),
            authentication: leak(4),
            cipher: leak(5),
            mode: leak(6),
            key_bits: bits,
            mac: leak(8),
            export: &row[12] == "1",
            forward_secrecy: (!signal).then_some(ephemeral),
        }
    }

    #[test]
    fn suites_are_those_of_the_dataset() {
        let text = include_str!("../../../datasets/registry/tls-cipher-suites.csv");
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let mut facts: Vec<SuiteFacts> = rows.records().map(|row| expected(&row.unwrap())).collect();
        facts.sort_by_key(|facts| facts.code);
        assert_eq!(CIPHER_SUITES.len(), facts.len());
        for (actual, expected) in CIPHER_SUITES.iter().zip(&facts) {
            assert_eq!(actual, expected);
        }
    }

    #[test]
    fn unknown_code_points_survive() {
        assert_eq!(CipherSuite(0x1301).name(), "TLS_AES_128_GCM_SHA256");
        assert_eq!(CipherSuite(0xfafa).name(), "0xfafa");
        assert_eq!(AlertDescription(99).name(), "0x63");
        assert_eq!(NamedGroup(4588).name(), "X25519MLKEM768");
    }

    #[test]
    fn static_rsa_has_no_forward_secrecy() {
        assert_eq!(CipherSuite(0x009c).forward_secrecy(), Some(false));
        assert_eq!(CipherSuite(0xc02f).forward_secrecy(), Some(true));
        assert_eq!(CipherSuite(0x1302).forward_secrecy(), Some(true));
        assert_eq!(CipherSuite(0x5600).forward_secrecy(), None);
    }
}
