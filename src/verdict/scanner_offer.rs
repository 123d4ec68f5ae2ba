//! What the scanner's own handshakes offer.

use crate::model::{CipherSuite, NamedGroup};

/// Suites that the scanner's own handshake offers, in its order (rustls with
/// the aws-lc-rs provider).
pub const SCANNER_SUITES: &[CipherSuite] = &[
    CipherSuite(0x1302),
    CipherSuite(0x1301),
    CipherSuite(0x1303),
    CipherSuite(0xc02c),
    CipherSuite(0xc02b),
    CipherSuite(0xcca9),
    CipherSuite(0xc030),
    CipherSuite(0xc02f),
    CipherSuite(0xcca8),
];

/// Groups that it offers, in its order: X25519MLKEM768, x25519, secp256r1 and
/// secp384r1.
pub const SCANNER_GROUPS: &[NamedGroup] =
    &[NamedGroup(0x11ec), NamedGroup(0x001d), NamedGroup(0x0017), NamedGroup(0x0018)];

/// Groups that a second handshake offers, which is to be short: the same
/// without X25519MLKEM768.
pub const SHORT_GROUPS: &[NamedGroup] = &[NamedGroup(0x001d), NamedGroup(0x0017), NamedGroup(0x0018)];
