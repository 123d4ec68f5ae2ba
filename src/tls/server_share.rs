//! A server's share of an ephemeral key exchange, as it is read and as it is
//! written.

use crate::model::NamedGroup;

/// A server's public value, by kind of key exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerShare {
    /// On a group by name.
    Group {
        /// The group that the server chose.
        group: NamedGroup,
        /// The point.
        public: Vec<u8>,
    },
    /// Diffie-Hellman, all numbers big-endian.
    Dh {
        /// The prime `dh_p`, big-endian (RFC 5246 §7.4.3).
        prime: Vec<u8>,
        /// The generator `dh_g`, big-endian.
        generator: Vec<u8>,
        /// The public value.
        public: Vec<u8>,
    },
    /// The short key of an export suite, big-endian.
    ExportRsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The public exponent.
        exponent: Vec<u8>,
    },
}
